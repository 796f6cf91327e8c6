// CheckedReal: the F for which every environment is compiled and never run (check_environment() in
// environment/contract.h). Float and double take a bare number in any expression, and give other
// bits with it than lanes do: 0.9 * x is a product of doubles for a float x, and of floats in
// lanes. So this F takes what lanes take, and says of all else what to write instead. Its functions
// have no meaning, for no code is made of them.
#pragma once

#include <type_traits>

#include <gallop/kernels/random/stream.h>

#define GALLOP_REFUSED_NUMBER                                                                   \
  "an F meets something that is no F: write real<F>(0.9) for a constant or a plain number, "    \
  "to_real(i) for an Int<F>, select(mask, a, b) for a mask. A bare number gives other bits in " \
  "lanes than in float"
#define GALLOP_REFUSED_WHOLE                                                                  \
  "an Int<F> meets something that is neither an Int<F> nor an int: write Int<F>(1), or work " \
  "with to_real(i) and real<F>(0.9) where the result is an F; gather() reads a table"
#define GALLOP_REFUSED_MASK                                                               \
  "a mask meets something that is no mask: write mask_of<F>(flag) for a plain bool, and " \
  "select(mask, real<F>(1.0), real<F>(0.0)) for a number"
#define GALLOP_REFUSED_BRANCH                                                               \
  "a comparison of F's differs between instances, and if, ?:, && and || ask for one bool: " \
  "write select(mask, a, b), & and |, or any(mask); constants beside an F as real<F>(0.9)"
#define GALLOP_REFUSED_PLAIN                                                                    \
  "an F does not become a plain number: call the functions that contract.h lists (sin(x), not " \
  "std::sin(x); to_int(x), not int(x)), and write constants beside it as real<F>(0.9)"

namespace gallop::inline GALLOP_ISA {

struct CheckedReal;
struct CheckedMask;
template <class Whole>
struct CheckedInteger;
using CheckedInt = CheckedInteger<std::int32_t>;
using CheckedWord = CheckedInteger<std::uint32_t>;

template <>
struct ScalarTraits<CheckedReal> {
  using Int = CheckedInt;
  using Word = CheckedWord;
  using Mask = CheckedMask;
  static constexpr int kLanes = 1;
};

template <class T, class... Ts>
concept OneOf = (std::is_same_v<T, Ts> || ...);
template <class T>
concept PlainNumber = std::is_arithmetic_v<T> || std::is_enum_v<T>;
// What compiles beside an F, and beside an Int<F>, where F is float.
template <class T>
concept NoReal = PlainNumber<T> || OneOf<T, CheckedInt, CheckedWord, CheckedMask>;
template <class T>
concept NoInteger = PlainNumber<T> || OneOf<T, CheckedMask>;

template <class T>
inline constexpr bool kNever = false;
// Refusals are members of templates, so that they speak where they are called, not before.
template <class T>
struct CheckedTexts {
  static GALLOP_HD void number() { static_assert(kNever<T>, GALLOP_REFUSED_NUMBER); }
  static GALLOP_HD void mask() { static_assert(kNever<T>, GALLOP_REFUSED_MASK); }
  // An int is an int beside every Int<F>.
  template <class Whole>
  static GALLOP_HD void whole() {
    static_assert(OneOf<T, int> && OneOf<Whole, std::int32_t>, GALLOP_REFUSED_WHOLE);
  }
};
template <class Self>
struct CheckedToBool {
  GALLOP_HD operator bool() const {
    static_assert(kNever<Self>, GALLOP_REFUSED_BRANCH);
    return false;
  }
};
template <class Self>
struct CheckedToDouble {
  GALLOP_HD operator double() const {
    static_assert(kNever<Self>, GALLOP_REFUSED_PLAIN);
    return 0;
  }
};

struct CheckedMask : CheckedToBool<CheckedMask> {
  CheckedMask() = default;
  template <PlainNumber T>
  GALLOP_HD CheckedMask(T) {
    CheckedTexts<T>::mask();
  }
  friend GALLOP_HD CheckedMask operator&(CheckedMask a, CheckedMask) { return a; }
  friend GALLOP_HD CheckedMask operator|(CheckedMask a, CheckedMask) { return a; }
  friend GALLOP_HD CheckedMask operator!(CheckedMask a) { return a; }
};

// Operators of a checked type: between equals, and the refusal beside anything of `Other`.
#define GALLOP_CHECKED_OPERATOR(Self, Result, sign, Other)         \
  friend GALLOP_HD Result operator sign(Self, Self) { return {}; } \
  template <Other T>                                               \
  friend GALLOP_HD Result operator sign(Self, T) {                 \
    Self::template refuse<T>();                                    \
    return {};                                                     \
  }                                                                \
  template <Other T>                                               \
  friend GALLOP_HD Result operator sign(T, Self) {                 \
    Self::template refuse<T>();                                    \
    return {};                                                     \
  }
#define GALLOP_CHECKED_ASSIGNMENT(Self, sign, Other)    \
  GALLOP_HD Self& operator sign(Self) { return *this; } \
  template <Other T>                                    \
  GALLOP_HD Self& operator sign(T) {                    \
    Self::template refuse<T>();                         \
    return *this;                                       \
  }
#define GALLOP_CHECKED_ARITHMETIC(Self, Other)          \
  GALLOP_CHECKED_OPERATOR(Self, Self, +, Other)         \
  GALLOP_CHECKED_OPERATOR(Self, Self, -, Other)         \
  GALLOP_CHECKED_OPERATOR(Self, Self, *, Other)         \
  GALLOP_CHECKED_OPERATOR(Self, Self, /, Other)         \
  GALLOP_CHECKED_OPERATOR(Self, CheckedMask, <, Other)  \
  GALLOP_CHECKED_OPERATOR(Self, CheckedMask, >, Other)  \
  GALLOP_CHECKED_OPERATOR(Self, CheckedMask, <=, Other) \
  GALLOP_CHECKED_OPERATOR(Self, CheckedMask, >=, Other) \
  GALLOP_CHECKED_OPERATOR(Self, CheckedMask, ==, Other) \
  GALLOP_CHECKED_OPERATOR(Self, CheckedMask, !=, Other) \
  GALLOP_CHECKED_ASSIGNMENT(Self, +=, Other)            \
  GALLOP_CHECKED_ASSIGNMENT(Self, -=, Other)            \
  GALLOP_CHECKED_ASSIGNMENT(Self, *=, Other)            \
  GALLOP_CHECKED_ASSIGNMENT(Self, /=, Other)            \
  friend GALLOP_HD Self operator-(Self a) { return a; } \
  friend GALLOP_HD Self operator+(Self a) { return a; }

template <class Whole>
struct CheckedInteger {
  Whole unused;

  template <class T>
  static GALLOP_HD void refuse() {
    CheckedTexts<T>::template whole<Whole>();
  }
  CheckedInteger() = default;
  template <PlainNumber T>
  GALLOP_HD explicit CheckedInteger(T) {}
  GALLOP_HD operator Whole() const {
    static_assert(kNever<Whole>, GALLOP_REFUSED_WHOLE);
    return 0;
  }
  GALLOP_CHECKED_ARITHMETIC(CheckedInteger, NoInteger)
  GALLOP_CHECKED_OPERATOR(CheckedInteger, CheckedInteger, &, NoInteger)
  GALLOP_CHECKED_OPERATOR(CheckedInteger, CheckedInteger, |, NoInteger)
  GALLOP_CHECKED_OPERATOR(CheckedInteger, CheckedInteger, ^, NoInteger)
  friend GALLOP_HD CheckedInteger operator~(CheckedInteger a) { return a; }
  friend GALLOP_HD CheckedInteger operator<<(CheckedInteger a, int) { return a; }
  friend GALLOP_HD CheckedInteger operator>>(CheckedInteger a, int) { return a; }
};

// Twice as long as a float: what is no F in a Parameters<F> or a State<F> shows in its size.
struct CheckedReal : CheckedToDouble<CheckedReal> {
  float unused[2];

  template <class T>
  static GALLOP_HD void refuse() {
    CheckedTexts<T>::number();
  }
  CheckedReal() = default;
  // F(0.9) is one rounding, the same for every F but double.
  template <class T>
  requires PlainNumber<T> GALLOP_HD explicit CheckedReal(T) {}
  template <NoReal T>
  GALLOP_HD CheckedReal(T) {
    refuse<T>();
  }
  GALLOP_CHECKED_ARITHMETIC(CheckedReal, NoReal)
  template <OneOf<int>... T>  // int where the sign stands behind
  friend GALLOP_HD CheckedReal operator++(CheckedReal& x, T...) {
    refuse<CheckedReal>();
    return x;
  }
  template <OneOf<int>... T>
  friend GALLOP_HD CheckedReal operator--(CheckedReal& x, T...) {
    refuse<CheckedReal>();
    return x;
  }
};

template <class T>
concept Checked = OneOf<T, CheckedReal, CheckedInt, CheckedWord>;

// The functions of numerics/scalar.h and numerics/math.h that an environment may call.
GALLOP_HD CheckedReal fmadd(CheckedReal a, CheckedReal, CheckedReal) { return a; }
GALLOP_HD CheckedInt as_int(CheckedReal) { return {}; }
GALLOP_HD CheckedReal as_float(CheckedInt) { return {}; }
GALLOP_HD CheckedReal to_real(CheckedInt) { return {}; }
GALLOP_HD CheckedInt to_int(CheckedReal) { return {}; }
GALLOP_HD CheckedWord to_word(CheckedInt) { return {}; }
GALLOP_HD bool any(CheckedMask) { return false; }
GALLOP_HD bool all(CheckedMask) { return false; }
template <class F>
GALLOP_HD CheckedInt mask_to_int(CheckedMask) {
  return {};
}
template <Checked T>
GALLOP_HD T select(CheckedMask, T a, T) {
  return a;
}
template <Checked T>
GALLOP_HD T min(T a, T) {
  return a;
}
template <Checked T>
GALLOP_HD T max(T a, T) {
  return a;
}
GALLOP_HD CheckedReal abs(CheckedReal x) { return x; }
GALLOP_HD CheckedReal sqrt(CheckedReal x) { return x; }
GALLOP_HD CheckedReal reciprocal(CheckedReal x) { return x; }
GALLOP_HD CheckedReal reciprocal_in_range(CheckedReal x) { return x; }
GALLOP_HD CheckedReal round_to_float(CheckedReal x) { return x; }
GALLOP_HD CheckedReal floor(CheckedReal x) { return x; }
GALLOP_HD void sin_cos(CheckedReal, CheckedReal&, CheckedReal&) {}
GALLOP_HD CheckedReal sin(CheckedReal x) { return x; }
GALLOP_HD CheckedReal cos(CheckedReal x) { return x; }
GALLOP_HD CheckedReal exp(CheckedReal x) { return x; }
GALLOP_HD CheckedReal log(CheckedReal x) { return x; }
GALLOP_HD CheckedReal tanh(CheckedReal x) { return x; }
GALLOP_HD CheckedReal pow(CheckedReal x, CheckedReal) { return x; }
GALLOP_HD CheckedReal atan2(CheckedReal y, CheckedReal) { return y; }
GALLOP_HD CheckedReal gather(const float*, CheckedInt) { return {}; }
GALLOP_HD CheckedInt gather_words(const std::int32_t*, CheckedInt) { return {}; }
GALLOP_HD CheckedWord gather_words(const std::uint32_t*, CheckedInt) { return {}; }
template <>
struct WordConversion<CheckedReal> {
  static GALLOP_HD CheckedReal to_real(CheckedWord) { return {}; }
};

// The same beside a plain number.
template <class... Ts>
concept MixedWithPlain = (Checked<Ts> || ...) && (PlainNumber<Ts> || ...);
template <class A, class B>
requires MixedWithPlain<A, B> GALLOP_HD CheckedReal min(A, B) {
  CheckedTexts<A>::number();
  return {};
}
template <class A, class B>
requires MixedWithPlain<A, B> GALLOP_HD CheckedReal max(A, B) {
  CheckedTexts<A>::number();
  return {};
}
template <class A, class B>
requires MixedWithPlain<A, B> GALLOP_HD CheckedReal pow(A, B) {
  CheckedTexts<A>::number();
  return {};
}
template <class A, class B>
requires MixedWithPlain<A, B> GALLOP_HD CheckedReal atan2(A, B) {
  CheckedTexts<A>::number();
  return {};
}
template <class A, class B, class C>
requires MixedWithPlain<A, B, C> GALLOP_HD CheckedReal fmadd(A, B, C) {
  CheckedTexts<A>::number();
  return {};
}
template <class A, class B>
requires(PlainNumber<A> || PlainNumber<B>) GALLOP_HD CheckedReal select(CheckedMask, A, B) {
  CheckedTexts<A>::number();
  return {};
}

template <>
struct Rng<CheckedReal> {
  GALLOP_HD CheckedWord word() { return {}; }
  GALLOP_HD CheckedReal uniform() { return {}; }
  GALLOP_HD CheckedReal uniform(CheckedReal low, CheckedReal) { return low; }
  GALLOP_HD CheckedReal normal() { return {}; }
};

}  // namespace gallop::inline GALLOP_ISA
