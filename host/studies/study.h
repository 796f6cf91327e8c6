// A study: a comparison of algorithms, or of values of their options, each run over several seeds.
//
//   title = "Two methods on cart-pole"
//   environment = "cartpole"       # or [[environments]] with a name and options each
//   seeds = 5                      # 1, 2, ... 5
//   steps = 100000                 # of each run
//   [options]                      # of every run, above its shipped configuration
//   n_envs = 64
//   [[variants]]                   # one line in the figure each: a name, an algorithm, options
//   name = "natural"
//   algorithm = "npg"
//   [grid]                         # or all pairs of values of one or two options
//   gamma = [0.9, 0.99]
//
// A variant beside a grid is crossed with those options of the grid that it does not set itself.
// docs/studies.md describes every key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gallop/host/options/toml_document.h>
#include <gallop/host/training/run_options.h>

namespace gallop {

struct StudyEnvironment {
  std::string name;
  std::optional<double> threshold;  // the return that counts as solved
  std::vector<TomlEntry> options;
  std::string origin;  // "file:line"
};

struct StudyVariant {
  std::string name;
  std::string algorithm;
  std::vector<std::string> on;  // environments, all where there are none
  std::vector<TomlEntry> options;
  std::string origin;
};

// One option of the grid with its values.
struct StudyAxis {
  std::string option;
  std::vector<TomlEntry> values;
};

struct Study {
  std::string title, about;
  std::vector<std::string> x_axes = {"steps"};  // of curves: steps, iterations, seconds
  std::string score = "final";  // final, average or evaluation: what is ranked and mapped
  std::int64_t seeds = 1;
  std::int64_t steps = 0;
  std::string algorithm;  // of the grid, and of variants that name none
  std::vector<StudyEnvironment> environments;
  std::vector<TomlEntry> options;
  std::vector<StudyAxis> axes;       // none, one or two
  std::vector<std::string> grid_on;  // environments of the grid, all where there are none
  std::vector<TomlEntry> curves_at;  // which part of a grid is drawn as curves
  std::vector<StudyVariant> variants;
  std::vector<std::int64_t> threads;     // that iterations are timed with, where there are some
  std::vector<std::string> assignments;  // "key=value" above everything else

  bool has_x_axis(std::string_view name) const;
  // Whether the grid is one of this environment.
  bool has_grid(const StudyEnvironment& environment) const;
};

// One place of the comparison: an environment with all its options but the seed.
struct StudyCell {
  std::size_t environment;             // index
  std::optional<std::size_t> variant;  // index; none for the grid itself
  std::vector<int> at;                 // index on each axis, -1 where the variant sets the option
  std::string label;                   // "No VF, gamma=0.9"
  std::string folder;                  // below the study's folder, one more level for each seed
  RunOptions options;
  long parameters = 0;  // of its policy, once its learner has been made (check_cells)
};

// Reads a study. Throws a value error for malformed text and values that are out of range, a usage
// error for unknown keys; all name `origin` and the line.
Study parse_study(std::string_view toml, std::string_view origin);

// The study as TOML that parse_study reads back; equal studies give equal bytes.
std::string study_toml(const Study& study);

// All places, in the order of the file: environments, in each the grid, then the variants. Options
// of all runs, of an environment and of --set count where the algorithm of a run has such an
// option. Throws what RunOptions throws for unknown names, which no run has, and wrong values, with
// the place in the file before it, and a value error where the study has more than kMostStudyRuns
// runs or two places of one name.
constexpr std::int64_t kMostStudyRuns = 100000;
std::vector<StudyCell> study_cells(const Study& study);

// "No VF, gamma=0.9": the variant and the values on the axes where `at` is not -1.
std::string study_label(const Study& study, const StudyCell& cell);

// The value of an option of the grid there, as text; empty where the algorithm has no such option.
std::string cell_value(const StudyCell& cell, const std::string& option);

// The same for another number of steps in every run.
void set_steps(Study& study, std::int64_t steps);

// The studies that ship with the program.
std::vector<std::string> shipped_studies();
// Throws a usage error with the nearest names for an unknown one.
std::string_view shipped_study(std::string_view name);

}  // namespace gallop
