#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/options/option.h"
#include "host/registry/registry.h"

namespace gallop {

class Environments;

// An environment as the options have it.
struct EnvironmentProblem {
  std::vector<double> parameters;  // in the order of the specification
  Sizes sizes;
  std::vector<float> table;  // the shared table, empty where the environment has none
  int time_limit;            // steps, 0 for none
};

// The rows that every run has, beside those of its algorithm and its environment.
std::span<const OptionSpec> run_rows();

// All that decides a run: the environment, the algorithm, the rows of the run, of the algorithm and
// of the environment's parameters ("parameters.gravity"), each with its value.
//
// Values come in layers, later ones winning: the tables' defaults, the shipped configuration of the
// algorithm on the environment, a configuration file, flags and --set.
class RunOptions {
 public:
  // Tables and shipped configuration. Throws a usage error for unknown names.
  RunOptions(std::string_view environment, std::string_view algorithm);

  const EnvironmentEntry& environment() const { return *environment_; }
  const AlgorithmDescriptor& algorithm() const { return *algorithm_; }
  Options& values() { return values_; }
  const Options& values() const { return values_; }

  // A configuration file. Throws a value error where it is for another environment or algorithm.
  void apply_config(std::string_view toml, std::string_view origin);
  // "name=value"; a parameter of the environment may leave its "parameters." out.
  void set_assignment(std::string_view assignment, std::string_view origin);

  std::uint64_t seed() const { return std::uint64_t(values_.integer("seed")); }
  // The mean return of an evaluation that ends the run, where one does.
  std::optional<double> stop_return() const;
  // Parameters, sizes and table; reads the file that describes the problem where one is named.
  // Throws an I/O or value error for that file, a value error for sizes that the built-in table
  // does not have.
  EnvironmentProblem problem() const;
  // Gives them to a batch.
  std::function<void(Environments&)> configure() const;

  // The resolved configuration as TOML; read back by from_toml.
  std::string to_toml() const;
  static RunOptions from_toml(const std::string& toml, const std::string& origin);
  // The same without what may differ between a run and its continuation (device and threads), but
  // with what a file that describes the problem says now.
  std::string fingerprint() const;
  // Throws a value error that lists every difference but device and threads.
  void refuse_difference(const RunOptions& asked) const;

 private:
  const EnvironmentEntry* environment_;
  const AlgorithmDescriptor* algorithm_;
  // Names and defaults of the parameters' rows, which Options refers to.
  std::shared_ptr<std::vector<std::string>> texts_;
  Options values_;
};

}  // namespace gallop
