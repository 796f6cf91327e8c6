// The compiled tables of every registered environment, for each instruction set this processor has.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include <gallop/host/runtime/processor.h>
#include <gallop/kernels/environment/environment_table.h>

namespace gallop::testing {

struct CompiledEnvironment {
  std::string isa;
  const EnvironmentTable* table;
  const TransitionTable* transitions;  // one for all instruction sets
  const EnvironmentSpec& spec() const { return *table->spec; }
  std::string label() const { return std::string(table->spec->name) + " (" + isa + ")"; }
};

// Written by the build from the markers in sims/: one instance at a time, no vector instructions.
extern const EnvironmentTable* (*const kScalarEnvironments[])();
extern const int kNumScalarEnvironments;

inline std::vector<CompiledEnvironment> scalar_environments() {
  std::vector<CompiledEnvironment> found;
  for (int i = 0; i < kNumScalarEnvironments; i++) {
    found.push_back({"scalar", kScalarEnvironments[i](), kEnvironmentEntries[i].transitions()});
  }
  return found;
}

inline std::vector<CompiledEnvironment> all_environments() {
  std::vector<CompiledEnvironment> found;
  for (int i = 0; i < kNumEnvironmentEntries; i++) {
    for (int k = 0; k < kNumIsas; k++) {
      const auto compiled = kEnvironmentEntries[i].compiled[k];
      if (compiled != nullptr && processor_has(Isa(k)))
        found.push_back({isa_name(Isa(k)), compiled(), kEnvironmentEntries[i].transitions()});
    }
  }
  return found;
}

// The tables of one environment, that of the scalar build last; the caller expects some.
inline std::vector<CompiledEnvironment> environments_named(const std::string& name) {
  std::vector<CompiledEnvironment> found;
  for (const CompiledEnvironment& e : all_environments()) {
    if (name == e.spec().name) found.push_back(e);
  }
  for (const CompiledEnvironment& e : scalar_environments()) {
    if (name == e.spec().name) found.push_back(e);
  }
  return found;
}

inline std::vector<double> default_parameters(const EnvironmentSpec& spec) {
  std::vector<double> values;
  for (int k = 0; k < spec.n_parameters; k++) values.push_back(spec.parameters[k].value);
  return values;
}

inline int parameter_index(const EnvironmentSpec& spec, const std::string& name) {
  for (int k = 0; k < spec.n_parameters; k++) {
    if (name == spec.parameters[k].name) return k;
  }
  return -1;
}

// Sizes that the parameters choose, and the built-in table.
struct SharedData {
  std::vector<float> table;
  Shared shared;

  SharedData(const EnvironmentSpec& spec, const std::vector<double>& parameters)
      : table(spec.table_capacity) {
    if (spec.default_table != nullptr) spec.default_table(table.data());
    shared.sizes = spec.sizes != nullptr ? spec.sizes(parameters.data())
                                         : Sizes{spec.observation_capacity, spec.action_capacity};
    shared.table = table.empty() ? nullptr : table.data();
  }
};

}  // namespace gallop::testing
