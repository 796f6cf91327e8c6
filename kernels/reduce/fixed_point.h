// Sums that do not depend on the order of their terms: each term is rounded to a multiple of 2^-e
// and the multiples are added as 64-bit integers. The exponent e follows from an exact bound of the
// terms and their number alone, so threads, atomics, splits of the batch and ranks stop mattering.
#pragma once

#include <gallop/kernels/reduce/fixed_lanes.h>

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

// Greatest magnitude of x [n]; infinity if any is not finite. Bits without the sign order like the
// magnitudes, and those of what is not finite come last.
template <class F>
GALLOP_HD float greatest_magnitude(const float* x, long n) {
  constexpr int kW = kLanesOf<F>, kTogether = 4;
  Int<F> greatest[kTogether];
  for (int k = 0; k < kTogether; k++) greatest[k] = Int<F>(0);
  long i = 0;
  for (; i + kTogether * kW <= n; i += kTogether * kW) {
    GALLOP_UNROLL(4)
    for (int k = 0; k < kTogether; k++) {
      const F v = load_lanes(x + i + k * kW, kW, F());
      greatest[k] = max(greatest[k], as_int(abs(v)));
    }
  }
  for (; i < n; i += kW) {
    const F v = load_lanes(x + i, n - i < kW ? int(n - i) : kW, F());
    greatest[0] = max(greatest[0], as_int(abs(v)));
  }
  for (int k = 1; k < kTogether; k++) greatest[0] = max(greatest[0], greatest[k]);
  std::int32_t lanes[kW], result = 0;
  store_words(lanes, greatest[0], kW);
  for (int k = 0; k < kW; k++) result = max(result, lanes[k]);
  return as_float(min(result, std::int32_t(0x7f800000)));
}

// Fixed-point sum of f(x [n]), f of doubles one or several at a time.
template <class F, class Function>
GALLOP_HD std::int64_t fixed_sum_of(const float* x, long n, int exponent, const Function& f) {
  std::int64_t sum = 0;
  long i = 0;
  if constexpr (kLanesOf < F >> 1) {
    using V = FixedVectors<F>;
    FixedSums<F> total;
    total.clear();
    const typename V::Doubles scale = typename V::Doubles{} + power_of_two(exponent) * 0x1p-32;
    for (; i + V::kLanes <= n; i += V::kLanes) total.add(f(load_doubles<F>(x + i)) * scale);
    const typename V::Words totals = total.total(i / V::kLanes);
    for (int k = 0; k < V::kLanes; k++) sum += std::int64_t(totals[k]);
  }
  for (; i < n; i++) sum += to_fixed(f(double(x[i])), exponent);
  return sum;
}

// Fixed-point sum of x [n], and of (x - mean)^2.
template <class F>
GALLOP_HD std::int64_t fixed_sum(const float* x, long n, int exponent) {
  return fixed_sum_of<F>(x, n, exponent, [](auto v) { return v; });
}
template <class F>
GALLOP_HD std::int64_t fixed_sum_of_squares(const float* x, long n, double mean, int exponent) {
  return fixed_sum_of<F>(x, n, exponent, [mean](auto v) { return (v - mean) * (v - mean); });
}

}  // namespace gallop::inline GALLOP_ISA
