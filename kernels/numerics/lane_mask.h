// LaneMask<W>: what a comparison of lanes yields. A mask register where AVX-512 has them: GCC 12
// works on masks kept in vectors of 16 lanes bit by bit, which made a step of CartPole 1.5x slower.
// Elsewhere a vector with all bits set in a lane that holds true.
#pragma once

#include <immintrin.h>

#include <gallop/kernels/numerics/platform.h>

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define GALLOP_MASK_REGISTERS 1
#else
#define GALLOP_MASK_REGISTERS 0
#endif

namespace gallop::inline GALLOP_ISA {

template <class T, int W>
struct VectorOf {
  typedef T type __attribute__((vector_size(sizeof(T) * W)));
};

// Comparisons of vectors, and a where the mask is set, else b.
template <class V>
GALLOP_HD auto less(V a, V b) {
  return a < b;
}
template <class V>
GALLOP_HD auto less_equal(V a, V b) {
  return a <= b;
}
template <class V>
GALLOP_HD auto equal(V a, V b) {
  return a == b;
}
template <class M, class V>
GALLOP_HD V blend(M mask, V a, V b) {
  return mask ? a : b;
}

template <int W>
struct LaneMask {
  using Vector = typename VectorOf<std::int32_t, W>::type;
  Vector v;
  GALLOP_HD bool lane(int i) const { return v[i] != 0; }
  GALLOP_HD auto bytes() const {  // 1 in a lane that holds true
    using Bytes = typename VectorOf<std::uint8_t, W>::type;
#if defined(__AVX2__)
    if constexpr (W == 8) {  // GCC 12 would convert the lanes one by one
      const __m128i low = _mm256_castsi256_si128(__m256i(v));
      const __m128i words = _mm_packs_epi32(low, _mm256_extracti128_si256(__m256i(v), 1));
      const __m128i packed = _mm_and_si128(_mm_packs_epi16(words, words), _mm_set1_epi8(1));
      return __builtin_bit_cast(Bytes, _mm_cvtsi128_si64(packed));
    }
#endif
    return __builtin_convertvector(v & 1, Bytes);
  }
  friend GALLOP_HD LaneMask operator&(LaneMask a, LaneMask b) { return {a.v & b.v}; }
  friend GALLOP_HD LaneMask operator|(LaneMask a, LaneMask b) { return {a.v | b.v}; }
  friend GALLOP_HD LaneMask operator^(LaneMask a, LaneMask b) { return {a.v ^ b.v}; }
  friend GALLOP_HD LaneMask operator!(LaneMask a) { return {~a.v}; }
};

template <int W>
GALLOP_HD bool any(LaneMask<W> mask) {
#if defined(__AVX2__)
  if constexpr (W == 8) return !_mm256_testz_si256(__m256i(mask.v), __m256i(mask.v));
#endif
  std::int32_t bits = 0;
  for (int i = 0; i < W; i++) bits |= mask.v[i];
  return bits != 0;
}
template <int W>
GALLOP_HD bool all(LaneMask<W> mask) {
  return !any(!mask);
}

#if GALLOP_MASK_REGISTERS

using Floats16 = VectorOf<float, 16>::type;
using Ints16 = VectorOf<std::int32_t, 16>::type;
using Words16 = VectorOf<std::uint32_t, 16>::type;

GALLOP_HD __mmask16 less(Floats16 a, Floats16 b) {
  return _mm512_cmp_ps_mask(__m512(a), __m512(b), _CMP_LT_OQ);
}
GALLOP_HD __mmask16 less(Ints16 a, Ints16 b) {
  return _mm512_cmplt_epi32_mask(__m512i(a), __m512i(b));
}
GALLOP_HD __mmask16 less(Words16 a, Words16 b) {
  return _mm512_cmplt_epu32_mask(__m512i(a), __m512i(b));
}
GALLOP_HD __mmask16 less_equal(Floats16 a, Floats16 b) {
  return _mm512_cmp_ps_mask(__m512(a), __m512(b), _CMP_LE_OQ);
}
GALLOP_HD __mmask16 less_equal(Ints16 a, Ints16 b) {
  return _mm512_cmple_epi32_mask(__m512i(a), __m512i(b));
}
GALLOP_HD __mmask16 less_equal(Words16 a, Words16 b) {
  return _mm512_cmple_epu32_mask(__m512i(a), __m512i(b));
}
GALLOP_HD __mmask16 equal(Floats16 a, Floats16 b) {
  return _mm512_cmp_ps_mask(__m512(a), __m512(b), _CMP_EQ_OQ);
}
GALLOP_HD __mmask16 equal(Ints16 a, Ints16 b) {
  return _mm512_cmpeq_epi32_mask(__m512i(a), __m512i(b));
}
GALLOP_HD __mmask16 equal(Words16 a, Words16 b) {
  return _mm512_cmpeq_epi32_mask(__m512i(a), __m512i(b));
}
GALLOP_HD Floats16 blend(__mmask16 mask, Floats16 a, Floats16 b) {
  return Floats16(_mm512_mask_blend_ps(mask, __m512(b), __m512(a)));
}
GALLOP_HD Ints16 blend(__mmask16 mask, Ints16 a, Ints16 b) {
  return Ints16(_mm512_mask_blend_epi32(mask, __m512i(b), __m512i(a)));
}
GALLOP_HD Words16 blend(__mmask16 mask, Words16 a, Words16 b) {
  return Words16(_mm512_mask_blend_epi32(mask, __m512i(b), __m512i(a)));
}

template <>
struct LaneMask<16> {
  __mmask16 v;
  GALLOP_HD bool lane(int i) const { return (v >> i & 1) != 0; }
  GALLOP_HD auto bytes() const {
    return VectorOf<std::uint8_t, 16>::type(_mm_maskz_set1_epi8(v, 1));
  }
  friend GALLOP_HD LaneMask operator&(LaneMask a, LaneMask b) { return {_kand_mask16(a.v, b.v)}; }
  friend GALLOP_HD LaneMask operator|(LaneMask a, LaneMask b) { return {_kor_mask16(a.v, b.v)}; }
  friend GALLOP_HD LaneMask operator^(LaneMask a, LaneMask b) { return {_kxor_mask16(a.v, b.v)}; }
  friend GALLOP_HD LaneMask operator!(LaneMask a) { return {_knot_mask16(a.v)}; }
};

GALLOP_HD bool any(LaneMask<16> mask) { return mask.v != 0; }
GALLOP_HD bool all(LaneMask<16> mask) { return mask.v == 0xffff; }

#endif

}  // namespace gallop::inline GALLOP_ISA
