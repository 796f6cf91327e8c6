// Studies to and from TOML.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include <gallop/host/error.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/option_value.h>
#include <gallop/host/options/toml_library.h>
#include <gallop/host/studies/study.h>
#include <gallop/host/studies/table_reader.h>

namespace gallop {
namespace {

constexpr std::int64_t kMostSeeds = 1000;
constexpr std::size_t kMostValues = kMostTables;  // of an axis
constexpr double kMostSteps = 1e15;
constexpr double kMostThreads = 1024;

std::vector<StudyEnvironment> read_environments(TableReader& top, std::string_view origin) {
  const std::string single = top.text("environment", "");
  const std::optional<double> threshold = top.number("threshold", -1e300, 1e300);
  std::vector<StudyEnvironment> result;
  for (const toml::table* table : top.tables("environments")) {
    TableReader reader(*table, origin, " of an environment");
    StudyEnvironment e = {
        reader.text("name", ""), reader.number("threshold", -1e300, 1e300), {}, reader.place()};
    if (!e.threshold) e.threshold = threshold;
    e.options = reader.options();
    if (e.name.empty()) throw value_error(e.origin + ": an environment without 'name'");
    result.push_back(std::move(e));
  }
  if (result.empty() == single.empty()) {
    throw value_error(fmt::format("{}: expected either 'environment' or [[environments]], {}",
                                  origin, single.empty() ? "there is neither" : "there are both"));
  }
  if (!single.empty())
    result.push_back({single, threshold, {}, top.place(*top.find("environment"))});
  return result;
}

std::vector<StudyVariant> read_variants(TableReader& top, const std::string& algorithm,
                                        std::string_view origin) {
  std::vector<StudyVariant> result;
  for (const toml::table* table : top.tables("variants")) {
    TableReader reader(*table, origin, " of a variant");
    StudyVariant v = {reader.text("name", ""),
                      reader.text("algorithm", algorithm),
                      reader.texts("on"),
                      {},
                      reader.place()};
    v.options = reader.options();
    if (v.name.empty()) throw value_error(v.origin + ": a variant without 'name'");
    if (v.algorithm.empty()) {
      throw value_error(
          fmt::format("{}: variant '{}' has no 'algorithm', nor has the study", v.origin, v.name));
    }
    result.push_back(std::move(v));
  }
  return result;
}

// A document's tables are sorted by name; the axes are taken in the order of the file.
std::vector<StudyAxis> read_axes(const toml::table& grid, std::string_view origin) {
  std::vector<std::pair<std::pair<unsigned, unsigned>, StudyAxis>> found;
  for (const auto& [key, node] : grid) {
    StudyAxis axis = {std::string(key.str()), {}};
    const std::string place = fmt::format("{}:{}", origin, node.source().begin.line);
    const toml::array* values = node.as_array();
    if (values == nullptr || values->empty() || values->size() > kMostValues) {
      throw value_error(fmt::format(
          "{}: '{}' of the grid is {}, expected an array of 1 to {} values", place, axis.option,
          values == nullptr ? toml_kind(node) : fmt::format("{} values", values->size()),
          kMostValues));
    }
    if (is_own_row(axis.option)) {
      throw value_error(
          fmt::format("{}: '{}' cannot be an option of the grid", place, axis.option));
    }
    for (const toml::node& value : *values) {
      axis.values.push_back(toml_entry(axis.option, value, origin));
      for (std::size_t i = 0; i + 1 < axis.values.size(); i++) {
        if (option_text(axis.values[i].value) != option_text(axis.values.back().value)) continue;
        throw value_error(fmt::format("{}: '{}' of the grid has the value {} twice", place,
                                      axis.option, option_text(axis.values[i].value)));
      }
    }
    found.push_back({{key.source().begin.line, key.source().begin.column}, std::move(axis)});
  }
  if (found.empty() || found.size() > 2) {
    throw value_error(fmt::format("{}:{}: the grid has {} options, expected one or two", origin,
                                  grid.source().begin.line, found.size()));
  }
  if (found.size() == 2 && found[1].first < found[0].first) std::swap(found[0], found[1]);
  std::vector<StudyAxis> axes;
  for (auto& [place, axis] : found) axes.push_back(std::move(axis));
  return axes;
}

std::vector<TomlEntry> read_curves_at(const toml::table& table, const std::vector<StudyAxis>& axes,
                                      std::string_view origin) {
  std::vector<TomlEntry> result;
  for (const auto& [key, node] : table) {
    TomlEntry entry = toml_entry(std::string(key.str()), node, origin);
    bool found = false;
    for (const StudyAxis& axis : axes) {
      if (option_key(axis.option) != option_key(entry.name)) continue;
      for (const TomlEntry& value : axis.values)
        found = found || option_text(value.value) == option_text(entry.value);
    }
    if (!found) {
      throw value_error(fmt::format("{}: 'curves_at' has {} = {}, which is not in the grid",
                                    entry.origin, entry.name, option_text(entry.value)));
    }
    result.push_back(std::move(entry));
  }
  return result;
}

std::vector<std::string> read_x_axes(TableReader& top) {
  const std::vector<std::string> known = {"steps", "iterations", "seconds"};
  const std::vector<std::string> given = top.texts("x_axis");
  for (std::size_t k = 0; k < given.size(); k++) {
    const bool again = std::find(given.begin(), given.begin() + std::ptrdiff_t(k), given[k]) !=
                       given.begin() + std::ptrdiff_t(k);
    if (!again && std::find(known.begin(), known.end(), given[k]) != known.end()) continue;
    throw value_error(fmt::format("{}: 'x_axis' is '{}'{}, expected one of {}{}",
                                  top.place(*top.find("x_axis")), given[k], again ? " twice" : "",
                                  fmt::join(known, ", "), did_you_mean(given[k], known)));
  }
  return given.empty() ? std::vector<std::string>{"steps"} : given;
}

std::string texts_toml(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  for (const std::string& text : texts) quoted.push_back(option_toml(text));
  return fmt::format("[{}]", fmt::join(quoted, ", "));
}

std::vector<std::string> read_assignments(TableReader& top) {
  std::vector<std::string> result;
  const toml::node* node = top.find("set");
  if (node == nullptr) return result;
  if (!node->is_array()) top.refuse(*node, "set", "an array of strings");
  for (const toml::node& element : *node->as_array()) {
    if (!element.is_string()) top.refuse(element, "set", "an array of strings");
    result.push_back(element.as_string()->get());
  }
  return result;
}

// "gamma", or quoted where it has a dot, which would make it a table.
std::string key_text(const std::string& name) {
  return name.find('.') == std::string::npos ? name : option_toml(name);
}

void append_options(std::string& toml, std::span<const TomlEntry> options) {
  for (const TomlEntry& o : options)
    toml += fmt::format("{} = {}\n", key_text(o.name), option_toml(o.value));
}

}  // namespace

Study parse_study(std::string_view toml, std::string_view origin) {
  const toml::table document = parse_toml_document(toml, origin);
  TableReader top(document, origin, "");
  Study study;
  study.title = top.text("title", "");
  study.about = top.text("about", "");
  study.x_axes = read_x_axes(top);
  study.score = top.choice("score", "final", {"final", "average", "evaluation"});
  study.seeds = top.integer("seeds", 1, 1, double(kMostSeeds));
  study.steps = top.integer("steps", 0, 1, kMostSteps);
  if (study.steps == 0) throw value_error(fmt::format("{}: there is no 'steps'", origin));
  study.algorithm = top.text("algorithm", "");
  study.environments = read_environments(top, origin);
  study.variants = read_variants(top, study.algorithm, origin);
  if (const toml::table* options = top.table("options")) {
    study.options = TableReader(*options, origin, " of [options]").options();
  }
  if (const toml::table* grid = top.table("grid")) study.axes = read_axes(*grid, origin);
  if (const toml::table* at = top.table("curves_at")) {
    study.curves_at = read_curves_at(*at, study.axes, origin);
  }
  study.grid_on = top.texts("grid_on");
  if (!study.grid_on.empty() && study.axes.empty()) {
    throw value_error(fmt::format("{}: there is 'grid_on' and no [grid]", origin));
  }
  study.threads = top.integers("threads", 1, kMostThreads);
  study.assignments = read_assignments(top);
  top.refuse_unknown_keys();
  if (study.axes.empty() && study.variants.empty()) {
    throw value_error(
        fmt::format("{}: a study of nothing, expected [[variants]], a [grid] or both", origin));
  }
  if (!study.axes.empty() && study.algorithm.empty()) {
    throw value_error(fmt::format("{}: a [grid] needs the key 'algorithm'", origin));
  }
  return study;
}

std::string study_toml(const Study& study) {
  const auto line = [](const char* key, const OptionValue& value) {
    return fmt::format("{} = {}\n", key, option_toml(value));
  };
  std::string toml = line("title", study.title) + line("about", study.about);
  toml += study.x_axes.size() == 1 ? line("x_axis", study.x_axes[0])
                                   : fmt::format("x_axis = {}\n", texts_toml(study.x_axes));
  toml += line("score", study.score);
  toml += line("seeds", study.seeds) + line("steps", study.steps);
  toml += line("algorithm", study.algorithm);
  toml += fmt::format("set = {}\n", texts_toml(study.assignments));
  if (!study.threads.empty())
    toml += fmt::format("threads = [{}]\n", fmt::join(study.threads, ", "));
  if (!study.grid_on.empty()) toml += fmt::format("grid_on = {}\n", texts_toml(study.grid_on));
  if (!study.options.empty()) toml += "\n[options]\n";
  append_options(toml, study.options);
  if (!study.axes.empty()) toml += "\n[grid]\n";
  for (const StudyAxis& axis : study.axes) {
    std::vector<std::string> values;
    for (const TomlEntry& value : axis.values) values.push_back(option_toml(value.value));
    toml += fmt::format("{} = [{}]\n", key_text(axis.option), fmt::join(values, ", "));
  }
  if (!study.curves_at.empty()) toml += "\n[curves_at]\n";
  append_options(toml, study.curves_at);
  for (const StudyEnvironment& e : study.environments) {
    toml += "\n[[environments]]\n" + line("name", e.name);
    if (e.threshold) toml += line("threshold", *e.threshold);
    append_options(toml, e.options);
  }
  for (const StudyVariant& v : study.variants) {
    toml += "\n[[variants]]\n" + line("name", v.name) + line("algorithm", v.algorithm);
    if (!v.on.empty()) toml += fmt::format("on = {}\n", texts_toml(v.on));
    append_options(toml, v.options);
  }
  return toml;
}

}  // namespace gallop
