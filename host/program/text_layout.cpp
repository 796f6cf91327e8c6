#include <gallop/host/program/text_layout.h>

#include <algorithm>

namespace gallop {

std::string wrapped(std::string_view text, int indent, int first) {
  std::string result;
  int column = first;
  bool begun = false;  // a word stands on the line
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    if (begun && column + 1 + int(word.size()) > kTextWidth) {
      result += "\n" + std::string(std::size_t(indent), ' ');
      column = indent;
      begun = false;
    }
    if (begun) result += ' ';
    result += word;
    column += int(word.size()) + (begun ? 1 : 0);
    begun = true;
  }
  return result;
}

std::string two_columns(std::span<const TextRow> rows, int column) {
  std::string result;
  const std::string margin(std::size_t(column), ' ');
  for (const TextRow& row : rows) {
    std::string line = "  " + row.left;
    if (row.right.empty()) {
      result += line + "\n";
      continue;
    }
    if (int(line.size()) + 2 > column) {
      result += line + "\n" + margin;
    } else {
      line.resize(std::size_t(column), ' ');
      result += line;
    }
    result += wrapped(row.right, column, column) + "\n";
  }
  return result;
}

}  // namespace gallop
