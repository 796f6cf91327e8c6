#include <gallop/host/report/bar_chart.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/report/chart.h>
#include <gallop/host/report/chart_axis.h>

namespace gallop {
namespace {

constexpr int kRight = 70, kTop = 30, kBottom = 44, kRow = 19, kBar = 12;
constexpr int kColours = 4;

struct Axis {
  double low = 0, high = 1;
  bool logarithmic = false;
  int left = 0, right = 0;

  double at(double value) const {
    const double part =
        logarithmic ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
    return left + part * (right - left);
  }
};

bool drawable(double value) { return value > 0 && value < 1e300; }

Axis axis_of(const BarChart& chart, int width) {
  Axis axis;
  double least = INFINITY, greatest = 0;
  size_t longest = 0;
  for (const Bar& bar : chart.bars) {
    longest = std::max(longest, bar.name.size());
    if (!drawable(bar.value)) continue;
    least = std::min(least, bar.value);
    greatest = std::max(greatest, bar.value);
  }
  axis.left = 16 + int(6.6 * double(longest));
  axis.right = width - kRight;
  if (greatest == 0) return axis;
  axis.logarithmic = chart.logarithmic;
  // A logarithmic bar needs some length to be seen.
  axis.low = axis.logarithmic ? std::pow(10, std::floor(std::log10(least / 1.5))) : 0;
  axis.high = greatest;
  return axis;
}

std::string grid(const Axis& axis, int bottom) {
  const AxisTicks ticks =
      axis.logarithmic ? log_ticks(axis.low, axis.high) : axis_ticks(axis.low, axis.high, 6);
  std::string svg;
  for (size_t i = 0; i < ticks.values.size(); ++i) {
    const double x = axis.at(ticks.values[i]);
    svg += fmt::format(R"(<line class="grid" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>)", x, x,
                       kTop, bottom);
    svg += fmt::format(R"(<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>)", x,
                       bottom + 16, ticks.labels[i]);
  }
  return svg;
}

std::string legend(const BarChart& chart, int left) {
  std::string svg;
  double x = left;
  for (size_t i = 0; i < chart.colours.size(); ++i) {
    svg += fmt::format(R"(<rect class="c{}" x="{:.1f}" y="4" width="{}" height="{}"/>)",
                       i % kColours, x, kBar, kBar);
    svg += fmt::format(R"(<text class="legend" x="{:.1f}" y="14">{}</text>)", x + kBar + 6,
                       escaped(chart.colours[i]));
    x += 36 + 6.4 * double(chart.colours[i].size());
  }
  return svg;
}

}  // namespace

std::string render_bar_chart(const BarChart& chart, int width) {
  const Axis axis = axis_of(chart, width);
  const int bottom = kTop + kRow * int(chart.bars.size());
  std::string svg = fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}">)", width,
                                bottom + kBottom, escaped(chart.title));
  svg += grid(axis, bottom);
  for (size_t i = 0; i < chart.bars.size(); ++i) {
    const Bar& bar = chart.bars[i];
    const int y = kTop + kRow * int(i);
    svg += fmt::format(R"(<text class="legend" x="{}" y="{}" text-anchor="end">{}</text>)",
                       axis.left - 8, y + 14, escaped(bar.name));
    double end = axis.left;
    if (drawable(bar.value)) {
      end = axis.at(bar.value);
      svg += fmt::format(R"(<rect class="c{}" x="{}" y="{}" width="{:.1f}" height="{}"/>)",
                         bar.colour % kColours, axis.left, y + 4, std::max(end - axis.left, 1.0),
                         kBar);
    }
    svg += fmt::format(R"(<text class="tick" x="{:.1f}" y="{}">{:.3g}</text>)", end + 6, y + 14,
                       bar.value);
  }
  svg += fmt::format(R"(<text class="label" x="{}" y="{}" text-anchor="middle">{}{}</text>)",
                     (axis.left + axis.right) / 2, bottom + 36, escaped(chart.unit),
                     axis.logarithmic ? ", log scale" : "");
  svg += legend(chart, 16);
  return svg + "</svg>";
}

}  // namespace gallop
