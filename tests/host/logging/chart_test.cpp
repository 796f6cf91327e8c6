#include "host/logging/chart.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace gallop {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
using Texts = std::vector<std::string>;

size_t count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

Chart chart_of(std::vector<double> y) {
  Chart chart{"Title", "unit", "environment steps", {{"series", {}, std::move(y)}}};
  for (size_t i = 0; i < chart.series[0].y.size(); ++i)
    chart.series[0].x.push_back(static_cast<double>(10 * i));
  return chart;
}

// Tags that are opened are closed, in order, and no number is nan or inf.
void expect_well_formed(const std::string& svg) {
  Texts open;
  for (size_t at = svg.find('<'); at != std::string::npos; at = svg.find('<', at + 1)) {
    const size_t end = svg.find('>', at);
    ASSERT_NE(end, std::string::npos);
    const std::string tag = svg.substr(at + 1, end - at - 1);
    if (tag.starts_with("/")) {
      ASSERT_FALSE(open.empty());
      EXPECT_EQ(tag.substr(1), open.back());
      open.pop_back();
    } else if (!tag.ends_with("/")) {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
    EXPECT_EQ(tag.find("nan"), std::string::npos) << tag;
    EXPECT_EQ(tag.find("inf"), std::string::npos) << tag;
  }
  EXPECT_TRUE(open.empty());
}

TEST(Chart, HasAxesUnitsAndValues) {
  const std::string svg = render_chart(chart_of({1, 2.5, 4}), 400, 300);
  expect_well_formed(svg);
  for (const char* part : {"viewBox=\"0 0 400 300\"", "aria-label=\"Title\"", ">unit</text>",
                           ">environment steps</text>", ">4</text>", "<title>0: 1</title>",
                           "<title>10: 2.5</title>", "<title>20: 4</title>"}) {
    EXPECT_NE(svg.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(count(svg, "<path"), 1u);
  EXPECT_EQ(count(svg, "<circle"), 3u);
  EXPECT_EQ(svg, render_chart(chart_of({1, 2.5, 4}), 400, 300));
}

TEST(Chart, GapsWhereValuesAreNotFinite) {
  const std::string svg =
      render_chart(chart_of({1, 2, kNan, kNan, 3, 4, kInfinity, 5, 6, -kInfinity}), 400, 300);
  expect_well_formed(svg);
  EXPECT_EQ(count(svg, "<path"), 3u);
  EXPECT_EQ(count(svg, "<title>"), 6u);
}

TEST(Chart, DegenerateDataIsDrawnAllTheSame) {
  for (const std::vector<double>& y : {std::vector<double>{},
                                       {kNan},
                                       {kNan, kInfinity},
                                       {0},
                                       {5},
                                       {-5, -5},
                                       {1e308, -1e308},
                                       {1e299, -1e299},
                                       {5e-324, 0},
                                       {1e16, 1e16 + 2},
                                       {1e-30, 1e30},
                                       {kNan, 3, kNan}}) {
    const std::string svg = render_chart(chart_of(y), 400, 300);
    expect_well_formed(svg);
    const bool any = std::any_of(y.begin(), y.end(), [](double v) { return std::fabs(v) < 1e300; });
    EXPECT_EQ(svg.find("no values") == std::string::npos, any);
    EXPECT_EQ(count(svg, "<title>") > 0, any);
  }
  Chart none{"Title", "", "x", {}};
  EXPECT_NE(render_chart(none, 400, 300).find("no values"), std::string::npos);
  Chart uneven = chart_of({1, 2, 3});
  uneven.series[0].x.pop_back();
  EXPECT_EQ(count(render_chart(uneven, 400, 300), "<title>"), 2u);
}

TEST(Chart, DecadesGetALogarithmicAxis) {
  EXPECT_NE(render_chart(chart_of({1e-3, 1, 10}), 400, 300).find(">unit, log scale<"),
            std::string::npos);
  EXPECT_EQ(render_chart(chart_of({1e-3, 0, 10}), 400, 300).find("log scale"), std::string::npos);
  EXPECT_EQ(render_chart(chart_of({-1e-3, 1, 10}), 400, 300).find("log scale"), std::string::npos);
  EXPECT_EQ(render_chart(chart_of({0.1, 1, 10}), 400, 300).find("log scale"), std::string::npos);
}

TEST(Chart, LongSeriesKeepTheirExtremes) {
  std::vector<double> y(100000, 1.0);
  y[54321] = 777;
  y[12345] = -333;
  const std::string svg = render_chart(chart_of(std::move(y)), 400, 300);
  expect_well_formed(svg);
  EXPECT_LT(svg.size(), 80000u);
  EXPECT_EQ(count(svg, ": 777</title>"), 1u);
  EXPECT_EQ(count(svg, ": -333</title>"), 1u);
}

TEST(Chart, ManySeriesHaveALegend) {
  Chart chart = chart_of({1, 2});
  EXPECT_EQ(render_chart(chart, 400, 300).find(">series<"), std::string::npos);
  for (int i = 0; i < 5; ++i)
    chart.series.push_back({"other <" + std::to_string(i) + ">", {0, 5}, {1, 3}});
  const std::string svg = render_chart(chart, 400, 300);
  expect_well_formed(svg);
  EXPECT_NE(svg.find(">series</text>"), std::string::npos);
  EXPECT_NE(svg.find(">other &lt;4&gt;</text>"), std::string::npos);
  EXPECT_NE(svg.find("<title>other &lt;0&gt;, 5: 3</title>"), std::string::npos);
}

TEST(Chart, BandsMarksAndLevels) {
  Chart chart = chart_of({1, 2, 3, 4});
  chart.series[0].low = {0, 1, kNan, 3};
  chart.series[0].high = {2, 3, kNan, 50};
  const std::string alone = render_chart(chart, 400, 300);
  expect_well_formed(alone);
  EXPECT_EQ(count(alone, "class=\"band c0\""), 1u);  // the stretch of one point has no area
  EXPECT_NE(alone.find(">40<"), std::string::npos);  // the axis reaches the band
  EXPECT_EQ(alone.find("class=\"mark"), std::string::npos);

  chart.series.push_back({"other", {0, 30}, {2, 4}});
  chart.marked = true;
  chart.levels = {{3.5, "good <enough>"}, {1e9, "far"}, {kNan, "nowhere"}};
  const std::string svg = render_chart(chart, 400, 300);
  expect_well_formed(svg);
  EXPECT_NE(svg.find("class=\"line c1 d1\""), std::string::npos);
  EXPECT_NE(svg.find("class=\"mark c1\""), std::string::npos);
  EXPECT_NE(svg.find(">good &lt;enough&gt;</text>"), std::string::npos);
  EXPECT_EQ(svg.find("nowhere"), std::string::npos);
}

TEST(Chart, ALongLegendTakesMoreRows) {
  Chart chart = chart_of({1, 2});
  for (int i = 0; i < 11; ++i)
    chart.series.push_back({"a series of some length " + std::to_string(i), {0, 5}, {1, 3}});
  chart.marked = true;
  const std::string svg = render_chart(chart, 400, 300);
  expect_well_formed(svg);
  EXPECT_EQ(count(svg, "class=\"legend\""), 12u);
  EXPECT_NE(svg.find("class=\"mark c7 hollow\""), std::string::npos);
  // No text of the legend begins beyond the edge.
  for (size_t at = svg.find("class=\"legend\" x=\""); at != std::string::npos;
       at = svg.find("class=\"legend\" x=\"", at + 1)) {
    EXPECT_LT(std::stod(svg.substr(at + 18)), 300.0);
  }
}

TEST(Chart, TextIsEscaped) {
  EXPECT_EQ(escaped("a<b>&\"c\"'\x01\x1b\n"), "a&lt;b&gt;&amp;&quot;c&quot;&#39;\n");
  Chart chart = chart_of({1});
  chart.title = "\"><script>";
  chart.unit = "<u>";
  chart.x_label = "&x";
  const std::string svg = render_chart(chart, 400, 300);
  expect_well_formed(svg);
  EXPECT_EQ(svg.find("<script"), std::string::npos);
  EXPECT_NE(svg.find(">&lt;u&gt;<"), std::string::npos);
}

}  // namespace
}  // namespace gallop
