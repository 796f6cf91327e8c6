// Sums over the episodes that ended in a rollout (kernels/estimators/episodes.h).
#pragma once

#include "kernels/cuda/moments.cuh"
#include "kernels/estimators/episodes.h"

namespace gallop::inline GALLOP_ISA {

// Calls body(i) for each step that ended an episode and that this thread has.
template <class Body>
__device__ __forceinline__ void for_ended(const EpisodesRequest& r, const Body& body) {
  const long step = long(gridDim.x) * blockDim.x;
  for (long i = long(blockIdx.x) * blockDim.x + threadIdx.x; i < r.n; i += step) {
    if (episode_ended(r, i)) body(i);
  }
}

static __global__ void begin_episodes_kernel(CudaEpisodes* e) { *e = {{0, 0, 0.0}, 0, 0u}; }

static __global__ void __launch_bounds__(kMomentsBlock)
    count_episodes_kernel(const __grid_constant__ EpisodesRequest r, CudaEpisodes* e) {
  GALLOP_SHARED(unsigned, greatest, 1);
  if (threadIdx.x == 0) greatest[0] = 0;
  __syncthreads();
  std::uint32_t own = 0;
  std::int64_t episodes = 0, lengths = 0;
  for_ended(r, [&](long i) {
    const std::uint32_t bits = magnitude_bits(r.ended_return[i]);
    own = bits > own ? bits : own;
    episodes++;
    lengths += r.ended_length[i];
  });
  atomicMax(&greatest[0], own);
  __syncthreads();
  if (threadIdx.x == 0) atomicMax(&e->greatest, greatest[0]);
  add_to_total(episodes, &e->sums.episodes);
  add_to_total(lengths, &e->sums.lengths);
}

__device__ __forceinline__ int return_exponent(const CudaEpisodes* e) {
  return fixed_exponent(double(as_float(std::int32_t(e->greatest))), e->sums.episodes);
}

static __global__ void __launch_bounds__(kMomentsBlock)
    sum_returns_kernel(const __grid_constant__ EpisodesRequest r, CudaEpisodes* e) {
  if (e->greatest >= 0x7f800000u) return;
  const int exponent = return_exponent(e);
  std::int64_t own = 0;
  for_ended(r, [&](long i) { own += to_fixed(double(r.ended_return[i]), exponent); });
  add_to_total(own, &e->fixed_returns);
}

static __global__ void end_episodes_kernel(CudaEpisodes* e) {
  e->sums.returns = e->greatest < 0x7f800000u ? from_fixed(e->fixed_returns, return_exponent(e))
                                              : __builtin_nan("");
}

inline LaunchStatus episodes(const EpisodesRequest& r, CudaEpisodes* result, void* stream) {
  const std::size_t wanted = blocks_for(std::size_t(r.n), kMomentsBlock);
  const unsigned grid = unsigned(wanted < 1 ? 1 : wanted < kMomentsGrid ? wanted : kMomentsGrid);
  LaunchConfig config{.name = "begin_episodes", .stream = stream};
  LaunchStatus status = launch(config, begin_episodes_kernel, result);
  config.grid = grid;
  config.block = kMomentsBlock;
  config.name = "count_episodes";
  if (status.ok()) status = launch(config, count_episodes_kernel, r, result);
  config.name = "sum_returns";
  if (status.ok()) status = launch(config, sum_returns_kernel, r, result);
  const LaunchConfig end{.name = "end_episodes", .stream = stream};
  if (status.ok()) status = launch(end, end_episodes_kernel, result);
  return status;
}

}  // namespace gallop::inline GALLOP_ISA
