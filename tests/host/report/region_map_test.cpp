#include <gallop/host/report/region_map.h>

#include <gtest/gtest.h>

namespace gallop {
namespace {

int count(const std::string& text, const std::string& what) {
  int n = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) n++;
  return n;
}

RegionMap map_of_two() {
  return {"which <one>",
          "x",
          "y",
          {"1", "2"},
          {"low", "high"},
          {"A first", "B second"},
          {{{0, "A 1%", "A & not B"}, {1, "B 2%", "B", true}}, {{-1, "-", "none"}, {1, "B", "B"}}}};
}

TEST(RegionMap, HasACellForEachPairInTheColourOfItsKind) {
  const std::string svg = render_region_map(map_of_two(), 400);
  EXPECT_EQ(count(svg, "<rect"), 4 + 2);  // cells, and the legend
  EXPECT_EQ(count(svg, "class=\"region c0\""), 1 + 1);
  EXPECT_EQ(count(svg, "class=\"region c1\""), 1 + 1);
  EXPECT_EQ(count(svg, "class=\"region c1 close\""), 1);
  EXPECT_EQ(count(svg, "class=\"region none\""), 1);
  for (const char* part : {"which &lt;one&gt;", "A first", "B second", ">A 1%<", "A &amp; not B",
                           ">low<", ">high<", "viewBox=\"0 0 400 "}) {
    EXPECT_NE(svg.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(svg, render_region_map(map_of_two(), 400));
}

TEST(RegionMap, WrapsALegendThatIsWiderThanItself) {
  RegionMap map = map_of_two();
  const std::string wide = render_region_map(map, 900);
  map.kinds = {std::string(60, 'a'), std::string(60, 'b'), std::string(60, 'c')};
  const auto height = [](const std::string& svg) {
    const size_t at = svg.find("viewBox=\"0 0 ");
    return std::stoi(svg.substr(svg.find(' ', at + 13) + 1));
  };
  EXPECT_EQ(height(render_region_map(map, 420)), height(wide) + 2 * 20);
}

TEST(RegionMap, TakesNoCellsAtAll) {
  EXPECT_NE(render_region_map({}, 400).find("</svg>"), std::string::npos);
}

}  // namespace
}  // namespace gallop
