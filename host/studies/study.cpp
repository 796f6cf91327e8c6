#include <gallop/host/studies/study.h>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include <gallop/host/error.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/option_value.h>
#include <gallop/host/options/utf8.h>
#include <gallop/host/registry/generated.h>
#include <gallop/host/studies/measured_study.h>
#include <gallop/host/studies/table_reader.h>

namespace gallop {
namespace {

// Runs `make` so that what it throws begins with the place in the file.
template <class Make>
auto placed(const std::string& origin, const Make& make) {
  try {
    return make();
  } catch (const Error& error) {
    throw Error(error.code(), origin + ": " + error.what());
  }
}

// Only what every file system and shell takes as it is.
std::string folder_name(const std::string& label) {
  std::string name;
  for (const char c : label) {
    const bool kept =
        std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '=' || c == '_' || c == '-';
    if (kept)
      name += char(std::tolower(static_cast<unsigned char>(c)));
    else if (!name.empty() && name.back() != '-')
      name += '-';
  }
  while (!name.empty() && name.back() == '-') name.pop_back();
  if (name.find_first_not_of(".-") == std::string::npos) name = "variant" + name;
  return name;
}

bool is_on(const std::vector<std::string>& environments, const std::string& name) {
  return environments.empty() ||
         std::find(environments.begin(), environments.end(), name) != environments.end();
}

bool sets(const std::vector<TomlEntry>& options, const std::string& name) {
  return std::any_of(options.begin(), options.end(),
                     [&](const TomlEntry& o) { return option_key(o.name) == option_key(name); });
}

// Every combination of indices on the axes; -1 on those that are not `open`.
std::vector<std::vector<int>> combinations(const std::vector<StudyAxis>& axes,
                                           const std::vector<bool>& open) {
  std::vector<std::vector<int>> all = {{}};
  for (std::size_t a = 0; a < axes.size(); a++) {
    std::vector<std::vector<int>> longer;
    for (const std::vector<int>& begun : all) {
      for (int i = 0; i < (open[a] ? int(axes[a].values.size()) : 1); i++) {
        longer.push_back(begun);
        longer.back().push_back(open[a] ? i : -1);
      }
    }
    all = std::move(longer);
  }
  return all;
}

RunOptions options_of(const Study& study, const StudyEnvironment& environment,
                      const StudyVariant* variant, const std::vector<int>& at) {
  const std::string& algorithm = variant != nullptr ? variant->algorithm : study.algorithm;
  const std::string& origin = variant != nullptr ? variant->origin : environment.origin;
  RunOptions options = placed(origin, [&] { return RunOptions(environment.name, algorithm); });
  options.values().set("steps", std::to_string(study.steps), "steps");
  const auto apply = [&](const TomlEntry& o) {
    if (options.values().resolved(o.name)) options.values().apply_entry(o);
  };
  for (const TomlEntry& o : study.options) apply(o);
  for (const TomlEntry& o : environment.options) apply(o);
  for (std::size_t a = 0; a < at.size(); a++) {
    if (at[a] >= 0) options.values().apply_entry(study.axes[a].values[std::size_t(at[a])]);
  }
  if (variant != nullptr) {
    for (const TomlEntry& o : variant->options) options.values().apply_entry(o);
  }
  for (const std::string& assignment : study.assignments) {
    const Assignment given = split_assignment(assignment, "--set");
    if (is_own_row(given.name)) {
      throw value_error(fmt::format(
          "{} (--set) is not an option of a run of a study; environments, algorithms and seeds "
          "stand in its file, --seeds, --device and --threads are flags",
          in_quotes(given.name)));
    }
    if (options.values().resolved(given.name)) options.set(given.name, given.text, "--set");
  }
  return options;
}

// What was meant for all runs has to be an option of one at least: the first run says what it makes
// of one that is not.
void refuse_unknown_options(const Study& study, const std::vector<StudyCell>& cells) {
  const auto is_known = [&](std::string_view name, std::optional<std::size_t> environment) {
    return std::any_of(cells.begin(), cells.end(), [&](const StudyCell& cell) {
      return (!environment || cell.environment == *environment) &&
             cell.options.values().resolved(name).has_value();
    });
  };
  for (const TomlEntry& o : study.options) {
    if (!is_known(o.name, std::nullopt)) Options(cells.at(0).options.values()).apply_entry(o);
  }
  for (std::size_t e = 0; e < study.environments.size(); e++) {
    for (const TomlEntry& o : study.environments[e].options) {
      if (is_known(o.name, e)) continue;
      for (const StudyCell& cell : cells) {
        if (cell.environment == e) Options(cell.options.values()).apply_entry(o);
      }
    }
  }
  for (const std::string& assignment : study.assignments) {
    const Assignment given = split_assignment(assignment, "--set");
    if (is_known(given.name, std::nullopt)) continue;
    RunOptions(cells.at(0).options).set(given.name, given.text, "--set");
  }
}

// Names of environments that are not among those of the study.
void refuse_unknown_environments(const Study& study, const std::vector<std::string>& named,
                                 const std::string& where) {
  std::vector<std::string> known;
  for (const StudyEnvironment& e : study.environments) known.push_back(e.name);
  for (const std::string& name : named) {
    if (is_on(known, name)) continue;
    throw value_error(
        fmt::format("{} names the environment '{}'{}, which is not one of the study: "
                    "{}",
                    where, name, did_you_mean(name, known), fmt::join(known, ", ")));
  }
}

std::string label_of(const Study& study, const StudyVariant* variant, const std::vector<int>& at) {
  std::string label = variant != nullptr ? variant->name : "";
  for (std::size_t a = 0; a < at.size(); a++) {
    if (at[a] < 0) continue;
    const TomlEntry& value = study.axes[a].values[std::size_t(at[a])];
    label +=
        fmt::format("{}{}={}", label.empty() ? "" : ", ", value.name, option_text(value.value));
  }
  return label;
}

void add_cells(std::vector<StudyCell>& cells, const Study& study, std::size_t environment,
               std::optional<std::size_t> variant) {
  const StudyVariant* v = variant ? &study.variants[*variant] : nullptr;
  const bool has_grid = study.has_grid(study.environments[environment]);
  std::vector<bool> open;
  for (const StudyAxis& axis : study.axes)
    open.push_back(v == nullptr || (has_grid && !sets(v->options, axis.option)));
  for (const std::vector<int>& at : combinations(study.axes, open)) {
    const std::string label = label_of(study, v, at);
    StudyCell cell = {environment,
                      variant,
                      at,
                      label,
                      folder_name(label),
                      options_of(study, study.environments[environment], v, at)};
    const std::string name = spec_of(cell.options.environment()).name;
    cell.folder = fmt::format("runs/{}/{}", name, cell.folder);
    for (const StudyCell& other : cells) {
      if (other.folder != cell.folder) continue;
      throw value_error(fmt::format(
          "{}: '{}' and '{}' on {} have the folder {} both; give one of them another name",
          v != nullptr ? v->origin : study.environments[environment].origin, other.label, label,
          name, cell.folder));
    }
    cells.push_back(std::move(cell));
  }
}

// Counted before anything is made: a grid of a hundred million places fits on three lines.
void refuse_too_many(const Study& study) {
  std::int64_t places = 0;
  for (const StudyEnvironment& e : study.environments) {
    const bool has_grid = study.has_grid(e);
    std::int64_t grid = has_grid ? 1 : 0;
    for (const StudyAxis& axis : study.axes) grid *= std::int64_t(axis.values.size());
    places += grid;
    for (const StudyVariant& v : study.variants) {
      std::int64_t crossed = is_on(v.on, e.name) ? 1 : 0;
      for (const StudyAxis& axis : study.axes) {
        if (has_grid && !sets(v.options, axis.option)) crossed *= std::int64_t(axis.values.size());
      }
      places += crossed;
    }
  }
  const std::int64_t runs = places * study.seeds;
  if (runs > kMostStudyRuns) {
    throw value_error(fmt::format(
        "the study has {} runs ({} settings on {} environments x {} seeds), expected at most {}",
        runs, places, study.environments.size(), study.seeds, kMostStudyRuns));
  }
}

}  // namespace

bool Study::has_x_axis(std::string_view name) const {
  return std::find(x_axes.begin(), x_axes.end(), name) != x_axes.end();
}

bool Study::has_grid(const StudyEnvironment& environment) const {
  return !axes.empty() && is_on(grid_on, environment.name);
}

std::vector<StudyCell> study_cells(const Study& study) {
  refuse_unknown_environments(study, study.grid_on, "'grid_on'");
  for (const StudyVariant& v : study.variants) {
    refuse_unknown_environments(study, v.on, fmt::format("{}: variant '{}'", v.origin, v.name));
  }
  refuse_too_many(study);
  std::vector<StudyCell> cells;
  for (std::size_t e = 0; e < study.environments.size(); e++) {
    const StudyEnvironment& environment = study.environments[e];
    const std::size_t before = cells.size();
    if (study.has_grid(environment)) add_cells(cells, study, e, std::nullopt);
    for (std::size_t v = 0; v < study.variants.size(); v++) {
      if (is_on(study.variants[v].on, environment.name)) add_cells(cells, study, e, v);
    }
    if (cells.size() == before) {
      throw value_error(fmt::format("{}: neither the grid nor a variant is on the environment '{}'",
                                    environment.origin, environment.name));
    }
  }
  refuse_unknown_options(study, cells);
  return cells;
}

std::string study_label(const Study& study, const StudyCell& cell) {
  return label_of(study, cell.variant ? &study.variants[*cell.variant] : nullptr, cell.at);
}

std::string cell_value(const StudyCell& cell, const std::string& option) {
  const Options& values = cell.options.values();
  const std::optional<std::string> name = values.resolved(option);
  return name ? values.value_text(*name) : "";
}

void set_steps(Study& study, std::int64_t steps) {
  study.steps = steps;
  const auto is_steps = [](const TomlEntry& o) { return option_key(o.name) == "steps"; };
  std::erase_if(study.options, is_steps);
  for (StudyEnvironment& e : study.environments) std::erase_if(e.options, is_steps);
  for (StudyVariant& v : study.variants) std::erase_if(v.options, is_steps);
}

std::vector<std::string> shipped_studies() {
  std::vector<std::string> names;
  for (int i = 0; i < kNumStudyEntries; i++) names.emplace_back(kStudyEntries[i].name);
  return names;
}

std::string_view shipped_study(std::string_view name) {
  for (int i = 0; i < kNumStudyEntries; i++) {
    if (name == kStudyEntries[i].name) return kStudyEntries[i].text;
  }
  const std::vector<std::string> names = study_names();
  throw usage_error(
      fmt::format("unknown study '{}'{}. There are: {}; a path to a file of your own "
                  "ends with .toml",
                  name.substr(0, 80), did_you_mean(name, names), fmt::join(names, ", ")));
}

}  // namespace gallop
