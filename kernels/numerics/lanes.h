// Lanes<T, W>: W numbers of 4 bytes in one vector register, on the vector extensions of GCC and
// Clang. W must equal the register (8 for AVX2, 16 for AVX-512): GCC 12 scalarises wider vectors,
// 10x slower. Gives lanes the vocabulary of numerics/scalar.h.
#pragma once

#include <type_traits>

#include <gallop/kernels/numerics/lane_mask.h>
#include <gallop/kernels/numerics/scalar.h>

namespace gallop::inline GALLOP_ISA {

template <class T, int W>
struct Lanes {
  using Vector = typename VectorOf<T, W>::type;
  Vector v;

  Lanes() = default;
  GALLOP_HD Lanes(Vector x) : v(x) {}
  // s - 0 keeps the sign of a zero, 0 + s would not. Explicit: a bare number beside lanes would be
  // rounded to T, and beside a scalar not (environment/checked_real.h).
  GALLOP_HD explicit Lanes(T s) : v(s - Vector{}) {}
  template <class U>  // an int is the same beside the integers of every F
  requires std::is_same_v<U, int> && std::is_same_v<T, std::int32_t> GALLOP_HD Lanes(U s)
      : v(s - Vector{}) {}
  GALLOP_HD T get(int lane) const { return v[lane]; }
  GALLOP_HD void set(int lane, T x) { v[lane] = x; }

  friend GALLOP_HD Lanes operator+(Lanes a, Lanes b) { return a.v + b.v; }
  friend GALLOP_HD Lanes operator-(Lanes a, Lanes b) { return a.v - b.v; }
  friend GALLOP_HD Lanes operator*(Lanes a, Lanes b) { return a.v * b.v; }
  friend GALLOP_HD Lanes operator/(Lanes a, Lanes b) { return a.v / b.v; }
  friend GALLOP_HD Lanes operator-(Lanes a) { return -a.v; }
  friend GALLOP_HD Lanes operator+(Lanes a) { return a; }
  friend GALLOP_HD Lanes operator&(Lanes a, Lanes b) { return a.v & b.v; }
  friend GALLOP_HD Lanes operator|(Lanes a, Lanes b) { return a.v | b.v; }
  friend GALLOP_HD Lanes operator^(Lanes a, Lanes b) { return a.v ^ b.v; }
  friend GALLOP_HD Lanes operator~(Lanes a) { return ~a.v; }
  friend GALLOP_HD Lanes operator<<(Lanes a, int n) { return a.v << n; }
  friend GALLOP_HD Lanes operator>>(Lanes a, int n) { return a.v >> n; }
  friend GALLOP_HD LaneMask<W> operator<(Lanes a, Lanes b) { return {less(a.v, b.v)}; }
  friend GALLOP_HD LaneMask<W> operator>(Lanes a, Lanes b) { return {less(b.v, a.v)}; }
  friend GALLOP_HD LaneMask<W> operator<=(Lanes a, Lanes b) { return {less_equal(a.v, b.v)}; }
  friend GALLOP_HD LaneMask<W> operator>=(Lanes a, Lanes b) { return {less_equal(b.v, a.v)}; }
  friend GALLOP_HD LaneMask<W> operator==(Lanes a, Lanes b) { return {equal(a.v, b.v)}; }
  friend GALLOP_HD LaneMask<W> operator!=(Lanes a, Lanes b) { return !(a == b); }
  GALLOP_HD Lanes& operator+=(Lanes b) { return *this = *this + b; }
  GALLOP_HD Lanes& operator-=(Lanes b) { return *this = *this - b; }
  GALLOP_HD Lanes& operator*=(Lanes b) { return *this = *this * b; }
  GALLOP_HD Lanes& operator/=(Lanes b) { return *this = *this / b; }
};

template <int W>
using FloatLanes = Lanes<float, W>;
template <int W>
using IntLanes = Lanes<std::int32_t, W>;
template <int W>
using WordLanes = Lanes<std::uint32_t, W>;

template <int W>
struct ScalarTraits<FloatLanes<W>> {
  using Int = IntLanes<W>;
  using Word = WordLanes<W>;
  using Mask = LaneMask<W>;
  static constexpr int kLanes = W;
};

template <int W>
GALLOP_HD FloatLanes<W> fmadd(FloatLanes<W> a, FloatLanes<W> b, FloatLanes<W> c) {
  using V [[maybe_unused]] = typename FloatLanes<W>::Vector;
#if defined(__AVX512F__)
  if constexpr (W == 16) return V(_mm512_fmadd_ps(__m512(a.v), __m512(b.v), __m512(c.v)));
#endif
#if defined(__FMA__)
  if constexpr (W == 8) return V(_mm256_fmadd_ps(__m256(a.v), __m256(b.v), __m256(c.v)));
#endif
  FloatLanes<W> r;
  for (int i = 0; i < W; i++) r.v[i] = __builtin_fmaf(a.v[i], b.v[i], c.v[i]);
  return r;
}

template <int W>
GALLOP_HD IntLanes<W> as_int(FloatLanes<W> x) {
  return (typename IntLanes<W>::Vector)x.v;
}
template <int W>
GALLOP_HD FloatLanes<W> as_float(IntLanes<W> x) {
  return (typename FloatLanes<W>::Vector)x.v;
}
template <int W>
GALLOP_HD FloatLanes<W> to_real(IntLanes<W> x) {
  return __builtin_convertvector(x.v, typename FloatLanes<W>::Vector);
}
template <int W>
GALLOP_HD IntLanes<W> to_int(FloatLanes<W> x) {
  return __builtin_convertvector(x.v, typename IntLanes<W>::Vector);
}
template <int W>
GALLOP_HD WordLanes<W> to_word(IntLanes<W> x) {
  return (typename WordLanes<W>::Vector)x.v;
}
template <int W>
struct WordConversion<FloatLanes<W>> {
  static GALLOP_HD FloatLanes<W> to_real(WordLanes<W> x) {
    return GALLOP_ISA::to_real(IntLanes<W>((typename IntLanes<W>::Vector)x.v));
  }
};

template <class T, int W>
GALLOP_HD Lanes<T, W> select(LaneMask<W> mask, Lanes<T, W> a, Lanes<T, W> b) {
  return blend(mask.v, a.v, b.v);
}
// The same as select(mask, x, 0) in one instruction.
template <int W>
GALLOP_HD FloatLanes<W> zero_unless(LaneMask<W> mask, FloatLanes<W> x) {
  if constexpr (sizeof(mask.v) == sizeof(x.v)) {
    return as_float(IntLanes<W>((typename IntLanes<W>::Vector)(mask.v & as_int(x).v)));
  } else {
    return select(mask, x, FloatLanes<W>(0.0f));
  }
}
template <class F, int W>
GALLOP_HD IntLanes<W> mask_to_int(LaneMask<W> mask) {
  return select(mask, IntLanes<W>(1), IntLanes<W>(0));
}

template <int W>
GALLOP_HD FloatLanes<W> abs(FloatLanes<W> x) {
  return as_float(as_int(x) & IntLanes<W>(0x7fffffff));
}
template <class T, int W>
GALLOP_HD Lanes<T, W> min(Lanes<T, W> a, Lanes<T, W> b) {
  return select(a < b, a, b);
}
template <class T, int W>
GALLOP_HD Lanes<T, W> max(Lanes<T, W> a, Lanes<T, W> b) {
  return select(a > b, a, b);
}
// One instruction that does just that, NaN and signed zeros included, where compilers make two.
#if defined(__AVX2__)
GALLOP_HD FloatLanes<8> min(FloatLanes<8> a, FloatLanes<8> b) {
  return VectorOf<float, 8>::type(_mm256_min_ps(__m256(a.v), __m256(b.v)));
}
GALLOP_HD FloatLanes<8> max(FloatLanes<8> a, FloatLanes<8> b) {
  return VectorOf<float, 8>::type(_mm256_max_ps(__m256(a.v), __m256(b.v)));
}
#endif
#if defined(__AVX512F__)
GALLOP_HD FloatLanes<16> min(FloatLanes<16> a, FloatLanes<16> b) {
  return VectorOf<float, 16>::type(_mm512_min_ps(__m512(a.v), __m512(b.v)));
}
GALLOP_HD FloatLanes<16> max(FloatLanes<16> a, FloatLanes<16> b) {
  return VectorOf<float, 16>::type(_mm512_max_ps(__m512(a.v), __m512(b.v)));
}
#endif
template <int W>
GALLOP_HD FloatLanes<W> sqrt(FloatLanes<W> x) {
  using V [[maybe_unused]] = typename FloatLanes<W>::Vector;
#if defined(__AVX512F__)
  if constexpr (W == 16) return V(_mm512_sqrt_ps(__m512(x.v)));
#endif
#if defined(__AVX2__)
  if constexpr (W == 8) return V(_mm256_sqrt_ps(__m256(x.v)));
#endif
  FloatLanes<W> r;
  for (int i = 0; i < W; i++) r.v[i] = __builtin_sqrtf(x.v[i]);
  return r;
}
template <int W>
GALLOP_HD FloatLanes<W> reciprocal(FloatLanes<W> d) {
  return FloatLanes<W>(1.0f) / d;
}
template <int W>
GALLOP_HD FloatLanes<W> reciprocal_in_range(FloatLanes<W> d) {
  return reciprocal(d);
}
template <int W>
GALLOP_HD FloatLanes<W> round_to_float(FloatLanes<W> x) {
  return x;
}

template <int W>
GALLOP_HD void multiply_wide(WordLanes<W> a, std::uint32_t b, WordLanes<W>& high,
                             WordLanes<W>& low) {
#if defined(__AVX512F__)
  if constexpr (W == 16) {
    const __m512i x = __m512i(a.v), k = _mm512_set1_epi32(int(b));
    const __m512i even = _mm512_mul_epu32(x, k);
    const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(x, 32), k);
    low.v = typename WordLanes<W>::Vector(
        _mm512_mask_shuffle_epi32(even, 0xAAAA, odd, _MM_PERM_ENUM(0xA0)));
    high.v = typename WordLanes<W>::Vector(
        _mm512_mask_mov_epi32(_mm512_srli_epi64(even, 32), 0xAAAA, odd));
    return;
  }
#endif
#if defined(__AVX2__)
  if constexpr (W == 8) {
    const __m256i x = __m256i(a.v), k = _mm256_set1_epi32(int(b));
    const __m256i even = _mm256_mul_epu32(x, k);
    const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(x, 32), k);
    low.v =
        typename WordLanes<W>::Vector(_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA));
    high.v =
        typename WordLanes<W>::Vector(_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA));
    return;
  }
#endif
  for (int i = 0; i < W; i++) {
    const std::uint64_t product = std::uint64_t(a.v[i]) * b;
    high.v[i] = std::uint32_t(product >> 32);
    low.v[i] = std::uint32_t(product);
  }
}

alignas(64) inline constexpr std::uint32_t kLaneIndex[16] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                             8, 9, 10, 11, 12, 13, 14, 15};
template <int W>
struct ConsecutiveWords<FloatLanes<W>> {
  static GALLOP_HD WordLanes<W> from(std::uint32_t first) {
    WordLanes<W> index;
    __builtin_memcpy(&index.v, kLaneIndex, sizeof(index.v));
    return index + WordLanes<W>(first);
  }
};

template <int W>
GALLOP_HD FloatLanes<W> gather(const float* table, IntLanes<W> k) {
  using V [[maybe_unused]] = typename FloatLanes<W>::Vector;
#if defined(__AVX512F__)
  if constexpr (W == 16) return V(_mm512_i32gather_ps(__m512i(k.v), table, 4));
#endif
#if defined(__AVX2__)
  if constexpr (W == 8) return V(_mm256_i32gather_ps(table, __m256i(k.v), 4));
#endif
  FloatLanes<W> r;
  for (int i = 0; i < W; i++) r.v[i] = table[k.v[i]];
  return r;
}

template <class T, int W>
GALLOP_HD Lanes<T, W> gather_words(const T* table, IntLanes<W> k) {
  using V [[maybe_unused]] = typename Lanes<T, W>::Vector;
#if defined(__AVX512F__)
  if constexpr (W == 16) return V(_mm512_i32gather_epi32(__m512i(k.v), table, 4));
#endif
#if defined(__AVX2__)
  if constexpr (W == 8) {
    return V(_mm256_i32gather_epi32(reinterpret_cast<const int*>(table), __m256i(k.v), 4));
  }
#endif
  Lanes<T, W> r;
  for (int i = 0; i < W; i++) r.v[i] = table[k.v[i]];
  return r;
}

// The last argument of load_lanes and load_words only names the type.
template <class T, int W>
GALLOP_HD Lanes<T, W> load_words(const T* from, int count, Lanes<T, W>) {
  Lanes<T, W> x;
  if (count >= W) {
    __builtin_memcpy(&x.v, from, sizeof(x.v));
  } else {
    x.v = typename Lanes<T, W>::Vector{};
    for (int i = 0; i < count; i++) x.v[i] = from[i];
  }
  return x;
}
template <int W>
GALLOP_HD FloatLanes<W> load_lanes(const float* from, int count, FloatLanes<W> type) {
  return load_words(from, count, type);
}
template <class T, int W>
GALLOP_HD void store_words(T* to, Lanes<T, W> x, int count) {
  if (count >= W) {
    __builtin_memcpy(to, &x.v, sizeof(x.v));
  } else {
    for (int i = 0; i < count; i++) to[i] = x.v[i];
  }
}
template <class T, int W>
GALLOP_HD void store_lanes(T* to, Lanes<T, W> x, int count) {
  store_words(to, x, count);
}
template <int W>
GALLOP_HD void keep_in_register(FloatLanes<W>& x) {
#if defined(__AVX512F__)
  asm("" : "+v"(x.v));
#elif defined(__AVX2__)
  asm("" : "+x"(x.v));
#else
  static_cast<void>(x);
#endif
}
// Past the caches where the register allows it: for arrays that no cache holds until they are read
// again. A store fence has to follow the last one.
template <int W>
GALLOP_HD void store_past_caches(float* to, FloatLanes<W> x, int count) {
#if defined(__AVX2__)
  if (count >= W && __builtin_bit_cast(std::uintptr_t, to) % sizeof(x.v) == 0) {
#if defined(__AVX512F__)
    if constexpr (W == 16) return _mm512_stream_ps(to, __m512(x.v));
#endif
    if constexpr (W == 8) return _mm256_stream_ps(to, __m256(x.v));
  }
#endif
  store_lanes(to, x, count);
}
template <class T, int W>
GALLOP_HD void store_where(T* to, LaneMask<W> mask, Lanes<T, W> x, int count) {
#if GALLOP_MASK_REGISTERS
  if constexpr (W == 16) {
    const __mmask16 counted = count < W ? __mmask16((1u << count) - 1) : __mmask16(0xffff);
    _mm512_mask_storeu_epi32(to, mask.v & counted, __m512i(x.v));
    return;
  }
#endif
  for (int i = 0; i < W && i < count; i++) {
    if (mask.lane(i)) to[i] = x.v[i];
  }
}
template <int W>
GALLOP_HD int list_lanes(std::int32_t* to, LaneMask<W> mask, std::int32_t first) {
#if GALLOP_MASK_REGISTERS
  if constexpr (W == 16) {
    const __m512i lanes = __m512i(ConsecutiveWords<FloatLanes<W>>::from(std::uint32_t(first)).v);
    _mm512_storeu_si512(to, _mm512_maskz_compress_epi32(mask.v, lanes));
    return __builtin_popcount(mask.v);
  }
#endif
#if defined(__AVX2__) && defined(__BMI2__)
  if constexpr (W == 8) {
    // The numbers of the set lanes, packed to four bits each, then spread over the lanes.
    const unsigned bits = unsigned(_mm256_movemask_ps(__m256(mask.v)));
    const unsigned packed = _pext_u32(0x76543210u, _pdep_u32(bits, 0x11111111u) * 15u);
    const __m256i shifts = _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28);
    const __m256i lanes = _mm256_and_si256(
        _mm256_srlv_epi32(_mm256_set1_epi32(int(packed)), shifts), _mm256_set1_epi32(15));
    _mm256_storeu_si256(reinterpret_cast<__m256i_u*>(to),
                        _mm256_add_epi32(lanes, _mm256_set1_epi32(first)));
    return __builtin_popcount(bits);
  }
#endif
  int n = 0;
  for (int i = 0; i < W; i++) {
    to[n] = first + i;
    n += mask.lane(i) ? 1 : 0;
  }
  return n;
}
template <int W>
GALLOP_HD void store_mask(std::uint8_t* to, LaneMask<W> mask, int count) {
  const auto bytes = mask.bytes();
  if (count >= W) {
    __builtin_memcpy(to, &bytes, W);
  } else {
    for (int i = 0; i < count; i++) to[i] = bytes[i];
  }
}
// W bytes as integers. GCC 12 would convert them one by one.
template <int W>
GALLOP_HD IntLanes<W> load_bytes(const std::uint8_t* from, int count) {
  using V [[maybe_unused]] = typename IntLanes<W>::Vector;
#if defined(__AVX2__)
  if constexpr (W == 8) {
    if (count >= W) {
      return V(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
    }
  }
#endif
  IntLanes<W> bytes(0);
  for (int i = 0; i < W && i < count; i++) bytes.v[i] = from[i];
  return bytes;
}
template <int W>
GALLOP_HD LaneMask<W> load_clear(const std::uint8_t* from, int count, FloatLanes<W>) {
#if GALLOP_MASK_REGISTERS
  if constexpr (W == 16) {
    if (count >= W) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
      return {_mm_testn_epi8_mask(bytes, bytes)};
    }
  }
#endif
  return load_bytes<W>(from, count) == IntLanes<W>(0);
}
template <int W>
GALLOP_HD LaneMask<W> load_mask(const std::uint8_t* from, int count, FloatLanes<W>) {
  return !load_clear(from, count, FloatLanes<W>());
}

}  // namespace gallop::inline GALLOP_ISA
