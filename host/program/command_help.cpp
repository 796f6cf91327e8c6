#include <gallop/host/program/command_help.h>

#include <fmt/format.h>

#include <cctype>
#include <map>
#include <utility>
#include <vector>

#include <gallop/host/options/option_value.h>
#include <gallop/host/program/text_layout.h>

namespace gallop {
namespace {

constexpr int kColumn = 28;

// "help [a; b]" of those parts that are not empty.
std::string described(const std::string& help, std::initializer_list<std::string> parts) {
  std::string inner;
  for (const std::string& part : parts) inner += (inner.empty() || part.empty() ? "" : "; ") + part;
  return inner.empty() ? help : help + " [" + inner + "]";
}

// "1 to 64 units".
std::string range_with_unit(const OptionSpec& row) {
  const std::string range = value_range(row), unit = row.unit;
  return range.empty() || unit.empty() ? range + unit : range + " " + unit;
}

// "a_" for "a_01": elements of a matrix or a vector have names that differ in digits at the end.
std::string matrix_of(const std::string& name) {
  std::size_t end = name.size();
  while (end > 0 && std::isdigit(static_cast<unsigned char>(name[end - 1])) != 0) end--;
  return end < name.size() && end > 0 && name[end - 1] == '_' ? name.substr(0, end) : "";
}

}  // namespace

std::string command_help(const Command& command) {
  std::string usage = "usage: gallop " + command.name;
  std::vector<TextRow> words, flags;
  for (const Argument& word : command.words) {
    usage += word.required ? fmt::format(" {}", word.value) : fmt::format(" [{}]", word.value);
    words.push_back({word.value, word.row.help});
  }
  if (command.repeats_last_word) usage += " ...";
  for (const Argument& flag : command.flags) {
    const bool is_switch = flag.row.type == OptionType::boolean;
    const std::string left =
        flag_of(flag.row.name) + (is_switch ? "" : " " + std::string(flag.value));
    if (flag.required) usage += " " + left;
    flags.push_back({left, described(flag.row.help, {is_switch ? "" : range_with_unit(flag.row)})});
  }
  if (!command.set_help.empty()) {
    flags.push_back({"--set KEY=VALUE ...", command.set_help + "; any number of them"});
  }
  flags.push_back({"--help", "this text"});
  return fmt::format("{}\n\n{}\n\n{}{}",
                     wrapped("gallop " + command.name + ": " + command.summary, 2, 0),
                     wrapped(usage + " [--FLAG VALUE ...]", 7, 0), two_columns(words, kColumn),
                     two_columns(flags, kColumn));
}

std::string options_help(const Options& options, std::span<const OptionSpec> rows) {
  std::map<std::string, int> elements;  // of each matrix
  for (const OptionSpec& row : rows) elements[matrix_of(row.name)]++;
  std::map<std::string, bool> shown;
  std::vector<TextRow> lines;
  for (const OptionSpec& row : rows) {
    const std::string matrix = matrix_of(row.name), value = options.value_text(row.name);
    const bool is_matrix = !matrix.empty() && elements[matrix] > 4;
    if (is_matrix && std::exchange(shown[matrix], true)) continue;
    const std::string fallback = row.default_value.text();
    const bool other = row.type != OptionType::text && row.type != OptionType::assignments &&
                       option_text(parse_option(row, fallback, "default")) != value;
    lines.push_back({flag_of(row.name) + " " + (value.empty() ? "''" : value),
                     described(row.help, {range_with_unit(row), other ? "default " + fallback : "",
                                          is_matrix ? fmt::format("and {} more that begin with {}",
                                                                  elements[matrix] - 1,
                                                                  flag_of(matrix).substr(2))
                                                    : ""})});
  }
  return two_columns(lines, kColumn);
}

}  // namespace gallop
