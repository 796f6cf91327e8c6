#include <gallop/host/report/chart.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/report/chart_axis.h>
#include <gallop/host/report/chart_line.h>
#include <gallop/host/report/chart_mark.h>
#include <gallop/host/report/moving_mean.h>

namespace gallop {
namespace {

constexpr int kLeft = 66, kRight = 22, kTop = 12, kBottom = 42;
constexpr int kLegendHeight = 22;
constexpr std::size_t kMostPoints = 300;
constexpr double kNoisy = 3;  // a line that goes so many times its range up and down

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
  int width = 0, height = 0;
  int top = kTop;

  int right() const { return width - kRight; }
  int bottom() const { return height - kBottom; }
  double at_x(double value) const {
    return kLeft + (value - x.low) / (x.high - x.low) * (right() - kLeft);
  }
  double at_y(double value) const {
    return bottom() - (value - y.low) / (y.high - y.low) * (bottom() - top);
  }
};

// One value, or none, has no extent of its own, nor have values that differ by rounding.
void widen(Range& range, double least) {
  if (range.empty()) range = {0, 1};
  const double size = std::max(std::fabs(range.low), std::fabs(range.high));
  if (range.high - range.low > 1e-9 * size) return;
  const double margin = std::max(size * 0.1, least);
  range = {range.low - margin, range.high + margin};
}

void include(Frame& frame, const std::vector<ChartLine>& lines) {
  for (const ChartLine& line : lines) {
    for (const ChartPoint& point : line) {
      frame.x.include(point.x);
      frame.y.include(point.y);
    }
  }
}

Frame frame_of(const Chart& chart, const std::vector<std::vector<ChartLine>>& series, int width,
               int height) {
  Frame frame;
  const int n_rows = int(legend_rows(chart, width - kLeft - kRight).size());
  frame.width = width;
  frame.height = height + kLegendHeight * std::max(0, n_rows - 1);
  frame.top = kTop + kLegendHeight * n_rows;
  for (const std::vector<ChartLine>& lines : series) include(frame, lines);
  for (const ChartSeries& one : chart.series) include(frame, band_outlines(one));
  for (const ChartLevel& level : chart.levels) {
    if (std::fabs(level.y) < kLargestDrawn && !frame.y.empty()) frame.y.include(level.y);
  }
  // Steps count from zero.
  if (!frame.x.empty() && frame.x.low > 0) frame.x.low = 0;
  widen(frame.x, 1);
  widen(frame.y, 1e-3);
  const double margin = 0.05 * (frame.y.high - frame.y.low);
  // Numbers that are never negative keep their zero.
  const bool from_zero = frame.y.low >= 0 && frame.y.low < 0.3 * frame.y.high;
  frame.y = {from_zero ? 0 : frame.y.low - margin, frame.y.high + margin};
  return frame;
}

std::string axes(const Chart& chart, const Frame& frame) {
  std::string svg;
  const AxisTicks y_ticks = axis_ticks(frame.y.low, frame.y.high, frame.height / 42);
  for (std::size_t i = 0; i < y_ticks.values.size(); ++i) {
    const double y = frame.at_y(y_ticks.values[i]);
    svg += fmt::format(R"(<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>)", kLeft,
                       frame.right(), y, y);
    svg += fmt::format(R"(<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>)",
                       kLeft - 8, y + 4, y_ticks.labels[i]);
  }
  const int bottom = frame.bottom();
  const AxisTicks x_ticks = axis_ticks(frame.x.low, frame.x.high, frame.width / 85);
  for (std::size_t i = 0; i < x_ticks.values.size(); ++i) {
    const double x = frame.at_x(x_ticks.values[i]);
    svg += fmt::format(R"(<line class="axis" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>)", x, x,
                       bottom, bottom + 4);
    svg += fmt::format(R"(<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>)", x,
                       bottom + 18, x_ticks.labels[i]);
  }
  svg += fmt::format(R"(<line class="axis" x1="{}" x2="{}" y1="{}" y2="{}"/>)", kLeft,
                     frame.right(), bottom, bottom);
  svg += fmt::format(R"(<text class="label" x="{}" y="{}" text-anchor="middle">{}</text>)",
                     (kLeft + frame.right()) / 2, frame.height - 6, escaped(chart.x_label));
  if (!chart.unit.empty()) {
    const int middle = (frame.top + bottom) / 2;
    svg += fmt::format(R"svg(<text class="label" x="13" y="{}" text-anchor="middle" )svg"
                       R"svg(transform="rotate(-90 13 {})">{}</text>)svg",
                       middle, middle, escaped(chart.unit));
  }
  return svg;
}

std::string path_of(const ChartLine& line, const Frame& frame, std::string_view css_class) {
  if (line.size() == 1) {
    return fmt::format(R"(<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="3.5"/>)", css_class,
                       frame.at_x(line[0].x), frame.at_y(line[0].y));
  }
  std::string d;
  for (const ChartPoint& point : line) {
    d += fmt::format("{}{:.1f} {:.1f}", d.empty() ? "M" : "L", frame.at_x(point.x),
                     frame.at_y(point.y));
  }
  return fmt::format(R"(<path class="{}" d="{}"/>)", css_class, d);
}

std::string bands_of(const ChartSeries& series, const Frame& frame, int colour) {
  std::string svg;
  for (const ChartLine& outline : band_outlines(series)) {
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
                       frame.right(), y, y);
    svg += fmt::format(R"(<text class="label" x="{}" y="{:.1f}" text-anchor="start">{}</text>)",
                       kLeft + 6, y - 4, escaped(level.name));
  }
  return svg;
}

// Some marks along a line, at places of its own, so that marks of crossing lines do not hide each
// other.
std::string marks_of(const ChartLine& line, const Frame& frame, int index, std::size_t n_series) {
  std::string svg;
  const double shift = (index + 0.5) / double(n_series);
  for (int k = 0; k < kMarks; ++k) {
    const double at = (k + shift) / kMarks * double(line.size());
    const ChartPoint& point = line[std::min(line.size() - 1, std::size_t(at))];
    svg += mark_at(index, frame.at_x(point.x), frame.at_y(point.y));
  }
  return svg;
}

std::string legend(const Chart& chart, const Frame& frame) {
  std::string svg;
  int y = 8;
  for (const std::vector<LegendEntry>& row : legend_rows(chart, frame.right() - kLeft)) {
    for (const LegendEntry& entry : row) {
      const double x = kLeft + entry.x;
      const std::string classes = line_classes(chart, entry.index);
      if (entry.kind == LegendEntry::kBand) {
        svg += fmt::format(R"(<rect class="band {}" x="{:.1f}" y="{}" width="{}" height="12"/>)",
                           classes, x, y - 6, kLegendLine);
      } else {
        svg += fmt::format(R"(<line class="{} {}" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>)",
                           entry.kind == LegendEntry::kFaint ? "line faint" : "line", classes, x,
                           x + kLegendLine, y, y);
      }
      if (chart.marked && entry.kind == LegendEntry::kLine)
        svg += mark_at(entry.index, x + kLegendLine / 2.0, y);
      svg += fmt::format(R"(<text class="legend" x="{:.1f}" y="{}">{}</text>)", x + kLegendLine + 6,
                         y + 4, escaped(entry.text));
    }
    y += kLegendHeight;
  }
  return svg;
}

// What the page's script tells of a point: x, y, and beside them what the chart draws.
std::string numbers_of(const ChartPoint& point) {
  std::string text = fmt::format("{:.9g} {:.6g}", point.x, point.y);
  if (std::isfinite(point.low) && std::isfinite(point.high))
    return text + fmt::format(" {:.6g} {:.6g}", point.low, point.high);
  return std::isfinite(point.mean) ? text + fmt::format(" {:.6g}", point.mean) : text;
}

// One series: lines and marks, and its numbers.
std::string series_of(const Chart& chart, const Frame& frame, const std::vector<ChartLine>& lines,
                      int index) {
  const ChartSeries& series = chart.series[std::size_t(index)];
  const std::string classes = line_classes(chart, index);
  const std::size_t n_points = std::max<std::size_t>(1, count_points(lines));
  const bool smooth = is_smoothed(series);
  std::string svg, numbers;
  for (const ChartLine& line : lines) {
    const std::size_t share = std::max<std::size_t>(1, kMostPoints / 2 * line.size() / n_points);
    const ChartLine drawn = thinned(line, share);
    ChartLine shown = smooth ? thinned(line_of_means(line), share) : drawn;
    if (n_points == 1 && series.over_stretches && frame.x.low < shown[0].x)
      shown.insert(shown.begin(), {frame.x.low, shown[0].y});
    if (smooth) svg += path_of(drawn, frame, "line faint " + classes);
    svg += path_of(shown, frame, "line " + classes);
    if (chart.marked) svg += marks_of(shown, frame, index, chart.series.size());
    for (const ChartPoint& point : drawn)
      numbers += (numbers.empty() ? "" : ";") + numbers_of(point);
  }
  return fmt::format(
      R"(<g class="series" data-name="{}" data-colour="c{}" data-points="{}">{}</g>)",
      escaped(series.name), index % kColours, numbers, svg);
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

bool is_smoothed(const ChartSeries& series) {
  if (series.y.size() < kSmoothedFrom || !series.low.empty()) return false;
  Range range;
  double way = 0, before = NAN;
  for (const double y : series.y) {
    if (!(std::fabs(y) < kLargestDrawn)) continue;
    range.include(y);
    if (!std::isnan(before)) way += std::fabs(y - before) / kNoisy;
    before = y;
  }
  return way > range.high - range.low;
}

std::string render_chart(const Chart& chart, int width, int height) {
  std::vector<std::vector<ChartLine>> series;
  std::size_t n_points = 0;
  for (const ChartSeries& one : chart.series) {
    series.push_back(finite_lines(one));
    n_points += count_points(series.back());
  }
  const Frame frame = frame_of(chart, series, width, height);
  std::string svg = fmt::format(
      R"(<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}" tabindex="0" )"
      R"(data-frame="{} {} {} {} {:.9g} {:.9g} {:.9g} {:.9g}" data-x="{}">)",
      frame.width, frame.height, escaped(chart.title), kLeft, frame.right(), frame.top,
      frame.bottom(), frame.x.low, frame.x.high, frame.y.low, frame.y.high, escaped(chart.x_label));
  if (n_points > 0) {
    svg += axes(chart, frame) + levels_of(chart, frame);
  } else {
    svg += fmt::format(R"(<text class="label" x="{}" y="{}" text-anchor="middle">no values</text>)",
                       (kLeft + frame.right()) / 2, frame.height / 2);
  }
  for (std::size_t i = 0; i < series.size(); ++i)
    svg += bands_of(chart.series[i], frame, int(i) % kColours);
  for (std::size_t i = 0; i < series.size(); ++i) svg += series_of(chart, frame, series[i], int(i));
  return svg + legend(chart, frame) + "</svg>";
}

}  // namespace gallop
