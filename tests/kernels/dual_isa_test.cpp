// Numbers with derivatives: each function's derivative against central differences in double, and
// values that have the bits of the function itself.
#include <gallop/kernels/random/dual_stream.h>

#include <cmath>

#include <gallop/kernels/numerics/native.h>
#include "tests/kernels/isa_numbers.h"

namespace gallop::testing {
namespace {

using D = Dual<double, 2>;

D variable(double value, int k) {
  D x(value);
  x.slope[k] = 1;
  return x;
}

// f at (a, b), whose derivatives by both are compared.
template <class Function>
void expect_derivatives(const char* name, double a, double b, const Function& f) {
  const D found = f(variable(a, 0), variable(b, 1));
  EXPECT_EQ(found.value, f(a, b)) << name;
  const double h = 1e-6;
  const double by_a = (f(a + h, b) - f(a - h, b)) / (2 * h);
  const double by_b = (f(a, b + h) - f(a, b - h)) / (2 * h);
  EXPECT_NEAR(found.slope[0], by_a, 1e-8 * (1 + std::abs(by_a))) << name << " at " << a;
  EXPECT_NEAR(found.slope[1], by_b, 1e-8 * (1 + std::abs(by_b))) << name << " at " << b;
}

TEST(Dual, DerivativesAreThoseOfDifferences) {
  for (const double a : {-2.3, -0.7, 0.4, 1.9}) {
    for (const double b : {-1.4, 0.3, 2.2}) {
      expect_derivatives("+", a, b, [](auto x, auto y) { return x + y + (-x); });
      expect_derivatives("-", a, b, [](auto x, auto y) { return x - y; });
      expect_derivatives("*", a, b, [](auto x, auto y) { return x * y; });
      expect_derivatives("/", a, b, [](auto x, auto y) { return x / y; });
      expect_derivatives("fmadd", a, b, [](auto x, auto y) { return fmadd(x, y, x); });
      expect_derivatives("min", a, b, [](auto x, auto y) { return min(x, y); });
      expect_derivatives("max", a, b, [](auto x, auto y) { return max(x, y); });
      expect_derivatives("abs", a, b, [](auto x, auto y) { return abs(x) * y; });
      expect_derivatives("sqrt", a, b, [](auto x, auto y) { return sqrt(x * x + y * y); });
      expect_derivatives("reciprocal", a, b, [](auto x, auto y) { return reciprocal(x) * y; });
      expect_derivatives("floor", a, b, [](auto x, auto y) { return floor(x) * y; });
      expect_derivatives("sin", a, b, [](auto x, auto y) { return sin(x * y); });
      expect_derivatives("cos", a, b, [](auto x, auto y) { return cos(x) * y; });
      expect_derivatives("exp", a, b, [](auto x, auto y) { return exp(x) * y; });
      expect_derivatives("log", a, b, [](auto x, auto y) { return log(x * x) * y; });
      expect_derivatives("tanh", a, b, [](auto x, auto y) { return tanh(x) * y; });
      expect_derivatives("atan2", a, b, [](auto x, auto y) { return atan2(x, y); });
      expect_derivatives("pow", a, b, [](auto x, auto y) { return pow(x * x, y); });
      expect_derivatives("select", a, b, [](auto x, auto y) { return select(x < y, x * x, y); });
      expect_derivatives("assigned", a, b, [](auto x, auto y) {
        x += y;
        x *= y;
        x -= y * y;
        x /= y;
        return x;
      });
    }
  }
}

TEST(Dual, HasNoDerivativeWhereThereIsNone) {
  EXPECT_EQ(sqrt(variable(0, 0)).slope[0], 0);
  EXPECT_EQ(abs(variable(0, 0)).slope[0], 0);
  EXPECT_EQ(atan2(variable(0, 0), variable(0, 1)).slope[0], 0);
  EXPECT_EQ(pow(variable(-2, 0), real<D>(3.0)).slope[0], 12);  // whose logarithm is NaN
  EXPECT_EQ(pow(variable(-2, 0), real<D>(3.0)).slope[1], 0);
  EXPECT_EQ(pow(variable(0, 0), real<D>(0.0)).slope[0], 0);
  // What is cut off is not felt.
  EXPECT_EQ(max(real<D>(-1.0), min(real<D>(1.0), variable(3, 0))).slope[0], 0);
}

// Values of lanes, and derivatives of one, have the bits of one number at a time.
TEST(Dual, LanesHaveTheBitsOfScalars) {
  using L = Dual<Native, 2>;
  using S = Dual<float, 2>;
  const auto f = [](auto x, auto y) {
    auto s = x, c = x;
    sin_cos(x, s, c);
    return fmadd(tanh(s * y), exp(c), atan2(x, y)) + pow(abs(x), y) / sqrt(abs(y)) +
           log(abs(x)) * floor(y) + select(x < y, x * y, reciprocal(y));
  };
  TestBits random;
  for (int trial = 0; trial < 200; trial++) {
    float a[kLanesOf<Native>], b[kLanesOf<Native>], value[kLanesOf<Native>], by_a[kLanesOf<Native>],
        by_b[kLanesOf<Native>];
    for (float& x : a) x = random.between(-3.0f, 3.0f);
    for (float& x : b) x = random.between(0.1f, 2.0f);
    constexpr int kW = kLanesOf<Native>;
    L x(load_lanes(a, kW, Native())), y(load_lanes(b, kW, Native()));
    x.slope[0] = y.slope[1] = Native(1.0f);
    const L lanes = f(x, y);
    store_lanes(value, lanes.value, kW);
    store_lanes(by_a, lanes.slope[0], kW);
    store_lanes(by_b, lanes.slope[1], kW);
    for (int k = 0; k < kW; k++) {
      S p(a[k]), q(b[k]);
      p.slope[0] = q.slope[1] = 1;
      const S one = f(p, q);
      ASSERT_TRUE(same(value[k], one.value)) << a[k] << " " << b[k];
      ASSERT_TRUE(same(value[k], f(a[k], b[k])));
      ASSERT_TRUE(same(by_a[k], one.slope[0]));
      ASSERT_TRUE(same(by_b[k], one.slope[1]));
    }
  }
}

TEST(Dual, DrawsAreThoseOfNumbersWithoutDerivatives) {
  Rng<float> plain(5, kRandomDynamics, 1u, 2u, 3u);
  Rng<Dual<float, 2>> derived(5, kRandomDynamics, 1u, 2u, 3u);
  Dual<float, 2> high(2.0f);
  high.slope[1] = 1;
  for (int k = 0; k < 5; k++) {
    const float u = plain.uniform(-1.0f, 2.0f);
    const Dual<float, 2> v = derived.uniform(Dual<float, 2>(-1.0f), high);
    EXPECT_TRUE(same(u, v.value));
    EXPECT_NEAR(v.slope[1], (u + 1) / 3, 1e-6) << "what is made of a draw has derivatives";
    const Dual<float, 2> z = derived.normal();
    EXPECT_TRUE(same(plain.normal(), z.value));
    EXPECT_EQ(z.slope[1], 0);
  }
}

}  // namespace
}  // namespace gallop::testing
