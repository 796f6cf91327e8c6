// Episodes of populations on a device (rollout/population_request.h). In general a block of threads
// plays some episodes of one member, each on one thread, and runs the member's network for them
// together. The member's parameters are made in shared memory, or where that has no room in the
// block's own row of global memory.
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/rollout/population.h>
#include <gallop/kernels/network/block_network.cuh>
#include <gallop/kernels/rollout/member.cuh>
#include <gallop/kernels/rollout/population_episode.cuh>
#include <gallop/kernels/rollout/rollout.cuh>

namespace gallop::inline GALLOP_ISA {

// `n` episodes a block; `rows` [gridDim.x, D] or null.
template <class Env>
__global__ void __launch_bounds__(kBlockThreads, 2)
    population_kernel(const __grid_constant__ PopulationRequest r, int n, int tasks, float* rows) {
  GALLOP_DYNAMIC_SHARED(float, unit);
  using Sizes = PolicySizes<Env>;
  const Population& all = r.population;
  const NetworkShape& network = all.shape.network;
  float* const other = unit + long(widest(network)) * n;
  float* const row = rows != nullptr ? rows + long(blockIdx.x) * all.n_parameters
                                     : other + long(widest(network)) * n;
  const int lane = int(threadIdx.x), per_member = (r.episodes + n - 1) / n;
  const int n_in = observation_rows<Env>(r.scenario.shared);
  const bool tabular = network.kind == NetworkKind::kTabular;
  const int n_out = Sizes::outputs(all.shape);
  typename Env::template Parameters<float> p;
  broadcast_struct<float>(p, r.scenario.parameters);
  PopulationEpisode<Env> me;
  GALLOP_UNROLL(1)
  for (int task = int(blockIdx.x); task < tasks; task += int(gridDim.x)) {
    const int member = task / per_member, episode = task % per_member * n + lane;
    const bool plays = lane < n && episode < r.episodes;
    const long at = long(member) * r.episodes + episode;
    __syncthreads();  // the last task's parameters have been read
    make_row(all, member, row);
    if (plays) me.begin(r, p, member, episode);
    me.active = plays;
    for (int k = 0; lane < n && k < n_in; k++) unit[k * n + lane] = 0.0f;
    bool any_active = true;
    GALLOP_UNROLL(1)
    while (any_active) {
      if (me.active) {
        if (r.observation_sum != nullptr) me.add_observation(r, at);
        GALLOP_UNROLL(32)
        for (int k = 0; k < Traits<Env>::kObservationRows; k++) {
          if (k >= n_in) continue;
          const float x = me.observation[k];
          unit[k * n + lane] =
              tabular ? table_state(network, x) : normalize(all.normalization, k, x);
        }
      }
      const float* out = block_forward(network, row, n, unit, other);
      if (me.active) {
        float output[Sizes::kOutputs];
        GALLOP_UNROLL(32)
        for (int j = 0; j < Sizes::kOutputs; j++) {
          if (j < n_out) output[j] = out[j * n + lane];
        }
        me.step(r, p, output, row + layer_offset(network, network.n_layers));
      }
      any_active = __syncthreads_or(me.active ? 1 : 0) != 0;
    }
    if (plays) me.keep(r, at);
  }
}

// Members have a kernel of their own (rollout/member.cuh) with two hidden layers of a width that
// the environment lists, where they play fewer episodes than would fill a block.
constexpr int kFewEpisodes = 8;

template <class Env, int kH>
constexpr bool has_member_kernel() {
  using T = Traits<Env>;
  if constexpr (RolloutChoice<Env>::kFusible && fuses<Env>(kH) && !T::kLongSteps) {
    return MemberLayout<Env, kH>::kFits;
  } else {
    return false;
  }
}
template <int kH>
bool suits_member_kernel(const PopulationRequest& r) {
  const PolicyShape& shape = r.population.shape;
  const NetworkShape& network = shape.network;
  return r.episodes < kFewEpisodes && outputs_of(network) == shape.n_actions &&
         network.kind == NetworkKind::kMlp && network.n_layers == 3 && network.width[1] == kH &&
         network.width[2] == kH;
}

template <class Env>
LaunchStatus evaluate_population(const PopulationRequest& r, const CudaWork& on) {
  const Population& p = r.population;
  if (!policy_fits<Env>(p.shape, r.scenario.shared)) {
    return {kLaunchRefused, "evaluate_population"};
  }
  if constexpr (has_member_kernel<Env, 64>()) {
    if (suits_member_kernel<64>(r)) return member_population<Env, 64>(r, on.stream);
  }
  int n = block_instances(p.shape.network, long(p.n_members) * r.episodes);
  while (n > 1 && n / 2 >= r.episodes) n /= 2;
  const long tasks = long(p.n_members) * ((r.episodes + n - 1) / n);
  const std::size_t units = block_network_bytes(p.shape.network, n);
  const std::size_t row = sizeof(float) * std::size_t(p.n_parameters);
  const bool is_shared = long(units + row) <= shared_room();
  // Blocks that have a row of their own are as many as run at once; the others take what comes.
  const long most = is_shared ? 0x7fffffff : 8L * device_limits().multiprocessors;
  const unsigned grid = unsigned(tasks < most ? tasks : most);
  float* const rows =
      is_shared ? nullptr : on.array<float>(std::size_t(grid) * std::size_t(p.n_parameters));
  const LaunchConfig config{.name = "population",
                            .grid = grid,
                            .block = unsigned(kBlockThreads),
                            .shared_bytes = units + (is_shared ? row : 0),
                            .stream = on.stream};
  return launch(config, population_kernel<Env>, r, n, int(tasks), rows);
}

}  // namespace gallop::inline GALLOP_ISA
