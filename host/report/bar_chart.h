#pragma once

#include <string>
#include <vector>

namespace gallop {

struct Bar {
  std::string name;
  double value;  // positive; what is not has no bar
  int colour;    // which of the chart's
};

struct BarChart {
  std::string title;
  std::string unit;                  // at the value axis
  std::vector<std::string> colours;  // what they mean, up to four
  std::vector<Bar> bars;             // from top to bottom
  bool logarithmic = false;          // the value axis, which says so
};

// An <svg> element: one horizontal bar a row with its value beside it. Colours are CSS variables of
// the page (report.cpp). Deterministic: equal charts give equal bytes.
std::string render_bar_chart(const BarChart& chart, int width);

}  // namespace gallop
