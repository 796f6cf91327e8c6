// A batch of instances with storage of its own, every array poisoned until something writes it.
// Needs nothing but the tables of kernels/tables.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include <gallop/kernels/environment/environment_table.h>

namespace gallop::testing {

constexpr float kPoison = -12345.25f;
constexpr std::uint8_t kPoisonFlag = 77;

// What one step of n instances writes.
struct StepArrays {
  std::vector<float> observation, final_observation;  // [O, n]
  std::vector<float> reward, ended_return;            // [n]
  std::vector<std::uint8_t> terminated, truncated;    // [n]
  std::vector<std::int32_t> ended_length;             // [n]

  StepArrays(int n, int rows)
      : observation(size_t(n) * rows, kPoison),
        final_observation(size_t(n) * rows, kPoison),
        reward(n, kPoison),
        ended_return(n, kPoison),
        terminated(n, kPoisonFlag),
        truncated(n, kPoisonFlag),
        ended_length(n, -12345) {}
};

class InstanceBatch {
 public:
  EnvironmentBatch batch = {};
  std::vector<float> parameters, state, episode_return, shared_table;
  std::vector<std::uint32_t> episode, nonfinite;
  std::vector<std::int32_t> elapsed;
  std::vector<std::uint8_t> ended;
  std::uint32_t nonfinite_any = 0, time = 0;

  InstanceBatch(const EnvironmentTable& table, int n, std::uint64_t seed,
                std::uint32_t id_offset = 0)
      : table_(&table) {
    const EnvironmentSpec& spec = *table.spec;
    const long stride = (n + 63) / 64 * 64;
    std::vector<double> values;
    for (int k = 0; k < spec.n_parameters; k++) values.push_back(spec.parameters[k].value);
    parameters.assign(values.begin(), values.end());
    state.assign(stride * spec.n_state, kPoison);
    episode_return.assign(stride, kPoison);
    shared_table.assign(spec.table_capacity, 0.0f);
    if (spec.default_table != nullptr) spec.default_table(shared_table.data());
    episode.assign(stride, 0xdeadbeef);
    nonfinite.assign(stride, 0);
    elapsed.assign(stride, -12345);
    ended.assign(stride, kPoisonFlag);
    batch.n_envs = n;
    batch.stride = stride;
    batch.seed = seed;
    batch.ids.offset = id_offset;
    batch.time_limit = spec.time_limit;
    batch.shared.sizes = spec.sizes != nullptr
                             ? spec.sizes(values.data())
                             : Sizes{spec.observation_capacity, spec.action_capacity};
    bind();
  }
  InstanceBatch(const InstanceBatch&) = delete;
  InstanceBatch& operator=(const InstanceBatch&) = delete;

  const EnvironmentSpec& spec() const { return *table_->spec; }
  int n_envs() const { return batch.n_envs; }
  int observation_rows() const {
    return spec().observation_kind == SpaceKind::kDiscrete ? 1 : batch.shared.sizes.observation;
  }
  int action_rows() const {
    return spec().action_kind == SpaceKind::kDiscrete ? 1 : batch.shared.sizes.action;
  }

  // Gives every instance parameters [P, stride] of its own, equal to the shared ones at first.
  void make_parameters_per_instance() {
    std::vector<float> wide;
    for (const float value : parameters) wide.insert(wide.end(), batch.stride, value);
    parameters = wide;
    batch.parameters_per_instance = 1;
    bind();
  }
  void set_parameter(int k, float value) {
    if (batch.parameters_per_instance == 0) {
      parameters[k] = value;
    } else {
      for (long i = 0; i < batch.stride; i++) parameters[k * batch.stride + i] = value;
    }
  }

  void reset(const std::uint8_t* mask = nullptr) { table_->reset(batch, 0, n_envs(), mask); }

  std::vector<float> observe() {
    std::vector<float> observation(size_t(n_envs()) * observation_rows(), kPoison);
    table_->observe(batch, 0, n_envs(), observation.data(), n_envs());
    return observation;
  }

  // action [A, n]. The work is done in ranges of at most `chunk` instances, a multiple of 16.
  StepArrays step(const std::vector<float>& action, ResetMode mode, bool clip = false,
                  int chunk = 1 << 30) {
    const int n = n_envs();
    StepArrays to(n, observation_rows());
    time++;
    for (int begin = 0; begin < n; begin += chunk) {
      const int end = n - begin > chunk ? begin + chunk : n;
      table_->step(batch, begin, end, action.data() + begin, n, clip ? 1 : 0, mode,
                   output(to, begin));
      if (chunk >= n) break;
    }
    return to;
  }

  // Actions that depend on (time, id, component) alone; continuous ones go beyond any bounds.
  std::vector<float> some_actions() const {
    std::vector<float> action;
    for (int k = 0; k < action_rows(); k++) {
      for (int i = 0; i < n_envs(); i++) {
        std::uint64_t x = (std::uint64_t(time) << 32 | (batch.ids.offset + i)) * 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 29) ^ std::uint64_t(k)) * 0xBF58476D1CE4E5B9;
        const std::uint32_t word = std::uint32_t(x >> 32);
        action.push_back(spec().action_kind == SpaceKind::kDiscrete
                             ? float(word % std::uint32_t(batch.shared.sizes.action))
                             : float(word >> 8) * (6.0f / (1 << 24)) - 3.0f);
      }
    }
    return action;
  }

 private:
  void bind() {
    batch.parameters = parameters.data();
    batch.state = state.data();
    batch.episode = episode.data();
    batch.elapsed = elapsed.data();
    batch.episode_return = episode_return.data();
    batch.ended = ended.data();
    batch.nonfinite = nonfinite.data();
    batch.nonfinite_any = &nonfinite_any;
    batch.shared.table = shared_table.empty() ? nullptr : shared_table.data();
  }

  StepOutput output(StepArrays& to, int begin) const {
    StepOutput out = {};
    out.time = time;
    out.observation = to.observation.data() + begin;
    out.observation_stride = n_envs();
    out.final_observation = to.final_observation.data() + begin;
    out.reward = to.reward.data() + begin;
    out.terminated = to.terminated.data() + begin;
    out.truncated = to.truncated.data() + begin;
    out.ended_return = to.ended_return.data() + begin;
    out.ended_length = to.ended_length.data() + begin;
    return out;
  }

  const EnvironmentTable* table_;
};

}  // namespace gallop::testing
