// Elementary functions, one source for float, lanes and CUDA threads. Only +, -, *, fma, IEEE
// division and square root, integer operations and select: hence the same bits on every device,
// compiler and vector width. double calls libm. NaN goes through; bounds are exhaustive over float,
// those of pow and atan2 from ten million pairs (tests/kernels).
//
//   sin_cos   |x| <= 1e5           <= 1.5 ulp      exp   [-103.9, 88.7]   <= 1.01 ulp
//   log       every positive x     <= 0.94 ulp     tanh  every x          <= 5.8 ulp
//   pow       every x, y           <= 0.9 ulp      atan2 every y, x       <= 1.6 ulp
//
// Polynomials are minimax fits; argument reductions are those of Cody and Waite (1980), by fma.
#pragma once

#include <gallop/kernels/numerics/scalar.h>

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

// (e^r - 1 - r) / r^2 for |r| <= ln(2) / 2.
template <class F>
GALLOP_HD F exp_tail(F r) {
  F p = fmadd(r, F(0x1.694ac4p-10f), F(0x1.12398ep-7f));
  p = fmadd(p, r, F(0x1.555a28p-5f));
  p = fmadd(p, r, F(0x1.555492p-3f));
  return fmadd(p, r, F(0x1.fffffap-2f));
}
// p 2^n in two steps, which reach the denormals and infinity.
template <class F>
GALLOP_HD F times_power_of_two(F p, Int<F> n) {
  using I = Int<F>;
  const I half = n >> 1;
  return p * as_float((half + I(127)) << 23) * as_float((n - half + I(127)) << 23);
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
  const F p = fmadd(exp_tail(r), r * r, r) + F(1.0f);
  return times_power_of_two(p, n);
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

// ln(x) as high + low with a relative error below 2^-35, for positive finite x: by the exponent and
// 2 artanh((m - 1) / (m + 1)) of the mantissa, each step with its rounding error.
template <class F>
GALLOP_HD void log_in_two(F x, F& high, F& low) {
  using I = Int<F>;
  const auto denormal = x < F(0x1p-126f);
  const I bits = as_int(select(denormal, x * F(0x1p24f), x));
  const I exponent = (bits - I(0x3f3504f3)) & I(std::int32_t(0xff800000u));
  const F f = as_float(bits - exponent) - F(1.0f);  // mantissa in [sqrt(1/2), sqrt(2)) less one
  const F k = to_real(exponent >> 23) - select(denormal, F(24.0f), F(0.0f));
  const F r = reciprocal_in_range(f + F(2.0f));
  const F q = f * r;
  const F q_low = r * fmadd(q, -f, fmadd(q, F(-2.0f), f));
  // artanh(q) = q + q^3 (1/3 + s P(s)), s = q^2
  const F s = q * q;
  const F s_low = fmadd(q, q, -s) + (q + q) * q_low;
  F p = fmadd(s, F(0x1.8eb42cp-4f), F(0x1.c65956p-4f));
  p = fmadd(p, s, F(0x1.249374p-3f));
  p = fmadd(p, s, F(0x1.999998p-3f)) * s;
  const F c = F(0x1.555556p-2f) + p;
  const F c_low = (F(0x1.555556p-2f) - c) + p + F(-0x1.555556p-27f);
  const F cube = s * q;
  const F cube_low = fmadd(s, q, -cube) + fmadd(s_low, q, s * q_low);
  const F tail = c * cube;
  const F tail_low = fmadd(c, cube, -tail) + fmadd(c, cube_low, c_low * cube);
  const F u = q + tail;
  const F u_low = (q - u) + tail + (tail_low + q_low);
  const F a = k * F(0x1.62e4p-1f);  // ln 2 in two parts; this product is exact
  const F sum = a + (u + u);
  const F rest = (a - sum) + (u + u) + fmadd(k, F(0x1.7f7d1cp-20f), u_low + u_low);
  high = sum + rest;
  low = (sum - high) + rest;
}

// x^y as in C: of a negative x for whole y alone, 1 where y is 0 or x is 1, whatever the other, and
// the limits at zeros and infinities.
template <class F>
GALLOP_HD F pow(F x, F y) {
  using I = Int<F>;
  const F infinity(__builtin_inff()), magnitude = abs(x), size = abs(y);
  const I whole = to_int(min(size, F(16777216.0f)));  // from there on all are even
  const auto is_whole = (to_real(whole) == size) | (size >= F(16777216.0f));
  const auto is_odd = (whole & I(1)) != I(0);
  // Larger exponents give 0 or infinity as these do.
  const F bounded = min(F(0x1p40f), max(F(-0x1p40f), y));
  F high, low;
  log_in_two(magnitude, high, low);
  const F product = high * bounded;
  const F product_low = fmadd(low, bounded, fmadd(high, bounded, -product));
  const F whole_sum = product + product_low;
  const F e = min(F(89.0f), max(F(-104.5f), whole_sum));
  const F e_low = select(e == whole_sum, (product - whole_sum) + product_low, F(0.0f));
  const F magic(12582912.0f);
  const F shifted = fmadd(e, F(0x1.715476p0f), magic);  // as in exp()
  const I n = as_int(shifted) - I(0x4b400000);
  const F j = shifted - magic;
  const F r_high = fmadd(j, F(-0x1.62e43p-1f), e);  // exact
  const F r_low = fmadd(j, F(0x1.05c61p-29f), e_low);
  const F r = r_high + r_low;
  const F r_rest = (r_high - r) + r_low;
  F power = times_power_of_two((fmadd(exp_tail(r), r * r, r_rest) + r) + F(1.0f), n);

  const auto at_limit = (magnitude == F(0.0f)) | (magnitude == infinity) | (size == infinity);
  const auto above = magnitude > F(1.0f), positive = y > F(0.0f);
  const auto grows = (above & positive) | ((!above) & (!positive));
  power = select(at_limit, select(grows, infinity, F(0.0f)), power);
  power = select(magnitude == F(1.0f), F(1.0f), power);
  const auto negative = as_int(x) < I(0);
  power = select(negative & is_odd & is_whole, -power, power);
  const F none(__builtin_nanf(""));
  power = select((x < F(0.0f)) & (magnitude < infinity) & !is_whole, none, power);
  power = select((x == x) & (y == y), power, none);
  return select((x == F(1.0f)) | (y == F(0.0f)), F(1.0f), power);
}
GALLOP_HD double pow(double x, double y) { return ::pow(x, y); }

// The angle of the point (x, y) from the first axis, in [-pi, pi], with the signs of zeros and the
// limits at infinities as in C.
template <class F>
GALLOP_HD F atan2(F y, F x) {
  using I = Int<F>;
  const F a = abs(y), b = abs(x);
  const auto steep = a > b;
  const F low = select(steep, b, a), high = select(steep, a, b);
  // Equal ones are at 45 degrees, infinities too; two zeros at none.
  const F one = select(high == F(0.0f), F(0.0f), F(1.0f));
  const F t = select(low == high, one, low / select(low == high, F(1.0f), high));
  const F s = t * t;
  F p = fmadd(s, F(-0x1.d62edp-10f), F(0x1.65a5b4p-7f));
  p = fmadd(p, s, F(-0x1.fed0bap-6f));
  p = fmadd(p, s, F(0x1.dac98cp-5f));
  p = fmadd(p, s, F(-0x1.583474p-4f));
  p = fmadd(p, s, F(0x1.c099f4p-4f));
  p = fmadd(p, s, F(-0x1.2421b4p-3f));
  p = fmadd(p, s, F(0x1.9991fep-3f));
  p = fmadd(p, s, F(-0x1.55553ep-2f));
  // From the nearest axis, with the rounding error of the sum.
  const auto behind = as_int(x) < I(0);
  const F quarter(0x1.921fb6p0f), half(0x1.921fb6p1f), none(0.0f);
  const F axis = select(steep, quarter, select(behind, half, none));
  const F axis_low = select(steep, F(-0x1.777a5cp-25f), select(behind, F(-0x1.777a5cp-24f), none));
  const auto back = (steep & (!behind)) | ((!steep) & behind);
  const F turn = select(back, -t, t);
  const F bend = p * s * turn;  // atan(t) - t
  const F sum = axis + turn;
  F angle = sum + ((axis - sum) + turn + (axis_low + bend));
  angle = as_float(as_int(angle) | (as_int(y) & I(std::int32_t(0x80000000u))));
  return select((x == x) & (y == y), angle, F(__builtin_nanf("")));
}
GALLOP_HD double atan2(double y, double x) { return ::atan2(y, x); }

// Largest integer not above x, for |x| < 2^22 (double: any x).
template <class F>
GALLOP_HD F floor(F x) {
  const F truncated = to_real(to_int(x));
  return truncated - select(truncated > x, F(1.0f), F(0.0f));
}
GALLOP_HD double floor(double x) { return ::floor(x); }

}  // namespace gallop::inline GALLOP_ISA
