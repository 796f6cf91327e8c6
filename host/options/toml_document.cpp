#include <gallop/host/options/toml_document.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/options/option_value.h>
#include <gallop/host/options/toml_library.h>
#include <gallop/host/options/utf8.h>

namespace gallop {
namespace {

constexpr size_t kLargestDocument = size_t{1} << 20;
constexpr int kDeepestNesting = 32;

// Walks the text once, knowing only strings, comments and brackets, and keeps from toml++ 3.3 what
// it must not see. That is nesting that would make a recursive parser or the destructor of its tree
// run out of stack: brackets inside brackets, and dotted keys; it never counts less depth than the
// parser builds. And it is every character beyond ASCII: outside of strings they meet undefined
// behaviour (is_non_ascii_horizontal_whitespace, on U+00E9), and in malformed text the parser may
// take for outside what is a string here. So they are refused where none may stand, and escaped
// inside strings. All other malformed text is left to the parser.
class TomlScan {
 public:
  TomlScan(std::string_view text, std::string_view origin) : text_(text), origin_(origin) {}

  // An equal document in ASCII; lines keep their numbers.
  std::string run() {
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;  // a byte order mark
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        copy_string(c);
      } else if (c == '#') {
        copy_comment();
      } else {
        count(c);
        ascii_ += c;
        ++at_;
      }
    }
    return std::move(ascii_);
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw value_error(
        fmt::format("{}:{}:{}: malformed TOML: {}", origin_, line_, at_ - line_start_ + 1, why));
  }

  void count(char c) {
    if (!is_ascii(c)) refuse("a character beyond ASCII outside a string");
    if (c == '[' || c == '{') ++brackets_;
    if ((c == ']' || c == '}') && brackets_ > 0) --brackets_;
    if (c == '.') ++dots_;
    // What separates one key or value from the next; blanks may stand around the dots of a key.
    if (c == '\n' || c == '=' || c == ',' || c == ']' || c == '}') dots_ = 0;
    if (c == '\n') {
      ++line_;
      line_start_ = at_ + 1;
    }
    if (brackets_ + dots_ > kDeepestNesting) {
      refuse(fmt::format("nested deeper than {} levels, expected keys or tables of keys",
                         kDeepestNesting));
    }
  }

  void copy_comment() {
    const size_t end = std::min(text_.find('\n', at_), text_.size());
    const std::string_view comment = text_.substr(at_, end - at_);
    if (!is_utf8(comment)) refuse("a comment that is not UTF-8");
    for (const char c : comment) ascii_ += is_ascii(c) ? c : '?';
    at_ = end;
  }

  void copy_string(char quote) {
    if (text_.substr(at_).starts_with(std::string(3, quote))) {
      refuse("a multi-line string, expected a string of one line");
    }
    size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote && text_[end] != '\n') {
      const bool escape =
          quote == '"' && text_[end] == '\\' && end + 1 < text_.size() && text_[end + 1] != '\n';
      end += escape ? 2 : 1;
    }
    if (end >= text_.size() || text_[end] != quote) refuse("a string without its end");
    const std::string_view content = text_.substr(at_ + 1, end - at_ - 1);
    if (!is_utf8(content)) refuse("a string that is not UTF-8");
    if (std::all_of(content.begin(), content.end(), is_ascii)) {
      ascii_ += text_.substr(at_, end + 1 - at_);
    } else {
      append_escaped(content, quote == '\'');
    }
    at_ = end + 1;
  }

  // As a basic string, the only kind that has escapes. In a literal one a backslash is itself.
  void append_escaped(std::string_view content, bool literal) {
    ascii_ += '"';
    for (size_t i = 0; i < content.size();) {
      const auto lead = static_cast<unsigned char>(content[i]);
      const size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
      uint32_t code = length == 1 ? lead : lead & (0x7fu >> length);
      for (size_t k = 1; k < length; ++k) {
        code = code << 6 | (static_cast<unsigned char>(content[i + k]) & 0x3fu);
      }
      if (length > 1) {
        ascii_ += fmt::format("\\U{:08x}", code);
      } else {
        if (literal && (lead == '"' || lead == '\\')) ascii_ += '\\';
        ascii_ += content[i];
      }
      i += length;
    }
    ascii_ += '"';
  }

  static bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

  std::string_view text_;
  std::string_view origin_;
  std::string ascii_;
  size_t at_ = 0;
  int line_ = 1;
  size_t line_start_ = 0;
  int brackets_ = 0;
  int dots_ = 0;
};

std::string position(std::string_view origin, const toml::source_region& source) {
  return fmt::format("{}:{}:{}", origin, source.begin.line, source.begin.column);
}

bool breaks_parser(std::string_view text) {
  try {
    static_cast<void>(toml::parse(text));
  } catch (const TomlAssertion&) {
    return true;
  } catch (const toml::parse_error&) {
  }
  return false;
}

// The parser goes from front to back: the shortest beginning that breaks it ends with the character
// in question.
std::string place_of_assertion(std::string_view text) {
  size_t whole = 0;
  size_t broken = text.size();
  while (broken - whole > 1) {
    const size_t middle = whole + (broken - whole) / 2;
    (breaks_parser(text.substr(0, middle)) ? broken : whole) = middle;
  }
  const std::string_view before = text.substr(0, broken - 1);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  return fmt::format("{}:{}", line, before.size() - (before.rfind('\n') + 1) + 1);
}

toml::table parse_document(std::string_view given, std::string_view origin) {
  if (given.size() > kLargestDocument) {
    throw value_error(fmt::format("{} has {} bytes, expected a configuration of at most {}", origin,
                                  given.size(), kLargestDocument));
  }
  if (const char* encoding = other_encoding(given)) {
    throw value_error(fmt::format(
        "{}:1:1: malformed TOML: {} text, expected UTF-8; save the file in that encoding", origin,
        encoding));
  }
  const std::string text = TomlScan(given, origin).run();
  try {
    return toml::parse(std::string_view(text));
  } catch (const TomlAssertion&) {
    throw value_error(
        fmt::format("{}:{}: malformed TOML: a character stands where none of its kind may", origin,
                    place_of_assertion(text)));
  } catch (const toml::parse_error& error) {
    throw value_error(fmt::format("{}: malformed TOML: {}", position(origin, error.source()),
                                  error.description()));
  }
}

std::string kind_of(const toml::node& node) {
  constexpr const char* kKinds[] = {
      "nothing",   "a table", "an array", "a string",   "an integer", "a floating-point number",
      "a boolean", "a date",  "a time",   "a date-time"};
  return kKinds[static_cast<size_t>(node.type())];
}

std::vector<int64_t> integers_of(const toml::array& array, const std::string& name,
                                 std::string_view origin) {
  std::vector<int64_t> result;
  for (const toml::node& element : array) {
    const double real = element.is_floating_point() ? element.as_floating_point()->get() : 0.5;
    if (element.is_integer()) {
      result.push_back(element.as_integer()->get());
    } else if (std::trunc(real) == real && std::fabs(real) < kExactIntegers) {
      result.push_back(static_cast<int64_t>(real));
    } else {
      throw value_error(
          fmt::format("{}: '{}' has an element that is {}, expected an array of integers",
                      position(origin, element.source()), name, kind_of(element)));
    }
  }
  return result;
}

OptionValue value_of(const toml::node& node, const std::string& name, std::string_view origin) {
  if (node.is_integer()) return node.as_integer()->get();
  if (node.is_floating_point()) return node.as_floating_point()->get();
  if (node.is_boolean()) return node.as_boolean()->get();
  if (node.is_string()) return node.as_string()->get();
  if (node.is_array()) return integers_of(*node.as_array(), name, origin);
  throw value_error(
      fmt::format("{}: '{}' is {}, expected a number, true or false, a string or an array of "
                  "integers",
                  position(origin, node.source()), name, kind_of(node)));
}

TomlEntry entry_of(std::string name, const toml::node& node, std::string_view origin) {
  return {name, value_of(node, name, origin),
          fmt::format("{}:{}", origin, node.source().begin.line)};
}

}  // namespace

toml::table parse_toml_document(std::string_view text, std::string_view origin) {
  return parse_document(text, origin);
}

TomlEntry toml_entry(std::string name, const toml::node& node, std::string_view origin) {
  return entry_of(std::move(name), node, origin);
}

std::string toml_position(std::string_view origin, const toml::node& node) {
  return position(origin, node.source());
}

std::string toml_kind(const toml::node& node) { return kind_of(node); }

std::vector<TomlEntry> read_toml(std::string_view text, std::string_view origin) {
  const toml::table document = parse_document(text, origin);
  std::vector<TomlEntry> result;
  for (const auto& [key, node] : document) {
    const std::string name(key.str());
    if (const toml::table* table = node.as_table()) {
      for (const auto& [inner, value] : *table) {
        result.push_back(entry_of(name + "." + std::string(inner.str()), value, origin));
      }
    } else {
      result.push_back(entry_of(name, node, origin));
    }
  }
  return result;
}

std::optional<std::string> toml_text_value(std::string_view text, std::string_view key,
                                           std::string_view origin) {
  const toml::table document = parse_document(text, origin);
  const toml::node* node = document.get(key);
  if (node == nullptr) return std::nullopt;
  if (!node->is_string()) {
    throw value_error(fmt::format("{}: '{}' is {}, expected a string",
                                  position(origin, node->source()), key, kind_of(*node)));
  }
  return node->as_string()->get();
}

}  // namespace gallop
