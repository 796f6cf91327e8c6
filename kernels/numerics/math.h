// Elementary functions, one source for float, lanes and CUDA threads. Only +, -, *, fma, IEEE
// division and square root, integer operations and select: hence the same bits on every device,
// compiler and vector width. double calls libm. NaN goes through; bounds are exhaustive over float
// (tests/kernels).
//
//   sin_cos   |x| <= 1e5           <= 1.5 ulp      exp   [-103.9, 88.7]   <= 1.01 ulp
//   log       every positive x     <= 0.94 ulp     tanh  every x          <= 5.8 ulp
//
// Polynomials are minimax fits; argument reductions are those of Cody and Waite (1980), by fma.
#pragma once

#include "kernels/numerics/scalar.h"

namespace gallop::inline GALLOP_ISA {

// Sine and cosine of x radians. Beyond |x| = 1e5 the reduction loses accuracy.
template <class F>
GALLOP_HD void sin_cos(F x, F& sine, F& cosine) {
  using I = Int<F>;
  const F magic(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer in the low bits
  const F shifted = fmadd(x, F(0x1.45f306p-1f), magic);  // x * 2 / pi
  const I quadrant = as_int(shifted);
  const F j = shifted - magic;
  F r = fmadd(j, F(-0x1.921fb6p0f), x);  // pi / 2 in three parts
  r = fmadd(j, F(0x1.777a5cp-25f), r);
  r = fmadd(j, F(0x1.ee59dap-50f), r);
  const F t = r * r;
  F s = fmadd(t, F(0x1.77e10ep-19f), F(-0x1.a04864p-13f));
  s = fmadd(s, t, F(0x1.111164p-7f));
  s = fmadd(s, t, F(-0x1.555556p-3f));
  s = fmadd(s, t * r, r);
  F c = fmadd(t, F(0x1.99eacap-16f), F(-0x1.6c0c2ep-10f));
  c = fmadd(c, t, F(0x1.55554ap-5f));
  c = fmadd(c, t, F(-0.5f));
  c = fmadd(c, t, F(1.0f));
  const auto odd = (quadrant & I(1)) != I(0);
  const F s_or_c = select(odd, c, s), c_or_s = select(odd, s, c);
  sine = as_float(as_int(s_or_c) ^ ((quadrant & I(2)) << 30));
  cosine = as_float(as_int(c_or_s) ^ (((quadrant + I(1)) & I(2)) << 30));
}
GALLOP_HD void sin_cos(double x, double& sine, double& cosine) {
  sine = ::sin(x);
  cosine = ::cos(x);
}

template <class F>
GALLOP_HD F sin(F x) {
  F s, c;
  sin_cos(x, s, c);
  return s;
}
template <class F>
GALLOP_HD F cos(F x) {
  F s, c;
  sin_cos(x, s, c);
  return c;
}

// e^x; 0 below -104, infinity above 88.73.
template <class F>
GALLOP_HD F exp(F x) {
  using I = Int<F>;
  x = min(F(89.0f), max(F(-104.0f), x));
  const F magic(12582912.0f);
  const F shifted = fmadd(x, F(0x1.715476p0f), magic);  // x * log2(e)
  const I n = as_int(shifted) - I(0x4b400000);
  const F j = shifted - magic;
  F r = fmadd(j, F(-0x1.62e43p-1f), x);  // ln 2 in two parts
  r = fmadd(j, F(0x1.05c61p-29f), r);
  F p = fmadd(r, F(0x1.694ac4p-10f), F(0x1.12398ep-7f));
  p = fmadd(p, r, F(0x1.555a28p-5f));
  p = fmadd(p, r, F(0x1.555492p-3f));
  p = fmadd(p, r, F(0x1.fffffap-2f));
  p = fmadd(p, r * r, r) + F(1.0f);
  const I half = n >> 1;  // 2^n in two steps reaches the denormals and infinity
  return p * as_float((half + I(127)) << 23) * as_float((n - half + I(127)) << 23);
}
GALLOP_HD double exp(double x) { return ::exp(x); }

// Natural logarithm; -infinity at zero, NaN below it.
template <class F>
GALLOP_HD F log(F x) {
  using I = Int<F>;
  const auto denormal = x < F(0x1p-126f);
  const F scaled = select(denormal, x * F(0x1p24f), x);
  const I bits = as_int(abs(scaled));  // without the sign, lest the difference overflow
  const I exponent = (bits - I(0x3f2aaaab)) & I(std::int32_t(0xff800000u));
  const F f = as_float(bits - exponent) - F(1.0f);  // mantissa in [2/3, 4/3) less one
  const F k = to_real(exponent >> 23) - select(denormal, F(24.0f), F(0.0f));
  F p = fmadd(f, F(-0x1.07b2d8p-3f), F(0x1.1e7c0cp-3f));
  p = fmadd(p, f, F(-0x1.f333b8p-4f));
  p = fmadd(p, f, F(0x1.1ed2d8p-3f));
  p = fmadd(p, f, F(-0x1.559caep-3f));
  p = fmadd(p, f, F(0x1.99d06ap-3f));
  p = fmadd(p, f, F(-0x1.fffef6p-3f));
  p = fmadd(p, f, F(0x1.555506p-2f));
  p = fmadd(p, f, F(-0.5f));
  F r = fmadd(p, f * f, f);
  r = fmadd(k, F(0x1.7f7d1cp-20f), r);  // ln 2, low part
  r = fmadd(k, F(0x1.62e4p-1f), r);     // ln 2, high part
  const F infinity(__builtin_inff());
  const F special =
      select(x == F(0.0f), -infinity, x - x);  // NaN for NaN; below zero see next line
  r = select(x > F(0.0f), r, select(x < F(0.0f), F(__builtin_nanf("")), special));
  return select(x == infinity, infinity, r);
}
GALLOP_HD double log(double x) { return ::log(x); }

// Hyperbolic tangent, x P(x^2) / Q(x^2). May exceed 1 by 2^-22: clamp before log(1 - y^2).
template <class F>
GALLOP_HD F tanh(F x) {
  x = min(F(9.02f), max(F(-9.02f), x));
  const F t = x * x;
  F p = fmadd(t, F(0x1.cbe41p-27f), F(0x1.5a35d2p-16f));
  p = fmadd(p, t, F(0x1.ca6a5ap-9f));
  p = fmadd(p, t, F(0x1.1213aap-3f));
  p = fmadd(p, t, F(1.0f));
  F q = fmadd(t, F(0x1.a23cfcp-21f), F(0x1.58d2c6p-12f));
  q = fmadd(q, t, F(0x1.a8165cp-6f));
  q = fmadd(q, t, F(0x1.de5f22p-2f));
  q = fmadd(q, t, F(1.0f));
  return (x * p) * reciprocal_in_range(q);  // 1 <= q < 422
}
GALLOP_HD double tanh(double x) { return ::tanh(x); }

// Largest integer not above x, for |x| < 2^22 (double: any x).
template <class F>
GALLOP_HD F floor(F x) {
  const F truncated = to_real(to_int(x));
  return truncated - select(truncated > x, F(1.0f), F(0.0f));
}
GALLOP_HD double floor(double x) { return ::floor(x); }

}  // namespace gallop::inline GALLOP_ISA
