#include <gallop/host/report/heat_map.h>

#include <gtest/gtest.h>

#include <cmath>

namespace gallop {
namespace {

size_t count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

HeatMap map_of(std::vector<std::vector<double>> values) {
  HeatMap map{"Title", "return", "gamma", "lambda", {}, {}, std::move(values)};
  for (size_t c = 0; c < map.values[0].size(); ++c) map.columns.push_back("c" + std::to_string(c));
  for (size_t r = 0; r < map.values.size(); ++r) map.rows.push_back("r" + std::to_string(r));
  return map;
}

TEST(HeatMap, HasNumbersLabelsAndColours) {
  const std::string svg = render_heat_map(map_of({{1, 250}, {500, std::nan("")}}), 400, 300);
  for (const char* part :
       {"aria-label=\"Title\"", ">gamma</text>", ">lambda</text>", ">return</text>", ">c1</text>",
        ">r1</text>", ">250</text>", ">500</text>", "fill=\"#440154\"", "fill=\"#fde725\"",
        "<title>gamma c1, lambda r0: 250</title>",
        "<title>gamma c1, lambda r1: no value</title>"}) {
    EXPECT_NE(svg.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(count(svg, "class=\"cell\""), 4u);
  EXPECT_EQ(count(svg, "class=\"best\""), 1u);
  EXPECT_EQ(count(svg, ">-</text>"), 1u);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(HeatMap, TheGreatestIsFramed) {
  const std::string svg = render_heat_map(map_of({{1, 2}, {9, 3}}), 400, 300);
  // The frame begins where the greatest's cell does: first column, second row.
  const size_t best = svg.find("class=\"best\"");
  ASSERT_NE(best, std::string::npos);
  EXPECT_NE(svg.find("x=\"92.0\" y=\"130.0\"", best), std::string::npos) << svg.substr(best, 80);
}

TEST(HeatMap, DegenerateMapsAreDrawnAllTheSame) {
  for (const double v : {0.0, -5.0, 1e300, 1e-300}) {
    const std::string svg = render_heat_map(map_of({{v}}), 400, 300);
    EXPECT_EQ(count(svg, "class=\"cell\""), 1u);
    EXPECT_EQ(svg.find("nan"), std::string::npos) << svg;
    EXPECT_EQ(svg.find("inf"), std::string::npos) << svg;
  }
  EXPECT_NE(render_heat_map(map_of({{std::nan("")}}), 400, 300).find("no values"),
            std::string::npos);
  EXPECT_NE(render_heat_map(HeatMap(), 400, 300).find("no values"), std::string::npos);
}

}  // namespace
}  // namespace gallop
