#include "host/logging/chart_mark.h"

#include <fmt/format.h>

namespace gallop {
namespace {

constexpr int kDashes = 5;
constexpr int kShapes = 5;
constexpr double kCharacter = 7.0;  // width of a letter of the legend, pixels

// Characters, not bytes.
size_t length_of(const std::string& utf8) {
  size_t n = 0;
  for (const char c : utf8) n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return n;
}

}  // namespace

std::string line_classes(const Chart& chart, int index) {
  const std::string colour = fmt::format("c{}", index % kColours);
  return chart.marked ? fmt::format("{} d{}", colour, index % kDashes) : colour;
}

std::string mark_at(int index, double x, double y) {
  const bool hollow = index / kShapes % 2 == 1;
  const std::string head =
      fmt::format(R"(<path class="mark c{}{}" d="M)", index % kColours, hollow ? " hollow" : "");
  switch (index % kShapes) {
    case 0:  // circle
      return head +
             fmt::format(R"({:.1f} {:.1f}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z"/>)", x - 3.5, y);
    case 1:  // square
      return head + fmt::format(R"({:.1f} {:.1f}h6.4v6.4h-6.4z"/>)", x - 3.2, y - 3.2);
    case 2:  // triangle
      return head + fmt::format(R"({:.1f} {:.1f}l4.2 7h-8.4z"/>)", x, y - 4.4);
    case 3:  // diamond
      return head + fmt::format(R"({:.1f} {:.1f}l4.5 4.5l-4.5 4.5l-4.5 -4.5z"/>)", x, y - 4.5);
    default:  // triangle on its tip
      return head + fmt::format(R"({:.1f} {:.1f}l4.2 -7h-8.4z"/>)", x, y + 4.4);
  }
}

std::vector<std::vector<LegendEntry>> legend_rows(const Chart& chart, int width) {
  std::vector<std::vector<LegendEntry>> rows;
  if (chart.series.size() < 2) return rows;
  double x = 0;
  for (size_t i = 0; i < chart.series.size(); ++i) {
    const double extent =
        kLegendLine + 30 + kCharacter * static_cast<double>(length_of(chart.series[i].name));
    if (rows.empty() || x + extent > width + 20) {
      rows.emplace_back();
      x = 0;
    }
    rows.back().push_back({static_cast<int>(i), x});
    x += extent;
  }
  return rows;
}

}  // namespace gallop
