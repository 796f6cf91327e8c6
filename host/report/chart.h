#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gallop {

struct ChartSeries {
  std::string name;       // in the legend
  std::vector<double> x;  // ascending
  std::vector<double> y;  // as many; what is not finite, or beyond 1e300, is a gap
  // A band around the line, such as a standard error: as many as y, or empty.
  std::vector<double> low = {}, high = {};
  std::string band = {};             // what the band is, in the legend
  std::vector<double> weights = {};  // of the moving mean: as many as y, or empty for equal ones
  // Each y is a mean over all that lies between its x and the one before, the first from 0: a
  // single one is drawn as far as it reaches.
  bool over_stretches = false;
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

// An <svg> element: legend, grid, linear axes with ticks and unit, one line a series with gaps
// where values are not finite, its band behind it; the numbers themselves in data attributes, from
// which the page's script (assets/chart.js) tells those under the pointer. Colours are CSS
// variables of the page (page.cpp). Long series are drawn by the least and greatest value of each
// stretch, and those without a band by their moving mean with the values faint behind it. The
// height is that of a chart with one row of legend; further rows add theirs. Deterministic: equal
// charts give equal bytes.
std::string render_chart(const Chart& chart, int width, int height);

// Whether a series is drawn by its moving mean: it is long, goes up and down, and has no band.
bool is_smoothed(const ChartSeries& series);

}  // namespace gallop
