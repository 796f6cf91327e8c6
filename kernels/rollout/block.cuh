// Fused rollouts with a network of any depth and width: a block of threads runs the network for a
// few instances, each of which one thread steps.
#pragma once

#include <gallop/kernels/network/block_network.cuh>
#include <gallop/kernels/rollout/instance.cuh>

namespace gallop::inline GALLOP_ISA {

template <class Env, KernelMode kMode>
__global__ void __launch_bounds__(kBlockThreads, Traits<Env>::kLongSteps ? 2 : 4)
    block_rollout_kernel(const __grid_constant__ RolloutRequest r, int n) {
  GALLOP_DYNAMIC_SHARED(float, unit);
  using Sizes = PolicySizes<Env>;
  const NetworkShape& network = r.policy.shape.network;
  float* const other = unit + long(widest(network)) * n;
  const int lane = int(threadIdx.x);
  const int i = int(blockIdx.x) * n + lane;
  const bool steps = lane < n && i < r.batch.n_envs;
  const int n_in = network.width[0];  // tables take the register kernel
  const int n_out = Sizes::outputs(r.policy.shape);
  const float* log_std_parameter = r.policy.parameters + layer_offset(network, network.n_layers);
  typename Env::template Parameters<float> p;
  RolloutInstance<Env> me;
  if (steps) {
    load_instance<Env>(r, i, p, me);
  } else if (lane < n) {
    for (int k = 0; k < n_in; k++) unit[k * n + lane] = 0.0f;
  }
  GALLOP_UNROLL(1)
  for (int t = 0; t < r.out.n_steps; t++) {
    if (steps) {
      record_begin<Env, true>(r, t, me);
      GALLOP_UNROLL(32)
      for (int k = 0; k < Traits<Env>::kObservationRows; k++) {
        if (k < n_in) {
          unit[k * n + lane] = normalize(r.policy.normalization, k, me.observation[k]);
        }
      }
    }
    const float* out = block_forward(network, r.policy.parameters, n, unit, other);
    if (steps) {
      float output[Sizes::kOutputs], action[Traits<Env>::kAction];
      GALLOP_UNROLL(32)
      for (int j = 0; j < Sizes::kOutputs; j++) {
        if (j < n_out) output[j] = out[j * n + lane];
      }
      choose<Env>(r, t, output, log_std_parameter, me, action);
      step_instance<Env>(r, p, reset_mode<kMode>(r.mode), t, action, me);
    }
  }
  if (!steps) return;
  finish_instance<Env, true>(r, me);
}

template <class Env, KernelMode kMode>
LaunchStatus block_rollout(const RolloutRequest& r, void* stream) {
  const int n = block_instances(r.policy.shape.network, r.batch.n_envs);
  const LaunchConfig config{.name = "block_rollout",
                            .grid = blocks_for(std::size_t(r.batch.n_envs), unsigned(n)),
                            .block = kBlockThreads,
                            .shared_bytes = block_network_bytes(r.policy.shape.network, n),
                            .stream = stream};
  return launch(config, block_rollout_kernel<Env, kMode>, r, n);
}

}  // namespace gallop::inline GALLOP_ISA
