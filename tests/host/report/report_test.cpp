#include <gallop/host/report/report.h>

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace gallop {
namespace {

MetricsTable metrics(size_t n_rows) {
  MetricsTable table;
  table.names = {"value_loss", "return", "own_number", "eval_return", "steps_per_second"};
  for (size_t i = 0; i < n_rows; ++i) {
    const double at = static_cast<double>(i);
    table.steps.push_back(1000 * (i + 1));
    table.rows.push_back({1 / (1 + at), at, -at, i % 4 == 3 ? at + 1 : std::nan(""), 1e6});
  }
  return table;
}

Report report_of(size_t n_rows) {
  Report report;
  report.title = "PPO on CartPole";
  report.subtitle = "seed 1";
  report.figures = {{"Evaluation return", "499"}};
  report.charts = metric_charts(metrics(n_rows));
  report.result = {{"bits", "0123abcd"}};
  report.configuration = {{"learning_rate", "3e-04"}, {"note", "<b>&\"x\"</b>"}};
  return report;
}

TEST(Report, ChartsAreInTheOrderOfAReader) {
  const std::vector<Chart> charts = metric_charts(metrics(8));
  std::vector<std::string> titles;
  for (const Chart& chart : charts) titles.push_back(chart.title);
  EXPECT_EQ(titles, (std::vector<std::string>{"Return", "Value loss", "Speed", "Own number"}));
  ASSERT_EQ(charts[0].series.size(), 2u);
  EXPECT_EQ(charts[0].series[1].name, "Evaluation return");
  EXPECT_EQ(charts[0].series[1].x, (std::vector<double>{4000, 8000}));
  EXPECT_EQ(charts[0].series[1].y, (std::vector<double>{4, 8}));
  EXPECT_EQ(charts[0].series[0].x.size(), 8u);
  EXPECT_EQ(charts[2].unit, "steps/s");
  EXPECT_EQ(charts[0].x_label, "environment steps");
}

// An iteration that ended no episode is no gap of the return, and does not count for its mean.
TEST(Report, TheReturnIsJoinedOverIterationsWithoutEpisodes) {
  MetricsTable table;
  table.names = {"episodes", "return", "length", "kl"};
  const double none = std::nan("");
  table.steps = {10, 20, 30, 40};
  table.rows = {{0, none, none, 1}, {2, 5, 7, none}, {0, none, none, 3}, {1, 6, 8, 4}};
  const std::vector<Chart> charts = metric_charts(table);
  ASSERT_EQ(charts.size(), 4u);
  for (const size_t k : {0, 1}) {
    const ChartSeries& series = charts[k].series.at(0);
    EXPECT_EQ(series.x, (std::vector<double>{20, 40}));
    EXPECT_EQ(series.weights, (std::vector<double>{2, 1}));
    EXPECT_TRUE(series.over_stretches);
  }
  EXPECT_EQ(charts[0].series[0].y, (std::vector<double>{5, 6}));
  EXPECT_EQ(charts[3].title, "KL divergence of an update");
  EXPECT_EQ(charts[3].series[0].x.size(), 4u);  // its gap is one
  EXPECT_FALSE(charts[3].series[0].over_stretches);
}

TEST(Report, RowsThatAreMeansOfStretchesSaySo) {
  MetricsTable table = metrics(4);
  table.iterations_each = 64;
  table.low = table.high = table.rows;
  const ChartSeries series = metric_charts(table)[0].series[0];
  EXPECT_EQ(series.name, "Return, means of 64 iterations");
  EXPECT_EQ(series.band, "least to greatest");
  EXPECT_EQ(series.low.size(), 4u);
}

TEST(Report, AnEvaluationAloneHasItsOwnChart) {
  MetricsTable table;
  table.names = {"eval_return"};
  table.steps = {1};
  table.rows = {{5}};
  const std::vector<Chart> charts = metric_charts(table);
  ASSERT_EQ(charts.size(), 1u);
  EXPECT_EQ(charts[0].title, "Evaluation return");
}

TEST(Report, NamesOfMetrics) {
  EXPECT_EQ(metric_label("kl").unit, "nats");
  EXPECT_EQ(metric_label("my_number").title, "My number");
  EXPECT_EQ(metric_label("").title, "");
}

TEST(Report, HoldsEverythingAndNeedsNothing) {
  const std::string html = render_report(report_of(50));
  for (const char* part :
       {"<!DOCTYPE html>", "<title>PPO on CartPole</title>", "<h1>PPO on CartPole</h1>", "seed 1",
        "499", "<h2>Return</h2>", "<h2>Value loss</h2>", "<h2>Own number</h2>", "<h2>Speed</h2>",
        "<h2>Result</h2>", "0123abcd", "<h2>Configuration</h2>", "learning_rate", "3e-04",
        "prefers-color-scheme: dark", "</html>"}) {
    EXPECT_NE(html.find(part), std::string::npos) << part;
  }
  EXPECT_NE(html.find("&lt;b&gt;&amp;&quot;x&quot;&lt;/b&gt;"), std::string::npos);
  for (const char* part : {"<script src", "http:", "https:", "url(", "@import",
                           "src=", "href=", "<link", "<b>", "fetch("}) {
    EXPECT_EQ(html.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(html, render_report(report_of(50)));
}

TEST(Report, BringsTheScriptsOfWhatItHolds) {
  Report report = report_of(5);
  EXPECT_NE(render_report(report).find("querySelectorAll('svg.chart')"), std::string::npos);
  EXPECT_EQ(render_report(report).find("querySelectorAll('.replay')"), std::string::npos);
  report.charts.clear();
  EXPECT_EQ(render_report(report).find("<script"), std::string::npos);
}

TEST(Report, EmptyAndShortRunsHaveAPageToo) {
  for (const size_t n_rows : {0, 1, 2}) {
    const std::string html = render_report(report_of(n_rows));
    EXPECT_NE(html.find("<h2>Return</h2>"), std::string::npos);
    EXPECT_TRUE(html.ends_with("</html>\n"));
  }
  const std::string bare = render_report(Report());
  EXPECT_NE(bare.find("No metrics yet"), std::string::npos);
  EXPECT_EQ(bare.find("<table"), std::string::npos);
}

}  // namespace
}  // namespace gallop
