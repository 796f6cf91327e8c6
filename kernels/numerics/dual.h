// Dual<B, K>: a number with its derivatives along K directions, in the vocabulary of
// numerics/scalar.h, numerics/math.h and numerics/lanes.h. B is float, a register of floats, or
// double. An environment that is compiled for it gives its Jacobians beside its numbers: forward
// accumulation, K columns at once.
//
// Values have the bits that B alone gives. Comparisons, masks, integers and random draws
// (random/dual_stream.h) are those of B: where an environment selects, the derivative is that of
// the branch taken, one-sided at a kink. floor has the derivative 0, and so have sqrt, atan2 and
// abs where they have none (at 0). Slopes are finite wherever the derivative is, products of an
// infinite one with 0 are NaN.
#pragma once

#include <type_traits>

#include <gallop/kernels/numerics/math.h>

namespace gallop::inline GALLOP_ISA {

template <class B, int K>
struct Dual {
  B value;
  B slope[K];

  Dual() = default;
  // Numbers that nothing is derived by. Of what B has beside its own (an integer as a real, the
  // element of a table) an F may be made as it is.
  GALLOP_HD Dual(B x) : value(x) {
    for (int k = 0; k < K; k++) slope[k] = real<B>(0.0);
  }
  template <class T>
  requires std::is_arithmetic_v<T> &&(!std::is_same_v<T, B>)GALLOP_HD explicit Dual(T x)
      : Dual(B(x)) {}

  // Of a function with this value and this derivative by x.
  static GALLOP_HD Dual of(B value, B derivative, const Dual& x) {
    Dual r;
    r.value = value;
    for (int k = 0; k < K; k++) r.slope[k] = derivative * x.slope[k];
    return r;
  }
  // Of two arguments.
  static GALLOP_HD Dual of(B value, B by_x, const Dual& x, B by_y, const Dual& y) {
    Dual r;
    r.value = value;
    for (int k = 0; k < K; k++) r.slope[k] = fmadd(by_x, x.slope[k], by_y * y.slope[k]);
    return r;
  }

  friend GALLOP_HD Dual operator+(Dual a, Dual b) {
    a.value = a.value + b.value;
    for (int k = 0; k < K; k++) a.slope[k] = a.slope[k] + b.slope[k];
    return a;
  }
  friend GALLOP_HD Dual operator-(Dual a, Dual b) {
    a.value = a.value - b.value;
    for (int k = 0; k < K; k++) a.slope[k] = a.slope[k] - b.slope[k];
    return a;
  }
  friend GALLOP_HD Dual operator*(Dual a, Dual b) {
    return of(a.value * b.value, b.value, a, a.value, b);
  }
  friend GALLOP_HD Dual operator/(Dual a, Dual b) {
    const B quotient = a.value / b.value, inverse = reciprocal(b.value);
    return of(quotient, inverse, a, -(quotient * inverse), b);
  }
  friend GALLOP_HD Dual operator-(Dual a) {
    a.value = -a.value;
    for (int k = 0; k < K; k++) a.slope[k] = -a.slope[k];
    return a;
  }
  friend GALLOP_HD Dual operator+(Dual a) { return a; }
  GALLOP_HD Dual& operator+=(Dual b) { return *this = *this + b; }
  GALLOP_HD Dual& operator-=(Dual b) { return *this = *this - b; }
  GALLOP_HD Dual& operator*=(Dual b) { return *this = *this * b; }
  GALLOP_HD Dual& operator/=(Dual b) { return *this = *this / b; }

  friend GALLOP_HD Mask<B> operator<(Dual a, Dual b) { return a.value < b.value; }
  friend GALLOP_HD Mask<B> operator>(Dual a, Dual b) { return a.value > b.value; }
  friend GALLOP_HD Mask<B> operator<=(Dual a, Dual b) { return a.value <= b.value; }
  friend GALLOP_HD Mask<B> operator>=(Dual a, Dual b) { return a.value >= b.value; }
  friend GALLOP_HD Mask<B> operator==(Dual a, Dual b) { return a.value == b.value; }
  friend GALLOP_HD Mask<B> operator!=(Dual a, Dual b) { return a.value != b.value; }

  friend GALLOP_HD Dual select(Mask<B> mask, Dual a, Dual b) {
    a.value = select(mask, a.value, b.value);
    for (int k = 0; k < K; k++) a.slope[k] = select(mask, a.slope[k], b.slope[k]);
    return a;
  }
  friend GALLOP_HD Dual select(Mask<B> mask, Dual a, B b) { return select(mask, a, Dual(b)); }
  friend GALLOP_HD Dual select(Mask<B> mask, B a, Dual b) { return select(mask, Dual(a), b); }
  friend GALLOP_HD Dual fmadd(Dual a, Dual b, Dual c) {
    c.value = fmadd(a.value, b.value, c.value);
    for (int k = 0; k < K; k++) {
      c.slope[k] = fmadd(b.value, a.slope[k], fmadd(a.value, b.slope[k], c.slope[k]));
    }
    return c;
  }
  friend GALLOP_HD Dual min(Dual a, Dual b) { return select(a.value < b.value, a, b); }
  friend GALLOP_HD Dual max(Dual a, Dual b) { return select(a.value > b.value, a, b); }
  friend GALLOP_HD Dual abs(Dual x) {
    const B zero = real<B>(0.0), one = real<B>(1.0);
    const B sign = select(x.value > zero, one, select(x.value < zero, -one, zero));
    return of(abs(x.value), sign, x);
  }
  friend GALLOP_HD Dual sqrt(Dual x) {
    const B root = sqrt(x.value), zero = real<B>(0.0);
    return of(root, select(root == zero, zero, real<B>(0.5) / root), x);
  }
  friend GALLOP_HD Dual reciprocal(Dual x) {
    const B inverse = reciprocal(x.value);
    return of(inverse, -(inverse * inverse), x);
  }
  friend GALLOP_HD Dual floor(Dual x) { return Dual(floor(x.value)); }
  friend GALLOP_HD Dual round_to_float(Dual x) {
    x.value = round_to_float(x.value);
    return x;
  }
  friend GALLOP_HD void sin_cos(Dual x, Dual& sine, Dual& cosine) {
    B s, c;
    sin_cos(x.value, s, c);
    sine = of(s, c, x);
    cosine = of(c, -s, x);
  }
  friend GALLOP_HD Dual exp(Dual x) {
    const B power = exp(x.value);
    return of(power, power, x);
  }
  friend GALLOP_HD Dual log(Dual x) { return of(log(x.value), reciprocal(x.value), x); }
  friend GALLOP_HD Dual tanh(Dual x) {
    const B t = tanh(x.value);
    return of(t, fmadd(-t, t, real<B>(1.0)), x);
  }
  // y x^(y-1) and, where y has a derivative, log(x) x^y.
  friend GALLOP_HD Dual pow(Dual x, Dual y) {
    const B zero = real<B>(0.0), power = pow(x.value, y.value);
    const B by_x = select(y.value == zero, zero, y.value * pow(x.value, y.value - real<B>(1.0)));
    const B by_y = power * log(x.value);
    Dual r = of(power, by_x, x);
    for (int k = 0; k < K; k++) {
      const B more = fmadd(by_y, y.slope[k], r.slope[k]);
      r.slope[k] = select(y.slope[k] == zero, r.slope[k], more);
    }
    return r;
  }
  friend GALLOP_HD Dual atan2(Dual y, Dual x) {
    const B squares = fmadd(x.value, x.value, y.value * y.value), zero = real<B>(0.0);
    const B inverse = select(squares == zero, zero, reciprocal(squares));
    return of(atan2(y.value, x.value), x.value * inverse, y, -(y.value * inverse), x);
  }
  friend GALLOP_HD Int<B> to_int(Dual x) { return to_int(x.value); }
  // What structs of F are loaded by: numbers that nothing is derived by.
  friend GALLOP_HD Dual load_lanes(const float* from, int count, Dual) {
    return Dual(load_lanes(from, count, B()));
  }
};

// The same where they are called by their full names, for which the friends above are not looked
// for.
template <class B, int K>
GALLOP_HD void sin_cos(Dual<B, K> x, Dual<B, K>& sine, Dual<B, K>& cosine) {
  return sin_cos(x, sine, cosine);
}
template <class B, int K>
GALLOP_HD Dual<B, K> exp(Dual<B, K> x) {
  return exp(x);
}
template <class B, int K>
GALLOP_HD Dual<B, K> log(Dual<B, K> x) {
  return log(x);
}
template <class B, int K>
GALLOP_HD Dual<B, K> tanh(Dual<B, K> x) {
  return tanh(x);
}
template <class B, int K>
GALLOP_HD Dual<B, K> pow(Dual<B, K> x, Dual<B, K> y) {
  return pow(x, y);
}
template <class B, int K>
GALLOP_HD Dual<B, K> atan2(Dual<B, K> y, Dual<B, K> x) {
  return atan2(y, x);
}
template <class B, int K>
GALLOP_HD Dual<B, K> floor(Dual<B, K> x) {
  return floor(x);
}

template <class B, int K>
struct ScalarTraits<Dual<B, K>> : ScalarTraits<B> {};

template <class B, int K>
struct RealOf<Dual<B, K>> {
  static GALLOP_HD Dual<B, K> make(double x) { return Dual<B, K>(real<B>(x)); }
};

}  // namespace gallop::inline GALLOP_ISA
