// gallop list: environments, algorithms, studies, problems and functions; all in short, one of them
// in full.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <gallop/host/error.h>
#include <gallop/host/files/json_value.h>
#include <gallop/host/laboratory/problem.h>
#include <gallop/host/learning/test_function.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/host/options/option_value.h>
#include <gallop/host/options/split.h>
#include <gallop/host/options/utf8.h>
#include <gallop/host/program/advice.h>
#include <gallop/host/program/command_help.h>
#include <gallop/host/program/commands.h>
#include <gallop/host/program/tetris_command.h>
#include <gallop/host/program/text_layout.h>
#include <gallop/host/registry/registry.h>
#include <gallop/host/studies/measured_study.h>
#include <gallop/host/studies/study.h>
#include <gallop/host/tetris/controllers.h>
#include <gallop/host/training/run_options.h>

namespace gallop {
namespace {

constexpr int kColumn = 16;

std::string components_text(int size, const ComponentSpec* components) {
  std::string text = fmt::format("{} components:", size);
  for (int k = 0; k < size; k++) {
    const ComponentSpec& c = components[k];
    text += fmt::format("{} {}", k == 0 ? "" : ",", c.name);
    if (std::isfinite(c.low) || std::isfinite(c.high)) {
      text += fmt::format(" [{:.6g}, {:.6g}]", c.low, c.high);
    }
  }
  return text;
}

// Algorithms with settings of their own for a task.
std::string algorithms_for(const char* environment) {
  std::string text;
  for (const AlgorithmDescriptor* algorithm : all_algorithms()) {
    if (shipped_config(algorithm->name, environment).empty()) continue;
    text += (text.empty() ? "" : ", ") + std::string(algorithm->name);
  }
  return text;
}

std::string tasks_of(const char* algorithm) {
  std::string text;
  for (const EnvironmentEntry* entry : all_environments()) {
    const char* name = spec_of(*entry).name;
    if (!shipped_config(algorithm, name).empty())
      text += (text.empty() ? "" : ", ") + std::string(name);
  }
  return text;
}

std::string with_aliases(const char* name, const char* aliases) {
  return *aliases == 0 ? name : fmt::format("{}, {}", name, fmt::join(split_list(aliases), ", "));
}

std::string environment_text(const EnvironmentEntry& entry) {
  const EnvironmentSpec& spec = spec_of(entry);
  const RunOptions options(spec.name, kDefaultAlgorithm);
  const auto space = [](SpaceKind kind, int size, const ComponentSpec* components) {
    return kind == SpaceKind::kDiscrete ? fmt::format("{} choices", size)
                                        : components_text(size, components);
  };
  std::vector<TextRow> rows = {{"reproduces", spec.source}};
  if (spec.time_limit > 0) rows.push_back({"time limit", fmt::format("{} steps", spec.time_limit)});
  if (!std::isnan(spec.reward_threshold)) {
    rows.push_back({"solved at", fmt::format("a return of {:g}", spec.reward_threshold)});
  }
  rows.push_back(
      {"observation", space(spec.observation_kind, spec.observation_capacity, spec.observation)});
  rows.push_back({"action", space(spec.action_kind, spec.action_capacity, spec.action)});
  const bool smooth = spec.not_smooth == nullptr;
  rows.push_back({"derivatives", smooth ? "exact" : fmt::format("none: {}", spec.not_smooth)});
  const std::string algorithms = algorithms_for(spec.name);
  if (!algorithms.empty()) rows.push_back({"settings for", algorithms});
  for (int k = 0; k < spec.n_controllers; k++) {
    rows.push_back({k == 0 ? "controllers" : "",
                    fmt::format("{}: {}", spec.controllers[k].name, spec.controllers[k].help)});
  }
  if (spec.own_policy.n_weights > 0) {
    rows.push_back(
        {"own policy", fmt::format("{} weights: --policy own", spec.own_policy.n_weights)});
  }
  return fmt::format(
      "environment {}\n{}\nParameters, each set by its flag or by --set NAME=VALUE:\n{}\n'gallop "
      "train {} --help' shows what its training takes.\n",
      with_aliases(spec.name, spec.aliases), two_columns(rows, kColumn),
      options_help(options.values(), options.parameter_rows()), spec.name);
}

std::string algorithm_text(const AlgorithmDescriptor& algorithm) {
  std::vector<TextRow> rows = {{"what", algorithm.summary}, {"source", algorithm.source}};
  const std::string tasks = tasks_of(algorithm.name);
  if (!tasks.empty()) rows.push_back({"settings for", tasks});
  return fmt::format(
      "algorithm {}\n{}\nOptions with their defaults, each set by its flag or by --set "
      "NAME=VALUE:\n{}\n{}\n",
      with_aliases(algorithm.name, algorithm.aliases), two_columns(rows, kColumn),
      options_help(Options(algorithm.options), algorithm.options),
      wrapped(
          fmt::format("'gallop train ENVIRONMENT --algorithm {} --help' shows the values that a "
                      "task's settings give.",
                      algorithm.name),
          0, 0));
}

std::string study_text(const std::string& name) {
  if (const MeasuredStudy* measured = measured_study_called(name)) {
    const std::vector<TextRow> rows = {{"what", measured->title}, {"", measured->about}};
    const std::string how = fmt::format(
        "'gallop study {0}' measures it, 'gallop study {0} --help' names the flags.", name);
    return fmt::format("study {}\n{}\n{}\n", name, two_columns(rows, kColumn), wrapped(how, 0, 0));
  }
  const Study study = parse_study(shipped_study(name), name);
  std::string environments, variants;
  for (const StudyEnvironment& e : study.environments) {
    environments += (environments.empty() ? "" : ", ") + e.name;
  }
  for (const StudyVariant& v : study.variants) variants += (variants.empty() ? "" : "; ") + v.name;
  std::vector<TextRow> rows = {
      {"what", study.title},
      {"", study.about},
      {"on", environments},
      {"runs", fmt::format("{} seeds of {} steps for each setting", study.seeds, study.steps)}};
  for (const StudyAxis& axis : study.axes) {
    std::string values;
    for (const TomlEntry& value : axis.values) {
      values += (values.empty() ? "" : ", ") + option_text(value.value);
    }
    rows.push_back({axis.option, values});
  }
  if (!variants.empty()) rows.push_back({"variants", variants});
  return fmt::format(
      "study {0}\n{1}\n'gallop study {0}' runs it, 'gallop study --help' names the "
      "flags.\n",
      name, two_columns(rows, kColumn));
}

std::string problem_text(const LaboratoryDescriptor& problem) {
  const Options options = laboratory_options(problem);
  return fmt::format(
      "problem {0}\n{1}\nOptions with their defaults:\n{2}\n'gallop estimators {0}' "
      "compares the estimators on it.\n",
      problem.name, two_columns(std::vector<TextRow>{{"what", problem.summary}}, kColumn),
      options_help(options, options.rows()));
}

std::string function_text(const TestFunctionDescriptor& f) {
  std::vector<TextRow> rows = {{"value", f.formula}, {"minimum", "0"}};
  if (f.is_rotated) rows.push_back({"", "of an argument that is rotated at random"});
  if (f.noise > 0) rows.push_back({"noise", fmt::format("{:g}", f.noise)});
  rows.push_back({"start", fmt::format("every component {:g}", f.start)});
  return fmt::format("function {0}\n{1}\n'gallop optimize {2}' minimises it.\n",
                     with_aliases(f.name, f.aliases), two_columns(rows, kColumn), f.name);
}

std::string tetris_text() {
  std::vector<TextRow> rows = {
      {"board", fmt::format("{} columns; rows 20 unless --rows says another number, 4 to {}",
                            kTetrisColumns, kMostTetrisRows)}};
  for (const TetrisWeights& controller : published_tetris_controllers()) {
    rows.push_back({controller.name, controller.source});
  }
  std::vector<std::string> features;
  for (const TetrisFeature& f : tetris_features()) features.emplace_back(f.name);
  rows.push_back({"features", fmt::format("{}", fmt::join(features, " "))});
  const char* const how =
      "'gallop eval tetris --controller NAME' plays one of them, or a .toml file with features, "
      "weights and wells; 'gallop render tetris --policy NAME --out FILE' draws a game.";
  return fmt::format("game tetris\n{}\n{}\n", two_columns(rows, kColumn), wrapped(how, 0, 0));
}

struct Names {
  std::vector<std::string> environments, algorithms, studies = study_names(), problems, functions;
};

Names all_names() {
  Names names;
  for (const EnvironmentEntry* e : all_environments())
    names.environments.push_back(spec_of(*e).name);
  for (const AlgorithmDescriptor* a : all_algorithms()) names.algorithms.push_back(a->name);
  for (const LaboratoryDescriptor& p : laboratory_problems()) names.problems.push_back(p.name);
  for (const TestFunctionDescriptor& f : test_functions()) names.functions.push_back(f.name);
  return names;
}

// What fits a screen.
std::string overview() {
  const Names names = all_names();
  const auto section = [](const char* title, const std::vector<std::string>& all) {
    return fmt::format("{}\n  {}\n", title, wrapped(fmt::format("{}", fmt::join(all, "  ")), 2, 2));
  };
  const std::vector<std::string> unbuilt = unbuilt_environments();
  const std::vector<std::string> unbuilt_answers = unbuilt_problems();
  return section("environments: gallop train NAME", names.environments) +
         (unbuilt.empty() ? ""
                          : section("not in this build; ./gallop train NAME adds them", unbuilt)) +
         section("algorithms: gallop train ENVIRONMENT --algorithm NAME", names.algorithms) +
         section("studies: gallop study NAME", names.studies) +
         (names.problems.empty()
              ? ""
              : section("problems with exact gradients: gallop estimators NAME", names.problems)) +
         (unbuilt_answers.empty()
              ? ""
              : section(
                    "problems with exact gradients, not in this build; ./gallop estimators NAME "
                    "adds them",
                    unbuilt_answers)) +
         section("functions: gallop optimize NAME", names.functions) +
         section("games of controllers: gallop eval NAME --controller C", {"tetris"}) +
         "\n'gallop list NAME' describes one of them, 'gallop train --help' the options of\n"
         "every run, 'gallop train NAME --help' those of a task with the values it takes.\n";
}

// All that have that name: a problem may be called as an environment is.
std::string described(const std::string& word) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : "\n") + part; };
  const std::string name = folded_name(word);
  if (const EnvironmentEntry* entry = environment_called(word)) add(environment_text(*entry));
  if (const AlgorithmDescriptor* found = algorithm_called(word)) add(algorithm_text(*found));
  const Names names = all_names();
  if (std::find(names.studies.begin(), names.studies.end(), name) != names.studies.end()) {
    add(study_text(name));
  }
  for (const LaboratoryDescriptor& problem : laboratory_problems()) {
    if (problem.name == name) add(problem_text(problem));
  }
  for (const TestFunctionDescriptor& f : test_functions()) {
    if (f.name == name) add(function_text(f));
  }
  if (is_tetris(word)) add(tetris_text());
  if (!text.empty()) return text;
  require_built_problem(name);
  std::vector<std::string> known = unbuilt_problems();
  known.emplace_back("tetris");
  for (const auto& part :
       {names.environments, names.algorithms, names.studies, names.problems, names.functions}) {
    known.insert(known.end(), part.begin(), part.end());
  }
  std::sort(known.begin(), known.end());
  known.erase(std::unique(known.begin(), known.end()), known.end());
  const std::string advice = advice_on_name(word);
  throw usage_error(
      sentence("unknown name " + in_quotes(word) +
               (advice.empty() ? did_you_mean(word, known) : advice)) +
      " 'gallop list' names all environments, algorithms, studies, problems and functions");
}

JsonValue to_json(const EnvironmentSpec& spec) {
  JsonValue json;
  json["name"] = spec.name;
  json["aliases"] = spec.aliases;
  json["source"] = spec.source;
  json["time_limit"] = spec.time_limit;
  json["observation_size"] = spec.observation_capacity;
  json["action_size"] = spec.action_capacity;
  json["discrete_actions"] = spec.action_kind == SpaceKind::kDiscrete;
  json["smooth"] = spec.not_smooth == nullptr;
  for (int k = 0; k < spec.n_parameters; k++) {
    const ParameterSpec& p = spec.parameters[k];
    JsonValue row;
    row["name"] = p.name;
    row["default"] = p.value;
    row["low"] = p.low;
    row["high"] = p.high;
    row["unit"] = p.unit;
    row["help"] = p.help;
    json["parameters"].push_back(row);
  }
  for (int k = 0; k < spec.n_controllers; k++) {
    json["controllers"].push_back(spec.controllers[k].name);
  }
  return json;
}

JsonValue to_json(std::span<const OptionSpec> options) {
  JsonValue json;
  for (const OptionSpec& o : options) {
    JsonValue row;
    row["name"] = o.name;
    row["default"] = o.default_value.text();
    if (std::isfinite(o.min)) row["low"] = o.min;
    if (std::isfinite(o.max)) row["high"] = o.max;
    if (o.choices != nullptr) row["choices"] = o.choices;
    row["unit"] = o.unit;
    row["help"] = o.help;
    json.push_back(row);
  }
  return json;
}

JsonValue to_json(const AlgorithmDescriptor& algorithm) {
  JsonValue json;
  json["name"] = algorithm.name;
  json["aliases"] = algorithm.aliases;
  json["summary"] = algorithm.summary;
  json["source"] = algorithm.source;
  json["options"] = to_json(algorithm.options);
  return json;
}

JsonValue to_json(const LaboratoryDescriptor& problem) {
  JsonValue json;
  json["name"] = problem.name;
  json["summary"] = problem.summary;
  json["options"] = to_json(laboratory_options(problem).rows());
  return json;
}

JsonValue to_json(const TestFunctionDescriptor& f) {
  JsonValue json;
  json["name"] = f.name;
  json["aliases"] = f.aliases;
  json["formula"] = f.formula;
  json["start"] = f.start;
  json["rotated"] = f.is_rotated;
  json["noise"] = f.noise;
  return json;
}

JsonValue study_to_json(const std::string& name) {
  if (const MeasuredStudy* measured = measured_study_called(name)) {
    JsonValue json;
    json["name"] = name;
    json["title"] = measured->title;
    return json;
  }
  const Study study = parse_study(shipped_study(name), name);
  JsonValue json;
  json["name"] = name;
  json["title"] = study.title;
  json["seeds"] = study.seeds;
  json["steps"] = study.steps;
  return json;
}

// Everything, or what has that name.
std::string list_json(const std::string& word) {
  const std::string name = folded_name(word);
  const auto wanted = [&](const std::string& other) { return word.empty() || other == name; };
  JsonValue all;
  for (const EnvironmentEntry* e : all_environments()) {
    if (word.empty() || environment_called(word) == e) {
      all["environments"].push_back(to_json(spec_of(*e)));
    }
  }
  if (word.empty()) {
    for (const std::string& unbuilt : unbuilt_environments()) {
      all["environments_not_built"].push_back(unbuilt);
    }
    for (const std::string& unbuilt : unbuilt_problems()) {
      all["problems_not_built"].push_back(unbuilt);
    }
  }
  for (const AlgorithmDescriptor* a : all_algorithms()) {
    if (word.empty() || algorithm_called(word) == a) all["algorithms"].push_back(to_json(*a));
  }
  for (const std::string& study : study_names()) {
    if (wanted(study)) all["studies"].push_back(study_to_json(study));
  }
  for (const LaboratoryDescriptor& problem : laboratory_problems()) {
    if (wanted(problem.name)) all["problems"].push_back(to_json(problem));
  }
  for (const TestFunctionDescriptor& f : test_functions()) {
    if (wanted(f.name)) all["functions"].push_back(to_json(f));
  }
  if (word.empty() || is_tetris(word)) {
    for (const TetrisWeights& c : published_tetris_controllers()) {
      all["tetris_controllers"].push_back(c.name);
    }
  }
  if (word.empty()) all["options"] = to_json(run_rows());
  return all.text(2);
}

Command list_command() {
  return {.name = "list",
          .summary =
              "names environments, algorithms, studies, problems and functions, or describes one",
          .words = {{text_row("name", "", "what to describe; all in short without it"), "NAME"}},
          .flags = {plugin_flag(), {boolean_row("json", false, "one JSON object")}}};
}

}  // namespace

int run_list(const std::vector<std::string>& arguments) {
  const std::optional<CommandLine> line = parse_command_line(list_command(), arguments);
  if (!line) return 0;
  const std::string word = asks_for_all(line->text("name")) ? "" : line->text("name");
  const std::string text = word.empty() ? overview() : described(word);
  std::fputs(line->flag("json") ? (list_json(word) + "\n").c_str() : text.c_str(), stdout);
  return 0;
}

}  // namespace gallop
