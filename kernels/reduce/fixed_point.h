// Sums that do not depend on the order of their terms: each term is rounded to a multiple of 2^-e
// and the multiples are added as 64-bit integers. The exponent e follows from an exact bound of the
// terms and their number alone, so threads, atomics, splits of the batch and ranks stop mattering.
#pragma once

#include "kernels/numerics/scalar.h"

namespace gallop::inline GALLOP_ISA {

// 2^n for -1022 <= n <= 1023.
GALLOP_HD double power_of_two(int n) {
  return __builtin_bit_cast(double, std::int64_t(n + 1023) << 52);
}

// Binary exponent of a finite x > 0: 2^(k - 1) <= x < 2^k.
GALLOP_HD int exponent_of(double x) {
  return int(__builtin_bit_cast(std::int64_t, x) >> 52 & 0x7ff) - 1022;
}

// The exponent e of a sum of at most `count` terms whose magnitude is at most `bound` (finite, >=
// 0): 62 bits less those that the count can add, so that the sum fits 63 bits.
GALLOP_HD int fixed_exponent(double bound, std::int64_t count) {
  int count_bits = 0;
  while ((std::int64_t(1) << count_bits) < count) count_bits++;
  const int top = bound > 0 ? exponent_of(bound) : 0;
  const int e = 62 - count_bits - top;
  return e > 1000 ? 1000 : e < -1000 ? -1000 : e;
}

GALLOP_HD std::int64_t to_fixed(double x, int exponent) {
  return round_to_int64(x * power_of_two(exponent));
}
GALLOP_HD double from_fixed(std::int64_t sum, int exponent) {
  return double(sum) * power_of_two(-exponent);
}

// Greatest magnitude of x [n]; infinity if any is not finite.
template <class F>
GALLOP_HD float greatest_magnitude(const float* x, long n) {
  constexpr int kW = kLanesOf<F>;
  F greatest = F(0.0f), zero = F(0.0f);
  for (long i = 0; i < n; i += kW) {
    const F v = load_lanes(x + i, n - i < kW ? int(n - i) : kW, F());
    greatest = max(greatest, abs(v));
    zero = fmadd(v, F(0.0f), zero);
  }
  float lanes[kW], zeros[kW], result = 0.0f;
  store_lanes(lanes, greatest, kW);
  store_lanes(zeros, zero, kW);
  for (int k = 0; k < kW; k++) {
    result = max(result, lanes[k]);
    if (!(zeros[k] == 0.0f)) result = __builtin_inff();
  }
  return result;
}

// Fixed-point sum of x [n], and of (x - mean)^2.
template <class F>
GALLOP_HD std::int64_t fixed_sum(const float* x, long n, int exponent) {
  std::int64_t sum = 0;
  for (long i = 0; i < n; i++) sum += to_fixed(double(x[i]), exponent);
  return sum;
}
template <class F>
GALLOP_HD std::int64_t fixed_sum_of_squares(const float* x, long n, double mean, int exponent) {
  std::int64_t sum = 0;
  for (long i = 0; i < n; i++) {
    const double d = double(x[i]) - mean;
    sum += to_fixed(d * d, exponent);
  }
  return sum;
}

}  // namespace gallop::inline GALLOP_ISA
