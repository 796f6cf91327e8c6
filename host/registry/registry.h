#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/options/option.h"
#include "host/registry/generated.h"
#include "kernels/environment/spec.h"

namespace gallop {

class Algorithm;
struct AlgorithmContext;

// What an algorithm's file declares of itself.
struct AlgorithmDescriptor {
  const char* name;
  const char* aliases;  // separated by commas
  const char* summary;  // one line
  const char* source;   // paper
  std::span<const OptionSpec> options;
  std::unique_ptr<Algorithm> (*create)(const AlgorithmContext&);
};

// Marks an algorithm for the build, which finds these lines and generates the registry. Follow it
// with the definition of `const AlgorithmDescriptor& gallop_algorithm_<Type>()` in the global
// namespace.
#define GALLOP_ALGORITHM(Type)

// All environments: the build's and those that were added.
std::vector<const EnvironmentEntry*> all_environments();
std::vector<const AlgorithmDescriptor*> all_algorithms();

// By name or alias; unknown names throw a usage error with the nearest ones.
const EnvironmentEntry& find_environment(std::string_view name);
const AlgorithmDescriptor& find_algorithm(std::string_view name);

const EnvironmentSpec& spec_of(const EnvironmentEntry& entry);

// The shipped configuration of an algorithm on an environment, empty where there is none.
std::string_view shipped_config(std::string_view algorithm, std::string_view environment);

}  // namespace gallop
