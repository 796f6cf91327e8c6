#pragma once

#include <string>
#include <vector>

#include <gallop/host/report/chart.h>

namespace gallop {

// What tells the series of a chart apart: colour, and for marked charts dashes and marks; and the
// legend that explains them.

constexpr int kColours = 10;     // classes c0 to c9 of the page
constexpr int kMarks = 6;        // along a line
constexpr int kLegendLine = 26;  // pixels of the sample of a line

// "c1", or "c1 d1" where lines are dashed too.
std::string line_classes(const Chart& chart, int index);

// A small SVG shape around a point: one of ten, the second five hollow.
std::string mark_at(int index, double x, double y);

struct LegendEntry {
  enum Kind { kLine, kFaint, kBand };
  Kind kind;
  int index;  // of the series
  std::string text;
  double x = 0;  // from the left edge of the legend
};

// The rows of the legend in the width that it has: each series, and what faint lines and bands are.
std::vector<std::vector<LegendEntry>> legend_rows(const Chart& chart, int width);

}  // namespace gallop
