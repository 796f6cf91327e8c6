#pragma once

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>

#include <gallop/host/options/option.h>

namespace gallop {

// Rows of an options table by their type, so that a table reads as name, default, limits, help:
//
//   constexpr auto kOptions = rows(on_policy_rows({.n_steps = 5}),
//                                  real_row("clip", 0.2, {.min = 0, .max = 1}, "..."));

struct OptionLimits {
  double min = -kUnbounded;
  double max = kUnbounded;
  const char* unit = "";
};

constexpr OptionSpec integer_row(const char* name, int64_t value, OptionLimits limits,
                                 const char* help) {
  return {.name = name,
          .type = OptionType::integer,
          .default_value = value,
          .min = limits.min,
          .max = limits.max,
          .unit = limits.unit,
          .help = help};
}

constexpr OptionSpec real_row(const char* name, double value, OptionLimits limits,
                              const char* help) {
  return {.name = name,
          .type = OptionType::real,
          .default_value = value,
          .min = limits.min,
          .max = limits.max,
          .unit = limits.unit,
          .help = help};
}

constexpr OptionSpec boolean_row(const char* name, bool value, const char* help) {
  return {.name = name, .type = OptionType::boolean, .default_value = value, .help = help};
}

// `choices` are separated by commas.
constexpr OptionSpec choice_row(const char* name, const char* value, const char* choices,
                                const char* help) {
  return {.name = name,
          .type = OptionType::choice,
          .default_value = value,
          .choices = choices,
          .help = help};
}

// `value` as text, separated by commas; the limits hold for each element. `most` is how many
// elements there may be, `elements` what they are.
constexpr OptionSpec integers_row(const char* name, const char* value, OptionLimits limits,
                                  int most, const char* elements, const char* help) {
  return {.name = name,
          .type = OptionType::integers,
          .default_value = value,
          .min = limits.min,
          .max = limits.max,
          .unit = limits.unit,
          .help = help,
          .most = most,
          .elements = elements};
}

constexpr OptionSpec text_row(const char* name, const char* value, const char* help) {
  return {.name = name, .type = OptionType::text, .default_value = value, .help = help};
}

template <class Part>
constexpr std::size_t row_count() {
  if constexpr (std::is_same_v<Part, OptionSpec>) {
    return 1;
  } else {
    return std::tuple_size_v<Part>;
  }
}

// Any number of "name=text"; `elements` is how one of them is written. A TOML table.
constexpr OptionSpec assignments_row(const char* name, const char* elements, const char* help) {
  return {.name = name, .type = OptionType::assignments, .help = help, .elements = elements};
}

// One table of rows and arrays of rows, in the order given.
template <class... Parts>
constexpr auto rows(const Parts&... parts) {
  std::array<OptionSpec, (row_count<Parts>() + ... + 0)> all;
  std::size_t at = 0;
  const auto append = [&](const auto& part) {
    if constexpr (std::is_same_v<std::decay_t<decltype(part)>, OptionSpec>) {
      all[at++] = part;
    } else {
      for (const OptionSpec& row : part) all[at++] = row;
    }
  };
  (append(parts), ...);
  return all;
}

}  // namespace gallop
