// Fused rollouts whose policy needs no memory of its own: uniformly random actions, a linear map,
// or a table. One thread carries one instance through all T steps in registers; the policy's
// parameters stand in shared memory, or where they are too many for it are read where they are.
#pragma once

#include <gallop/kernels/device/launch.cuh>
#include <gallop/kernels/device/shared_memory.cuh>
#include <gallop/kernels/rollout/instance.cuh>

namespace gallop::inline GALLOP_ISA {

constexpr int kRegisterBlock = 128;

// Uniformly random actions of one instance; holds the words that serve several steps.
template <class Env>
struct InstanceUniform {
  using T = Traits<Env>;
  PhiloxBlock<std::uint32_t> block;

  // Component k of a continuous action: the bounds are constants only as template arguments.
  template <int k>
  __device__ __forceinline__ void components(std::uint64_t seed, std::uint32_t id,
                                             std::uint32_t time, int rows, float* action) {
    if constexpr (k < T::kActionRows) {
      if (k >= rows) return;
      if (k % 4 == 0) block = uniform_block<float>(seed, id, time, std::uint32_t(k) / 4);
      constexpr double low = Env::kAction[k].low, high = Env::kAction[k].high;
      action[k] = uniform_component<float>(low, high, block.word[k % 4]);
      components<k + 1>(seed, id, time, rows, action);
    }
  }

  __device__ __forceinline__ std::uint32_t word(int k) const {
    const std::uint32_t low = (k & 1) != 0 ? block.word[1] : block.word[0];
    const std::uint32_t high = (k & 1) != 0 ? block.word[3] : block.word[2];
    return (k & 2) != 0 ? high : low;
  }

  __device__ __forceinline__ void choose(const EnvironmentBatch& batch, std::uint32_t id,
                                         std::uint32_t time, bool fresh, float* action) {
    constexpr SpaceKind kKind = T::kDiscreteAction ? SpaceKind::kDiscrete : SpaceKind::kBox;
    const int n_actions = T::kHasSizes ? batch.shared.sizes.action : T::kAction;
    const int rows = T::kDiscreteAction ? 1 : n_actions;
    const int period = uniform_period(kKind, n_actions, rows);
    if (period > 1 && (fresh || time % std::uint32_t(period) == 0)) {
      block = uniform_block<float>(batch.seed, id, time / std::uint32_t(period), 0);
    }
    const std::uint32_t chosen = word(uniform_word(period, time));
    if constexpr (T::kDiscreteAction) {
      action[0] = period == 128 ? uniform_bit<float>(chosen, time)
                                : uniform_index<float>(n_actions, chosen);
    } else if (period == 4) {
      constexpr double low = Env::kAction[0].low, high = Env::kAction[0].high;
      action[0] = uniform_component<float>(low, high, chosen);
    } else {
      components<0>(batch.seed, id, time, rows, action);
    }
  }
};

// Outputs of a linear map or a table.
template <class Env>
__device__ __forceinline__ void register_outputs(const RolloutRequest& r, const float* parameters,
                                                 const float* observation, float* output) {
  using Sizes = PolicySizes<Env>;
  const int n_out = Sizes::outputs(r.policy.shape);
  if (r.policy.shape.network.kind == NetworkKind::kTabular) {
    const int row = to_int(table_state(r.policy.shape.network, observation[0]) * float(n_out));
    GALLOP_UNROLL(32)
    for (int j = 0; j < Sizes::kOutputs; j++) {
      if (j < n_out) output[j] = parameters[row + j];
    }
    return;
  }
  const int n_in = observation_rows<Env>(r.batch.shared);
  GALLOP_UNROLL(32)
  for (int j = 0; j < Sizes::kOutputs; j++) {
    if (j < n_out) output[j] = parameters[n_in * n_out + j];
  }
  GALLOP_UNROLL(32)
  for (int k = 0; k < Traits<Env>::kObservationRows; k++) {
    if (k < n_in) {
      const float x = normalize(r.policy.normalization, k, observation[k]);
      GALLOP_UNROLL(32)
      for (int j = 0; j < Sizes::kOutputs; j++) {
        if (j < n_out) output[j] = fmadd(x, parameters[k * n_out + j], output[j]);
      }
    }
  }
}

template <class Env, KernelMode kMode, ActionSource kSource, bool kStates = false>
__device__ __forceinline__ void register_steps(const RolloutRequest& r, const float* parameters) {
  const int i = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= r.batch.n_envs) return;
  typename Env::template Parameters<float> p;
  RolloutInstance<Env> me;
  load_instance<Env>(r, i, p, me);
  InstanceUniform<Env> uniform;
  const float* log_std_parameter = parameters + layer_offset(r.policy.shape.network, 1);
  GALLOP_UNROLL(1)
  for (int t = 0; t < r.out.n_steps; t++) {
    record_begin<Env, kStates>(r, t, me);
    float action[Traits<Env>::kAction];
    if constexpr (kSource == ActionSource::kUniform) {
      uniform.choose(r.batch, me.in.id, r.time + std::uint32_t(t), t == 0, action);
    } else {
      float output[PolicySizes<Env>::kOutputs];
      register_outputs<Env>(r, parameters, me.observation, output);
      choose<Env>(r, t, output, log_std_parameter, me, action);
    }
    step_instance<Env>(r, p, reset_mode<kMode>(r.mode), t, action, me);
  }
  finish_instance<Env, kStates>(r, me);
}

template <class Env, KernelMode kMode, ActionSource kSource>
__global__ void __launch_bounds__(kRegisterBlock)
    register_rollout_kernel(const __grid_constant__ RolloutRequest r) {
  GALLOP_DYNAMIC_SHARED(float, parameters);
  if constexpr (kSource == ActionSource::kPolicy) {
    const int count = int(parameter_count(r.policy.shape));
    for (int k = threadIdx.x; k < count; k += blockDim.x) parameters[k] = r.policy.parameters[k];
    __syncthreads();
  }
  register_steps<Env, kMode, kSource>(r, parameters);
}

template <class Env, KernelMode kMode>
__global__ void __launch_bounds__(kRegisterBlock)
    great_policy_rollout_kernel(const __grid_constant__ RolloutRequest r) {
  register_steps<Env, kMode, ActionSource::kPolicy>(r, r.policy.parameters);
}

// The same with recorded states.
template <class Env, ActionSource kSource>
__global__ void __launch_bounds__(kRegisterBlock)
    state_rollout_kernel(const __grid_constant__ RolloutRequest r) {
  register_steps<Env, KernelMode::kAny, kSource, true>(r, r.policy.parameters);
}
template <class Env>
LaunchStatus state_rollout(const RolloutRequest& r, void* stream) {
  const LaunchConfig config{.name = "state_rollout",
                            .grid = blocks_for(unsigned(r.batch.n_envs), kRegisterBlock),
                            .block = kRegisterBlock,
                            .stream = stream};
  if (r.source == ActionSource::kUniform) {
    return launch(config, state_rollout_kernel<Env, ActionSource::kUniform>, r);
  }
  return launch(config, state_rollout_kernel<Env, ActionSource::kPolicy>, r);
}

// Whether a linear map or a table of this environment may exceed the shared memory of some device.
template <class Env>
constexpr bool has_great_policies() {
  using T = Traits<Env>;
  constexpr long kInputs = T::kIndexObservation ? T::kObservation : T::kObservationRows + 1;
  constexpr long kMost = kInputs * PolicySizes<Env>::kOutputs + T::kAction;
  return kMost * long(sizeof(float)) > long(kLeastSharedBytes - kStaticSharedBytes);
}

template <class Env, KernelMode kMode>
LaunchStatus register_rollout(const RolloutRequest& r, void* stream) {
  const unsigned n = unsigned(r.batch.n_envs);
  LaunchConfig config{.name = "register_rollout",
                      .grid = blocks_for(n, kRegisterBlock),
                      .block = kRegisterBlock,
                      .stream = stream};
  if (r.source == ActionSource::kUniform) {
    return launch(config, register_rollout_kernel<Env, kMode, ActionSource::kUniform>, r);
  }
  const long bytes = long(sizeof(float)) * parameter_count(r.policy.shape);
  if constexpr (has_great_policies<Env>()) {
    if (bytes > shared_room()) return launch(config, great_policy_rollout_kernel<Env, kMode>, r);
  }
  config.shared_bytes = std::size_t(bytes);
  return launch(config, register_rollout_kernel<Env, kMode, ActionSource::kPolicy>, r);
}

}  // namespace gallop::inline GALLOP_ISA
