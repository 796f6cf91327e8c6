// A sweep: a search over any number of options of one algorithm on one task.
//
//   title = "PPO on cart-pole"
//   environment = "cartpole"
//   algorithm = "ppo"
//   steps = 20000                  # of each run
//   seeds = 1                      # runs of each setting: 1, 2, ...
//   settings = 200                 # that are tried, rounded up to whole generations
//   search = "random"              # or a black-box optimizer, such as "cma_es"
//   generation = 16                # settings that are tried side by side
//   early_stop = "median"          # or "none"
//   [options]                      # of every run, above its shipped configuration
//   n_envs = 16
//   [search_options]               # of the optimizer
//   sigma = 0.2
//   [sweep]                        # what is searched
//   learning_rate = {low = 1e-4, high = 1e-1, scale = "log"}
//   activation = {values = ["tanh", "relu"]}
//
// docs/studies.md describes every key.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gallop/host/options/toml_document.h>
#include <gallop/host/training/run_options.h>

namespace gallop {

// One option that is searched: an interval, or a list of values.
struct SweepAxis {
  std::string option;
  double low = 0, high = 0;
  bool is_log = false;
  std::vector<TomlEntry> values;  // none for an interval
  std::string origin;             // "file:line"
};

struct OptionSweep {
  std::string title, about;
  std::string environment, algorithm, search = "random";
  std::int64_t steps = 0, seeds = 1, settings = 0, generation = 16, seed = 1;
  bool median_stop = true;
  std::vector<TomlEntry> options, search_options;
  std::vector<SweepAxis> axes;           // in the order of the file
  std::vector<std::string> assignments;  // "key=value" above everything else

  bool is_random() const { return search == "random"; }
};

// Whether a study's text is that of a sweep: it has a table [sweep].
bool is_sweep(std::string_view toml, std::string_view origin);

// Reads a sweep. Throws as parse_study: value errors for malformed text and values that are out of
// range, usage errors for unknown keys; all name `origin` and the line.
OptionSweep parse_sweep(std::string_view toml, std::string_view origin);
// The sweep as TOML that parse_sweep reads back; equal sweeps give equal bytes.
std::string sweep_toml(const OptionSweep& sweep);

// The value of an axis at u in [0, 1], as text for the option `row`: whole numbers are rounded so
// that each has an equal part of an interval.
std::string value_at(const SweepAxis& axis, const OptionSpec& row, double u);
// The inverse for drawing: where on its axis a value stands, in [0, 1].
double place_of(const SweepAxis& axis, const std::string& value);

// The options of a run of the setting at `point` [axes]: of shipped configuration, steps,
// [options], point and assignments the later ones win. Throws what RunOptions throws, and a value
// error for an axis whose values the option cannot have.
RunOptions sweep_options(const OptionSweep& sweep, std::span<const double> point);

}  // namespace gallop
