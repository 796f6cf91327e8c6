// DoubleLanes<W>: W doubles in one vector register, for exact work on many instances at once: half
// as many lanes as floats have. Gives them the part of numerics/scalar.h's vocabulary that needs no
// comparison.
#pragma once

#include "kernels/numerics/lane_mask.h"
#include "kernels/numerics/math.h"

namespace gallop::inline GALLOP_ISA {

template <int W>
struct DoubleLanes {
  using Vector = typename VectorOf<double, W>::type;
  Vector v;

  DoubleLanes() = default;
  GALLOP_HD DoubleLanes(Vector x) : v(x) {}
  GALLOP_HD DoubleLanes(double s) : v(s - Vector{}) {}
  GALLOP_HD double get(int lane) const { return v[lane]; }
  GALLOP_HD void set(int lane, double x) { v[lane] = x; }

  friend GALLOP_HD DoubleLanes operator+(DoubleLanes a, DoubleLanes b) { return a.v + b.v; }
  friend GALLOP_HD DoubleLanes operator-(DoubleLanes a, DoubleLanes b) { return a.v - b.v; }
  friend GALLOP_HD DoubleLanes operator*(DoubleLanes a, DoubleLanes b) { return a.v * b.v; }
  friend GALLOP_HD DoubleLanes operator/(DoubleLanes a, DoubleLanes b) { return a.v / b.v; }
  friend GALLOP_HD DoubleLanes operator-(DoubleLanes a) { return -a.v; }
};

template <int W>
struct ScalarTraits<DoubleLanes<W>> {
  static constexpr int kLanes = W;
};
template <int W>
struct RealOf<DoubleLanes<W>> {
  static GALLOP_HD DoubleLanes<W> make(double x) { return DoubleLanes<W>(x); }
};

template <int W>
GALLOP_HD DoubleLanes<W> fmadd(DoubleLanes<W> a, DoubleLanes<W> b, DoubleLanes<W> c) {
  using V [[maybe_unused]] = typename DoubleLanes<W>::Vector;
#if defined(__AVX512F__)
  if constexpr (W == 8) return V(_mm512_fmadd_pd(__m512d(a.v), __m512d(b.v), __m512d(c.v)));
#endif
#if defined(__FMA__)
  if constexpr (W == 4) return V(_mm256_fmadd_pd(__m256d(a.v), __m256d(b.v), __m256d(c.v)));
#endif
  DoubleLanes<W> r;
  for (int i = 0; i < W; i++) r.v[i] = __builtin_fma(a.v[i], b.v[i], c.v[i]);
  return r;
}

// The second argument where either is NaN, as in numerics/scalar.h.
template <int W>
GALLOP_HD DoubleLanes<W> min(DoubleLanes<W> a, DoubleLanes<W> b) {
  using V [[maybe_unused]] = typename DoubleLanes<W>::Vector;
#if defined(__AVX512F__)
  if constexpr (W == 8) return V(_mm512_min_pd(__m512d(a.v), __m512d(b.v)));
#endif
#if defined(__AVX2__)
  if constexpr (W == 4) return V(_mm256_min_pd(__m256d(a.v), __m256d(b.v)));
#endif
  DoubleLanes<W> r;
  for (int i = 0; i < W; i++) r.v[i] = a.v[i] < b.v[i] ? a.v[i] : b.v[i];
  return r;
}
template <int W>
GALLOP_HD DoubleLanes<W> max(DoubleLanes<W> a, DoubleLanes<W> b) {
  using V [[maybe_unused]] = typename DoubleLanes<W>::Vector;
#if defined(__AVX512F__)
  if constexpr (W == 8) return V(_mm512_max_pd(__m512d(a.v), __m512d(b.v)));
#endif
#if defined(__AVX2__)
  if constexpr (W == 4) return V(_mm256_max_pd(__m256d(a.v), __m256d(b.v)));
#endif
  DoubleLanes<W> r;
  for (int i = 0; i < W; i++) r.v[i] = a.v[i] > b.v[i] ? a.v[i] : b.v[i];
  return r;
}

// e^x within 2 ulp; x is held within [-708, 709]. e^r by its series to r^13, |r| <= ln 2 / 2, where
// the next term is below 2^-57. With libm's, lane by lane, a step of importance sampling took twice
// the time.
template <int W>
GALLOP_HD DoubleLanes<W> exp(DoubleLanes<W> x) {
  using D = DoubleLanes<W>;
  using Integers = typename VectorOf<std::int64_t, W>::type;
  x = min(D(709.0), max(D(-708.0), x));
  const D magic(0x1.8p52);  // adding it rounds to an integer in the low bits
  const D shifted = fmadd(x, D(0x1.71547652b82fep0), magic);  // x * log2(e)
  const D n = shifted - magic;
  D r = fmadd(n, D(-0x1.62e42fefa39efp-1), x);  // ln 2 in two parts
  r = fmadd(n, D(-0x1.abc9e3b39803fp-56), r);
  constexpr double kInverseFactorials[] = {1.0 / 6227020800,
                                           1.0 / 479001600,
                                           1.0 / 39916800,
                                           1.0 / 3628800,
                                           1.0 / 362880,
                                           1.0 / 40320,
                                           1.0 / 5040,
                                           1.0 / 720,
                                           1.0 / 120,
                                           1.0 / 24,
                                           1.0 / 6,
                                           0.5,
                                           1.0,
                                           1.0};
  D p(kInverseFactorials[0]);
  GALLOP_UNROLL(13)
  for (int k = 1; k < 14; k++) p = fmadd(p, r, D(kInverseFactorials[k]));
  return typename D::Vector((Integers)p.v + ((Integers)shifted.v << 52));
}

template <int W>
GALLOP_HD DoubleLanes<W> load_doubles(const double* from, DoubleLanes<W>) {
  DoubleLanes<W> x;
  __builtin_memcpy(&x.v, from, sizeof(x.v));
  return x;
}
template <int W>
GALLOP_HD DoubleLanes<W> load_doubles(const float* from, DoubleLanes<W>) {
  typename VectorOf<float, W>::type x;
  __builtin_memcpy(&x, from, sizeof(x));
  return __builtin_convertvector(x, typename DoubleLanes<W>::Vector);
}
template <int W>
GALLOP_HD void store_doubles(double* to, DoubleLanes<W> x) {
  __builtin_memcpy(to, &x.v, sizeof(x.v));
}
GALLOP_HD double load_doubles(const double* from, double) { return *from; }
GALLOP_HD double load_doubles(const float* from, double) { return double(*from); }
GALLOP_HD void store_doubles(double* to, double x) { *to = x; }

// The widest register of doubles of this translation unit's instruction set.
#if GALLOP_LANES > 1
using NativeDoubles = DoubleLanes<GALLOP_LANES / 2>;
#else
using NativeDoubles = double;
#endif

}  // namespace gallop::inline GALLOP_ISA
