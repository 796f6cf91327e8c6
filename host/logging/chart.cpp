#include "host/logging/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/logging/chart_axis.h"
#include "host/logging/chart_mark.h"
#include "host/logging/progress.h"

namespace gallop {
namespace {

constexpr int kLeft = 66, kRight = 22, kTop = 12, kBottom = 42;
constexpr int kLegendHeight = 22;
constexpr int kMostPoints = 300;
constexpr size_t kSmoothedFrom = 60;  // points of a series
constexpr double kLogDecades = 1000;
constexpr double kLargest = 1e300;  // beyond it even the difference of two values overflows

struct Point {
  double x, y;
};
using Line = std::vector<Point>;

struct Range {
  double low = INFINITY;
  double high = -INFINITY;
  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return !(low <= high); }
};

// What a chart shows, and where on the page.
struct Frame {
  Range x, y;
  bool logarithmic = false;
  int width = 0, height = 0;
  int top = kTop;

  double at_x(double value) const {
    return kLeft + (value - x.low) / (x.high - x.low) * (width - kLeft - kRight);
  }
  double at_y(double value) const {
    const double part = logarithmic ? (std::log10(value) - std::log10(y.low)) /
                                          (std::log10(y.high) - std::log10(y.low))
                                    : (value - y.low) / (y.high - y.low);
    return height - kBottom - part * (height - top - kBottom);
  }
};

// The finite stretches of a series.
std::vector<Line> finite_lines(const ChartSeries& series) {
  std::vector<Line> lines(1);
  const size_t n = std::min(series.x.size(), series.y.size());
  for (size_t i = 0; i < n; ++i) {
    if (std::fabs(series.x[i]) < kLargest && std::fabs(series.y[i]) < kLargest) {
      lines.back().push_back({series.x[i], series.y[i]});
    } else if (!lines.back().empty()) {
      lines.emplace_back();
    }
  }
  if (lines.back().empty()) lines.pop_back();
  return lines;
}

size_t count_points(const std::vector<Line>& lines) {
  size_t n = 0;
  for (const Line& line : lines) n += line.size();
  return n;
}

// The least and the greatest point of each of `n_stretches` equal parts, in their order.
Line thinned(const Line& line, size_t n_stretches) {
  if (line.size() <= 2 * n_stretches) return line;
  Line result;
  for (size_t i = 0; i < n_stretches; ++i) {
    const auto first = line.begin() + static_cast<ptrdiff_t>(i * line.size() / n_stretches);
    const auto last = line.begin() + static_cast<ptrdiff_t>((i + 1) * line.size() / n_stretches);
    const auto [least, greatest] =
        std::minmax_element(first, last, [](const Point& a, const Point& b) { return a.y < b.y; });
    result.push_back(least < greatest ? *least : *greatest);
    if (least != greatest) result.push_back(least < greatest ? *greatest : *least);
  }
  return result;
}

// A moving mean over a window that is a thirtieth of the line, narrower towards its ends.
Line smoothed(const Line& line) {
  const size_t reach = std::max<size_t>(1, line.size() / 60);
  std::vector<double> sums(line.size() + 1, 0.0);
  for (size_t i = 0; i < line.size(); ++i) sums[i + 1] = sums[i] + line[i].y;
  Line result;
  for (size_t i = 0; i < line.size(); ++i) {
    const size_t half = std::min({reach, i, line.size() - 1 - i});
    const double mean = (sums[i + half + 1] - sums[i - half]) / static_cast<double>(2 * half + 1);
    result.push_back({line[i].x, mean});
  }
  return result;
}

// One value, or none, has no extent of its own, nor have values that differ by rounding.
void widen(Range& range, double least) {
  if (range.empty()) range = {0, 1};
  const double size = std::max(std::fabs(range.low), std::fabs(range.high));
  if (range.high - range.low > 1e-9 * size) return;
  const double margin = std::max(size * 0.1, least);
  range = {range.low - margin, range.high + margin};
}

// The finite stretches of a band: its upper edge there, its lower edge back.
std::vector<Line> band_outlines(const ChartSeries& series) {
  const std::vector<Line> high = finite_lines({"", series.x, series.high});
  const std::vector<Line> low = finite_lines({"", series.x, series.low});
  if (low.size() != high.size()) return {};
  std::vector<Line> outlines = high;
  for (size_t i = 0; i < low.size(); ++i)
    outlines[i].insert(outlines[i].end(), low[i].rbegin(), low[i].rend());
  return outlines;
}

void include(Frame& frame, const std::vector<Line>& lines) {
  for (const Line& line : lines) {
    for (const Point& point : line) {
      frame.x.include(point.x);
      frame.y.include(point.y);
    }
  }
}

Frame frame_of(const Chart& chart, const std::vector<std::vector<Line>>& series, int width,
               int height) {
  Frame frame;
  frame.width = width;
  frame.height = height;
  frame.top = kTop + kLegendHeight * int(legend_rows(chart, width - kLeft - kRight).size());
  for (const std::vector<Line>& lines : series) include(frame, lines);
  for (const ChartSeries& one : chart.series) include(frame, band_outlines(one));
  for (const ChartLevel& level : chart.levels) {
    if (std::fabs(level.y) < kLargest && !frame.y.empty()) frame.y.include(level.y);
  }
  frame.logarithmic = frame.y.low > 0 && frame.y.high / frame.y.low >= kLogDecades;
  // Steps count from zero.
  if (!frame.x.empty() && frame.x.low > 0) frame.x.low = 0;
  widen(frame.x, 1);
  widen(frame.y, 1e-3);
  if (frame.logarithmic) {
    frame.y.low /= 1.3;
    frame.y.high *= 1.3;
  } else {
    const double margin = 0.05 * (frame.y.high - frame.y.low);
    // Numbers that are never negative keep their zero.
    const bool from_zero = frame.y.low >= 0 && frame.y.low < 0.3 * frame.y.high;
    frame.y = {from_zero ? 0 : frame.y.low - margin, frame.y.high + margin};
  }
  return frame;
}

std::string axes(const Chart& chart, const Frame& frame) {
  std::string svg;
  const AxisTicks y_ticks = frame.logarithmic
                                ? log_ticks(frame.y.low, frame.y.high)
                                : axis_ticks(frame.y.low, frame.y.high, frame.height / 42);
  for (size_t i = 0; i < y_ticks.values.size(); ++i) {
    const double y = frame.at_y(y_ticks.values[i]);
    svg += fmt::format(R"(<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>)", kLeft,
                       frame.width - kRight, y, y);
    svg += fmt::format(R"(<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>)",
                       kLeft - 8, y + 4, y_ticks.labels[i]);
  }
  const int bottom = frame.height - kBottom;
  const AxisTicks x_ticks = axis_ticks(frame.x.low, frame.x.high, frame.width / 85);
  for (size_t i = 0; i < x_ticks.values.size(); ++i) {
    const double x = frame.at_x(x_ticks.values[i]);
    svg += fmt::format(R"(<line class="axis" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>)", x, x,
                       bottom, bottom + 4);
    svg += fmt::format(R"(<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>)", x,
                       bottom + 18, x_ticks.labels[i]);
  }
  svg += fmt::format(R"(<line class="axis" x1="{}" x2="{}" y1="{}" y2="{}"/>)", kLeft,
                     frame.width - kRight, bottom, bottom);
  svg += fmt::format(R"(<text class="label" x="{}" y="{}" text-anchor="middle">{}</text>)",
                     kLeft + (frame.width - kLeft - kRight) / 2, frame.height - 6,
                     escaped(chart.x_label));
  std::string unit = chart.unit;
  if (frame.logarithmic) unit += unit.empty() ? "log scale" : ", log scale";
  if (!unit.empty()) {
    const int middle = frame.top + (bottom - frame.top) / 2;
    svg += fmt::format(R"svg(<text class="label" x="13" y="{}" text-anchor="middle" )svg"
                       R"svg(transform="rotate(-90 13 {})">{}</text>)svg",
                       middle, middle, escaped(unit));
  }
  return svg;
}

std::string path_of(const Line& line, const Frame& frame, std::string_view css_class) {
  if (line.size() == 1) {
    return fmt::format(R"(<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="2.5"/>)", css_class,
                       frame.at_x(line[0].x), frame.at_y(line[0].y));
  }
  std::string d;
  for (const Point& point : line) {
    d += fmt::format("{}{:.1f} {:.1f}", d.empty() ? "M" : "L", frame.at_x(point.x),
                     frame.at_y(point.y));
  }
  return fmt::format(R"(<path class="{}" d="{}"/>)", css_class, d);
}

std::string points_of(const Line& line, const Frame& frame, const std::string& label, int colour) {
  std::string svg;
  for (const Point& point : line) {
    svg += fmt::format(R"(<circle class="point c{}" cx="{:.1f}" cy="{:.1f}" r="5">)"
                       R"(<title>{}{}: {:.6g}</title></circle>)",
                       colour, frame.at_x(point.x), frame.at_y(point.y), label,
                       short_count(point.x), point.y);
  }
  return svg;
}

std::string bands_of(const ChartSeries& series, const Frame& frame, int colour) {
  std::string svg;
  for (const Line& outline : band_outlines(series)) {
    if (outline.size() > 2) svg += path_of(outline, frame, fmt::format("band c{}", colour));
  }
  return svg;
}

std::string levels_of(const Chart& chart, const Frame& frame) {
  std::string svg;
  for (const ChartLevel& level : chart.levels) {
    if (!(level.y >= frame.y.low && level.y <= frame.y.high)) continue;
    const double y = frame.at_y(level.y);
    svg += fmt::format(R"(<line class="level" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>)", kLeft,
                       frame.width - kRight, y, y);
    svg += fmt::format(R"(<text class="label" x="{}" y="{:.1f}" text-anchor="start">{}</text>)",
                       kLeft + 6, y - 4, escaped(level.name));
  }
  return svg;
}

// Some marks along a line, at places of its own, so that marks of crossing lines do not hide each
// other.
std::string marks_of(const Line& line, const Frame& frame, int index, size_t n_series) {
  std::string svg;
  const double shift = (index + 0.5) / static_cast<double>(n_series);
  for (int k = 0; k < kMarks; ++k) {
    const double at = (k + shift) / kMarks * static_cast<double>(line.size());
    const Point& point = line[std::min(line.size() - 1, static_cast<size_t>(at))];
    svg += mark_at(index, frame.at_x(point.x), frame.at_y(point.y));
  }
  return svg;
}

std::string legend(const Chart& chart, const Frame& frame) {
  std::string svg;
  int y = 8;
  for (const std::vector<LegendEntry>& row : legend_rows(chart, frame.width - kLeft - kRight)) {
    for (const LegendEntry& entry : row) {
      const double x = kLeft + entry.x;
      svg += fmt::format(R"(<line class="line {}" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>)",
                         line_classes(chart, entry.index), x, x + kLegendLine, y, y);
      if (chart.marked) svg += mark_at(entry.index, x + kLegendLine / 2.0, y);
      svg += fmt::format(R"(<text class="legend" x="{:.1f}" y="{}">{}</text>)", x + kLegendLine + 6,
                         y + 4, escaped(chart.series[static_cast<size_t>(entry.index)].name));
    }
    y += kLegendHeight;
  }
  return svg;
}

// One series: band, lines, marks, and on top the points that tell their values.
std::string series_of(const Chart& chart, const Frame& frame, const std::vector<Line>& lines,
                      int index) {
  const ChartSeries& series = chart.series[static_cast<size_t>(index)];
  const int colour = index % kColours;
  const std::string classes = line_classes(chart, index);
  const size_t n_points = std::max<size_t>(1, count_points(lines));
  const std::string label = chart.series.size() > 1 ? escaped(series.name) + ", " : "";
  std::string svg, points;
  for (const Line& line : lines) {
    const size_t share = std::max<size_t>(1, kMostPoints / 2 * line.size() / n_points);
    const Line drawn = thinned(line, share);
    const bool noisy = line.size() >= kSmoothedFrom && series.low.empty();
    svg += path_of(drawn, frame, fmt::format("{} {}", noisy ? "line faint" : "line", classes));
    if (noisy) svg += path_of(thinned(smoothed(line), share), frame, "line " + classes);
    if (chart.marked) svg += marks_of(drawn, frame, index, chart.series.size());
    points += points_of(drawn, frame, label, colour);
  }
  return svg + points;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '"')
      result += "&quot;";
    else if (c == '\'')
      result += "&#39;";
    else if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t')
      result += c;
  }
  return result;
}

std::string render_chart(const Chart& chart, int width, int height) {
  std::vector<std::vector<Line>> series;
  size_t n_points = 0;
  for (const ChartSeries& one : chart.series) {
    series.push_back(finite_lines(one));
    n_points += count_points(series.back());
  }
  const Frame frame = frame_of(chart, series, width, height);
  std::string svg = fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}">)", width,
                                height, escaped(chart.title));
  if (n_points > 0) {
    svg += axes(chart, frame) + levels_of(chart, frame);
  } else {
    svg += fmt::format(R"(<text class="label" x="{}" y="{}" text-anchor="middle">no values</text>)",
                       kLeft + (width - kLeft - kRight) / 2, height / 2);
  }
  for (size_t i = 0; i < series.size(); ++i)
    svg += bands_of(chart.series[i], frame, static_cast<int>(i) % kColours);
  for (size_t i = 0; i < series.size(); ++i)
    svg += series_of(chart, frame, series[i], static_cast<int>(i));
  return svg + legend(chart, frame) + "</svg>";
}

}  // namespace gallop
