// Fixed-point sums of several columns at once, for the vector registers of a CPU: the integers of
// round_to_int64 (numerics/scalar.h) without its instruction, which takes one number at a time.
#pragma once

#include "kernels/numerics/scalar.h"

namespace gallop::inline GALLOP_ISA {

// Half as many doubles as floats fill a register.
template <class F>
struct FixedVectors {
  static constexpr int kLanes = kLanesOf<F> / 2;
  typedef float Floats __attribute__((vector_size(4 * kLanes)));
  typedef double Doubles __attribute__((vector_size(8 * kLanes)));
  typedef std::uint64_t Words __attribute__((vector_size(8 * kLanes)));
};

// Columns that are summed together: rows are read in runs long enough for the processor to fetch
// ahead, and the sums stay in the first cache.
constexpr int kFixedColumns = 512;

// Added to an |x| < 2^51, it leaves the integer nearest to x, ties to even, in the low bits.
constexpr double kToInteger = 0x1.8p52;

// sum[i] = unscale * sum over rows of round(scale * p[row * stride + i]) for `columns` columns, a
// multiple of 8 up to kFixedColumns; |scale * p| < 2^62. An integer is made of two: h, nearest to
// x / 2^32, and what is nearest to x - 2^32 h, which is exact; 2^32 h is even, so that ties go
// where they would for x.
template <class F>
inline void sum_fixed_columns(const float* p, int rows, int columns, long stride, double scale,
                              double unscale, float* sum) {
  using V = FixedVectors<F>;
  using Words = typename V::Words;
  using Doubles = typename V::Doubles;
  Words total[kFixedColumns / V::kLanes];
  const int n = columns / V::kLanes;
  for (int v = 0; v < n; v++) total[v] = Words{};
  const Doubles offset = Doubles{} + kToInteger, factor = Doubles{} + scale;
  for (int c = 0; c < rows; c++, p += stride) {
    for (int v = 0; v < n; v++) {
      typename V::Floats floats;
      __builtin_memcpy(&floats, p + v * V::kLanes, sizeof(floats));
      const Doubles x = __builtin_convertvector(floats, Doubles) * factor;
      const Doubles high = x * 0x1p-32 + offset;
      const Doubles low = (x - (high - offset) * 0x1p32) + offset;
      total[v] += ((Words)high << 32) + (Words)low;
    }
  }
  const std::uint64_t excess = std::uint64_t(rows) * __builtin_bit_cast(std::uint64_t, kToInteger);
  for (int v = 0; v < n; v++) {
    for (int i = 0; i < V::kLanes; i++) {
      sum[v * V::kLanes + i] = float(double(std::int64_t(total[v][i] - excess)) * unscale);
    }
  }
}

}  // namespace gallop::inline GALLOP_ISA
