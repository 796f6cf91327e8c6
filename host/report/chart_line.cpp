#include <gallop/host/report/chart_line.h>

#include <algorithm>

#include <gallop/host/report/moving_mean.h>

namespace gallop {
namespace {

double at(const std::vector<double>& values, std::size_t i) {
  return i < values.size() ? values[i] : NAN;
}

bool drawable(double value) { return std::fabs(value) < kLargestDrawn; }

}  // namespace

std::vector<ChartLine> finite_lines(const ChartSeries& series) {
  std::vector<ChartLine> lines(1);
  const std::size_t n = std::min(series.x.size(), series.y.size());
  const bool smooth = is_smoothed(series);
  std::vector<double> means;
  if (smooth) means = moving_mean(series.y, series.weights);
  for (std::size_t i = 0; i < n; ++i) {
    if (drawable(series.x[i]) && drawable(series.y[i])) {
      lines.back().push_back({series.x[i], series.y[i], at(series.low, i), at(series.high, i)});
      if (smooth) lines.back().back().mean = drawable(means[i]) ? means[i] : series.y[i];
    } else if (!lines.back().empty()) {
      lines.emplace_back();
    }
  }
  if (lines.back().empty()) lines.pop_back();
  return lines;
}

std::size_t count_points(const std::vector<ChartLine>& lines) {
  std::size_t n = 0;
  for (const ChartLine& line : lines) n += line.size();
  return n;
}

std::vector<ChartLine> band_outlines(const ChartSeries& series) {
  const std::vector<ChartLine> high = finite_lines({"", series.x, series.high});
  const std::vector<ChartLine> low = finite_lines({"", series.x, series.low});
  if (low.size() != high.size()) return {};
  std::vector<ChartLine> outlines = high;
  for (std::size_t i = 0; i < low.size(); ++i)
    outlines[i].insert(outlines[i].end(), low[i].rbegin(), low[i].rend());
  return outlines;
}

ChartLine thinned(const ChartLine& line, std::size_t n_stretches) {
  if (line.size() <= 2 * n_stretches) return line;
  ChartLine result;
  for (std::size_t i = 0; i < n_stretches; ++i) {
    const auto first = line.begin() + std::ptrdiff_t(i * line.size() / n_stretches);
    const auto last = line.begin() + std::ptrdiff_t((i + 1) * line.size() / n_stretches);
    const auto [least, greatest] = std::minmax_element(
        first, last, [](const ChartPoint& a, const ChartPoint& b) { return a.y < b.y; });
    result.push_back(least < greatest ? *least : *greatest);
    if (least != greatest) result.push_back(least < greatest ? *greatest : *least);
  }
  return result;
}

ChartLine line_of_means(const ChartLine& line) {
  ChartLine means;
  for (const ChartPoint& point : line) means.push_back({point.x, point.mean});
  return means;
}

}  // namespace gallop
