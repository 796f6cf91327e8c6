#pragma once

#include <string>
#include <vector>

namespace gallop {

// One of a few kinds for each pair of two settings.
struct RegionMap {
  struct Cell {
    int kind = -1;       // one of the map's, or -1 for none
    std::string text;    // in the cell
    std::string about;   // what the pointer shows
    bool close = false;  // another kind is about as good: a dashed frame
  };
  std::string title;
  std::string x_label, y_label;            // what columns and rows are
  std::vector<std::string> columns, rows;  // from the left, from the top
  std::vector<std::string> kinds;          // in the legend, up to ten
  std::vector<std::vector<Cell>> cells;    // [rows, columns]
};

// An <svg> element as wide as said and as high as its rows and its legend: a cell for each pair in
// the colour of its kind, with its text. Colours are CSS variables of the page; the texts tell
// kinds apart without them. Deterministic: equal maps give equal bytes.
std::string render_region_map(const RegionMap& map, int width);

}  // namespace gallop
