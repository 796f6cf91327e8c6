#include <gallop/host/training/unknown_option.h>

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include <gallop/host/options/nearest.h>
#include <gallop/host/options/synonyms.h>

namespace gallop {
namespace {

bool has_option(const AlgorithmDescriptor& algorithm, std::string_view name) {
  return std::any_of(algorithm.options.begin(), algorithm.options.end(),
                     [&](const OptionSpec& row) { return row.name == name; });
}

// "ppo", "ppo and a2c", "ppo, a2c and vpg".
std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); i++) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

std::string algorithms_with(std::string_view option) {
  std::vector<std::string> names;
  for (const AlgorithmDescriptor* other : all_algorithms()) {
    if (has_option(*other, option)) names.emplace_back(other->name);
  }
  return listed(names);
}

std::string environments_with(std::string_view parameter) {
  std::vector<std::string> names;
  for (const EnvironmentEntry* entry : all_environments()) {
    const EnvironmentSpec& spec = spec_of(*entry);
    for (int k = 0; k < spec.n_parameters; k++) {
      if (spec.parameters[k].name == parameter) names.emplace_back(spec.name);
    }
  }
  return listed(names);
}

std::vector<std::string> options_of_algorithms() {
  std::vector<std::string> names;
  for (const AlgorithmDescriptor* algorithm : all_algorithms()) {
    for (const OptionSpec& row : algorithm->options) names.emplace_back(row.name);
  }
  return names;
}

}  // namespace

std::string explain_unknown_option(std::string_view given, const Options& options,
                                   const AlgorithmDescriptor& algorithm,
                                   const EnvironmentEntry* environment) {
  constexpr std::string_view kTable = "parameters.";
  std::string name = folded_name(given);
  if (name.starts_with(kTable)) name.erase(0, kTable.size());
  const std::vector<std::string> known = short_names(options);
  const std::vector<std::string> meant = names_meant(name, known);
  if (!meant.empty()) {
    return fmt::format(": it is called '{}' here ({})", meant.front(), flag_of(meant.front()));
  }
  if (const std::string with = algorithms_with(name); !with.empty()) {
    return fmt::format(": it is an option of {}, not of {}", with, algorithm.name);
  }
  if (const std::string with = environments_with(name); !with.empty()) {
    return fmt::format(
        ": it is a parameter of {}{}", with,
        environment == nullptr ? "" : ", not of " + std::string(spec_of(*environment).name));
  }
  if (const std::string why = why_missing(name); !why.empty()) return ": " + why;
  for (const std::string& elsewhere : names_meant(name, options_of_algorithms())) {
    return fmt::format(": it is called '{}', an option of {}, not of {}", elsewhere,
                       algorithms_with(elsewhere), algorithm.name);
  }
  return "";
}

}  // namespace gallop
