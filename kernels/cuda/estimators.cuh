// Advantages and returns of recorded rollouts (kernels/estimators/).
#pragma once

#include "kernels/cuda/for_each.cuh"
#include "kernels/cuda/shared_memory.cuh"
#include "kernels/estimators/gae.h"
#include "kernels/estimators/returns.h"
#include "kernels/estimators/standardize.h"

namespace gallop::inline GALLOP_ISA {

struct GaeInstance {
  GaeRequest r;
  GALLOP_HD void operator()(long i) const { gae_sequential<float>(r, r.begin + int(i), 1); }
};

struct ReturnsInstance {
  ReturnsRequest r;
  GALLOP_HD void operator()(long i) const { discounted_returns<float>(r, r.begin + int(i), 1); }
};

struct StandardizeElement {
  float* x;
  float mean, inverse_std;
  GALLOP_HD void operator()(long i) const { x[i] = standardized(x[i], mean, inverse_std); }
};

constexpr int kGaeColumns = 32;  // instances of a block, one a lane
constexpr int kGaeWarps = 8;     // chunks of a block at once

// The scan of gae_scan: a warp takes one chunk of 32 steps for 32 instances and keeps it in
// registers, so that every number is read and written once; rounds of 8 chunks run from the last
// steps to the first, and every warp combines the carries of the chunks after its own in order.
static __global__ void __launch_bounds__(kGaeColumns* kGaeWarps, 2)
    gae_scan_kernel(const __grid_constant__ GaeRequest r) {
  GALLOP_SHARED(float, chunk_local, kGaeWarps* kGaeColumns);
  GALLOP_SHARED(float, chunk_weight, kGaeWarps* kGaeColumns);
  const int lane = int(threadIdx.x) % kGaeColumns, warp = int(threadIdx.x) / kGaeColumns;
  const int i = r.begin + int(blockIdx.x) * kGaeColumns + lane;
  const bool used = i < r.end;
  const int n_chunks = (r.n_steps + kGaeChunk - 1) / kGaeChunk;
  float carry = 0.0f;  // of the steps after this round
  GALLOP_UNROLL(1)
  for (int last = n_chunks - 1; last >= 0; last -= kGaeWarps) {
    const int chunk = last - warp;  // warp 0 has the latest steps
    float local[kGaeChunk], weight[kGaeChunk], advantage = 0.0f, product = 1.0f;
    GALLOP_UNROLL(32)
    for (int k = kGaeChunk - 1; k >= 0; k--) {
      const int t = chunk * kGaeChunk + k;
      if (used && chunk >= 0 && t < r.n_steps) {
        float delta, factor;
        gae_terms<float>(r, t, i, 1, delta, factor);
        advantage = fmadd(factor, advantage, delta);
        product = product * factor;
      }
      local[k] = advantage;
      weight[k] = product;
    }
    chunk_local[warp * kGaeColumns + lane] = local[0];
    chunk_weight[warp * kGaeColumns + lane] = weight[0];
    __syncthreads();
    float own = carry;
    for (int w = 0; w < kGaeWarps; w++) {
      if (w == warp) own = carry;
      const int at = w * kGaeColumns + lane;
      if (last - w >= 0) carry = fmadd(chunk_weight[at], carry, chunk_local[at]);
    }
    __syncthreads();
    if (!used || chunk < 0) continue;
    GALLOP_UNROLL(32)
    for (int k = kGaeChunk - 1; k >= 0; k--) {
      const int t = chunk * kGaeChunk + k;
      if (t < r.n_steps) store_advantage<float>(r, t, i, 1, fmadd(weight[k], own, local[k]));
    }
  }
}

inline LaunchStatus gae(const GaeRequest& r, void* stream) {
  const long n = r.end - r.begin;
  if (n <= 0) return {0, "gae"};
  if (!gae_scans(r)) return for_each("gae", n, stream, GaeInstance{r});
  const LaunchConfig config{.name = "gae_scan",
                            .grid = blocks_for(std::size_t(n), kGaeColumns),
                            .block = kGaeColumns * kGaeWarps,
                            .stream = stream};
  return launch(config, gae_scan_kernel, r);
}

inline LaunchStatus returns(const ReturnsRequest& r, void* stream) {
  return for_each("returns", r.end - r.begin, stream, ReturnsInstance{r});
}

inline LaunchStatus standardize(float* x, long n, float mean, float inverse_std, void* stream) {
  return for_each("standardize", n, stream, StandardizeElement{x, mean, inverse_std});
}

}  // namespace gallop::inline GALLOP_ISA
