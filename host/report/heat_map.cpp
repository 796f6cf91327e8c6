#include <gallop/host/report/heat_map.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include <gallop/host/report/chart.h>
#include <gallop/host/report/chart_axis.h>

namespace gallop {
namespace {

constexpr int kLeft = 92, kRight = 96, kTop = 6, kBottom = 46;
constexpr int kBarWidth = 14;
constexpr int kBarSteps = 64;

struct Colour {
  double red, green, blue;
};

// Viridis, whose lightness grows evenly: Smith and van der Walt, matplotlib 1.5.
constexpr Colour kStops[] = {{68, 1, 84},    {71, 45, 123},  {59, 82, 139},
                             {44, 114, 142}, {33, 145, 140}, {40, 174, 128},
                             {94, 201, 98},  {173, 220, 48}, {253, 231, 37}};

Colour colour_at(double part) {
  const double at = std::clamp(part, 0.0, 1.0) * (std::size(kStops) - 1);
  const auto k = std::min(static_cast<size_t>(at), std::size(kStops) - 2);
  const double t = at - static_cast<double>(k);
  const Colour &a = kStops[k], &b = kStops[k + 1];
  return {a.red + t * (b.red - a.red), a.green + t * (b.green - a.green),
          a.blue + t * (b.blue - a.blue)};
}

std::string hex(const Colour& c) {
  return fmt::format("#{:02x}{:02x}{:02x}", std::lround(c.red), std::lround(c.green),
                     std::lround(c.blue));
}

// Black or white, by the luminance behind it.
const char* ink_on(const Colour& c) {
  return 0.299 * c.red + 0.587 * c.green + 0.114 * c.blue > 130 ? "#101010" : "#ffffff";
}

struct Extremes {
  double low = INFINITY, high = -INFINITY;
  size_t row = 0, column = 0;  // of the first greatest
};

Extremes extremes_of(const HeatMap& map) {
  Extremes e;
  for (size_t r = 0; r < map.rows.size(); ++r) {
    for (size_t c = 0; c < map.columns.size(); ++c) {
      const double value = map.values[r][c];
      if (!std::isfinite(value)) continue;
      e.low = std::min(e.low, value);
      if (value > e.high) {
        e.high = value;
        e.row = r;
        e.column = c;
      }
    }
  }
  return e;
}

std::string number(double value, double extent) {
  const int digits = extent >= 100 ? 0 : extent >= 10 ? 1 : extent >= 1 ? 2 : 3;
  return extent < 1e-3 || extent >= 1e7 ? fmt::format("{:.3g}", value)
                                        : fmt::format("{:.{}f}", value, digits);
}

std::string text_at(double x, double y, const char* css_class, const char* anchor,
                    const std::string& text) {
  return fmt::format(R"(<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>)",
                     css_class, x, y, anchor, escaped(text));
}

std::string turned_text(double x, double y, const std::string& text) {
  return fmt::format(R"svg(<text class="label" x="{:.1f}" y="{:.1f}" text-anchor="middle" )svg"
                     R"svg(transform="rotate(-90 {:.1f} {:.1f})">{}</text>)svg",
                     x, y, x, y, escaped(text));
}

std::string colour_bar(const HeatMap& map, const Extremes& e, int width, int bottom) {
  std::string svg;
  const double x = width - kRight + 22, height = bottom - kTop;
  for (int k = 0; k < kBarSteps; ++k) {
    const double part = (k + 0.5) / kBarSteps;
    svg += fmt::format(R"(<rect x="{:.1f}" y="{:.2f}" width="{}" height="{:.2f}" fill="{}"/>)", x,
                       bottom - (k + 1) * height / kBarSteps, kBarWidth, height / kBarSteps + 0.5,
                       hex(colour_at(part)));
  }
  const double extent = e.high - e.low;
  const AxisTicks ticks = extent > 0 ? axis_ticks(e.low, e.high, 5)
                                     : AxisTicks{{e.low}, {fmt::format("{:.3g}", e.low)}};
  for (size_t i = 0; i < ticks.values.size(); ++i) {
    const double part = extent > 0 ? (ticks.values[i] - e.low) / extent : 0.5;
    svg += text_at(x + kBarWidth + 6, bottom - part * height + 4, "tick", "start", ticks.labels[i]);
  }
  if (!map.unit.empty()) svg += turned_text(width - 8, kTop + height / 2, map.unit);
  return svg;
}

}  // namespace

std::string render_heat_map(const HeatMap& map, int width, int height) {
  std::string svg = fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}">)", width,
                                height, escaped(map.title));
  const Extremes e = extremes_of(map);
  if (map.rows.empty() || map.columns.empty() || e.low > e.high) {
    return svg + text_at(width / 2.0, height / 2.0, "label", "middle", "no values") + "</svg>";
  }
  const int bottom = height - kBottom;
  const double cell_width = double(width - kLeft - kRight) / double(map.columns.size());
  const double cell_height = double(bottom - kTop) / double(map.rows.size());
  const double extent = e.high - e.low;
  const double size = std::max(std::fabs(e.low), std::fabs(e.high));
  for (size_t r = 0; r < map.rows.size(); ++r) {
    const double y = kTop + static_cast<double>(r) * cell_height;
    svg += text_at(kLeft - 8, y + cell_height / 2 + 4, "tick", "end", map.rows[r]);
    for (size_t c = 0; c < map.columns.size(); ++c) {
      const double x = kLeft + static_cast<double>(c) * cell_width, value = map.values[r][c];
      const bool there = std::isfinite(value);
      const Colour colour = colour_at(extent > 0 ? (value - e.low) / extent : 0.5);
      svg += fmt::format(R"(<rect {} x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">)",
                         there ? fmt::format("fill=\"{}\"", hex(colour)) : "fill=\"none\"", x + 1,
                         y + 1, cell_width - 2, cell_height - 2);
      svg += fmt::format("<title>{} {}, {} {}: {}</title></rect>", escaped(map.x_label),
                         escaped(map.columns[c]), escaped(map.y_label), escaped(map.rows[r]),
                         there ? fmt::format("{:.6g}", value) : "no value");
      svg += fmt::format(R"(<text class="cell" x="{:.1f}" y="{:.1f}" text-anchor="middle" )"
                         R"(style="fill:{}">{}</text>)",
                         x + cell_width / 2, y + cell_height / 2 + 4,
                         there ? ink_on(colour) : "var(--soft)", there ? number(value, size) : "-");
    }
  }
  svg += fmt::format(R"(<rect class="best" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>)",
                     kLeft + double(e.column) * cell_width, kTop + double(e.row) * cell_height,
                     cell_width, cell_height);
  for (size_t c = 0; c < map.columns.size(); ++c) {
    svg += text_at(kLeft + (double(c) + 0.5) * cell_width, bottom + 18, "tick", "middle",
                   map.columns[c]);
  }
  svg +=
      text_at(kLeft + (width - kLeft - kRight) / 2.0, height - 8, "label", "middle", map.x_label);
  svg += turned_text(14, kTop + (bottom - kTop) / 2.0, map.y_label);
  return svg + colour_bar(map, e, width, bottom) + "</svg>";
}

}  // namespace gallop
