#include <gallop/host/report/chart_mark.h>

#include <fmt/format.h>

namespace gallop {
namespace {

constexpr int kDashes = 5;
constexpr int kShapes = 5;
constexpr double kCharacter = 6.4;  // width of a letter of the legend, pixels

// Characters, not bytes.
size_t length_of(const std::string& utf8) {
  size_t n = 0;
  for (const char c : utf8) n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return n;
}

// Each series; then, once for all of a chart, what its faint lines and its bands are.
std::vector<LegendEntry> legend_entries(const Chart& chart) {
  std::vector<LegendEntry> entries;
  int smoothed = -1, banded = -1;
  for (int i = int(chart.series.size()) - 1; i >= 0; --i) {
    if (is_smoothed(chart.series[size_t(i)])) smoothed = i;
    if (!chart.series[size_t(i)].band.empty()) banded = i;
  }
  for (size_t i = 0; i < chart.series.size(); ++i) {
    entries.push_back({LegendEntry::kLine, int(i), chart.series[i].name});
  }
  if (smoothed >= 0) entries.push_back({LegendEntry::kFaint, smoothed, "unsmoothed"});
  if (banded >= 0)
    entries.push_back({LegendEntry::kBand, banded, chart.series[size_t(banded)].band});
  return entries;
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
  double x = 0;
  for (LegendEntry& entry : legend_entries(chart)) {
    const double text = kCharacter * static_cast<double>(length_of(entry.text));
    if (rows.empty() || x + kLegendLine + 6 + text > width + 20) {
      rows.emplace_back();
      x = 0;
    }
    entry.x = x;
    x += kLegendLine + 30 + text;
    rows.back().push_back(std::move(entry));
  }
  return rows;
}

}  // namespace gallop
