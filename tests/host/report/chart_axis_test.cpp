#include <gallop/host/report/chart_axis.h>

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace gallop {
namespace {

using Texts = std::vector<std::string>;

TEST(ChartAxis, TicksAreRound) {
  EXPECT_EQ(axis_ticks(0, 500, 5).labels, (Texts{"0", "100", "200", "300", "400", "500"}));
  EXPECT_EQ(axis_ticks(0, 2.9e6, 6).labels,
            (Texts{"0", "0.5 M", "1.0 M", "1.5 M", "2.0 M", "2.5 M"}));
  EXPECT_EQ(axis_ticks(-0.025, 0.004, 4).labels, (Texts{"-0.02", "-0.01", "0"}));
  EXPECT_EQ(axis_ticks(0, 0.0003, 3).labels, (Texts{"0", "0.0001", "0.0002", "0.0003"}));
  EXPECT_EQ(axis_ticks(0, 20000, 4).labels, (Texts{"0", "5 k", "10 k", "15 k", "20 k"}));
  EXPECT_EQ(axis_ticks(1e-9, 3e-9, 2).labels, (Texts{"1e-09", "2e-09", "3e-09"}));
  EXPECT_EQ(log_ticks(0.5, 2e4).labels, (Texts{"1", "10", "100", "1000", "1e4"}));
  EXPECT_LE(log_ticks(1e-300, 1e300).values.size(), 8u);
}

TEST(ChartAxis, TicksOfAnyRangeAreFew) {
  for (double low = -1e300; std::fabs(low) > 1e-300; low /= -317) {
    for (const double width : {1e-15, 1e-9, 1e-3, 1.0, 1e3, 1e15}) {
      const AxisTicks ticks = axis_ticks(low, low + width * std::fabs(low), 6);
      EXPECT_LE(ticks.values.size(), 100u) << low << " " << width;
      EXPECT_EQ(ticks.values.size(), ticks.labels.size());
    }
  }
}

}  // namespace
}  // namespace gallop
