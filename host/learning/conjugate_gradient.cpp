#include "host/learning/conjugate_gradient.h"

namespace gallop {

ConjugateGradient::ConjugateGradient(Backend& backend, long n)
    : backend_(backend),
      n_(n),
      residual_(backend, n),
      direction_(backend, n),
      product_(backend, n) {}

ConjugateGradientResult ConjugateGradient::solve(
    const std::function<void(const float*, float*)>& multiply, const float* b, float* x,
    int max_iterations, double tolerance) {
  ConjugateGradientResult result;
  backend_.copy(x, b, n_);
  backend_.add_scaled(x, -1.0f, b, n_);  // b - b: zero in any memory
  backend_.copy(residual_.data(), b, n_);
  backend_.copy(direction_.data(), b, n_);
  const double start = backend_.dot(b, b, n_);
  result.residual = start;
  while (result.iterations < max_iterations && result.residual > tolerance * start) {
    multiply(direction_.data(), product_.data());
    const double curvature = backend_.dot(direction_.data(), product_.data(), n_);
    if (!(curvature > 0)) break;
    const double step = result.residual / curvature;
    backend_.add_scaled(x, float(step), direction_.data(), n_);
    backend_.add_scaled(residual_.data(), float(-step), product_.data(), n_);
    const double next = backend_.dot(residual_.data(), residual_.data(), n_);
    backend_.scale_and_add(direction_.data(), float(next / result.residual), residual_.data(), n_);
    result.residual = next;
    result.iterations++;
  }
  return result;
}

}  // namespace gallop
