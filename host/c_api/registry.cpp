// Names and specifications.
#include <map>
#include <mutex>
#include <vector>

#include <gallop/host/c_api/handles.h>
#include <gallop/host/files/mdp_file.h>
#include <gallop/host/registry/plugin.h>
#include <gallop/host/registry/registry.h>

namespace gallop::c_api {
namespace {

// A specification with the arrays that it points to.
struct Specification {
  gallop_spec spec;
  std::vector<gallop_component> observation, action;
  std::vector<gallop_parameter> parameters;
};

std::vector<gallop_component> components(const ComponentSpec* of, int n) {
  std::vector<gallop_component> all;
  for (int k = 0; of != nullptr && k < n; k++) all.push_back({of[k].name, of[k].low, of[k].high});
  return all;
}

Specification specification_of(const EnvironmentSpec& from) {
  Specification made;
  made.observation = components(from.observation, from.observation_capacity);
  made.action = components(from.action, from.action_capacity);
  std::vector<double> defaults;
  for (int k = 0; k < from.n_parameters; k++) {
    const ParameterSpec& p = from.parameters[k];
    made.parameters.push_back({p.name, p.value, p.low, p.high, p.unit, p.help, p.whole ? 1 : 0, 0});
    defaults.push_back(p.value);
  }
  const Sizes sizes = from.sizes != nullptr
                          ? from.sizes(defaults.data())
                          : Sizes{from.observation_capacity, from.action_capacity};
  gallop_spec& spec = made.spec;
  spec = {};
  spec.size = sizeof spec;
  spec.time_limit = from.time_limit;
  spec.name = from.name;
  spec.aliases = from.aliases == nullptr ? "" : from.aliases;
  spec.source = from.source;
  spec.reward_threshold = from.reward_threshold;
  spec.time_step = from.time_step_parameter >= 0 ? defaults[std::size_t(from.time_step_parameter)]
                                                 : from.time_step;
  spec.observation_kind =
      from.observation_kind == SpaceKind::kDiscrete ? GALLOP_DISCRETE : GALLOP_BOX;
  spec.action_kind = from.action_kind == SpaceKind::kDiscrete ? GALLOP_DISCRETE : GALLOP_BOX;
  spec.observation_size = sizes.observation;
  spec.action_size = sizes.action;
  spec.observation_capacity = from.observation_capacity;
  spec.action_capacity = from.action_capacity;
  spec.n_state = from.n_state;
  spec.n_terms = from.n_terms;
  spec.n_parameters = from.n_parameters;
  spec.table_capacity = from.table_capacity;
  spec.state_names = from.state_names;
  spec.term_names = from.term_names;
  return made;
}

// Made where it is asked for, and kept.
const gallop_spec& specification(const EnvironmentEntry& entry) {
  static std::mutex mutex;
  static std::map<const EnvironmentEntry*, Specification> all;
  const std::lock_guard lock(mutex);
  if (all.find(&entry) == all.end()) {
    Specification& kept = all.emplace(&entry, specification_of(spec_of(entry))).first->second;
    const auto data = [](const auto& array) { return array.empty() ? nullptr : array.data(); };
    kept.spec.observation = data(kept.observation);
    kept.spec.action = data(kept.action);
    kept.spec.parameters = data(kept.parameters);
  }
  return all.at(&entry).spec;
}

}  // namespace
}  // namespace gallop::c_api

using namespace gallop;
using namespace gallop::c_api;

extern "C" {

const char* gallop_environment_name(size_t i) {
  try {
    const std::vector<const EnvironmentEntry*> all = all_environments();
    return i < all.size() ? spec_of(*all[i]).name : nullptr;
  } catch (...) {
    return nullptr;
  }
}

const char* gallop_algorithm_name(size_t i) {
  try {
    const std::vector<const AlgorithmDescriptor*> all = all_algorithms();
    return i < all.size() ? all[i]->name : nullptr;
  } catch (...) {
    return nullptr;
  }
}

int gallop_environment_spec(const char* name, const gallop_spec** spec) {
  return guard([&] {
    require_pointer(spec, "spec, where the address goes,");
    *spec = &specification(find_environment(text_of(name, "the environment's name")));
  });
}

int gallop_read_mdp(const char* text, gallop_mdp* mdp, float* table, size_t n) {
  return guard([&] {
    require_pointer(mdp, "mdp");
    require_pointer(table, "table");
    require_size(mdp->size, "gallop_mdp");
    const MdpFile read = parse_mdp(text_of(text, "the description"), "the description");
    require_count(n, read.table.size(), "the table");
    gallop_mdp found = {};
    found.n_states = read.n_states;
    found.n_actions = read.n_actions;
    found.horizon = read.horizon;
    give(mdp, found, "gallop_mdp");
    std::copy(read.table.begin(), read.table.end(), table);
  });
}

int gallop_load_plugin(const char* path) {
  return guard([&] { load_plugin(text_of(path, "the plugin's path")); });
}

}  // extern "C"
