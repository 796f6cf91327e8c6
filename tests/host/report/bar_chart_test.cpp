#include <gallop/host/report/bar_chart.h>

#include <gtest/gtest.h>

#include <cmath>

#include <gallop/host/report/report.h>

namespace gallop {
namespace {

int count(const std::string& text, const std::string& what) {
  int n = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) n++;
  return n;
}

BarChart chart_of(const std::vector<double>& values) {
  BarChart chart{"Variance", "unit", {"plain", "other"}, {}};
  for (const double value : values) chart.bars.push_back({"<a>", value, 1});
  return chart;
}

TEST(BarChart, HasABarForEachPositiveValue) {
  const std::string svg = render_bar_chart(chart_of({1, 2, 3, 0, -1, NAN, INFINITY}), 400);
  EXPECT_EQ(count(svg, "<rect"), 3 + 2);  // bars, and two colours explained
  EXPECT_EQ(count(svg, "&lt;a&gt;"), 7);
  EXPECT_EQ(svg.find("<a>"), std::string::npos);
  EXPECT_EQ(svg.find("log scale"), std::string::npos);
}

TEST(BarChart, ScalesByTheLogarithmWhereThatIsAskedFor) {
  BarChart chart = chart_of({1, 1000});
  EXPECT_EQ(render_bar_chart(chart, 400).find("log scale"), std::string::npos);
  chart.logarithmic = true;
  EXPECT_NE(render_bar_chart(chart, 400).find("unit, log scale"), std::string::npos);
}

TEST(BarChart, TakesNoBarsAtAll) {
  EXPECT_NE(render_bar_chart(chart_of({}), 400).find("</svg>"), std::string::npos);
  EXPECT_NE(render_bar_chart(chart_of({0}), 400).find("</svg>"), std::string::npos);
}

TEST(BarChart, StandsInReportsWithTables) {
  Report report;
  report.bars = {chart_of({1, 2})};
  report.table = {{"name", "value"}, {{"<x>", "1"}, {"y", "2"}}};
  const std::string html = render_report(report);
  EXPECT_EQ(count(html, "<svg"), 1);
  EXPECT_EQ(count(html, "<th scope=\"col\">"), 2);
  EXPECT_NE(html.find("<td>&lt;x&gt;</td><td>1</td>"), std::string::npos);
  EXPECT_EQ(html.find("No metrics yet"), std::string::npos);
}

}  // namespace
}  // namespace gallop
