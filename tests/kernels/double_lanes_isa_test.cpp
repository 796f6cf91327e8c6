// Lanes of doubles against plain doubles.
#include "kernels/numerics/double_lanes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gallop {
namespace {

#if GALLOP_LANES > 1

using D = NativeDoubles;
constexpr int kW = kLanesOf<D>;

D lanes(double first, double step) {
  D x;
  for (int i = 0; i < kW; i++) x.set(i, first + i * step);
  return x;
}

TEST(DoubleLanes, ArithmeticIsThatOfDouble) {
  const D a = lanes(0.1, 0.7), b = lanes(-3, 1.3), c = lanes(1e-3, 1e3);
  const D sum = a + b, difference = a - b, product = a * b, quotient = a / b,
          fused = fmadd(a, b, c);
  const D least = min(a, b), greatest = max(a, b), negative = -a;
  for (int i = 0; i < kW; i++) {
    const double x = a.get(i), y = b.get(i);
    EXPECT_EQ(sum.get(i), x + y);
    EXPECT_EQ(difference.get(i), x - y);
    EXPECT_EQ(product.get(i), x * y);
    EXPECT_EQ(quotient.get(i), x / y);
    EXPECT_EQ(fused.get(i), std::fma(x, y, c.get(i)));
    EXPECT_EQ(least.get(i), x < y ? x : y);
    EXPECT_EQ(greatest.get(i), x > y ? x : y);
    EXPECT_EQ(negative.get(i), -x);
  }
}

TEST(DoubleLanes, ExpIsWithinTwoUlp) {
  double worst = 0;
  for (double x = -708; x < 709 - kW * 0.013; x += 0.0137 * kW) {
    const D in = lanes(x, 0.0137), out = exp(in);
    for (int i = 0; i < kW; i++) {
      const double exact = std::exp(in.get(i));
      const double ulp = std::nextafter(exact, std::numeric_limits<double>::infinity()) - exact;
      worst = std::max(worst, std::fabs(out.get(i) - exact) / ulp);
    }
  }
  EXPECT_LE(worst, 2);
  EXPECT_EQ(exp(D(0.0)).get(0), 1);
  EXPECT_TRUE(std::isnan(exp(D(std::nan(""))).get(0)));
  EXPECT_EQ(exp(D(1e9)).get(0), exp(D(709.0)).get(0));
  EXPECT_EQ(exp(D(-1e9)).get(0), exp(D(-708.0)).get(0));
}

TEST(DoubleLanes, LoadsAndStores) {
  double numbers[kW], back[kW];
  float narrow[kW];
  for (int i = 0; i < kW; i++) narrow[i] = float(numbers[i] = 0.5 * i - 1);
  store_doubles(back, load_doubles(numbers, D()) + load_doubles(narrow, D()));
  for (int i = 0; i < kW; i++) EXPECT_EQ(back[i], 2 * numbers[i]);
}

#else

TEST(DoubleLanes, AreDoublesWithoutVectors) { EXPECT_EQ(kLanesOf<NativeDoubles>, 1); }

#endif

}  // namespace
}  // namespace gallop
