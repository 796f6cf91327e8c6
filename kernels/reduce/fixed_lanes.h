// Fixed-point sums of several numbers at once, for the vector registers of a CPU: the integers of
// round_to_int64 (numerics/scalar.h) without its instruction, which takes one number at a time.
#pragma once

#include <gallop/kernels/numerics/native.h>
#include <gallop/kernels/numerics/scalar.h>

namespace gallop::inline GALLOP_ISA {

// Columns that are summed together: rows are read in runs long enough for the processor to fetch
// ahead, and the sums stay in the first cache.
constexpr int kFixedColumns = 512;
constexpr int kFixedRows = 4;  // that are added before the sums are stored

// Half as many doubles as floats fill a register.
template <class F>
struct FixedVectors {
  static constexpr int kLanes = kLanesOf<F> / 2;
  typedef float Floats __attribute__((vector_size(4 * kLanes)));
  typedef double Doubles __attribute__((vector_size(8 * kLanes)));
  typedef std::uint64_t Words __attribute__((vector_size(8 * kLanes)));
};
template <class F>
GALLOP_HD typename FixedVectors<F>::Doubles load_doubles(const float* p) {
  using Doubles [[maybe_unused]] = typename FixedVectors<F>::Doubles;
#if defined(__AVX512F__) && GALLOP_LANES > 1
  if constexpr (kLanesOf<F> == 16) return Doubles(_mm512_cvtps_pd(_mm256_loadu_ps(p)));
#endif
#if defined(__AVX2__) && GALLOP_LANES > 1  // GCC 12 would convert half a register at a time
  if constexpr (kLanesOf<F> == 8) return Doubles(_mm256_cvtps_pd(_mm_loadu_ps(p)));
#endif
  typename FixedVectors<F>::Floats floats;
  __builtin_memcpy(&floats, p, sizeof(floats));
  return __builtin_convertvector(floats, Doubles);
}

// Sums of integers nearest to 2^32 x, ties to even, in lanes; |x| < 2^30.
template <class F>
struct FixedSums {
  using V = FixedVectors<F>;
  using Words = typename V::Words;
  using Doubles = typename V::Doubles;
  // Added to an |x| < 2^51, it leaves the integer nearest to x, ties to even, in the low bits.
  static constexpr double kToInteger = 0x1.8p52;

#if GALLOP_MASK_REGISTERS
  static constexpr bool kConverts = V::kLanes == 8;
#else
  static constexpr bool kConverts = false;
#endif
  Words high, low;

  GALLOP_HD void clear() { high = low = Words{}; }

  // An integer is made of two: h, nearest to x, and what is nearest to 2^32 (x - h), which is
  // exact; 2^32 h is even, so that ties go where they would for 2^32 x.
  GALLOP_HD void add(Doubles x) {
#if GALLOP_MASK_REGISTERS
    if constexpr (kConverts) {
      low += Words(_mm512_cvtpd_epi64(__m512d(x * 0x1p32)));
      return;
    }
#endif
    const Doubles offset = Doubles{} + kToInteger;
    const Doubles h = x + offset, rest = x - (h - offset);
    high += (Words)h;
    low += (Words)(rest * 0x1p32 + offset);
  }
  // The sums of `count` numbers each.
  GALLOP_HD Words total(std::int64_t count) const {
    if constexpr (kConverts) return low;
    const std::uint64_t excess =
        std::uint64_t(count) * __builtin_bit_cast(std::uint64_t, double(kToInteger));
    return ((high - excess) << 32) + (low - excess);
  }
};

// Signed integers as doubles, rounded once: their halves in the low bits of 2^52 and of 2^84 +
// 2^63.
template <class F>
GALLOP_HD typename FixedVectors<F>::Doubles to_doubles(typename FixedVectors<F>::Words x) {
  using V = FixedVectors<F>;
  const auto low = (typename V::Doubles)((x & 0xffffffffu) | 0x4330000000000000u);
  const auto high = (typename V::Doubles)((x >> 32) ^ 0x4530000080000000u);
  return (high - (0x1p84 + 0x1p63 + 0x1p52)) + low;
}

// sum[i] = unscale * sum over rows of round(scale * p[row * stride + i]) for `columns` columns, a
// multiple of 8 up to kFixedColumns; |scale * p| < 2^62.
template <class F>
inline void sum_fixed_columns(const float* p, int rows, int columns, long stride, double scale,
                              double unscale, float* sum) {
  using V = FixedVectors<F>;
  FixedSums<F> total[kFixedColumns / V::kLanes];
  const int n = columns / V::kLanes;
  const typename V::Doubles factor = typename V::Doubles{} + scale * 0x1p-32;
  for (int v = 0; v < n; v++) total[v].clear();
  int c = 0;
  for (; c + kFixedRows <= rows; c += kFixedRows, p += kFixedRows * stride) {
    for (int v = 0; v < n; v++) {
      FixedSums<F> own = total[v];
      GALLOP_UNROLL(4)
      for (int k = 0; k < kFixedRows; k++) {
        own.add(load_doubles<F>(p + k * stride + v * V::kLanes) * factor);
      }
      total[v] = own;
    }
  }
  for (; c < rows; c++, p += stride) {
    for (int v = 0; v < n; v++) total[v].add(load_doubles<F>(p + v * V::kLanes) * factor);
  }
  for (int v = 0; v < n; v++) {
    const auto x =
        __builtin_convertvector(to_doubles<F>(total[v].total(rows)) * unscale, typename V::Floats);
    __builtin_memcpy(sum + v * V::kLanes, &x, sizeof(x));
  }
}

}  // namespace gallop::inline GALLOP_ISA
