#include <gallop/host/report/moving_mean.h>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace gallop {
namespace {

const double kNone = std::nan("");

TEST(MovingMean, CountsEachValueByItsWeight) {
  // Five values: each window holds two to either side.
  EXPECT_EQ(moving_mean({1, 2, 3, 4, 5}, {}), (std::vector<double>{2, 2.5, 3, 3.5, 4}));
  EXPECT_EQ(moving_mean({0, 8, 0, 0, 0, 0}, {1, 3, 0, 0, 4, 0}),
            (std::vector<double>{6, 6, 3, 24.0 / 7, 0, 0}));
}

TEST(MovingMean, ValuesWithoutEpisodesCountForNothing) {
  EXPECT_EQ(moving_mean({kNone, 2, kNone, kNone, 4, kNone}, {0, 4, 0, 0, 4, 0}),
            (std::vector<double>{2, 2, 3, 3, 4, 4}));
  // A window of such alone keeps the mean before it; before the first value there is none.
  const std::vector<double> means = moving_mean({kNone, kNone, kNone, 7, kNone, kNone, kNone}, {});
  EXPECT_TRUE(std::isnan(means[0]));
  for (size_t i = 1; i < means.size(); ++i) EXPECT_EQ(means[i], 7) << i;
}

TEST(MovingMean, LargeValuesAndWeightsDoNotOverflow) {
  const std::vector<double> means =
      moving_mean(std::vector<double>(1000, 1e299), std::vector<double>(1000, 1e18));
  for (const double mean : means) EXPECT_NEAR(mean / 1e299, 1, 1e-9);
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(moving_mean({1, infinity, 3}, {}), (std::vector<double>{2, 2, 2}));
  EXPECT_TRUE(moving_mean({}, {}).empty());
}

}  // namespace
}  // namespace gallop
