// Actions of a policy for any observations, outside a rollout.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include <gallop/host/c_api/arrays.h>
#include <gallop/host/c_api/policy.h>
#include <gallop/kernels/policy/heads.h>
#include <gallop/kernels/random/stream.h>

namespace gallop::c_api {
namespace {

// Each a state of the table.
void require_states(const DeviceArray<float>& observation, int n_states) {
  const std::vector<float> states = observation.download();
  for (std::size_t i = 0; i < states.size(); i++) {
    const float x = states[i];
    if (x >= 0.0f && x < float(n_states) && x == std::floor(x)) continue;
    throw value_error(
        fmt::format("observation {} is {}; expected a state from 0 to {}", i, x, n_states - 1));
  }
}

// [n] values on the device, with what kernels may read behind them.
template <class T>
DeviceArray<T> uploaded(Backend& backend, const T* given, T otherwise, long n) {
  std::vector<T> values(std::size_t(n + 15) / 16 * 16, T(0));
  if (given != nullptr) {
    std::copy(given, given + n, values.begin());
  } else {
    std::fill(values.begin(), values.begin() + n, otherwise);
  }
  DeviceArray<T> array(backend, values.size());
  array.upload(values);
  return array;
}

void act(const gallop_policy& policy, const gallop_array* observation,
         const gallop_act_options& options, const gallop_array* action,
         const gallop_array* log_prob) {
  Backend& backend = *policy.device->backend;
  const PolicyShape& shape = policy.view.shape;
  const long n = instances_of(observation, "the observations");
  const bool tabular = shape.network.kind == NetworkKind::kTabular;
  const int inputs = tabular ? 1 : shape.network.width[0], rows = action_rows(shape);
  const ArrayView from =
      array_view(observation, {*policy.device, "the observations", n, inputs, tabular});
  const ArrayView to =
      array_view(action, {*policy.device, "the actions", n, rows, is_discrete(shape.head)});
  float* const log_prob_to = log_prob == nullptr
                                 ? nullptr
                                 : floats_of(log_prob, {*policy.device, "log_prob", n, 1, false});
  if (options.seed > kMaxSeed) {
    throw value_error(fmt::format("seed is {}; expected at most {}", options.seed, kMaxSeed));
  }
  const DeviceArray<float> own(backend, std::size_t(inputs) * std::size_t(n));
  backend.rearrange({inputs, n, from, {own.data(), NumberKind::kFloat, n, 1}});
  if (tabular) require_states(own, shape.network.width[0]);
  const DeviceArray<float> output(backend, std::size_t(outputs_of(shape.network)) * std::size_t(n));
  backend.values({shape.network, policy.view.parameters, policy.view.normalization, 1, int(n),
                  own.data(), output.data()});
  const auto episodes = uploaded<std::uint32_t>(backend, options.episodes, options.episode, n);
  const auto steps = uploaded<std::int32_t>(
      backend, reinterpret_cast<const std::int32_t*>(options.steps), std::int32_t(options.step), n);
  DeviceArray<std::uint32_t> ids;
  if (options.ids != nullptr) ids = uploaded<std::uint32_t>(backend, options.ids, 0, n);
  const DeviceArray<float> chosen(backend, std::size_t(rows) * std::size_t(n));
  backend.choose_actions({shape,
                          policy.view.parameters,
                          n,
                          output.data(),
                          options.sample == 0 ? 1 : 0,
                          options.seed,
                          {options.id_offset, ids.data()},
                          episodes.data(),
                          steps.data(),
                          chosen.data(),
                          log_prob_to});
  backend.rearrange({rows, n, {chosen.data(), NumberKind::kFloat, n, 1}, to});
}

}  // namespace
}  // namespace gallop::c_api

using namespace gallop;
using namespace gallop::c_api;

extern "C" {

int gallop_policy_act(gallop_policy* policy, const gallop_array* observation,
                      const gallop_act_options* options, const gallop_array* action,
                      const gallop_array* log_prob) {
  return guard([&] {
    require_pointer(policy, "policy");
    const gallop_act_options given = taken(options, "gallop_act_options");
    const Use use(*policy->device);
    act(*policy, observation, given, action, log_prob);
  });
}

}  // extern "C"
