#include "host/learning/conjugate_gradient.h"

namespace gallop {

ConjugateGradient::ConjugateGradient(Backend& backend, long n)
    : backend_(backend),
      n_(n),
      negative_(backend, n),
      residual_(backend, n),
      direction_(backend, n),
      product_(backend, n) {}

ConjugateGradientRequest ConjugateGradient::request(const float* gradient, float* x,
                                                    ConjugateGradientState* state) const {
  ConjugateGradientRequest r = {};
  r.n = n_;
  r.gradient = gradient;
  r.b = negative_.data();
  r.x = x;
  r.residual = residual_.data();
  r.direction = direction_.data();
  r.product = product_.data();
  r.state = state;
  return r;
}

void ConjugateGradient::solve(
    const std::function<void(const float*, float*, const std::int32_t*)>& multiply,
    const float* gradient, float* x, double damping, int max_iterations, double tolerance,
    ConjugateGradientState* state) {
  ConjugateGradientRequest r = request(gradient, x, state);
  r.damping = damping;
  r.max_iterations = max_iterations;
  r.tolerance = tolerance;
  backend_.conjugate_gradient_begin(r);
  for (int k = 0; k < max_iterations; k++) {
    multiply(r.direction, r.product, &state->running);
    backend_.conjugate_gradient_step(r);
  }
  multiply(x, r.product, nullptr);
  backend_.conjugate_gradient_end(r);
}

void ConjugateGradient::measure(const float* gradient, float* x, ConjugateGradientState* state) {
  backend_.conjugate_gradient_begin(request(gradient, x, state));
}

}  // namespace gallop
