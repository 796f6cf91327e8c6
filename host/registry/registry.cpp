#include "host/registry/registry.h"

#include "host/error.h"
#include "host/options/nearest.h"
#include "host/runtime/processor.h"

namespace gallop {
namespace {

std::vector<std::string> names_of(const char* name, const char* aliases) {
  std::vector<std::string> names = {name};
  std::string_view rest = aliases == nullptr ? "" : aliases;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    if (comma != 0) names.emplace_back(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
  }
  return names;
}

Error unknown(const std::string& kind, std::string_view name,
              const std::vector<std::string>& known) {
  std::string message = "unknown " + kind + " '" + std::string(name) + "'";
  const std::vector<std::string> nearest = nearest_names(name, known);
  for (std::size_t i = 0; i < nearest.size(); i++) {
    message += (i == 0 ? "; nearest: " : ", ") + nearest[i];
  }
  return usage_error(message + ". 'gallop list' names all of them");
}

}  // namespace

std::vector<const EnvironmentEntry*> all_environments() {
  std::vector<const EnvironmentEntry*> all;
  for (int i = 0; i < kNumEnvironmentEntries; i++) all.push_back(&kEnvironmentEntries[i]);
  return all;
}

std::vector<const AlgorithmDescriptor*> all_algorithms() {
  std::vector<const AlgorithmDescriptor*> all;
  for (int i = 0; i < kNumAlgorithmEntries; i++) all.push_back(&kAlgorithmEntries[i].descriptor());
  return all;
}

const EnvironmentSpec& spec_of(const EnvironmentEntry& entry) { return *entry.v3()->spec; }

const EnvironmentEntry& find_environment(std::string_view name) {
  std::vector<std::string> known;
  for (const EnvironmentEntry* entry : all_environments()) {
    for (const std::string& candidate : names_of(spec_of(*entry).name, spec_of(*entry).aliases)) {
      if (candidate == name) return *entry;
      known.push_back(candidate);
    }
  }
  throw unknown("environment", name, known);
}

const AlgorithmDescriptor& find_algorithm(std::string_view name) {
  std::vector<std::string> known;
  for (const AlgorithmDescriptor* descriptor : all_algorithms()) {
    for (const std::string& candidate : names_of(descriptor->name, descriptor->aliases)) {
      if (candidate == name) return *descriptor;
      known.push_back(candidate);
    }
  }
  throw unknown("algorithm", name, known);
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
