// Sums over the episodes that ended in a rollout (kernels/estimators/episodes.h).
#pragma once

#include <gallop/kernels/estimators/episodes.h>
#include <gallop/kernels/reduce/moments.cuh>

namespace gallop::inline GALLOP_ISA {

// Calls body(i) for each step that ended an episode and that this thread has; the flags of four
// steps are read at once.
template <class Body>
__device__ __forceinline__ void for_ended(const EpisodesRequest& r, const Body& body) {
  constexpr int kAtOnce = 4;
  const long step = long(gridDim.x) * blockDim.x;
  GALLOP_UNROLL(1)
  for (long first = long(blockIdx.x) * blockDim.x + threadIdx.x; first < r.n;
       first += kAtOnce * step) {
    bool ended[kAtOnce];
    GALLOP_UNROLL(4)
    for (int k = 0; k < kAtOnce; k++) {
      const long i = first + k * step;
      ended[k] = episode_ended(r, i < r.n ? i : first) && i < r.n;
    }
    GALLOP_UNROLL(4)
    for (int k = 0; k < kAtOnce; k++) {
      if (ended[k]) body(first + k * step);
    }
  }
}

static __global__ void begin_episodes_kernel(EpisodeSums* e) { *e = {0, 0, 0.0, 0, 0u, 0u}; }

static __global__ void __launch_bounds__(kMomentsBlock)
    count_episodes_kernel(const __grid_constant__ EpisodesRequest r) {
  std::uint32_t own = 0;
  std::int64_t episodes = 0, lengths = 0;
  for_ended(r, [&](long i) {
    const std::uint32_t bits = magnitude_bits(r.ended_return[i]);
    own = bits > own ? bits : own;
    episodes++;
    lengths += r.ended_length[i];
  });
  own = block_greatest(own);
  if (threadIdx.x == 0) atomicMax(&r.result->greatest, own);
  add_to_total(episodes, &r.result->episodes);
  add_to_total(lengths, &r.result->lengths);
}

__device__ __forceinline__ int return_exponent(const EpisodeSums* e) {
  return fixed_exponent(double(as_float(std::int32_t(e->greatest))), e->episodes);
}

static __global__ void __launch_bounds__(kMomentsBlock)
    sum_returns_kernel(const __grid_constant__ EpisodesRequest r) {
  if (r.result->greatest >= 0x7f800000u) return;
  const int exponent = return_exponent(r.result);
  std::int64_t own = 0;
  for_ended(r, [&](long i) { own += to_fixed(double(r.ended_return[i]), exponent); });
  add_to_total(own, &r.result->fixed_returns);
}

static __global__ void end_episodes_kernel(EpisodeSums* e) {
  e->returns = e->greatest < 0x7f800000u ? from_fixed(e->fixed_returns, return_exponent(e))
                                         : __builtin_nan("");
}

inline LaunchStatus episodes(const EpisodesRequest& r, const CudaWork& on) {
  LaunchConfig config{.name = "begin_episodes", .stream = on.stream};
  LaunchStatus status = launch(config, begin_episodes_kernel, r.result);
  config.grid = moments_grid(r.n);
  config.block = kMomentsBlock;
  config.name = "count_episodes";
  if (status.ok()) status = launch(config, count_episodes_kernel, r);
  config.name = "sum_returns";
  if (status.ok()) status = launch(config, sum_returns_kernel, r);
  const LaunchConfig end{.name = "end_episodes", .stream = on.stream};
  if (status.ok()) status = launch(end, end_episodes_kernel, r.result);
  return status;
}

}  // namespace gallop::inline GALLOP_ISA
