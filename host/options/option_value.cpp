#include "host/options/option_value.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstring>

#include "host/error.h"
#include "host/options/nearest.h"
#include "host/options/utf8.h"

namespace gallop {
namespace {

constexpr size_t kLongestText = 4096;
constexpr size_t kLongestList = 64;
constexpr double kExactIntegers = 9007199254740992.0;  // 2^53

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// Long or unprintable input is cut and escaped before it goes into a message.
std::string quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text.substr(0, 80)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  return result + (text.size() > 80 ? "...'" : "'");
}

[[noreturn]] void refuse(const OptionSpec& spec, std::string_view text, std::string_view origin,
                         const std::string& hint = "") {
  throw value_error(fmt::format("option '{}' has the value {} ({}), expected {}{}", spec.name,
                                quoted(text), origin, expected_values(spec), hint));
}

template <class T>
bool parse_whole(std::string_view text, T& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.starts_with('+') || text.empty()) return false;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  return status == std::errc() && end == text.data() + text.size();
}

// Decimal digits, or a real such as 1e6 that is an exact integer.
bool parse_integer(std::string_view text, int64_t& value) {
  if (parse_whole(text, value)) return true;
  double real = 0;
  if (!parse_whole(text, real) || std::trunc(real) != real || std::fabs(real) > kExactIntegers)
    return false;
  value = static_cast<int64_t>(real);
  return true;
}

bool parse_integers(std::string_view text, std::vector<int64_t>& values) {
  if (text.starts_with('[') && text.ends_with(']') && text.size() >= 2) {
    text = trimmed(text.substr(1, text.size() - 2));
  }
  if (text.empty()) return true;
  while (true) {
    const size_t comma = text.find(',');
    int64_t value = 0;
    if (values.size() == kLongestList || !parse_integer(trimmed(text.substr(0, comma)), value))
      return false;
    values.push_back(value);
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

bool parse_boolean(std::string_view text, bool& value) {
  for (const char* yes : {"true", "1", "yes", "on"}) {
    if (text == yes) return value = true, true;
  }
  for (const char* no : {"false", "0", "no", "off"}) {
    if (text == no) return value = false, true;
  }
  return false;
}

bool within(const OptionSpec& spec, double value) { return value >= spec.min && value <= spec.max; }

bool acceptable_text(std::string_view text) {
  if (text.size() > kLongestText || !is_utf8(text)) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

std::string real_text(double value) {
  char buffer[64];
  const auto [end, status] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return std::string(buffer, end);
}

// A limit as a person writes it: whole numbers without a fraction.
std::string limit_text(double limit) {
  if (std::trunc(limit) == limit && std::fabs(limit) < 1e7) return fmt::format("{:.0f}", limit);
  return fmt::format("{:g}", limit);
}

std::string range_text(const OptionSpec& spec) {
  const bool below = std::isinf(spec.min);
  const bool above = std::isinf(spec.max);
  if (below && above) return "";
  if (above) return fmt::format(" of at least {}", limit_text(spec.min));
  if (below) return fmt::format(" of at most {}", limit_text(spec.max));
  return fmt::format(" in [{}, {}]", limit_text(spec.min), limit_text(spec.max));
}

std::string joined(const std::vector<int64_t>& values) {
  return fmt::format("{}", fmt::join(values, ","));
}

std::string toml_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

}  // namespace

std::vector<std::string> option_choices(const OptionSpec& spec) {
  std::vector<std::string> result;
  std::string_view rest = spec.choices == nullptr ? "" : spec.choices;
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    result.emplace_back(trimmed(rest.substr(0, comma)));
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  return result;
}

std::string expected_values(const OptionSpec& spec) {
  switch (spec.type) {
    case OptionType::integer:
      return "an integer" + range_text(spec);
    case OptionType::real:
      return "a finite number" + range_text(spec);
    case OptionType::boolean:
      return "true or false";
    case OptionType::text:
      return fmt::format("UTF-8 text of at most {} bytes without control characters", kLongestText);
    case OptionType::choice:
      return fmt::format("one of {}", fmt::join(option_choices(spec), ", "));
    case OptionType::integers:
      return fmt::format("at most {} integers separated by commas, each{}", kLongestList,
                         range_text(spec).empty() ? " of any size" : range_text(spec));
  }
  throw internal_error(fmt::format("option '{}' has no type", spec.name));
}

OptionValue parse_option(const OptionSpec& spec, std::string_view text, std::string_view origin) {
  const std::string_view word = trimmed(text);
  OptionValue value;
  bool parsed = true;
  switch (spec.type) {
    case OptionType::integer:
      parsed = parse_integer(word, value.emplace<int64_t>());
      break;
    case OptionType::real:
      parsed = parse_whole(word, value.emplace<double>());
      break;
    case OptionType::boolean:
      parsed = parse_boolean(word, value.emplace<bool>());
      break;
    case OptionType::text:
      value.emplace<std::string>(text);
      break;
    case OptionType::choice:
      value.emplace<std::string>(word);
      break;
    case OptionType::integers:
      parsed = parse_integers(word, value.emplace<std::vector<int64_t>>());
      break;
  }
  if (!parsed) refuse(spec, text, origin);
  check_option(spec, value, origin);
  return value;
}

void check_option(const OptionSpec& spec, const OptionValue& value, std::string_view origin) {
  bool accepted = true;
  std::string hint;
  switch (spec.type) {
    case OptionType::integer:
      accepted = within(spec, static_cast<double>(std::get<int64_t>(value)));
      break;
    case OptionType::real:
      accepted = std::isfinite(std::get<double>(value)) && within(spec, std::get<double>(value));
      break;
    case OptionType::boolean:
      break;
    case OptionType::text:
      accepted = acceptable_text(std::get<std::string>(value));
      break;
    case OptionType::choice: {
      accepted = false;
      const std::vector<std::string> choices = option_choices(spec);
      const auto& chosen = std::get<std::string>(value);
      for (const std::string& choice : choices) accepted = accepted || choice == chosen;
      hint = did_you_mean(chosen, choices);
      break;
    }
    case OptionType::integers: {
      const auto& elements = std::get<std::vector<int64_t>>(value);
      accepted = elements.size() <= kLongestList;
      for (const int64_t element : elements)
        accepted = accepted && within(spec, static_cast<double>(element));
      break;
    }
  }
  if (!accepted) refuse(spec, option_text(value), origin, hint);
}

std::string option_text(const OptionValue& value) {
  if (const auto* integer = std::get_if<int64_t>(&value)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&value)) return real_text(*real);
  if (const auto* boolean = std::get_if<bool>(&value)) return *boolean ? "true" : "false";
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return joined(std::get<std::vector<int64_t>>(value));
}

std::string option_toml(const OptionValue& value) {
  if (const auto* real = std::get_if<double>(&value)) {
    const std::string text = real_text(*real);
    // TOML tells a float from an integer by the point or the exponent.
    return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
  }
  if (const auto* text = std::get_if<std::string>(&value)) return toml_string(*text);
  if (const auto* list = std::get_if<std::vector<int64_t>>(&value)) {
    return fmt::format("[{}]", fmt::join(*list, ", "));
  }
  return option_text(value);
}

}  // namespace gallop
