// The vocabulary of arithmetic for plain scalars: float (a CUDA thread, a debugger) and double
// (exact tests). numerics/lanes.h gives the same vocabulary to vectors of floats. Environments,
// policies and estimators are templates on F and use only these names, so that every F computes the
// same bits.
#pragma once

#include <cmath>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <gallop/kernels/numerics/platform.h>

namespace gallop::inline GALLOP_ISA {

// Int<F>: signed integers beside F, of the same size. Word<F>: the 32-bit words of the random
// generator. Mask<F>: what a comparison of F yields.
template <class F>
struct ScalarTraits;
template <>
struct ScalarTraits<float> {
  using Int = std::int32_t;
  using Word = std::uint32_t;
  using Mask = bool;
  static constexpr int kLanes = 1;
};
template <>
struct ScalarTraits<double> {
  using Int = std::int64_t;
  using Word = std::uint32_t;
  using Mask = bool;
  static constexpr int kLanes = 1;
};
template <class F>
using Int = typename ScalarTraits<F>::Int;
template <class F>
using Word = typename ScalarTraits<F>::Word;
template <class F>
using Mask = typename ScalarTraits<F>::Mask;
template <class F>
inline constexpr int kLanesOf = ScalarTraits<F>::kLanes;

// A constant of a simulation, written in double and rounded once to F's precision.
template <class F>
struct RealOf {
  static GALLOP_HD F make(double x) { return F(float(x)); }
};
template <>
struct RealOf<double> {
  static GALLOP_HD double make(double x) { return x; }
};
template <class F>
GALLOP_HD F real(double x) {
  return RealOf<F>::make(x);
}
// The same answer for all instances.
template <class F>
GALLOP_HD Mask<F> mask_of(bool answer) {
  return real<F>(answer ? 1.0 : 0.0) > real<F>(0.0);
}

// a * b + c with one rounding. Written wherever a fused operation is meant; the build forbids the
// compiler to fuse anything else.
GALLOP_HD float fmadd(float a, float b, float c) {
#if GALLOP_ON_DEVICE
  return __fmaf_rn(a, b, c);
#else
  return __builtin_fmaf(a, b, c);
#endif
}
GALLOP_HD double fmadd(double a, double b, double c) {
#if GALLOP_ON_DEVICE
  return __fma_rn(a, b, c);
#else
  return __builtin_fma(a, b, c);
#endif
}

GALLOP_HD std::int32_t as_int(float x) { return __builtin_bit_cast(std::int32_t, x); }
GALLOP_HD float as_float(std::int32_t x) { return __builtin_bit_cast(float, x); }

// Integers to F, exact below 2^24; F to integers by truncation. The least integer is what NaN and
// numbers beyond all integers become: what x86 makes of them, while C++ leaves it open and a GPU
// has other numbers.
GALLOP_HD float to_real(std::int32_t x) { return float(x); }
GALLOP_HD double to_real(std::int64_t x) { return double(x); }
GALLOP_HD std::int32_t to_int(float x) {
#if defined(__SSE2__) && !GALLOP_ON_DEVICE
  return _mm_cvttss_si32(_mm_set_ss(x));
#else
  return __builtin_fabsf(x) < 0x1p31f ? std::int32_t(x) : INT32_MIN;
#endif
}
GALLOP_HD std::int64_t to_int(double x) {
#if defined(__SSE2__) && !GALLOP_ON_DEVICE
  return _mm_cvttsd_si64(_mm_set_sd(x));
#else
  return __builtin_fabs(x) < 0x1p63 ? std::int64_t(x) : INT64_MIN;
#endif
}
GALLOP_HD std::uint32_t to_word(std::int32_t x) { return std::uint32_t(x); }
GALLOP_HD std::uint32_t to_word(std::int64_t x) { return std::uint32_t(x); }
// The low 24 bits of a word as F.
template <class F>
struct WordConversion {
  static GALLOP_HD F to_real(std::uint32_t x) { return F(std::int32_t(x)); }
};

template <class T>
GALLOP_HD T select(bool mask, T a, T b) {
  return mask ? a : b;
}
template <class T>
GALLOP_HD T zero_unless(bool mask, T x) {
  return mask ? x : T(0);
}
GALLOP_HD bool any(bool mask) { return mask; }
GALLOP_HD bool all(bool mask) { return mask; }
template <class F>
GALLOP_HD Int<F> mask_to_int(bool mask) {
  return Int<F>(mask ? 1 : 0);
}

// min and max return the second argument when either is NaN: min(bound, x) lets a NaN in x through.
template <class T>
GALLOP_HD T min(T a, T b) {
  return a < b ? a : b;
}
template <class T>
GALLOP_HD T max(T a, T b) {
  return a > b ? a : b;
}
GALLOP_HD float abs(float x) { return as_float(as_int(x) & 0x7fffffff); }
GALLOP_HD double abs(double x) { return __builtin_fabs(x); }
GALLOP_HD float sqrt(float x) {
#if GALLOP_ON_DEVICE
  return __fsqrt_rn(x);
#else
  return __builtin_sqrtf(x);
#endif
}
GALLOP_HD double sqrt(double x) {
#if GALLOP_ON_DEVICE
  return __dsqrt_rn(x);
#else
  return __builtin_sqrt(x);
#endif
}

// The nearest integer, ties to even; |x| < 2^63.
GALLOP_HD std::int64_t round_to_int64(double x) {
#if GALLOP_ON_DEVICE
  return __double2ll_rn(x);
#elif defined(__SSE2__)
  return _mm_cvtsd_si64(_mm_set_sd(x));
#else
  return __builtin_llrint(x);
#endif
}

// Correctly rounded 1/d.
GALLOP_HD float reciprocal(float d) {
#if GALLOP_ON_DEVICE
  return __frcp_rn(d);
#else
  return 1.0f / d;
#endif
}
GALLOP_HD double reciprocal(double d) { return 1.0 / d; }

// The same for 2^-100 <= d <= 2^100, without the device's question whether d is in such a range:
// the special function's approximation and one step of Newton's method, which is how __frcp_rn
// rounds correctly there.
GALLOP_HD float reciprocal_in_range(float d) {
#if GALLOP_ON_DEVICE
  float approximation;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(approximation) : "f"(d));
  return __fmaf_rn(approximation, __fmaf_rn(-d, approximation, 1.0f), approximation);
#else
  return 1.0f / d;
#endif
}
GALLOP_HD double reciprocal_in_range(double d) { return 1.0 / d; }

// Rounds to the precision of float: the identity for every F but double. Some references keep part
// of their state in float32.
GALLOP_HD float round_to_float(float x) { return x; }
GALLOP_HD double round_to_float(double x) { return double(float(x)); }

// High and low half of a 32 x 32 bit product.
GALLOP_HD void multiply_wide(std::uint32_t a, std::uint32_t b, std::uint32_t& high,
                             std::uint32_t& low) {
#if GALLOP_ON_DEVICE
  high = __umulhi(a, b);
  low = a * b;
#else
  const std::uint64_t product = std::uint64_t(a) * b;
  high = std::uint32_t(product >> 32);
  low = std::uint32_t(product);
#endif
}

// first, first + 1, ... in the lanes of a word.
template <class F>
struct ConsecutiveWords {
  static GALLOP_HD std::uint32_t from(std::uint32_t first) { return first; }
};
template <class F>
GALLOP_HD Word<F> consecutive_words(std::uint32_t first) {
  return ConsecutiveWords<F>::from(first);
}

// The k-th word of a table for each lane's own k.
GALLOP_HD float gather(const float* table, std::int32_t k) { return table[k]; }
GALLOP_HD double gather(const double* table, std::int64_t k) { return table[k]; }
GALLOP_HD double gather(const float* table, std::int64_t k) { return double(table[k]); }
GALLOP_HD std::uint32_t gather_words(const std::uint32_t* table, std::int32_t k) {
  return table[k];
}
GALLOP_HD std::int32_t gather_words(const std::int32_t* table, std::int32_t k) { return table[k]; }

// Loads and stores of `count` of F's lanes; lanes from `count` on are zero after a load and left
// alone by a store. `load_words` does the same for any 4-byte type (8-byte for double).
GALLOP_HD float load_lanes(const float* from, int, float) { return *from; }
GALLOP_HD void store_lanes(float* to, float x, int) { *to = x; }
GALLOP_HD double load_lanes(const double* from, int, double) { return *from; }
GALLOP_HD void store_lanes(double* to, double x, int) { *to = x; }
GALLOP_HD void store_lanes(std::int32_t* to, std::int32_t x, int) { *to = x; }
GALLOP_HD void store_past_caches(float* to, float x, int) { *to = x; }
GALLOP_HD std::uint32_t load_words(const std::uint32_t* from, int, std::uint32_t) { return *from; }
GALLOP_HD std::int32_t load_words(const std::int32_t* from, int, std::int32_t) { return *from; }
GALLOP_HD void store_words(std::uint32_t* to, std::uint32_t x, int) { *to = x; }
GALLOP_HD void store_words(std::int32_t* to, std::int32_t x, int) { *to = x; }
// Has x in a register from here on: of a number in memory that several instructions take, compilers
// let each of them read it.
GALLOP_HD void keep_in_register(float&) {}
// Stores the lanes whose mask is set.
GALLOP_HD void store_where(float* to, bool mask, float x, int) {
  if (mask) *to = x;
}
GALLOP_HD void store_where(std::int32_t* to, bool mask, std::int32_t x, int) {
  if (mask) *to = x;
}
// Writes first + i for each lane i that is set, in order, and returns how many there are. Touches
// as many words as there are lanes.
GALLOP_HD int list_lanes(std::int32_t* to, bool mask, std::int32_t first) {
  *to = first;
  return mask ? 1 : 0;
}
GALLOP_HD void store_mask(std::uint8_t* to, bool mask, int) { *to = mask ? 1 : 0; }
// The lanes whose flag is set, and those whose flag is 0, among them those from `count` on.
GALLOP_HD bool load_mask(const std::uint8_t* from, int, float) { return *from != 0; }
GALLOP_HD bool load_clear(const std::uint8_t* from, int, float) { return *from == 0; }
GALLOP_HD bool load_mask(const std::uint8_t* from, int, double) { return *from != 0; }
GALLOP_HD bool load_clear(const std::uint8_t* from, int, double) { return *from == 0; }

}  // namespace gallop::inline GALLOP_ISA
