// Advantages to mean 0 and standard deviation 1 over the batch: x -> (x - mean) / (std + 1e-8).
#pragma once

#include "kernels/reduce/fixed_point.h"

namespace gallop::inline GALLOP_ISA {

template <class F>
GALLOP_HD F standardized(F x, float mean, float inverse_std) {
  return (x - F(mean)) * F(inverse_std);
}

template <class F>
void standardize(float* x, long n, float mean, float inverse_std) {
  constexpr int kW = kLanesOf<F>;
  for (long i = 0; i < n; i += kW) {
    const int count = n - i < kW ? int(n - i) : kW;
    store_lanes(x + i, standardized(load_lanes(x + i, count, F()), mean, inverse_std), count);
  }
}

}  // namespace gallop::inline GALLOP_ISA
