// kernels/reduce/fixed_point.h: exponents at the edges, and sums that no order changes.
#include <gallop/kernels/reduce/fixed_point.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <limits>

#include "tests/learning/kernel_sets.h"

namespace gallop::testing {
namespace {

TEST(FixedPoint, ExponentOfIsTheNextPowerOfTwo) {
  for (int k = -1000; k <= 1000; k++) {
    const double power = std::ldexp(1.0, k);
    EXPECT_EQ(exponent_of(power), k + 1);
    EXPECT_EQ(exponent_of(std::nextafter(power, 0.0)), k);
    EXPECT_EQ(power_of_two(k), power);
  }
}

// The greatest magnitude the sum can take stays below 2^62 plus one rounding a term.
TEST(FixedPoint, SumsOfTheGreatestTermsFit) {
  Random random(31);
  // Up to the greatest squared deviation of two floats.
  std::vector<double> bounds = {
      0, 1, FLT_MAX, FLT_MIN, double(FLT_TRUE_MIN), 4.0 * FLT_MAX * FLT_MAX};
  for (int k = -149; k < 128; k++) {
    bounds.push_back(std::ldexp(1.0, k));
    bounds.push_back(std::nextafter(std::ldexp(1.0, k), 0.0));
    bounds.push_back(std::ldexp(random.uniform(0.5, 1), k));
  }
  for (const double bound : bounds) {
    for (const std::int64_t count :
         {std::int64_t(1), std::int64_t(2), std::int64_t(3), std::int64_t(127), std::int64_t(128),
          std::int64_t(129), (std::int64_t(1) << 32) - 1, std::int64_t(1) << 40}) {
      const int e = fixed_exponent(bound, count);
      ASSERT_LE(std::abs(e), 1000) << bound;
      const long double greatest = std::ldexp((long double)(bound), e) + 0.5L;
      ASSERT_LE(greatest * count, 0x1p62L + count) << "bound " << bound << " count " << count;
      const __int128 sum = __int128(to_fixed(bound, e)) * count;
      ASSERT_LE(sum, __int128(INT64_MAX)) << "bound " << bound << " count " << count;
      ASSERT_GE(-sum, __int128(INT64_MIN));
      // No more bits are given away than the count needs.
      if (bound > 0 && std::abs(e) < 1000) {
        ASSERT_GE(greatest * count, 0x1p60L) << "bound " << bound << " count " << count;
      }
    }
  }
}

TEST(FixedPoint, RoundTripsWithinHalfAUnit) {
  Random random(32);
  for (int trial = 0; trial < 100000; trial++) {
    const double bound = std::ldexp(random.uniform(0.5, 1), random.below(270) - 145);
    const int e = fixed_exponent(bound, 1 + random.below(1 << 20));
    const double x = bound * random.uniform(-1, 1);
    const double back = from_fixed(to_fixed(x, e), e);
    ASSERT_LE(std::abs(back - x), std::ldexp(0.5, -e)) << bound << " " << x;
  }
  EXPECT_EQ(to_fixed(0.5, 0), 0);  // ties to even
  EXPECT_EQ(to_fixed(1.5, 0), 2);
  EXPECT_EQ(to_fixed(-2.5, 0), -2);
}

// Moments of rows of n numbers, `grain` rows at a time.
MomentSums moments_of(const KernelSet& set, const std::vector<float>& x, long n, long grain = 0) {
  MomentSums sums;
  set.kernels->moments({x.data(), long(x.size()) / n, n, n, 0, 1, 0, &sums}, TestWork(grain));
  return sums;
}
float greatest_of(const KernelSet& set, const std::vector<float>& x) {
  return as_float(std::int32_t(moments_of(set, x, long(x.size())).greatest));
}

TEST(Moments, TheGreatestMagnitudeSeesEveryPositionAndWhatIsNotFinite) {
  for (const KernelSet& set : kernel_sets()) {
    for (const int n : {1, 3, 7, 8, 9, 15, 16, 17, 33, 100}) {
      for (int at = 0; at < n; at++) {
        std::vector<float> x(n, 0.25f);
        x[at] = -3.5f;
        EXPECT_EQ(greatest_of(set, x), 3.5f) << set.isa;
        for (const float bad : {INFINITY, -INFINITY, NAN, -NAN}) {
          x[at] = bad;
          EXPECT_EQ(greatest_of(set, x), INFINITY)
              << set.isa << " " << bad << " at " << at << " of " << n;
          EXPECT_TRUE(std::isnan(moments_of(set, x, n).mean));
          EXPECT_TRUE(std::isnan(moments_of(set, x, n).sum_of_squares));
        }
      }
    }
    EXPECT_EQ(greatest_of(set, std::vector<float>(20, -0.0f)), 0.0f);
    EXPECT_EQ(greatest_of(set, std::vector<float>(20, -FLT_TRUE_MIN)), FLT_TRUE_MIN);
    EXPECT_EQ(greatest_of(set, std::vector<float>(20, -FLT_MAX)), FLT_MAX);
  }
}

TEST(Moments, SumsAreTheSameInEveryOrderAndSplit) {
  Random random(33);
  for (int trial = 0; trial < 60; trial++) {
    const int n = 1 + random.below(3000);
    std::vector<float> x(n);
    for (float& v : x) v = float(random.normal() * std::exp(random.uniform(-20, 20)));
    const MomentSums whole = moments_of(kernel_sets()[0], x, n);
    const double bound = double(greatest_of(kernel_sets()[0], x));
    long double exact = 0, squares = 0;
    for (const float v : x) exact += v;
    for (const float v : x) squares += (v - exact / n) * (v - exact / n);
    ASSERT_NEAR(whole.mean, double(exact / n), 1e-12 * bound);
    ASSERT_NEAR(whole.sum_of_squares, double(squares), 1e-12 * bound * bound * n);
    std::shuffle(x.begin(), x.end(), std::mt19937(trial));
    for (const KernelSet& set : kernel_sets()) {
      const MomentSums split = moments_of(set, x, 1, 1 + random.below(n));  // each a row of its own
      ASSERT_EQ(split.fixed_sum, whole.fixed_sum) << set.isa;
      ASSERT_EQ(split.fixed_sum_of_squares, whole.fixed_sum_of_squares) << set.isa;
      ASSERT_EQ(split.mean, whole.mean) << set.isa;
    }
  }
}

TEST(Standardize, ShiftsAndScalesEveryElementAndNoOther) {
  Random random(34);
  for (const int n : {1, 5, 16, 17, 100, 1000}) {
    std::vector<float> x(n + 1);
    for (float& v : x) v = float(random.uniform(-50, 50));
    const std::vector<float> before = x;
    for (const KernelSet& set : kernel_sets()) {
      x = before;
      set.kernels->standardize({x.data(), n, 3.25f, 0.125f}, TestWork(7));
      for (int i = 0; i < n; i++) ASSERT_EQ(x[i], (before[i] - 3.25f) * 0.125f) << set.isa << i;
      ASSERT_EQ(x[n], before[n]) << set.isa;
    }
  }
}

}  // namespace
}  // namespace gallop::testing
