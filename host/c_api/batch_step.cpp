// Steps and rollouts of batches.
#include <fmt/format.h>

#include <cstring>
#include <type_traits>

#include <gallop/host/c_api/arrays.h>
#include <gallop/host/c_api/batch.h>
#include <gallop/host/c_api/policy.h>

namespace gallop::c_api {
namespace {

Expected expected(const gallop_batch& b, const char* what, int rows = 1, bool is_index = false) {
  return {*b.device, what, b.environments.n_envs(), rows, is_index};
}

[[noreturn]] void refuse_action(const gallop_batch& b, long i, int k, double value) {
  const EnvironmentSpec& spec = b.environments.spec();
  if (spec.action_kind == SpaceKind::kDiscrete) {
    throw value_error(
        fmt::format("the action of instance {} of {} is {}; expected a whole number "
                    "from 0 to {}",
                    i, spec.name, value, b.environments.action_size() - 1));
  }
  throw value_error(
      fmt::format("the action of instance {} of {} is {} in component {} ({}); expected "
                  "a finite number",
                  i, spec.name, value, k, spec.action[k].name));
}

// Numbers on the host that are an action, or are refused.
template <class T>
void require_actions(const gallop_batch& b, const ArrayView& view) {
  const Environments& e = b.environments;
  const bool is_discrete = e.spec().action_kind == SpaceKind::kDiscrete;
  const T most = T(e.action_size() - 1);
  const T* const data = static_cast<const T*>(view.data);
  // Of whole numbers one comparison tells: negative ones are the largest without a sign.
  const auto is_bad = [&](T x) {
    if constexpr (std::is_integral_v<T>) {
      return std::make_unsigned_t<T>(x) > std::make_unsigned_t<T>(most);
    } else if (is_discrete) {
      return !(x >= T(0) && x <= most && x == T(long(x)));
    } else {
      return x - x != 0;  // for infinities and NaN
    }
  };
  for (int k = 0; k < e.action_rows(); k++) {
    const T* const row = data + k * view.component_stride;
    int bad = 0;
    for (long i = 0; i < e.n_envs(); i++) bad |= is_bad(row[i * view.instance_stride]) ? 1 : 0;
    if (bad == 0) continue;
    for (long i = 0; i < e.n_envs(); i++) {
      const T x = row[i * view.instance_stride];
      if (is_bad(x)) refuse_action(b, i, k, double(x));
    }
  }
}

void require_actions_of(const gallop_batch& b, const ArrayView& view) {
  switch (view.kind) {
    case NumberKind::kInt64:
      return require_actions<std::int64_t>(b, view);
    case NumberKind::kInt32:
      return require_actions<std::int32_t>(b, view);
    default:
      return require_actions<float>(b, view);
  }
}

// Flags that are given, or else are the batch's own.
std::uint8_t* flags_or_own(gallop_batch& b, const gallop_array* given, const char* what, int row) {
  if (given != nullptr) return flags_of(given, expected(b, what));
  const std::size_t n = std::size_t(b.environments.n_envs());
  if (b.flags.size() == 0) b.flags = DeviceArray<std::uint8_t>(*b.device->backend, 2 * n);
  return b.flags.data() + std::size_t(row) * n;
}

// Where the engine writes [rows, N] that go to the caller's layout afterwards.
float* own_rows(gallop_batch& b, DeviceArray<float>& array, int rows) {
  const std::size_t size = std::size_t(rows) * std::size_t(b.environments.n_envs());
  if (array.size() != size) array = DeviceArray<float>::zeroed(*b.device->backend, size);
  return array.data();
}

void rearrange_to(gallop_batch& b, const DeviceArray<float>& from, int rows, const ArrayView& to) {
  const int n = b.environments.n_envs();
  b.device->backend->rearrange({rows, n, {from.data(), NumberKind::kFloat, n, 1}, to});
}

// Flags are 0 or 1: the last byte of the product is the sum of eight of them.
std::int64_t count_ended(const StepOutput& out, int n) {
  std::int64_t count = 0;
  int i = 0;
  for (; i + 8 <= n; i += 8) {
    std::uint64_t terminated, truncated;
    std::memcpy(&terminated, out.terminated + i, 8);
    std::memcpy(&truncated, out.truncated + i, 8);
    count += std::int64_t(((terminated | truncated) * 0x0101010101010101u) >> 56);
  }
  for (; i < n; i++) count += out.terminated[i] | out.truncated[i];
  return count;
}

void step(gallop_batch& b, const gallop_array* action, gallop_step_output& output) {
  Environments& e = b.environments;
  const int obs_rows = e.observation_rows(), n_terms = e.spec().n_terms;
  const bool is_index = e.has_index_observations();
  const ArrayView actions = array_view(
      action,
      expected(b, "the actions", e.action_rows(), e.spec().action_kind == SpaceKind::kDiscrete));
  StepOutput out = {};
  ArrayView observation, final_observation, terms;
  if (output.observation != nullptr) {
    observation = array_view(output.observation, expected(b, "observation", obs_rows, is_index));
  }
  if (output.final_observation != nullptr) {
    final_observation =
        array_view(output.final_observation, expected(b, "final_observation", obs_rows, is_index));
    out.final_observation = own_rows(b, b.final_observation, obs_rows);
  }
  if (output.terms != nullptr) {
    if (n_terms == 0) {
      throw value_error(fmt::format("terms were asked for; {} has none", e.spec().name));
    }
    terms = array_view(output.terms, expected(b, "terms", n_terms));
    out.terms = own_rows(b, b.terms, n_terms);
  }
  if (output.reward != nullptr) out.reward = floats_of(output.reward, expected(b, "reward"));
  if (output.episode_return != nullptr) {
    out.ended_return = floats_of(output.episode_return, expected(b, "episode_return"));
  }
  if (output.episode_length != nullptr) {
    out.ended_length = integers_of(output.episode_length, expected(b, "episode_length"));
  }
  out.terminated = flags_or_own(b, output.terminated, "terminated", 0);
  out.truncated = flags_or_own(b, output.truncated, "truncated", 1);
  if (b.checks_actions) require_actions_of(b, actions);
  e.step(actions, observation, out);
  output.n_ended = b.device->is_cpu ? count_ended(out, e.n_envs()) : -1;
  if (terms.data != nullptr) rearrange_to(b, b.terms, n_terms, terms);
  if (final_observation.data != nullptr && output.n_ended != 0) {
    rearrange_to(b, b.final_observation, obs_rows, final_observation);
  }
}

Trajectory trajectory_of(const gallop_trajectory& given, int n_envs) {
  Trajectory out = {};
  out.n_steps = given.n_steps;
  out.n_envs = n_envs;
  out.observation = given.observation;
  out.action = given.action;
  out.log_prob = given.log_prob;
  out.reward = given.reward;
  out.terminated = given.terminated;
  out.truncated = given.truncated;
  out.final_observation = given.final_observation;
  out.ended_return = given.episode_return;
  out.ended_length = given.episode_length;
  out.state = given.state;
  return out;
}

}  // namespace
}  // namespace gallop::c_api

using namespace gallop;
using namespace gallop::c_api;

extern "C" {

int gallop_batch_step(gallop_batch* batch, const gallop_array* action, gallop_step_output* output) {
  return guard([&] {
    require_pointer(batch, "batch");
    gallop_step_output wanted = taken(output, "gallop_step_output");
    const Use use(*batch->device);
    step(*batch, action, wanted);
    if (output != nullptr) give(output, wanted, "gallop_step_output");
  });
}

int gallop_batch_rollout(gallop_batch* batch, const gallop_policy* policy, int deterministic,
                         const gallop_trajectory* trajectory) {
  return guard([&] {
    require_pointer(batch, "batch");
    require_pointer(trajectory, "trajectory");
    const gallop_trajectory given = taken(trajectory, "gallop_trajectory");
    if (policy == nullptr && given.log_prob != nullptr) {
      throw value_error("log_prob was asked for of random actions; expected a policy, or NULL");
    }
    if (policy != nullptr) require_same_device(*policy, *batch->device);
    const Use use(*batch->device);
    batch->environments.rollout(policy == nullptr ? ActionSource::kUniform : ActionSource::kPolicy,
                                policy == nullptr ? PolicyView{} : policy->view, deterministic != 0,
                                trajectory_of(given, batch->environments.n_envs()));
  });
}

}  // extern "C"
