#include <gallop/host/options/option_value.h>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>
#include <type_traits>
#include <utility>

#include <gallop/host/error.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/split.h>
#include <gallop/host/options/synonyms.h>
#include <gallop/host/options/utf8.h>

namespace gallop {
namespace {

constexpr size_t kLongestText = 4096;

template <class T>
bool parse_whole(std::string_view text, T& value, int base = 10) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.starts_with('+') || text.empty()) return false;
  const char* const end = text.data() + text.size();
  std::from_chars_result result;
  if constexpr (std::is_same_v<T, double>) {
    result = std::from_chars(text.data(), end, value);
  } else {
    result = std::from_chars(text.data(), end, value, base);
  }
  return result.ec == std::errc() && result.ptr == end;
}

// Without the underscores that stand between two digits, as TOML has them; the text as it is where
// one stands elsewhere.
std::string without_separators(std::string_view text) {
  const auto is_digit = [&](size_t i) {
    return i < text.size() && std::isxdigit(static_cast<unsigned char>(text[i])) != 0;
  };
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      result += text[i];
    } else if (i == 0 || !is_digit(i - 1) || !is_digit(i + 1)) {
      return std::string(text);
    }
  }
  return result;
}

bool parse_real(std::string_view text, double& value) {
  return parse_whole(without_separators(text), value);
}

// Decimal digits; 0x, 0o and 0b as in TOML; a real such as 1e6 that is an exact integer; and 100k
// or 1.5M.
bool parse_integer(std::string_view given, int64_t& value) {
  std::string text = without_separators(given);
  if (parse_whole(std::string_view(text), value)) return true;
  for (const auto& [prefix, base] : {std::pair("0x", 16), {"0o", 8}, {"0b", 2}}) {
    if (text.starts_with(prefix) && std::isxdigit(static_cast<unsigned char>(text[2])) != 0) {
      return parse_whole(std::string_view(text).substr(2), value, base);
    }
  }
  if (text.find_first_of("eE") == std::string::npos) {
    if (text.ends_with('k') || text.ends_with('K')) text.replace(text.size() - 1, 1, "e3");
    if (text.ends_with('m') || text.ends_with('M')) text.replace(text.size() - 1, 1, "e6");
  }
  double real = 0;
  if (!parse_whole(std::string_view(text), real) || std::trunc(real) != real ||
      std::fabs(real) >= kExactIntegers)
    return false;
  value = static_cast<int64_t>(real);
  return true;
}

bool parse_integers(std::string_view text, std::vector<int64_t>& values) {
  if (folded_name(text) == "none") return true;
  if (text.starts_with('[') && text.ends_with(']') && text.size() >= 2) {
    text = text.substr(1, text.size() - 2);
  }
  if (text.size() > kLongestText) return false;
  for (const std::string& part : split_list(text)) {
    if (!parse_integer(part, values.emplace_back())) return false;
  }
  return true;
}

bool parse_boolean(std::string_view given, bool& value) {
  const std::string text = folded_name(given);
  for (const char* yes : {"true", "1", "yes", "on"}) {
    if (text == yes) return value = true, true;
  }
  for (const char* no : {"false", "0", "no", "off"}) {
    if (text == no) return value = false, true;
  }
  return false;
}

// The choice that is meant, capitals and hyphens aside; the word itself where there is none.
std::string parse_choice(const OptionSpec& spec, std::string_view word) {
  for (const std::string& choice : option_choices(spec)) {
    if (folded_name(choice) == folded_name(word)) return choice;
  }
  return std::string(word);
}

bool within(const OptionSpec& spec, double value) { return value >= spec.min && value <= spec.max; }

// Compared as integers: as a double 2^53 + 1 is 2^53.
bool within(const OptionSpec& spec, int64_t value) {
  constexpr double kBeyond = 9223372036854775808.0;  // 2^63
  const double low = std::ceil(spec.min), high = std::floor(spec.max);
  return low < kBeyond && high >= -kBeyond &&
         (low <= -kBeyond || value >= static_cast<int64_t>(low)) &&
         (high >= kBeyond || value <= static_cast<int64_t>(high));
}

bool acceptable_text(std::string_view text) {
  if (text.size() > kLongestText || !is_utf8(text)) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return true;
}

// The name of an assignment, and its text, which stand in TOML as they are.
bool is_word(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}
bool is_plain(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c >= ' ' && c <= '~' && c != '"' && c != '\\' && c != '=';
  });
}

std::string real_text(double value) {
  char buffer[64];
  const auto [end, status] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return std::string(buffer, end);
}

// A limit as a person writes it, and no other number: of integers all digits.
std::string limit_text(const OptionSpec& spec, double limit) {
  const bool whole = spec.type == OptionType::integer || spec.type == OptionType::integers;
  if (std::trunc(limit) == limit && std::fabs(limit) < (whole ? 1e18 : 1e7)) {
    return fmt::format("{:.0f}", limit);
  }
  const std::string text = fmt::format("{:g}", limit);
  double read = 0;
  return parse_whole(std::string_view(text), read) && read == limit ? text
                                                                    : fmt::format("{}", limit);
}

std::string range_text(const OptionSpec& spec) {
  const bool below = std::isinf(spec.min);
  const bool above = std::isinf(spec.max);
  if (below && above) return "";
  if (above) return fmt::format(" of at least {}", limit_text(spec, spec.min));
  if (below) return fmt::format(" of at most {}", limit_text(spec, spec.max));
  return fmt::format(" in [{}, {}]", limit_text(spec, spec.min), limit_text(spec, spec.max));
}

// How a whole number may be written, where the text is none.
std::string number_hint(const OptionSpec& spec) {
  return spec.type == OptionType::integer ? "; 100000 may be written 100k, 1e5 or 100_000" : "";
}

std::string joined(const std::vector<int64_t>& values) {
  return fmt::format("{}", fmt::join(values, ","));
}

std::string toml_string(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      result += fmt::format("\\u{:04x}", byte);
      continue;
    }
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

}  // namespace

std::vector<std::string> option_choices(const OptionSpec& spec) {
  return split_list(spec.choices == nullptr ? "" : spec.choices);
}

std::string value_range(const OptionSpec& spec) {
  const bool below = std::isinf(spec.min), above = std::isinf(spec.max);
  const std::string low = limit_text(spec, spec.min), high = limit_text(spec, spec.max);
  std::string range = below && above ? ""
                      : above        ? "at least " + low
                      : below        ? "at most " + high
                                     : low + " to " + high;
  switch (spec.type) {
    case OptionType::integer:
    case OptionType::real:
      return range;
    case OptionType::boolean:
      return "true or false";
    case OptionType::text:
    case OptionType::assignments:
      return "";
    case OptionType::choice:
      return fmt::format("{}", fmt::join(option_choices(spec), ", "));
    case OptionType::integers:
      return fmt::format("up to {}, separated by commas{}{}", spec.most,
                         range.empty() ? "" : ", each ", range);
  }
  return range;
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
      return fmt::format("at most {} {} separated by commas, each{}{}", spec.most, spec.elements,
                         std::string_view(spec.elements) == "integers" ? "" : " an integer",
                         range_text(spec).empty() ? " of any size" : range_text(spec));
    case OptionType::assignments:
      return fmt::format("{} separated by commas, or none", spec.elements);
  }
  throw internal_error(fmt::format("option '{}' has no type", spec.name));
}

std::vector<Assigned> assigned(std::string_view value) {
  std::vector<Assigned> all;
  for (const std::string& part : split_list(value)) {
    const size_t equals = part.find('=');
    all.push_back({part.substr(0, equals), part.substr(equals + 1)});
  }
  return all;
}

std::string changed_assignments(const OptionSpec& spec, std::string_view value,
                                std::string_view text, std::string_view origin) {
  std::map<std::string, std::string> all;
  for (const Assigned& one : assigned(value)) all[one.name] = one.text;
  if (folded_name(trimmed(text)) == "none" || trimmed(text).empty()) return "";
  for (const std::string& part : split_list(text)) {
    const size_t equals = part.find('=');
    const std::string name = folded_name(trimmed(std::string_view(part).substr(0, equals)));
    if (equals == std::string::npos || !is_word(name)) refuse_option(spec, text, origin);
    const std::string given(trimmed(std::string_view(part).substr(equals + 1)));
    if (!is_plain(given)) refuse_option(spec, text, origin);
    if (folded_name(given) == "none") {
      all.erase(name);
    } else {
      all[name] = given;
    }
  }
  std::string result;
  for (const auto& [name, given] : all) {
    result += fmt::format("{}{}={}", result.empty() ? "" : ",", name, given);
  }
  if (result.size() > kLongestText) refuse_option(spec, text, origin);
  return result;
}

void refuse_option(const OptionSpec& spec, std::string_view text, std::string_view origin,
                   const std::string& hint) {
  throw value_error(fmt::format("option '{}' has the value {} ({}), expected {}{}", spec.name,
                                in_quotes(text), origin, expected_values(spec), hint));
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
      parsed = parse_real(word, value.emplace<double>());
      break;
    case OptionType::boolean:
      parsed = parse_boolean(word, value.emplace<bool>());
      break;
    case OptionType::text:
      value.emplace<std::string>(text);
      break;
    case OptionType::assignments:
      value.emplace<std::string>(changed_assignments(spec, "", word, origin));
      break;
    case OptionType::choice:
      value.emplace<std::string>(parse_choice(spec, word));
      break;
    case OptionType::integers:
      parsed = parse_integers(word, value.emplace<std::vector<int64_t>>());
      break;
  }
  if (!parsed) refuse_option(spec, text, origin, number_hint(spec));
  check_option(spec, value, origin);
  return value;
}

void check_option(const OptionSpec& spec, const OptionValue& value, std::string_view origin) {
  bool accepted = true;
  std::string hint;
  switch (spec.type) {
    case OptionType::integer:
      accepted = within(spec, std::get<int64_t>(value));
      break;
    case OptionType::real:
      accepted = std::isfinite(std::get<double>(value)) && within(spec, std::get<double>(value));
      break;
    case OptionType::boolean:
      break;
    case OptionType::text:
    case OptionType::assignments:
      accepted = acceptable_text(std::get<std::string>(value));
      break;
    case OptionType::choice: {
      const std::vector<std::string> choices = option_choices(spec);
      const auto& chosen = std::get<std::string>(value);
      accepted = std::find(choices.begin(), choices.end(), chosen) != choices.end();
      hint = what_is_meant(chosen, choices);
      break;
    }
    case OptionType::integers: {
      const auto& elements = std::get<std::vector<int64_t>>(value);
      accepted = elements.size() <= static_cast<size_t>(spec.most);
      if (!accepted) hint = fmt::format("; these are {} {}", elements.size(), spec.elements);
      for (const int64_t element : elements) accepted = accepted && within(spec, element);
      break;
    }
  }
  if (!accepted) refuse_option(spec, option_text(value), origin, hint);
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
