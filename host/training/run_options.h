#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gallop/host/options/option.h>
#include <gallop/host/registry/registry.h>
#include <gallop/host/runtime/parameter_ranges.h>

namespace gallop {

class Environments;
class RunFolder;

// An environment as the options have it.
struct EnvironmentProblem {
  std::vector<double> parameters;  // in the order of the specification
  Sizes sizes;
  std::vector<float> table;  // the shared table, empty where the environment has none
  int time_limit;            // steps, 0 for none
  // Of the parameters that episodes draw, by their place in the specification.
  std::vector<std::pair<int, DrawnRange>> ranges;
};

// What a run learns with unless it says otherwise.
constexpr const char* kDefaultAlgorithm = "ppo";

// The rows that every run has, beside those of its algorithm and its environment.
std::span<const OptionSpec> run_rows();

// All that decides a run: the environment, the algorithm, the rows of the run, of the algorithm and
// of the environment's parameters ("parameters.gravity"), each with its value.
//
// Values come in layers, later ones winning: the tables' defaults, the shipped configuration of the
// algorithm on the environment, a configuration file, flags and --set.
class RunOptions {
 public:
  // Tables and shipped configuration. Both outlive the options.
  RunOptions(const EnvironmentEntry& environment, const AlgorithmDescriptor& algorithm);
  // Those of these names. Throws a usage error for unknown ones.
  RunOptions(std::string_view environment, std::string_view algorithm);

  const EnvironmentEntry& environment() const { return *environment_; }
  const AlgorithmDescriptor& algorithm() const { return *algorithm_; }
  Options& values() { return values_; }
  const Options& values() const { return values_; }

  // The rows of the environment's parameters.
  std::vector<OptionSpec> parameter_rows() const;

  // A configuration file, one option by its name, and "name=value". A parameter of the environment
  // may leave its "parameters." out. Of a parameter's value and its range (randomize) the later one
  // holds; a value error where `set` gives both, or a file does with a value that is not the
  // default. `environment` and `algorithm` may be given again by any of
  // their names; a value error where they name another one.
  void apply_config(std::string_view toml, std::string_view origin);
  void set(std::string_view name, std::string_view text, std::string_view origin);
  void set_assignment(std::string_view assignment, std::string_view origin);

  std::uint64_t seed() const { return std::uint64_t(values_.integer("seed")); }
  // The mean return of an evaluation that ends the run, where one does.
  std::optional<double> stop_return() const;
  // Whether instances that meet a number that is not finite are reset, not the run's end.
  bool resets_nonfinite() const { return values_.text("nonfinite") == "reset"; }
  // Parameters, sizes and table; reads the file that describes the problem where one is named.
  // Throws an I/O or value error for that file, a value error for sizes that the built-in table
  // does not have, for a lower bound above its upper one and for a range that cannot be one, a
  // usage error for a range of an unknown parameter.
  EnvironmentProblem problem() const;
  // The text of that file, empty where none is named.
  std::optional<std::string> problem_text() const;
  // Takes the text in place of the file from now on.
  void set_problem_text(std::string text);
  // Gives them to a batch.
  std::function<void(Environments&)> configure() const;

  // The resolved configuration as TOML; read back by from_toml.
  std::string to_toml() const;
  static RunOptions from_toml(const std::string& toml, const std::string& origin);
  // The same for a file that need not say everything: what is named here has to be what the file
  // is for; the algorithm is `ppo` where neither names one. Throws a usage error where neither
  // names an environment.
  static RunOptions from_config(const std::string& toml, const std::string& origin,
                                const std::string& environment, const std::string& algorithm);
  // Those of the run in a folder. Its problem is described by the copy that it keeps: the file that
  // its configuration names is not opened.
  static RunOptions from_folder(const RunFolder& folder);
  // The same for options that were found elsewhere, such as in a checkpoint at `place`.
  void set_stored(std::string place, std::optional<std::string> problem_text);
  // The same without what may differ between a run and its continuation (device, threads, time
  // limit, what is logged and kept), but with what a file that describes the problem says now.
  std::string fingerprint() const;
  // Where such a text, of the checkpoint that it stands in, does not say what this one would: a
  // line each, "" for nowhere. Rows that it lacks count as their defaults: a program that had no
  // such option did that. Fewer steps are no difference: the run was extended since. `mine` says
  // whose options these are.
  std::string difference_from(const std::string& fingerprint, const std::string& mine) const;
  // Throws a value error that lists every difference but those in rows that change no bit (device,
  // threads, time_limit, log_interval, keep), and more steps where the run may be extended.
  void refuse_difference(const RunOptions& asked, bool may_extend = false) const;
  // Whether those have more steps.
  bool is_extended_by(const RunOptions& asked) const;

 private:
  static constexpr const char* kPrefix = "parameters.";
  static constexpr std::string_view kProblemFile = "parameters.file";
  static constexpr const char* kRanges = "randomize";

  void accept(Options changed, std::string_view origin);
  // Takes the range of a parameter away where its value is newer, and the other way round. Returns
  // what of both is new: "parameters.length", "randomize.length".
  std::vector<std::string> settle(Options& changed, bool by_file) const;
  // Throws where `given` is not what the row "environment" or "algorithm" names.
  void require_name(std::string_view row, std::string_view given, std::string_view origin) const;

  std::vector<std::string> given_;  // by `set`: "parameters.length", "randomize.length"
  const EnvironmentEntry* environment_;
  const AlgorithmDescriptor* algorithm_;
  // Names and defaults of the parameters' rows, which Options refers to.
  std::shared_ptr<std::vector<std::string>> texts_;
  Options values_;
  std::shared_ptr<const std::string> problem_text_;  // null where it stands in the file
  // Where options came from that may not have a file opened; empty for those that a user gave.
  std::string stored_in_;
};

// The names and values in a fingerprint, in their order.
std::vector<std::pair<std::string, std::string>> fingerprint_rows(std::string_view fingerprint);

}  // namespace gallop
