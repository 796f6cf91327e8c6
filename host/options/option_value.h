#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <gallop/host/options/option.h>

namespace gallop {

// Whole numbers below it are what a double says they are; 2^53 + 1 reads as 2^53.
constexpr double kExactIntegers = 9007199254740992.0;  // 2^53

// Text to value and back for one row of an options table. `origin` stands in messages.

// Throws a value error that names option, text, expected values and origin.
OptionValue parse_option(const OptionSpec& spec, std::string_view text, std::string_view origin);

// What a row of assignments holds: "a=1,b=2", by name.
struct Assigned {
  std::string name, text;
};
std::vector<Assigned> assigned(std::string_view value);

// Such a value after the changes that a text asks for (Options::set). Throws as parse_option does.
std::string changed_assignments(const OptionSpec& spec, std::string_view value,
                                std::string_view text, std::string_view origin);

// Throws that error.
[[noreturn]] void refuse_option(const OptionSpec& spec, std::string_view text,
                                std::string_view origin, const std::string& hint = "");

// Throws the same error where `value` is outside the row's limits or choices.
void check_option(const OptionSpec& spec, const OptionValue& value, std::string_view origin);

// What parse_option takes back to the same value; doubles are the shortest text that reads back the
// same.
std::string option_text(const OptionValue& value);

// The right side of `name = value` in TOML.
std::string option_toml(const OptionValue& value);

// "an integer in [1, 64]", "one of tanh, relu".
std::string expected_values(const OptionSpec& spec);

// The same in short, for lists of options: "1 to 64", "tanh, relu"; empty where anything may be.
std::string value_range(const OptionSpec& spec);

std::vector<std::string> option_choices(const OptionSpec& spec);

}  // namespace gallop
