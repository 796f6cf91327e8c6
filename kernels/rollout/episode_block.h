// Scratch instances on the CPU that play one episode each and then stand still.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/rollout/population_request.h>

namespace gallop::inline GALLOP_ISA {

// Whole registers of them.
template <class F>
class EpisodeBlock {
 public:
  static constexpr int kW = kLanesOf<F>;

  static long floats(const PopulationRequest& r, long instances) {
    const EnvironmentSpec& spec = *r.environment->spec;
    const long sums = r.observation_sum != nullptr ? 2 : 0;
    const long rows = spec.n_state + (1 + sums) * observation_rows(r, spec) +
                      action_rows(r.population.shape) + kCounters;
    return rows * padded_columns(instances) + kAlone;
  }

  EpisodeBlock(const PopulationRequest& request, long instances, float* memory)
      : r(request),
        n(int(instances)),
        n_played(int(instances)),
        stride(padded_columns(instances)),
        obs_rows(observation_rows(request, *request.environment->spec)) {
    const EnvironmentSpec& spec = *r.environment->spec;
    const auto take = [&](long rows) {
      float* const at = memory;
      memory += rows * stride;
      return at;
    };
    const auto words = [&] { return reinterpret_cast<std::uint32_t*>(take(1)); };
    static_cast<Scenario&>(batch) = r.scenario;
    batch.stride = stride;
    batch.n_envs = n;
    batch.state = take(spec.n_state);
    observation = take(obs_rows);
    action = take(action_rows(r.population.shape));
    sums = r.observation_sum != nullptr ? take(2L * obs_rows) : nullptr;
    batch.episode_return = take(1);
    batch.elapsed = reinterpret_cast<std::int32_t*>(take(1));
    batch.episode = words();
    batch.nonfinite = words();
    ids = words();
    policy_ids = words();
    member = words();
    episode = words();
    batch.ended = reinterpret_cast<std::uint8_t*>(take(1));
    batch.ids = {0, ids};
    batch.nonfinite_any = reinterpret_cast<std::uint32_t*>(memory);
    __builtin_memset(batch.state, 0, sizeof(float) * std::size_t(spec.n_state * stride));
  }

  // Who column i is.
  void set(int i, int of_member, int of_episode) {
    member[i] = std::uint32_t(of_member);
    episode[i] = std::uint32_t(of_episode);
    ids[i] = population_id(r, false, of_member, of_episode);
    policy_ids[i] = population_id(r, true, of_member, of_episode);
  }

  // Plays the episodes; `act()` writes actions [A, stride] to observations [O, stride].
  template <class Act>
  void play(const Act& act) {
    begin();
    StepOutput to = {};
    to.observation = observation;
    to.observation_stride = stride;
    do {
      if (sums != nullptr) add_observations();
      act();
      to.time++;
      r.environment->step(batch, 0, n, action, stride, r.clip, ResetMode::kDisabled, to);
    } while (__builtin_memchr(batch.ended, 0, std::size_t(n)) != nullptr);
  }

  // Writes what column i found.
  void keep(int i) const {
    const long at = long(member[i]) * r.episodes + episode[i];
    r.episode_return[at] =
        population_return(r, batch.episode_return[i], batch.elapsed[i], batch.nonfinite[i] == 0);
    r.episode_length[at] = batch.elapsed[i];
    const long episodes = long(r.population.n_members) * r.episodes;
    for (int k = 0; sums != nullptr && k < 2 * obs_rows; k++) {
      r.observation_sum[k * episodes + at] = sums[k * stride + i];
    }
  }

  const PopulationRequest& r;
  const int n;
  int n_played;  // the first ones; those behind them stand still from the start
  const long stride;
  const int obs_rows;
  EnvironmentBatch batch;
  float *observation, *action;
  std::uint32_t *ids, *policy_ids;

 private:
  static constexpr long kCounters = 9, kAlone = 16;  // rows beside the others, and one number
  static long padded_columns(long instances) { return (instances + 63) / 64 * 64; }

  void begin() {
    for (long i = 0; i < stride; i++) {
      batch.episode[i] = r.population.generation - 1u;  // the reset begins the next one
      batch.elapsed[i] = 0;
      batch.episode_return[i] = 0.0f;
      batch.nonfinite[i] = 0;
      batch.ended[i] = 1;
    }
    *batch.nonfinite_any = 0;
    r.environment->reset(batch, 0, n, batch.ended);
    for (int i = n_played; i < n; i++) batch.ended[i] = 1;
    const long action_floats = long(action_rows(r.population.shape)) * stride;
    __builtin_memset(action, 0, sizeof(float) * std::size_t(action_floats));
    r.environment->observe(batch, 0, n, observation, stride);
    if (sums == nullptr) return;
    __builtin_memset(sums, 0, sizeof(float) * std::size_t(2 * obs_rows * stride));
  }

  void add_observations() {
    const float* const mean = r.population.normalization.mean;
    for (int i = 0; i < n; i += kW) {
      const Mask<F> active = load_clear(batch.ended + i, kW, F());
      for (int k = 0; k < obs_rows; k++) {
        float *const sum = sums + k * stride + i, *const square = sum + obs_rows * stride;
        const F x = load_lanes(observation + k * stride + i, kW, F());
        const F d = zero_unless(active, mean != nullptr ? x - F(mean[k]) : x);
        store_lanes(sum, load_lanes(sum, kW, F()) + d, kW);
        store_lanes(square, fmadd(d, d, load_lanes(square, kW, F())), kW);
      }
    }
  }

  float* sums;  // [2, O, stride]
  std::uint32_t *member, *episode;
};

}  // namespace gallop::inline GALLOP_ISA
