// gallop list: environments and algorithms with their options, from the tables that define them.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "host/program/command_line.h"
#include "host/registry/registry.h"
#include "host/training/run_options.h"

namespace gallop {
namespace {

std::string space_text(SpaceKind kind, int size, const ComponentSpec* components) {
  if (kind == SpaceKind::kDiscrete) return fmt::format("{} choices", size);
  std::string text = fmt::format("{} components:", size);
  for (int k = 0; k < size; k++) {
    text += fmt::format(" {} [{}, {}]", components[k].name, components[k].low, components[k].high);
  }
  return text;
}

void print_environment(const EnvironmentSpec& spec) {
  std::printf("%s%s%s\n", spec.name, *spec.aliases != 0 ? ", " : "", spec.aliases);
  std::printf("    reproduces    %s\n", spec.source);
  if (spec.time_limit > 0) std::printf("    time limit    %d steps\n", spec.time_limit);
  if (!std::isnan(spec.reward_threshold)) {
    std::printf("    solved at     %g\n", spec.reward_threshold);
  }
  std::printf(
      "    observation   %s\n",
      space_text(spec.observation_kind, spec.observation_capacity, spec.observation).c_str());
  std::printf("    action        %s\n",
              space_text(spec.action_kind, spec.action_capacity, spec.action).c_str());
  // Matrices of parameters fill pages; their first rows tell the names.
  constexpr int kShown = 24;
  for (int k = 0; k < spec.n_parameters && k < kShown; k++) {
    const ParameterSpec& p = spec.parameters[k];
    std::printf("    %-13s %g%s%s  %s\n", p.name, p.value, *p.unit != 0 ? " " : "", p.unit, p.help);
  }
  if (spec.n_parameters > kShown) {
    std::printf("    ... and %d more parameters; --json shows them\n", spec.n_parameters - kShown);
  }
  std::printf("\n");
}

nlohmann::ordered_json to_json(const EnvironmentSpec& spec) {
  nlohmann::ordered_json json;
  json["name"] = spec.name;
  json["aliases"] = spec.aliases;
  json["source"] = spec.source;
  json["time_limit"] = spec.time_limit;
  json["observation_size"] = spec.observation_capacity;
  json["action_size"] = spec.action_capacity;
  json["discrete_actions"] = spec.action_kind == SpaceKind::kDiscrete;
  for (int k = 0; k < spec.n_parameters; k++) {
    const ParameterSpec& p = spec.parameters[k];
    json["parameters"].push_back({{"name", p.name},
                                  {"default", p.value},
                                  {"low", p.low},
                                  {"high", p.high},
                                  {"unit", p.unit},
                                  {"help", p.help}});
  }
  return json;
}

nlohmann::ordered_json to_json(std::span<const OptionSpec> options) {
  nlohmann::ordered_json json;
  for (const OptionSpec& o : options) {
    nlohmann::ordered_json row = {{"name", o.name}, {"default", o.default_value}};
    if (std::isfinite(o.min)) row["low"] = o.min;
    if (std::isfinite(o.max)) row["high"] = o.max;
    if (o.choices != nullptr) row["choices"] = o.choices;
    row["unit"] = o.unit;
    row["help"] = o.help;
    json.push_back(row);
  }
  return json;
}

nlohmann::ordered_json to_json(const AlgorithmDescriptor& algorithm) {
  nlohmann::ordered_json json;
  json["name"] = algorithm.name;
  json["aliases"] = algorithm.aliases;
  json["summary"] = algorithm.summary;
  json["source"] = algorithm.source;
  json["options"] = to_json(algorithm.options);
  return json;
}

}  // namespace

int run_list(const std::vector<std::string>& arguments) {
  bool json = false;
  CLI::App app("Lists environments and algorithms with their options.", "list");
  app.add_flag("--json", json, "one JSON object");
  if (!parse_command_line(app, arguments)) return 0;
  if (json) {
    nlohmann::ordered_json all;
    for (const EnvironmentEntry* e : all_environments())
      all["environments"].push_back(to_json(spec_of(*e)));
    for (const AlgorithmDescriptor* a : all_algorithms()) all["algorithms"].push_back(to_json(*a));
    all["options"] = to_json(run_rows());
    std::printf("%s\n", all.dump(2).c_str());
    return 0;
  }
  std::printf("ENVIRONMENTS\n\n");
  for (const EnvironmentEntry* entry : all_environments()) print_environment(spec_of(*entry));
  std::printf("ALGORITHMS\n\n");
  for (const AlgorithmDescriptor* algorithm : all_algorithms()) {
    std::printf("%s, %s: %s (%s)\n", algorithm->name, algorithm->aliases, algorithm->summary,
                algorithm->source);
    std::printf("%s\n", Options(algorithm->options).help_text().c_str());
  }
  std::printf("OPTIONS OF EVERY RUN\n\n%s", Options(run_rows()).help_text().c_str());
  return 0;
}

}  // namespace gallop
