// Means and deviations that hold exactly where the numbers allow it.
#include <gallop/host/learning/sample_mean.h>

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace gallop {
namespace {

TEST(SampleMean, EqualNumbersHaveThatMeanAndNoDeviation) {
  for (const double value : {500.0, -200.0, 0.1, -1.0 / 3, 475.123456789, 1e300, -3e-300, 0.0}) {
    for (const int n : {1, 2, 3, 7, 10, 49, 60, 100, 1000, 4097}) {
      const SampleMean m = sample_mean(std::vector<double>(n, value));
      ASSERT_EQ(m.count, n);
      ASSERT_EQ(m.mean, value) << n;
      ASSERT_EQ(m.sum_of_squares, 0.0) << n;
    }
  }
}

TEST(SampleMean, WholeNumbersAreSummedAndDividedOnce) {
  std::vector<double> values;
  double sum = 0;
  for (int n = 1; n <= 2000; n++) {
    values.push_back(double((n * 7919) % 501));
    sum += values.back();
    ASSERT_EQ(sample_mean(values).mean, sum / n) << n;
  }
}

TEST(SampleMean, TheSumLosesNothing) {
  const std::vector<double> values = {1e16, 1, -1e16, 1};
  EXPECT_EQ(sample_mean(values).mean, 0.5);
  EXPECT_EQ(sample_mean(std::vector<double>{1, 2, 4}).sum_of_squares,
            sample_mean(std::vector<double>{4, 2, 1}).sum_of_squares);
  EXPECT_DOUBLE_EQ(sample_mean(std::vector<double>{1, 3}).sum_of_squares, 2);
}

TEST(SampleMean, OfNothing) {
  const SampleMean m = sample_mean({});
  EXPECT_EQ(m.count, 0);
  EXPECT_EQ(m.mean, 0.0);
}

}  // namespace
}  // namespace gallop
