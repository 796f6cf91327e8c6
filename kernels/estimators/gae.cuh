// Advantages of recorded rollouts (kernels/estimators/gae.h) on a device. What a thread reads of
// four or sixteen steps is under way at once: nothing that is loaded says where to load, but for
// the value of an observation before a reset, which is read at the few steps that cut an episode.
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/estimators/gae.h>
#include <gallop/kernels/device/for_each.cuh>
#include <gallop/kernels/device/shared_memory.cuh>
#include <gallop/kernels/estimators/recorded_steps.cuh>

namespace gallop::inline GALLOP_ISA {

// What advantages read beside the record of kSteps steps.
template <int kSteps>
struct GaeSteps : RecordedSteps<kSteps> {
  float value[kSteps];

  GALLOP_HD void load(const GaeRequest& r, int first, int i) {
    this->load_with(r, first, i, [&](int k, long at) { value[k] = r.value[at]; });
  }

  // delta and the factor of A[t + 1] of the k-th step, which `next` is the value after.
  GALLOP_HD void terms(const GaeRequest& r, int k, float next, float& delta, float& factor) const {
    gae_terms<float>(r, this->reward[k], value[k], next, this->is_open(k), this->is_running(k),
                     delta, factor);
  }
};

// One sweep of one instance from the last step to the first.
struct GaeInstance {
  GaeRequest r;
  GALLOP_HD void operator()(long instance) const {
    constexpr int kSteps = 16;
    const int i = int(instance);
    float advantage = 0.0f, next = r.value[long(r.n_steps) * r.n_envs + i];
    GALLOP_UNROLL(1)
    for (int first = (r.n_steps - 1) / kSteps * kSteps; first >= 0; first -= kSteps) {
      GaeSteps<kSteps> steps;
      steps.load(r, first, i);
      GALLOP_UNROLL(16)
      for (int k = kSteps - 1; k >= 0; k--) {
        const int t = first + k;
        if (t < r.n_steps) {
          const long at = long(t) * r.n_envs + i;
          if (steps.is_cut(k)) next = r.final_value[at];
          float delta, factor;
          steps.terms(r, k, next, delta, factor);
          advantage = fmadd(factor, advantage, delta);
          next = steps.value[k];
          r.advantage[at] = advantage;
          if (r.target != nullptr) r.target[at] = advantage + next;
        }
      }
    }
  }
};

constexpr int kGaeColumns = 32;  // instances of a block, one a lane
constexpr int kGaeWarps = 8;     // chunks of a block at once
constexpr int kGaeGroup = 4;     // steps of a chunk that are read at once

// One chunk of an instance as if nothing followed it: local[k] is A[first + k] without the carry.
// Bit k of `cut` says that an episode ended at step first + k, from which the factors of the carry
// follow; a register for each of them besides is more than there are. Steps that are not there
// leave all as it is.
struct GaeChunk {
  float local[kGaeChunk];
  float product;  // of all factors, that of the carry in local[0]
  unsigned cut;
};
__device__ __forceinline__ void gae_chunk_of(const GaeRequest& r, int first, int i,
                                             GaeChunk& chunk) {
  float advantage = 0.0f, product = 1.0f;
  unsigned cut = 0;
  const int after = first + kGaeChunk < r.n_steps ? first + kGaeChunk : r.n_steps;
  float next = r.value[long(after) * r.n_envs + i];
  GALLOP_UNROLL(8)
  for (int group = kGaeChunk - kGaeGroup; group >= 0; group -= kGaeGroup) {
    GaeSteps<kGaeGroup> steps;
    steps.load(r, first + group, i);
    float cut_value[kGaeGroup] = {};
    bool is_cut = false;
    GALLOP_UNROLL(8)
    for (int k = 0; k < kGaeGroup; k++) is_cut = is_cut || steps.is_cut(k);
    if (is_cut) {
      GALLOP_UNROLL(8)
      for (int k = 0; k < kGaeGroup; k++) {
        const int t = first + group + k < r.n_steps ? first + group + k : r.n_steps - 1;
        if (steps.is_cut(k)) cut_value[k] = r.final_value[long(t) * r.n_envs + i];
      }
    }
    GALLOP_UNROLL(8)
    for (int k = kGaeGroup - 1; k >= 0; k--) {
      const bool there = first + group + k < r.n_steps;
      float delta, factor;
      steps.terms(r, k, steps.is_cut(k) ? cut_value[k] : next, delta, factor);
      advantage = there ? fmadd(factor, advantage, delta) : advantage;
      product = there ? product * factor : product;
      cut |= there && !steps.is_running(k) ? 1u << (group + k) : 0u;
      next = there ? steps.value[k] : next;
      chunk.local[group + k] = advantage;
    }
  }
  chunk.product = product;
  chunk.cut = cut;
}

// The same number, but not to the compiler: or it keeps the 32 places of a chunk in registers that
// it does not have, where computing them again costs next to nothing.
__device__ __forceinline__ int unknown(int x) {
  asm("" : "+r"(x));
  return x;
}

// A = local + (product of the factors from there on) carry for the steps of a chunk that are there.
__device__ __forceinline__ void store_chunk(const GaeRequest& r, int first, int i, float carry,
                                            const GaeChunk& chunk) {
  float product = 1.0f;
  GALLOP_UNROLL(8)
  for (int group = kGaeChunk - kGaeGroup; group >= 0; group -= kGaeGroup) {
    float value[kGaeGroup];
    GALLOP_UNROLL(8)
    for (int k = 0; k < kGaeGroup; k++) {
      const int t = first + group + k < r.n_steps ? first + group + k : r.n_steps - 1;
      value[k] = r.target == nullptr ? 0.0f : r.value[long(t) * r.n_envs + i];
    }
    GALLOP_UNROLL(8)
    for (int k = kGaeGroup - 1; k >= 0; k--) {
      const int t = first + group + k;
      if (t < r.n_steps) {
        const long at = long(t) * r.n_envs + i;
        const bool running = (chunk.cut >> (group + k) & 1u) == 0;
        product = product * gae_factor<float>(r, running);
        const float advantage = fmadd(product, carry, chunk.local[group + k]);
        r.advantage[at] = advantage;
        if (r.target != nullptr) r.target[at] = advantage + value[k];
      }
    }
  }
}

// The scan (GaeScan): a warp takes one chunk of 32 steps for 32 instances and keeps it in
// registers; rounds of 8 chunks run from the last steps to the first, and every warp combines the
// carries of the chunks after its own in order. Warps without a chunk, and lanes without an
// instance, read another's and write nothing.
static __global__ void __launch_bounds__(kGaeColumns* kGaeWarps, 2)
    gae_scan_kernel(const __grid_constant__ GaeRequest r) {
  GALLOP_SHARED(float, chunk_local, kGaeWarps* kGaeColumns);
  GALLOP_SHARED(float, chunk_weight, kGaeWarps* kGaeColumns);
  const int lane = int(threadIdx.x) % kGaeColumns, warp = int(threadIdx.x) / kGaeColumns;
  const int own_instance = int(blockIdx.x) * kGaeColumns + lane;
  const bool used = own_instance < r.n_envs;
  const int i = used ? own_instance : r.n_envs - 1;
  const int n_chunks = (r.n_steps + kGaeChunk - 1) / kGaeChunk;
  float carry = 0.0f;  // of the steps after this round
  GALLOP_UNROLL(1)
  for (int last = n_chunks - 1; last >= 0; last -= kGaeWarps) {
    const int chunk = last - warp;  // warp 0 has the latest steps
    const int first = chunk > 0 ? chunk * kGaeChunk : 0;
    GaeChunk own_chunk;
    gae_chunk_of(r, first, i, own_chunk);
    chunk_local[warp * kGaeColumns + lane] = own_chunk.local[0];
    chunk_weight[warp * kGaeColumns + lane] = own_chunk.product;
    __syncthreads();
    float own = carry;
    for (int w = 0; w < kGaeWarps; w++) {
      if (w == warp) own = carry;
      const int at = w * kGaeColumns + lane;
      if (last - w >= 0) carry = fmadd(chunk_weight[at], carry, chunk_local[at]);
    }
    __syncthreads();
    if (used && chunk >= 0) store_chunk(r, unknown(first), i, own, own_chunk);
  }
}

inline LaunchStatus gae(const GaeRequest& r, const CudaWork& on) {
  if (r.n_envs <= 0 || r.n_steps <= 0) return {0, "gae"};
  if (!gae_scans(r)) return for_each("gae", r.n_envs, on.stream, GaeInstance{r});
  const LaunchConfig config{.name = "gae_scan",
                            .grid = blocks_for(std::size_t(r.n_envs), kGaeColumns),
                            .block = kGaeColumns * kGaeWarps,
                            .stream = on.stream};
  return launch(config, gae_scan_kernel, r);
}

}  // namespace gallop::inline GALLOP_ISA
