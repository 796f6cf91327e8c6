#include <gallop/host/report/chart.h>

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

// What the chart tells of its points, in order, separated by semicolons.
std::string numbers(const std::string& svg, size_t series = 0) {
  size_t at = 0;
  for (size_t k = 0; k <= series; ++k) at = svg.find("data-points=\"", at) + 13;
  return svg.substr(at, svg.find('"', at) - at);
}

TEST(Chart, HasAxesUnitsAndValues) {
  const std::string svg = render_chart(chart_of({1, 2.5, 4}), 400, 300);
  expect_well_formed(svg);
  for (const char* part : {"viewBox=\"0 0 400 300\"", "aria-label=\"Title\"", ">unit</text>",
                           ">environment steps</text>", ">4</text>", ">series</text>",
                           "data-x=\"environment steps\""}) {
    EXPECT_NE(svg.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(numbers(svg), "0 1;10 2.5;20 4");
  EXPECT_EQ(count(svg, "<path"), 1u);
  EXPECT_EQ(count(svg, "<circle"), 0u);
  EXPECT_EQ(svg, render_chart(chart_of({1, 2.5, 4}), 400, 300));
}

TEST(Chart, GapsWhereValuesAreNotFinite) {
  const std::string svg =
      render_chart(chart_of({1, 2, kNan, kNan, 3, 4, kInfinity, 5, 6, -kInfinity}), 400, 300);
  expect_well_formed(svg);
  EXPECT_EQ(count(svg, "<path"), 3u);
  EXPECT_EQ(numbers(svg), "0 1;10 2;40 3;50 4;70 5;80 6");
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
    EXPECT_EQ(!numbers(svg).empty(), any);
  }
  Chart none{"Title", "", "x", {}};
  EXPECT_NE(render_chart(none, 400, 300).find("no values"), std::string::npos);
  Chart uneven = chart_of({1, 2, 3});
  uneven.series[0].x.pop_back();
  EXPECT_EQ(numbers(render_chart(uneven, 400, 300)), "0 1;10 2");
}

// The places of the first line's points on the page.
std::vector<double> heights(const std::string& svg) {
  std::vector<double> y;
  size_t at = svg.find("class=\"line");
  at = svg.find(" d=\"M", at) + 4;
  const std::string d = svg.substr(at, svg.find('"', at) - at);
  for (size_t k = d.find(' '); k != std::string::npos; k = d.find(' ', k + 1))
    y.push_back(std::stod(d.substr(k + 1)));
  return y;
}

TEST(Chart, AxesAreLinearWhateverTheRange) {
  for (const double greatest : {10.0, 1e4, 1e12}) {
    const std::vector<double> y =
        heights(render_chart(chart_of({1e-4, greatest / 2, greatest}), 400, 300));
    ASSERT_EQ(y.size(), 3u);
    EXPECT_NEAR(y[1], (y[0] + y[2]) / 2, 0.11) << greatest;
  }
}

TEST(Chart, ASingleMeanIsALineAsFarAsItReaches) {
  Chart chart = chart_of({1});
  chart.series[0].x[0] = 32000;
  EXPECT_EQ(count(render_chart(chart, 400, 300), "<circle class=\"dot"), 1u);
  chart.series[0].over_stretches = true;
  const std::string svg = render_chart(chart, 400, 300);
  expect_well_formed(svg);
  const std::vector<double> y = heights(svg);
  ASSERT_EQ(y.size(), 2u);
  EXPECT_EQ(y[0], y[1]);
  EXPECT_NE(svg.find("d=\"M66.0 "), std::string::npos);  // from zero, where the axis begins
}

TEST(Chart, ManyValuesAreSmoothedByTheirWeights) {
  Chart chart = chart_of(std::vector<double>(200, 1.0));
  EXPECT_EQ(render_chart(chart, 400, 300).find("faint"), std::string::npos);
  chart.series[0].y[100] = 1001;
  chart.series[0].y[50] = 1001;
  const std::string equal = render_chart(chart, 400, 300);
  expect_well_formed(equal);
  EXPECT_EQ(count(equal, "class=\"line faint c0\""), 2u);  // in the legend too
  EXPECT_NE(equal.find(">unsmoothed</text>"), std::string::npos);
  EXPECT_NE(numbers(equal).find(";1000 1001 91.9091;"), std::string::npos);  // (10 + 1001) / 11
  chart.series[0].weights.assign(200, 1.0);
  chart.series[0].weights[100] = 90;
  EXPECT_NE(numbers(render_chart(chart, 400, 300)).find(";1000 1001 901;"), std::string::npos);
}

TEST(Chart, LongSeriesKeepTheirExtremes) {
  std::vector<double> y(100000, 1.0);
  y[54321] = 777;
  y[12345] = -333;
  const std::string svg = render_chart(chart_of(std::move(y)), 400, 300);
  expect_well_formed(svg);
  EXPECT_LT(svg.size(), 80000u);
  EXPECT_EQ(count(numbers(svg), " 777;"), 1u);
  EXPECT_EQ(count(numbers(svg), " -333;"), 1u);
}

TEST(Chart, EverySeriesStandsInTheLegend) {
  Chart chart = chart_of({1, 2});
  for (int i = 0; i < 5; ++i)
    chart.series.push_back({"other <" + std::to_string(i) + ">", {0, 5}, {1, 3}});
  const std::string svg = render_chart(chart, 400, 300);
  expect_well_formed(svg);
  EXPECT_NE(svg.find(">series</text>"), std::string::npos);
  EXPECT_NE(svg.find(">other &lt;4&gt;</text>"), std::string::npos);
  EXPECT_NE(svg.find("data-name=\"other &lt;0&gt;\""), std::string::npos);
  EXPECT_EQ(numbers(svg, 1), "0 1;5 3");
}

TEST(Chart, BandsMarksAndLevels) {
  Chart chart = chart_of({1, 2, 3, 4});
  chart.series[0].low = {0, 1, kNan, 3};
  chart.series[0].high = {2, 3, kNan, 50};
  chart.series[0].band = "spread";
  const std::string alone = render_chart(chart, 400, 300);
  expect_well_formed(alone);
  EXPECT_EQ(count(alone, "<path class=\"band c0\""), 1u);  // the stretch of one point has no area
  EXPECT_NE(alone.find(">spread</text>"), std::string::npos);
  EXPECT_EQ(numbers(alone), "0 1 0 2;10 2 1 3;20 3;30 4 3 50");
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
  EXPECT_EQ(svg.find("viewBox=\"0 0 400 300\""), std::string::npos);  // it does not eat up the plot
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
