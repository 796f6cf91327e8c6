// DoubleLanes<W>: W doubles in one vector register, for exact work on many instances at once: half
// as many lanes as floats have. Gives them the part of numerics/scalar.h's vocabulary that needs no
// comparison. Elementary functions are libm's, lane by lane, as for a plain double.
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
  DoubleLanes<W> r;
  for (int i = 0; i < W; i++) r.v[i] = a.v[i] < b.v[i] ? a.v[i] : b.v[i];
  return r;
}
template <int W>
GALLOP_HD DoubleLanes<W> max(DoubleLanes<W> a, DoubleLanes<W> b) {
  DoubleLanes<W> r;
  for (int i = 0; i < W; i++) r.v[i] = a.v[i] > b.v[i] ? a.v[i] : b.v[i];
  return r;
}
template <int W>
GALLOP_HD DoubleLanes<W> exp(DoubleLanes<W> x) {
  DoubleLanes<W> r;
  for (int i = 0; i < W; i++) r.v[i] = ::exp(x.v[i]);
  return r;
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
