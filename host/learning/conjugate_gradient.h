#pragma once

#include <functional>

#include "host/runtime/backend.h"

namespace gallop {

struct ConjugateGradientResult {
  int iterations = 0;
  double residual = 0;  // |b - A x|^2, as the recurrence has it
};

// Solves A x = b for a symmetric positive definite A given by its products (Hestenes and Stiefel
// 1952), from x = 0, until |r|^2 falls below `tolerance` times |b|^2 or `max_iterations` are done.
// Vectors [n] in the backend's memory, scalars in double. Stops early, with what it has, where p^T
// A p is not positive: A is singular along p.
class ConjugateGradient {
 public:
  ConjugateGradient(Backend& backend, long n);

  // multiply(p, Ap) writes A p.
  ConjugateGradientResult solve(const std::function<void(const float*, float*)>& multiply,
                                const float* b, float* x, int max_iterations, double tolerance);

 private:
  Backend& backend_;
  long n_;
  DeviceArray<float> residual_, direction_, product_;
};

}  // namespace gallop
