#include <gallop/host/registry/registry.h>

#include <algorithm>
#include <mutex>

#include <gallop/host/error.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/options/split.h>
#include <gallop/host/options/utf8.h>

namespace gallop {
namespace {

std::vector<std::string> names_of(const char* name, const char* aliases) {
  std::vector<std::string> names = {name};
  for (std::string& alias : split_list(aliases == nullptr ? "" : aliases)) {
    names.push_back(std::move(alias));
  }
  return names;
}

bool is_called(const char* name, const char* aliases, std::string_view wanted) {
  const std::vector<std::string> names = names_of(name, aliases);
  return std::any_of(names.begin(), names.end(), [&](const std::string& candidate) {
    return folded_name(candidate) == folded_name(wanted);
  });
}

// Environments of plugins. The build's own are constants.
struct AddedEnvironments {
  std::mutex mutex;  // of the list; held by add_environment() from its look to its addition
  std::vector<const EnvironmentEntry*> list;
};
AddedEnvironments& added_environments() {
  static AddedEnvironments added;
  return added;
}

std::vector<const EnvironmentEntry*> environments_with(
    const std::vector<const EnvironmentEntry*>& added) {
  std::vector<const EnvironmentEntry*> all;
  for (int i = 0; i < kNumEnvironmentEntries; i++) all.push_back(&kEnvironmentEntries[i]);
  all.insert(all.end(), added.begin(), added.end());
  return all;
}

const EnvironmentEntry* called(const std::vector<const EnvironmentEntry*>& entries,
                               std::string_view name) {
  for (const EnvironmentEntry* entry : entries) {
    if (is_called(spec_of(*entry).name, spec_of(*entry).aliases, name)) return entry;
  }
  return nullptr;
}

Error unknown(const std::string& kind, std::string_view name, const std::vector<std::string>& known,
              const std::string& other) {
  std::string message = "unknown " + kind + " " + in_quotes(name) + other;
  const std::vector<std::string> nearest = nearest_names(name, known);
  for (std::size_t i = 0; i < nearest.size() && other.empty(); i++) {
    message += (i == 0 ? "; nearest: " : ", ") + nearest[i];
  }
  if (kind == "environment" && other.empty()) {
    message += "; one of your own is loaded by --plugin FILE";
  }
  return usage_error(message + ". 'gallop list' names all of them");
}

// Names and aliases of all of them.
template <class Descriptor>
std::vector<std::string> all_names_of(const std::vector<const Descriptor*>& descriptors) {
  std::vector<std::string> known;
  for (const Descriptor* descriptor : descriptors) {
    for (std::string& n : names_of(descriptor->name, descriptor->aliases)) {
      known.push_back(std::move(n));
    }
  }
  return known;
}

}  // namespace

std::vector<const EnvironmentEntry*> all_environments() {
  AddedEnvironments& added = added_environments();
  const std::lock_guard lock(added.mutex);
  return environments_with(added.list);
}

void add_environment(const EnvironmentEntry& entry) {
  const EnvironmentSpec& spec = spec_of(entry);
  AddedEnvironments& added = added_environments();
  const std::lock_guard lock(added.mutex);
  const std::vector<const EnvironmentEntry*> all = environments_with(added.list);
  for (const std::string& name : names_of(spec.name, spec.aliases)) {
    const EnvironmentEntry* const other = called(all, name);
    if (other == &entry) return;
    if (other != nullptr) {
      throw usage_error("the name '" + name + "' of environment " + spec.name + " is taken by " +
                        spec_of(*other).name);
    }
  }
  added.list.push_back(&entry);
}

std::vector<const AlgorithmDescriptor*> all_algorithms() {
  std::vector<const AlgorithmDescriptor*> all;
  for (int i = 0; i < kNumAlgorithmEntries; i++) all.push_back(&kAlgorithmEntries[i].descriptor());
  return all;
}

std::vector<const OptimizerDescriptor*> all_optimizers() {
  std::vector<const OptimizerDescriptor*> all;
  for (int i = 0; i < kNumOptimizerEntries; i++) all.push_back(&kOptimizerEntries[i].descriptor());
  return all;
}

std::vector<std::string> unbuilt_environments() {
  std::vector<std::string> names;
  for (int i = 0; i < kNumUnbuiltEnvironments; i++) {
    names.emplace_back(kUnbuiltEnvironments[i].name);
  }
  return names;
}

const EnvironmentEntry* environment_called(std::string_view name) {
  return called(all_environments(), name);
}

bool is_called(const EnvironmentEntry& entry, std::string_view name) {
  return is_called(spec_of(entry).name, spec_of(entry).aliases, name);
}

const AlgorithmDescriptor* algorithm_called(std::string_view name) {
  for (const AlgorithmDescriptor* descriptor : all_algorithms()) {
    if (is_called(descriptor->name, descriptor->aliases, name)) return descriptor;
  }
  return nullptr;
}

const OptimizerDescriptor* optimizer_called(std::string_view name) {
  for (const OptimizerDescriptor* descriptor : all_optimizers()) {
    if (is_called(descriptor->name, descriptor->aliases, name)) return descriptor;
  }
  return nullptr;
}

const EnvironmentEntry& find_environment(std::string_view name) {
  if (const EnvironmentEntry* entry = environment_called(name)) return *entry;
  std::vector<std::string> known;
  for (int i = 0; i < kNumUnbuiltEnvironments; i++) {
    const UnbuiltEnvironment& unbuilt = kUnbuiltEnvironments[i];
    if (is_called(unbuilt.name, unbuilt.aliases, name)) {
      throw usage_error("the environment '" + std::string(unbuilt.name) +
                        "' was left out of this build (GALLOP_SIMS). './gallop train " +
                        unbuilt.name + "' in the source tree compiles it");
    }
    known.emplace_back(unbuilt.name);
  }
  for (const EnvironmentEntry* entry : all_environments()) {
    for (std::string& n : names_of(spec_of(*entry).name, spec_of(*entry).aliases)) {
      known.push_back(std::move(n));
    }
  }
  const AlgorithmDescriptor* algorithm = algorithm_called(name);
  throw unknown("environment", name, known,
                algorithm == nullptr
                    ? ""
                    : "; it is an algorithm: --algorithm " + std::string(algorithm->name));
}

const AlgorithmDescriptor& find_algorithm(std::string_view name) {
  if (const AlgorithmDescriptor* descriptor = algorithm_called(name)) return *descriptor;
  throw unknown("algorithm", name, all_names_of(all_algorithms()),
                environment_called(name) == nullptr ? "" : "; it is an environment");
}

const OptimizerDescriptor& find_optimizer(std::string_view name) {
  if (const OptimizerDescriptor* descriptor = optimizer_called(name)) return *descriptor;
  throw unknown("black-box algorithm", name, all_names_of(all_optimizers()),
                algorithm_called(name) == nullptr
                    ? ""
                    : "; it learns from the steps of an environment: gallop train");
}

std::string_view shipped_config(std::string_view algorithm, std::string_view environment) {
  for (int i = 0; i < kNumConfigEntries; i++) {
    if (algorithm == kConfigEntries[i].algorithm && environment == kConfigEntries[i].environment) {
      return kConfigEntries[i].text;
    }
  }
  return "";
}

}  // namespace gallop
