#pragma once

#include <functional>

#include "host/runtime/backend.h"

namespace gallop {

// Solves (A + damping I) x = -gradient for a symmetric positive semidefinite A given by its
// products (kernels/optimizers/conjugate_gradient.h). Vectors [n] and scalars stay in the backend's
// memory and nothing waits: all iterations are asked for, those after the last do nothing.
class ConjugateGradient {
 public:
  ConjugateGradient(Backend& backend, long n);

  // multiply(p, Ap, active) writes A p; where `active` is set and the number there is 0, the
  // product is not wanted. `x` [n] and *state are written.
  void solve(const std::function<void(const float*, float*, const std::int32_t*)>& multiply,
             const float* gradient, float* x, double damping, int max_iterations, double tolerance,
             ConjugateGradientState* state);
  // Only |gradient|^2, into state->start.
  void measure(const float* gradient, float* x, ConjugateGradientState* state);

 private:
  ConjugateGradientRequest request(const float* gradient, float* x,
                                   ConjugateGradientState* state) const;

  Backend& backend_;
  long n_;
  DeviceArray<float> negative_, residual_, direction_, product_;
};

}  // namespace gallop
