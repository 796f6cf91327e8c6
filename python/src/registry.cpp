// What the library holds: names and specifications as plain Python values.
#include "python/src/core.h"

namespace gallop::python {
namespace {

nb::list names(const char* (*name)(std::size_t)) {
  nb::list all;
  for (std::size_t i = 0; name(i) != nullptr; i++) all.append(nb::str(name(i)));
  return all;
}

nb::list components(const gallop_component* of, int n) {
  nb::list all;
  for (int k = 0; of != nullptr && k < n; k++) {
    all.append(nb::make_tuple(nb::str(of[k].name), of[k].low, of[k].high));
  }
  return all;
}

nb::list texts(const char* const* of, int n) {
  nb::list all;
  for (int k = 0; k < n; k++) all.append(nb::str(of[k]));
  return all;
}

nb::list parameters(const gallop_spec& spec) {
  nb::list all;
  for (int k = 0; k < spec.n_parameters; k++) {
    const gallop_parameter& p = spec.parameters[k];
    nb::dict row;
    row["name"] = nb::str(p.name);
    row["value"] = p.value;
    row["low"] = p.low;
    row["high"] = p.high;
    row["unit"] = nb::str(p.unit);
    row["help"] = nb::str(p.help);
    row["whole"] = p.whole != 0;
    all.append(row);
  }
  return all;
}

nb::dict specification(const char* name) {
  const gallop_spec* found = nullptr;
  check(gallop_environment_spec(name, &found));
  const gallop_spec& spec = *found;
  nb::dict all;
  all["name"] = nb::str(spec.name);
  all["aliases"] = nb::str(spec.aliases);
  all["source"] = nb::str(spec.source);
  all["time_limit"] = spec.time_limit;
  all["reward_threshold"] = spec.reward_threshold;
  all["time_step"] = spec.time_step;
  all["discrete_observations"] = spec.observation_kind == GALLOP_DISCRETE;
  all["discrete_actions"] = spec.action_kind == GALLOP_DISCRETE;
  all["observation_size"] = spec.observation_size;
  all["action_size"] = spec.action_size;
  all["observation"] = components(spec.observation, spec.observation_capacity);
  all["action"] = components(spec.action, spec.action_capacity);
  all["state_names"] = texts(spec.state_names, spec.n_state);
  all["term_names"] = texts(spec.term_names, spec.n_terms);
  all["parameters"] = parameters(spec);
  all["table_capacity"] = spec.table_capacity;
  return all;
}

// (n_states, n_actions, horizon, table as float32 in bytes) of a description of a process.
nb::tuple read_mdp(const char* text) {
  const gallop_spec* spec = nullptr;
  check(gallop_environment_spec("mdp", &spec));
  std::vector<float> table(std::size_t(spec->table_capacity));
  auto found = sized<gallop_mdp>();
  check(gallop_read_mdp(text, &found, table.data(), table.size()));
  return nb::make_tuple(found.n_states, found.n_actions, found.horizon,
                        nb::bytes(table.data(), table.size() * sizeof(float)));
}

}  // namespace

void bind_registry(nb::module_& module) {
  module.def("environment_names", [] { return names(gallop_environment_name); });
  module.def("algorithm_names", [] { return names(gallop_algorithm_name); });
  module.def("optimizer_names", [] { return names(gallop_optimizer_name); });
  module.def("read_mdp", &read_mdp, nb::arg("text"));
  module.def("environment_spec", &specification, nb::arg("name"));
  module.def(
      "load_plugin", [](const char* path) { released([&] { return gallop_load_plugin(path); }); },
      nb::arg("path"));
}

}  // namespace gallop::python
