#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gallop/host/options/option.h>
#include <gallop/host/registry/generated.h>
#include <gallop/kernels/environment/spec.h>

namespace gallop {

class Algorithm;
class BlackBoxOptimizer;
struct AlgorithmContext;
struct OptimizerContext;

// What an algorithm's file declares of itself.
struct AlgorithmDescriptor {
  const char* name;
  const char* aliases;  // separated by commas
  const char* summary;  // one line
  const char* source;   // paper
  std::span<const OptionSpec> options;
  std::unique_ptr<Algorithm> (*create)(const AlgorithmContext&);
  // Why its defaults cannot learn this environment, null where they can; null for one of all.
  const char* (*refusal)(const EnvironmentSpec&) = nullptr;
};

// Marks an algorithm for the build, which finds these lines and generates the registry. Follow it
// with the definition of `const AlgorithmDescriptor& gallop_algorithm_<Type>()` in the global
// namespace.
#define GALLOP_ALGORITHM(Type)

// What the file of a black-box optimizer declares of itself (host/learning/black_box.h).
struct OptimizerDescriptor {
  const char* name;
  const char* aliases;  // separated by commas
  const char* summary;  // one line
  const char* source;   // paper
  std::span<const OptionSpec> options;
  std::unique_ptr<BlackBoxOptimizer> (*create)(const OptimizerContext&);
  // Whether it says by itself if observations are normalised (BlackBoxOptimizer::normalizes).
  bool sets_normalization = false;
  // Throws a value error where a search in D dimensions is beyond it; null where none is.
  void (*require_dimension)(long dimension) = nullptr;
};

// Marks one of algorithms/black_box/ for the build. Follow it with the definition of
// `const OptimizerDescriptor& gallop_optimizer_<Type>()` in the global namespace.
#define GALLOP_OPTIMIZER(Type)

// Adds an environment that the build does not have, for whoever looks it up by its name; `entry` is
// not copied. Throws a usage error where a name of it is taken. From any thread, as the look-ups.
void add_environment(const EnvironmentEntry& entry);

// All environments: the build's and those that were added.
std::vector<const EnvironmentEntry*> all_environments();
std::vector<const AlgorithmDescriptor*> all_algorithms();
std::vector<const OptimizerDescriptor*> all_optimizers();
// The names of those that the build left out (GALLOP_SIMS).
std::vector<std::string> unbuilt_environments();

// By name or alias, capitals and hyphens aside; null where there is none.
const EnvironmentEntry* environment_called(std::string_view name);
const AlgorithmDescriptor* algorithm_called(std::string_view name);
const OptimizerDescriptor* optimizer_called(std::string_view name);

// By name or alias, capitals and hyphens aside; unknown names throw a usage error with the nearest
// ones.
const EnvironmentEntry& find_environment(std::string_view name);
const AlgorithmDescriptor& find_algorithm(std::string_view name);
const OptimizerDescriptor& find_optimizer(std::string_view name);

// Whether that is a name or an alias of the environment, capitals and hyphens aside.
bool is_called(const EnvironmentEntry& entry, std::string_view name);

const EnvironmentSpec& spec_of(const EnvironmentEntry& entry);

// The shipped configuration of an algorithm on an environment, empty where there is none.
std::string_view shipped_config(std::string_view algorithm, std::string_view environment);

}  // namespace gallop
