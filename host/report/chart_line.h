#pragma once

#include <cmath>
#include <vector>

#include <gallop/host/report/chart.h>

namespace gallop {

// The values of a series as a chart draws them.

constexpr double kLargestDrawn = 1e300;  // beyond it even the difference of two values overflows

struct ChartPoint {
  double x, y;
  double low = NAN, high = NAN;  // of its band
  double mean = NAN;             // the moving one, where the series is smoothed
};
using ChartLine = std::vector<ChartPoint>;

// The finite stretches of a series, with moving means where it is smoothed.
std::vector<ChartLine> finite_lines(const ChartSeries& series);

std::size_t count_points(const std::vector<ChartLine>& lines);

// The finite stretches of a band: its upper edge there, its lower edge back.
std::vector<ChartLine> band_outlines(const ChartSeries& series);

// The least and the greatest point of each of `n_stretches` equal parts, in their order.
ChartLine thinned(const ChartLine& line, std::size_t n_stretches);

// The line of the moving means.
ChartLine line_of_means(const ChartLine& line);

}  // namespace gallop
