#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <gallop/host/options/option.h>

namespace gallop {

// A key with its value in a TOML document. Arrays hold integers; other reals that are whole numbers
// stay reals.
struct TomlEntry {
  std::string name;  // "key", or "table.key"
  OptionValue value;
  std::string origin;  // "file:line"
};

// Reads a configuration: keys at the top or in tables one level deep, values being integers, reals,
// booleans, strings or arrays of integers (64.0 counts as one). At most 1 MiB and a nesting of 32,
// both refused before the parser proper sees the text. Throws a value error with line and column
// for everything else.
std::vector<TomlEntry> read_toml(std::string_view toml, std::string_view origin);

// The string under a top-level key, where there is one: which algorithm a configuration is for has
// to be known before its options are.
std::optional<std::string> toml_text_value(std::string_view toml, std::string_view key,
                                           std::string_view origin);

}  // namespace gallop
