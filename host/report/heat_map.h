#pragma once

#include <string>
#include <vector>

namespace gallop {

// A number for each pair of two settings.
struct HeatMap {
  std::string title;
  std::string unit;                         // of the numbers, at the colour bar
  std::string x_label, y_label;             // what columns and rows are
  std::vector<std::string> columns, rows;   // from the left, from the top
  std::vector<std::vector<double>> values;  // [rows, columns]; what is not finite has no number
};

// An <svg> element: a cell for each pair with its number written in it and a colour from dark (the
// least) to bright (the greatest), the greatest framed, and a bar that explains the colours. They
// keep their order without hue. Deterministic: equal maps give equal bytes.
std::string render_heat_map(const HeatMap& map, int width, int height);

}  // namespace gallop
