// Fused T-step rollouts on the CPU. A block of instances steps together for each t: its state stays
// in the first-level cache and each store is one long row (297 M stored CartPole steps/s on one Zen
// 4 core against 119-160 for one register of instances at a time).
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/environment/environment_table.h>
#include <gallop/kernels/numerics/arithmetic.h>
#include <gallop/kernels/policy/act.h>
#include <gallop/kernels/policy/uniform_action.h>
#include <gallop/kernels/rollout/trajectory.h>

namespace gallop {

enum class ActionSource : int { kPolicy, kUniform };

constexpr int kRolloutBlock = 512;  // instances that step together

// All instances of a batch for T steps.
struct RolloutRequest {
  const EnvironmentTable* environment;  // the CPU backend's to fill in
  EnvironmentBatch batch;
  std::uint32_t time;  // steps of the batch before this rollout
  ActionSource source;
  PolicyView policy;  // of ActionSource::kPolicy
  int deterministic;
  int clip;
  ResetMode mode;
  Arithmetic arithmetic;  // of the policy's network; the simulation is strict in any case
  Trajectory out;
  // The policy's actions are drawn by the batch's seed with these bits turned over, so that they
  // and the dynamics can be drawn anew one without the other. Below 2^56.
  std::uint64_t action_seed_bits = 0;
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// Uniformly random actions of a block of instances; keeps the words that serve several steps.
template <class F>
struct UniformActions {
  const EnvironmentSpec* spec;
  int n_actions, rows, period;
  std::uint32_t* words;  // [4, kRolloutBlock]

  void begin(const EnvironmentSpec* s, int action_size, std::uint32_t* scratch) {
    spec = s;
    n_actions = action_size;
    rows = s->action_kind == SpaceKind::kDiscrete ? 1 : action_size;
    period = uniform_period(s->action_kind, n_actions, rows);
    words = scratch;
  }

  // The actions of n instances at `time`; `fresh` where `words` holds nothing yet.
  void write(std::uint64_t seed, const InstanceIds& ids, int n, std::uint32_t time, bool fresh,
             float* action, long stride) {
    constexpr int kW = kLanesOf<F>;
    if (period > 1 && (fresh || time % std::uint32_t(period) == 0)) {
      for (int i = 0; i < n; i += kW) {
        const auto block =
            uniform_block<F>(seed, ids_from<F>(ids, i), time / std::uint32_t(period), 0);
        for (int k = 0; k < 4; k++) store_words(words + k * kRolloutBlock + i, block.word[k], kW);
      }
    }
    const std::uint32_t* row = words + uniform_word(period, time) * kRolloutBlock;
    for (int i = 0; i < n; i += kW) {
      if (period == 128) {
        store_lanes(action + i, uniform_bit<F>(load_words(row + i, kW, Word<F>()), time), n - i);
      } else if (period == 4) {
        store_lanes(action + i, number(0, load_words(row + i, kW, Word<F>())), n - i);
      } else {
        PhiloxBlock<Word<F>> block;
        for (int k = 0; k < rows; k++) {
          if (k % 4 == 0) {
            block = uniform_block<F>(seed, ids_from<F>(ids, i), time, std::uint32_t(k) / 4);
          }
          store_lanes(action + k * stride + i, number(k, block.word[k % 4]), n - i);
        }
      }
    }
  }

  GALLOP_HD F number(int k, Word<F> word) const {
    if (spec->action_kind == SpaceKind::kDiscrete) {
      return uniform_index<F>(n_actions, word);
    }
    return uniform_component<F>(spec->action[k].low, spec->action[k].high, word);
  }
};

template <class F>
struct Rollout {
  const RolloutRequest& r;
  const int obs_rows, act_rows;
  UniformActions<F> uniform;
  float* block_observation;  // [O, kRolloutBlock]
  float* block_action;       // [A, kRolloutBlock]
  float* network_scratch;

  // `scratch` [rollout_scratch], aligned to 64 bytes.
  Rollout(const RolloutRequest& request, float* scratch)
      : r(request),
        obs_rows(request.environment->spec->observation_kind == SpaceKind::kDiscrete
                     ? 1
                     : request.batch.shared.sizes.observation),
        act_rows(request.environment->spec->action_kind == SpaceKind::kDiscrete
                     ? 1
                     : request.batch.shared.sizes.action) {
    block_observation = scratch;
    block_action = block_observation + long(obs_rows) * kRolloutBlock;
    float* words = block_action + long(act_rows) * kRolloutBlock;
    network_scratch = words + 4 * kRolloutBlock;
    uniform.begin(r.environment->spec, r.batch.shared.sizes.action,
                  reinterpret_cast<std::uint32_t*>(words));
  }

  // One step of instances [begin, begin + n) at time t of the rollout.
  void step(int begin, int n, int t) {
    const Trajectory& out = r.out;
    const long n_envs = out.n_envs;
    const bool keeps_obs = out.observation != nullptr;
    const long obs_stride = keeps_obs ? n_envs : kRolloutBlock;
    float* obs =
        keeps_obs ? out.observation + long(t) * obs_rows * n_envs + begin : block_observation;
    float* next_obs = keeps_obs ? obs + obs_rows * n_envs : block_observation;
    const bool keeps_action = out.action != nullptr;
    const long action_stride = keeps_action ? n_envs : kRolloutBlock;
    float* action = keeps_action ? out.action + long(t) * act_rows * n_envs + begin : block_action;
    const long row = long(t) * n_envs + begin;
    const InstanceIds ids = part_of(r.batch.ids, begin);
    if (r.source == ActionSource::kUniform) {
      uniform.write(r.batch.seed, ids, n, r.time + std::uint32_t(t), t == 0, action, action_stride);
    } else {
      act<F>({r.policy, n, obs, obs_stride, action, action_stride, at(out.log_prob, row),
              r.deterministic, r.batch.seed ^ r.action_seed_bits, ids, r.batch.episode + begin,
              r.batch.elapsed + begin, network_scratch});
    }
    StepOutput to = {};
    to.time = r.time + std::uint32_t(t) + 1;
    const bool needs_obs = keeps_obs || r.source == ActionSource::kPolicy;
    to.observation = needs_obs ? next_obs : nullptr;
    to.observation_stride = obs_stride;
    to.reward = at(out.reward, row);
    to.terminated = at(out.terminated, row);
    to.truncated = at(out.truncated, row);
    to.ended_return = at(out.ended_return, row);
    to.ended_length = at(out.ended_length, row);
    to.first_return = at(out.first_return, begin);
    to.first_length = at(out.first_length, begin);
    if (out.final_observation != nullptr) {
      to.final_observation = out.final_observation + final_row(out, t) * obs_rows * n_envs + begin;
      to.observation_stride = n_envs;
      to.final_of_cut = out.final_interval > 1 ? 1 : 0;
    }
    r.environment->step(r.batch, begin, begin + n, action, action_stride, r.clip, r.mode, to);
  }

  // The states of instances [begin, begin + n) where step t begins.
  void record_states(int begin, int n, int t) const {
    if (r.out.state == nullptr) return;
    const int rows = r.environment->spec->n_state;
    float* to = r.out.state + long(t) * rows * r.out.n_envs + begin;
    for (int k = 0; k < rows; k++, to += r.out.n_envs) {
      __builtin_memcpy(to, r.batch.state + k * r.batch.stride + begin, sizeof(float) * n);
    }
  }

  // Instances [first, last); first is a multiple of 16.
  void run(int first, int last) {
    for (int begin = first; begin < last; begin += kRolloutBlock) {
      const int n = last - begin < kRolloutBlock ? last - begin : kRolloutBlock;
      if (r.out.observation != nullptr) {
        r.environment->observe(r.batch, begin, begin + n, r.out.observation + begin, r.out.n_envs);
      } else if (r.source == ActionSource::kPolicy) {
        r.environment->observe(r.batch, begin, begin + n, block_observation, kRolloutBlock);
      }
      for (int t = 0; t < r.out.n_steps; t++) {
        if (records_nothing(r.out) && all_stand(begin, n)) break;
        record_states(begin, n, t);
        step(begin, n, t);
      }
      record_states(begin, n, r.out.n_steps);
    }
  }

  // Whether nothing changes any more: with resets disabled every episode has ended.
  bool all_stand(int begin, int n) const {
    return r.mode == ResetMode::kDisabled &&
           __builtin_memchr(r.batch.ended + begin, 0, std::size_t(n)) == nullptr;
  }

  template <class T>
  static T* at(T* array, long index) {
    return array == nullptr ? nullptr : array + index;
  }
};

inline long rollout_scratch(const RolloutRequest& r) {
  const Sizes& sizes = r.batch.shared.sizes;
  const long block = long(sizes.observation + sizes.action + 4) * kRolloutBlock;
  const bool has_policy = r.source == ActionSource::kPolicy;
  return block + (has_policy ? 2L * widest(r.policy.shape.network) * 32 : 0);
}

template <class F>
void rollout(const RolloutRequest& r, const CpuWork& on) {
  const long scratch = whole_lines(rollout_scratch(r));
  float* const memory = on.floats(on.owner, on.n_threads * scratch);
  split(on, r.batch.n_envs, kInstanceGrain, [&](int thread, long begin, long end) {
    Rollout<F>(r, memory + thread * scratch).run(int(begin), int(end));
  });
}

}  // namespace gallop::inline GALLOP_ISA
