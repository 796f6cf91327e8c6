#pragma once

#include <span>
#include <string>
#include <string_view>

namespace gallop {

// Columns of a terminal that texts of this program are laid out for.
constexpr int kTextWidth = 80;

// The words of a text in lines of at most kTextWidth columns, all but the first with `indent`
// blanks before them; the first begins in column `first`. Words that do not fit stand alone. No
// line break at the end.
std::string wrapped(std::string_view text, int indent, int first);

struct TextRow {
  std::string left, right;
};

// "  left      right" for each row, the right sides wrapped in a column that begins at `column`; a
// left side that reaches into it has a line of its own.
std::string two_columns(std::span<const TextRow> rows, int column);

}  // namespace gallop
