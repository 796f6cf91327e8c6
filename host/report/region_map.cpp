#include <gallop/host/report/region_map.h>

#include <fmt/format.h>

#include <algorithm>

#include <gallop/host/report/chart.h>

namespace gallop {
namespace {

constexpr double kLetter = 6.6;  // pixels of a character of 12 px, about
constexpr int kLegendRow = 20, kRow = 34, kBottom = 44, kSwatch = 14, kRight = 6;

std::string text_at(double x, double y, const char* css_class, const char* anchor,
                    const std::string& text) {
  return fmt::format(R"(<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>)",
                     css_class, x, y, anchor, escaped(text));
}

// The legend in rows as wide as the map; where the first row of cells begins is left in `top`.
std::string legend(const RegionMap& map, int width, int& top) {
  std::string svg;
  double x = 0;
  int row = 0;
  for (std::size_t k = 0; k < map.kinds.size(); k++) {
    const double wide = kSwatch + 6 + kLetter * double(map.kinds[k].size()) + 14;
    if (x > 0 && x + wide > width) x = 0, row++;
    svg += fmt::format(R"(<rect class="region c{}" x="{:.1f}" y="{}" width="{}" height="{}"/>)", k,
                       x + 1, row * kLegendRow + 2, kSwatch, kSwatch);
    svg += text_at(x + kSwatch + 6, row * kLegendRow + 13, "legend", "start", map.kinds[k]);
    x += wide;
  }
  top = (row + 1) * kLegendRow + 6;
  return svg;
}

std::string cell_at(const RegionMap& map, std::size_t r, std::size_t c, double x, double y,
                    double wide) {
  const RegionMap::Cell& cell = map.cells[r][c];
  std::string kind = "none";
  if (cell.kind >= 0) kind = fmt::format("c{}{}", cell.kind, cell.close ? " close" : "");
  std::string svg =
      fmt::format(R"(<rect class="region {}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{}">)",
                  kind, x + 1, y + 1, wide - 2, kRow - 2);
  svg += fmt::format("<title>{} {}, {} {}: {}</title></rect>", escaped(map.x_label),
                     escaped(map.columns[c]), escaped(map.y_label), escaped(map.rows[r]),
                     escaped(cell.about));
  return svg + text_at(x + wide / 2, y + kRow / 2.0 + 4, "legend", "middle", cell.text);
}

}  // namespace

std::string render_region_map(const RegionMap& map, int width) {
  int top = 0;
  const std::string key = legend(map, width, top);
  std::size_t longest = 0;
  for (const std::string& row : map.rows) longest = std::max(longest, row.size());
  const double left = 34 + kLetter * double(longest);
  const double wide =
      (width - left - kRight) / double(std::max<std::size_t>(1, map.columns.size()));
  const double bottom = top + double(kRow) * double(map.rows.size());
  std::string svg = fmt::format(R"(<svg viewBox="0 0 {} {:.0f}" role="img" aria-label="{}">)",
                                width, bottom + kBottom, escaped(map.title)) +
                    key;
  for (std::size_t r = 0; r < map.rows.size(); r++) {
    const double y = top + double(kRow) * double(r);
    svg += text_at(left - 8, y + kRow / 2.0 + 4, "tick", "end", map.rows[r]);
    for (std::size_t c = 0; c < map.columns.size(); c++) {
      svg += cell_at(map, r, c, left + double(c) * wide, y, wide);
    }
  }
  for (std::size_t c = 0; c < map.columns.size(); c++) {
    svg += text_at(left + (double(c) + 0.5) * wide, bottom + 17, "tick", "middle", map.columns[c]);
  }
  svg += text_at((left + width - kRight) / 2, bottom + 37, "label", "middle", map.x_label);
  const double middle = (top + bottom) / 2;
  svg += fmt::format(R"svg(<text class="label" x="13" y="{:.1f}" text-anchor="middle" )svg"
                     R"svg(transform="rotate(-90 13 {:.1f})">{}</text>)svg",
                     middle, middle, escaped(map.y_label));
  return svg + "</svg>";
}

}  // namespace gallop
