#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include <gallop/host/logging/metrics_log.h>
#include <gallop/host/report/report.h>
#include "tests/host/temporary_folder.h"

namespace gallop {
namespace {

using test::put_file;
using test::TemporaryFolder;

// A log of that many iterations: `x` counts them, an episode ends in every tenth.
std::string log_of(uint64_t n) {
  std::string text = "step,episodes,return,x,loss\n";
  for (uint64_t k = 1; k <= n; ++k) {
    text += std::to_string(2 * k) +
            (k % 10 == 0
                 ? "," + std::to_string(k % 20 == 0 ? 3 : 1) + "," + (k % 20 == 0 ? "100" : "20")
                 : std::string(",0,nan")) +
            "," + std::to_string(k) + ",inf\n";
  }
  return text;
}

TEST(MetricsSummary, OfAShortRunIsTheTable) {
  const TemporaryFolder folder;
  put_file(folder / "metrics.csv", log_of(500));
  const MetricsTable whole = read_metrics_csv(folder / "metrics.csv");
  const MetricsTable table = summarise_metrics_csv(folder / "metrics.csv");
  EXPECT_EQ(table.names, whole.names);
  EXPECT_EQ(table.steps, whole.steps);
  EXPECT_EQ(table.column("x"), whole.column("x"));
  EXPECT_EQ(table.column("loss"), whole.column("loss"));
  for (size_t k = 0; k < 500; ++k) {
    EXPECT_EQ(std::isnan(table.column("return")[k]), std::isnan(whole.column("return")[k]));
  }
  EXPECT_EQ(table.n_iterations, 500u);
  EXPECT_EQ(table.iterations_each, 1u);
  EXPECT_TRUE(table.low.empty());
}

TEST(MetricsSummary, OfALongRunIsMadeOfStretches) {
  const TemporaryFolder folder;
  for (const uint64_t n : {1025u, 4096u, 5000u, 12345u}) {
    put_file(folder / "metrics.csv", log_of(n));
    const MetricsTable table =
        summarise_metrics_csv(folder / "metrics.csv", posix_file_system(), 1024);
    const uint64_t each = table.iterations_each;
    EXPECT_GT(each, 1u);
    EXPECT_EQ(table.n_iterations, n);
    ASSERT_EQ(table.steps.size(), (n + each - 1) / each);
    EXPECT_LE(table.steps.size(), 1024u);
    EXPECT_EQ(table.steps.back(), 2 * n);
    const std::vector<double> x = table.column("x"), low = table.column_of(table.low, "x"),
                              high = table.column_of(table.high, "x");
    for (size_t k = 0; k < x.size(); ++k) {
      const double first = static_cast<double>(k * each + 1);
      const double last = static_cast<double>(std::min((k + 1) * each, n));
      EXPECT_EQ(low[k], first);
      EXPECT_EQ(high[k], last);
      EXPECT_DOUBLE_EQ(x[k], (first + last) / 2);
      EXPECT_EQ(table.steps[k], static_cast<uint64_t>(2 * last));
      EXPECT_TRUE(std::isnan(table.column("loss")[k]));
    }
  }
}

// Three episodes of 100 count three times as much as one of 20.
TEST(MetricsSummary, ReturnsAreWeightedByEpisodes) {
  const TemporaryFolder folder;
  put_file(folder / "metrics.csv", log_of(64 * 1024));
  const MetricsTable table =
      summarise_metrics_csv(folder / "metrics.csv", posix_file_system(), 1024);
  ASSERT_EQ(table.iterations_each, 64u);
  double sum = 0;
  for (const double value : table.column("return")) {
    EXPECT_GE(value, 20);
    EXPECT_LE(value, 100);
    sum += value / 1024;
  }
  EXPECT_NEAR(sum, 80, 1);
}

TEST(MetricsSummary, DamagedLinesAreLeftOutAndCounted) {
  const TemporaryFolder folder;
  put_file(folder / "metrics.csv", "step,a\n10,1\n20,x\n30,3\n30,4\nrubbish\n40,5\n50,");
  const MetricsTable table = summarise_metrics_csv(folder / "metrics.csv");
  EXPECT_EQ(table.n_damaged, 3u);
  EXPECT_EQ(table.steps, (std::vector<uint64_t>{10, 30, 40}));
  EXPECT_EQ(table.column("a"), (std::vector<double>{1, 3, 5}));
}

// A page of a run of any length is one that opens, made in memory that does not grow.
TEST(MetricsSummary, APageDoesNotGrowWithTheRun) {
  const TemporaryFolder folder;
  Report report;
  size_t sizes[2];
  for (const int k : {0, 1}) {
    put_file(folder / "metrics.csv", log_of(k == 0 ? 100000 : 800000));
    report.charts = metric_charts(summarise_metrics_csv(folder / "metrics.csv"));
    sizes[k] = render_report(report).size();
  }
  EXPECT_LT(sizes[0], 1u << 20);
  EXPECT_LT(sizes[1], 1u << 20);
}

}  // namespace
}  // namespace gallop
