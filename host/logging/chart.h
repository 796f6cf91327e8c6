#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gallop {

struct ChartSeries {
  std::string name;       // in the legend, where there is more than one
  std::vector<double> x;  // ascending
  std::vector<double> y;  // as many; what is not finite, or beyond 1e300, is a gap
  // A band around the line, such as a standard error: as many as y, or empty.
  std::vector<double> low = {}, high = {};
};

// A horizontal line across the chart, such as the return at which a task counts as solved.
struct ChartLevel {
  double y;
  std::string name;
};

struct Chart {
  std::string title;
  std::string unit;     // at the value axis; empty for a pure number
  std::string x_label;  // "environment steps"
  std::vector<ChartSeries> series;
  bool marked = false;  // lines differ in dashes and marks too, for readers without colour
  std::vector<ChartLevel> levels = {};
};

// Text for HTML and SVG, with & < > " ' escaped and control characters left out.
std::string escaped(std::string_view text);

// An <svg> element: grid, axes with ticks and unit, one line a series with gaps where values are
// not finite, its band behind it, the values themselves as <title> of their points. Colours are CSS
// variables of the page (page.cpp). Positive values over more than three decades get a logarithmic
// axis. Long series are drawn by the least and greatest value of each stretch, and those without a
// band once more as a moving mean. Deterministic: equal charts give equal bytes.
std::string render_chart(const Chart& chart, int width, int height);

}  // namespace gallop
