// Batches of environments: made, reset, configured, saved. batch_step.cpp runs them.
#include <gallop/host/c_api/batch.h>

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include <gallop/host/c_api/arrays.h>
#include <gallop/host/registry/registry.h>

namespace gallop::c_api {
namespace {

ResetMode reset_mode_of(int autoreset) {
  switch (choice_of<gallop_autoreset>(autoreset, 3, "autoreset")) {
    case GALLOP_SAME_STEP:
      return ResetMode::kSameStep;
    case GALLOP_DISABLED:
      return ResetMode::kDisabled;
    default:
      return ResetMode::kNextStep;
  }
}

int autoreset_of(ResetMode mode) {
  return mode == ResetMode::kSameStep   ? GALLOP_SAME_STEP
         : mode == ResetMode::kDisabled ? GALLOP_DISABLED
                                        : GALLOP_NEXT_STEP;
}

EnvironmentOptions options_of(const gallop_batch_options& given) {
  EnvironmentOptions options;
  options.n_envs = given.n_envs == 0 ? 1 : given.n_envs;
  options.seed = given.seed;
  options.id_offset = given.id_offset;
  options.reset_mode = reset_mode_of(given.autoreset);
  options.clip_actions = given.no_clip == 0;
  if (given.time_limit < -1) {
    throw value_error(
        fmt::format("time_limit is {}; expected a number of steps, 0 for the "
                    "environment's own, or -1 for none",
                    given.time_limit));
  }
  options.time_limit = given.time_limit == 0 ? -1 : std::max(given.time_limit, 0);
  if (given.ids != nullptr && options.n_envs > 0) {
    options.ids.assign(given.ids, given.ids + options.n_envs);
  }
  return options;
}

gallop_batch_info info_of(const Environments& of) {
  const EnvironmentSpec& spec = of.spec();
  gallop_batch_info info = {};
  info.n_envs = of.n_envs();
  info.observation_kind = of.has_index_observations() ? GALLOP_DISCRETE : GALLOP_BOX;
  info.action_kind = spec.action_kind == SpaceKind::kDiscrete ? GALLOP_DISCRETE : GALLOP_BOX;
  info.observation_size = of.observation_size();
  info.action_size = of.action_size();
  info.observation_rows = of.observation_rows();
  info.action_rows = of.action_rows();
  info.n_state = spec.n_state;
  info.n_terms = spec.n_terms;
  info.time_limit = of.time_limit();
  info.autoreset = autoreset_of(of.options().reset_mode);
  info.seed = of.options().seed;
  info.time = of.time();
  info.started = of.has_begun() ? 1 : 0;
  return info;
}

// Seeds of instances are ids under the batch's seed.
std::vector<std::uint32_t> ids_of(const uint64_t* seeds, const uint8_t* mask, std::size_t n) {
  std::vector<std::uint32_t> ids(n, 0);
  for (std::size_t i = 0; i < n; i++) {
    if (mask != nullptr && mask[i] == 0) continue;
    if (seeds[i] >= kEvaluationIds) {
      throw value_error(fmt::format(
          "the seed of instance {} is {}; expected one below 2^31, or one seed for the batch", i,
          seeds[i]));
    }
    ids[i] = std::uint32_t(seeds[i]);
  }
  return ids;
}

// Runs body(environments) while no other call is at work on the batch's backend.
template <class Body>
int with(const gallop_batch* batch, const Body& body) {
  return guard([&] {
    require_pointer(batch, "batch");
    const Use use(*batch->device);
    body(*batch);
  });
}
template <class Body>
int with(gallop_batch* batch, const Body& body) {
  return guard([&] {
    require_pointer(batch, "batch");
    const Use use(*batch->device);
    body(*batch);
  });
}

}  // namespace
}  // namespace gallop::c_api

using namespace gallop;
using namespace gallop::c_api;

extern "C" {

int gallop_batch_create(gallop_backend* backend, const char* environment,
                        const gallop_batch_options* options, gallop_batch** batch) {
  return guard([&] {
    require_pointer(backend, "backend");
    require_pointer(batch, "batch, where the handle goes,");
    const gallop_batch_options given = taken(options, "gallop_batch_options");
    const EnvironmentEntry& entry =
        find_environment(text_of(environment, "the environment's name"));
    const Use use(*backend->device);
    *batch = new gallop_batch{backend->device,
                              Environments(*backend->device->backend, entry, options_of(given)),
                              given.unchecked_actions == 0 && backend->device->is_cpu,
                              {},
                              {},
                              {},
                              {}};
  });
}

void gallop_batch_destroy(gallop_batch* batch) { destroy_on_device(batch); }

int gallop_batch_get_info(const gallop_batch* batch, gallop_batch_info* info) {
  return with(batch, [&](const gallop_batch& b) {
    give(info, info_of(b.environments), "gallop_batch_info");
  });
}

int gallop_batch_reset(gallop_batch* batch) {
  return with(batch, [&](gallop_batch& b) { b.environments.reset(); });
}

int gallop_batch_reset_seed(gallop_batch* batch, uint64_t seed) {
  return with(batch, [&](gallop_batch& b) { b.environments.reset_anew(seed); });
}

int gallop_batch_reset_seeds(gallop_batch* batch, const uint64_t* seeds, const uint8_t* mask,
                             size_t n) {
  return with(batch, [&](gallop_batch& b) {
    require_pointer(seeds, "seeds");
    require_count(n, std::size_t(b.environments.n_envs()), "seeds of instances");
    const std::span<const std::uint8_t> chosen(mask, mask == nullptr ? 0 : n);
    b.environments.reset_with_ids(ids_of(seeds, mask, n), chosen);
  });
}

int gallop_batch_reset_where(gallop_batch* batch, const gallop_array* mask) {
  return with(batch, [&](gallop_batch& b) {
    b.environments.reset_where(
        flags_of(mask, {*b.device, "the mask", b.environments.n_envs(), 1, false}));
  });
}

int gallop_batch_observe(gallop_batch* batch, const gallop_array* observation) {
  return with(batch, [&](gallop_batch& b) {
    Environments& e = b.environments;
    e.observe(array_view(observation, {*b.device, "the observations", e.n_envs(),
                                       e.observation_rows(), e.has_index_observations()}));
  });
}

int gallop_batch_set_parameter(gallop_batch* batch, const char* name, double value) {
  return with(batch, [&](gallop_batch& b) {
    b.environments.set_parameter(text_of(name, "the parameter's name"), value);
  });
}

int gallop_batch_set_parameters(gallop_batch* batch, const char* name, const float* values,
                                size_t n) {
  return with(batch, [&](gallop_batch& b) {
    require_pointer(values, "values");
    require_count(n, std::size_t(b.environments.n_envs()), "values of a parameter");
    b.environments.set_parameter(text_of(name, "the parameter's name"), std::span(values, n));
  });
}

int gallop_batch_get_parameters(const gallop_batch* batch, const char* name, float* values,
                                size_t n) {
  return with(batch, [&](const gallop_batch& b) {
    require_pointer(values, "values");
    require_count(n, std::size_t(b.environments.n_envs()), "values of a parameter");
    const std::vector<float> all =
        b.environments.parameter_values(text_of(name, "the parameter's name"));
    std::copy(all.begin(), all.end(), values);
  });
}

int gallop_batch_randomize(gallop_batch* batch, const char* name, double low, double high,
                           int logarithmic) {
  return with(batch, [&](gallop_batch& b) {
    b.environments.randomize(text_of(name, "the parameter's name"), {low, high, logarithmic != 0});
  });
}

int gallop_batch_stop_randomizing(gallop_batch* batch, const char* name) {
  return with(batch, [&](gallop_batch& b) {
    if (name == nullptr) return b.environments.stop_randomizing();
    b.environments.stop_randomizing(text_of(name, "the parameter's name"));
  });
}

int gallop_batch_get_range(const gallop_batch* batch, const char* name, int* kind, double* low,
                           double* high) {
  return with(batch, [&](const gallop_batch& b) {
    require_pointer(kind, "kind");
    require_pointer(low, "low");
    require_pointer(high, "high");
    const Environments& e = b.environments;
    const DrawnRange* const range =
        e.ranges().find(parameter_index(e.spec(), text_of(name, "the parameter's name")));
    *kind = range == nullptr ? 0 : range->logarithmic ? 2 : 1;
    if (range == nullptr) return;
    *low = range->low;
    *high = range->high;
  });
}

int gallop_batch_set_table(gallop_batch* batch, const float* table, size_t n) {
  return with(batch, [&](gallop_batch& b) {
    require_pointer(table, "table");
    b.environments.set_table(std::span(table, n));
  });
}

int gallop_batch_get_state(const gallop_batch* batch, float* state, size_t n) {
  return with(batch, [&](const gallop_batch& b) {
    require_pointer(state, "state");
    const std::vector<float> all = b.environments.get_state();
    require_count(n, all.size(), "states [S, N]");
    std::copy(all.begin(), all.end(), state);
  });
}

int gallop_batch_set_state(gallop_batch* batch, const float* state, size_t n) {
  return with(batch, [&](gallop_batch& b) {
    require_pointer(state, "state");
    b.environments.set_state(std::span(state, n));
  });
}

int gallop_batch_get_buffers(const gallop_batch* batch, gallop_batch_buffers* buffers) {
  return with(batch, [&](const gallop_batch& b) {
    const Environments& e = b.environments;
    gallop_batch_buffers found = {};
    found.stride = e.stride();
    found.state = e.state();
    found.ended = e.ended();
    found.episode_return = e.episode_return();
    found.episode_length = e.episode_length();
    found.episode = e.episode();
    give(buffers, found, "gallop_batch_buffers");
  });
}

int gallop_batch_snapshot(gallop_batch* batch, const void** data, size_t* bytes) {
  return with(batch, [&](gallop_batch& b) {
    require_pointer(data, "data, where the address goes,");
    require_pointer(bytes, "bytes, where their number goes,");
    b.snapshot = b.environments.snapshot();
    *data = b.snapshot.data();
    *bytes = b.snapshot.size();
  });
}

int gallop_batch_restore(gallop_batch* batch, const void* data, size_t bytes) {
  return with(batch, [&](gallop_batch& b) {
    require_pointer(data, "data");
    b.environments.restore(std::span(static_cast<const std::byte*>(data), bytes));
  });
}

int gallop_batch_get_nonfinite(const gallop_batch* batch, gallop_nonfinite* nonfinite) {
  return with(batch, [&](const gallop_batch& b) {
    const NonFinite first = b.environments.first_nonfinite();
    gallop_nonfinite found = {};
    found.found = first.found ? 1 : 0;
    found.instance = first.instance;
    found.time = first.time;
    give(nonfinite, found, "gallop_nonfinite");
  });
}

}  // extern "C"
