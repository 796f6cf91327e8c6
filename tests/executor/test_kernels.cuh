#pragma once

// Kernels for the executor's own tests, correct ones and ones with a planted error. They compile
// with nvcc as they stand.

#include <gallop/kernels/device/block_reduce.cuh>
#include <gallop/kernels/device/launch.cuh>
#include <gallop/kernels/device/shared_memory.cuh>

namespace gallop::test {

constexpr unsigned kFullWarp = 0xffffffffu;
constexpr int kBlockSize = 128;

__device__ inline float warp_sum(float value) {
  for (int delta = 16; delta > 0; delta /= 2) {
    value += __shfl_down_sync(kFullWarp, value, static_cast<unsigned>(delta));
  }
  return value;
}

// Adds the block's values, and counts those above one half.
static __global__ void __launch_bounds__(kBlockSize)
    sum_and_count(const float* values, int n, float* sum, int* n_large) {
  GALLOP_SHARED(float, warp_sums, kBlockSize / 32);
  const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  const float value = i < static_cast<unsigned>(n) ? values[i] : 0.0f;
  const unsigned large = __ballot_sync(kFullWarp, value > 0.5f);
  if (threadIdx.x % 32 == 0) atomicAdd(n_large, __popc(large));
  const float partial = warp_sum(value);
  if (threadIdx.x % 32 == 0) warp_sums[threadIdx.x / 32] = partial;
  __syncthreads();
  if (threadIdx.x < 32) {
    const float total = warp_sum(threadIdx.x < kBlockSize / 32 ? warp_sums[threadIdx.x] : 0.0f);
    if (threadIdx.x == 0) atomicAdd(sum, total);
  }
}

// Each thread takes the value of its right neighbour. `with_barrier` false: the planted race.
static __global__ void rotate(const float* in, float* out, bool with_barrier) {
  GALLOP_DYNAMIC_SHARED(float, values);
  const unsigned i = threadIdx.x;
  values[i] = in[i];
  if (with_barrier) __syncthreads();
  out[i] = values[(i + 1) % blockDim.x];
}

// The same through an array in CUDA's own notation.
static __global__ void rotate_static(const float* in, float* out) {
  __shared__ float values[kBlockSize];
  const unsigned i = threadIdx.x;
  values[i] = in[i];
  __syncthreads();
  out[i] = values[(i + 1) % blockDim.x];
}

// Overlapping phases: thread i reads what thread i + 1 wrote in the phase before.
static __global__ void shift_repeatedly(float* out, int n_phases, bool second_barrier) {
  GALLOP_DYNAMIC_SHARED(float, values);
  const unsigned i = threadIdx.x;
  values[i] = static_cast<float>(i);
  __syncthreads();
  for (int phase = 0; phase < n_phases; ++phase) {
    const float next = values[(i + 1) % blockDim.x];
    if (second_barrier) __syncthreads();
    values[i] = next;
    __syncthreads();
  }
  out[i] = values[i];
}

enum class BarrierMistake {
  kDifferentBarriers,
  kBarrierAgainstWarp,
  kEarlyReturn,
  kWarpEarlyReturn,
  kNotInOwnMask,
  kDifferentMasks,
  kNone
};

static __global__ void meet(BarrierMistake mistake) {
  const unsigned i = threadIdx.x;
  switch (mistake) {
    case BarrierMistake::kDifferentBarriers:
      if (i < 5) {
        __syncthreads();
      } else {
        __syncthreads();
      }
      break;
    case BarrierMistake::kBarrierAgainstWarp:
      if (i < 5) {
        __syncthreads();
      } else {
        __syncwarp();
      }
      break;
    case BarrierMistake::kEarlyReturn:
      if (i == 7) return;
      __syncthreads();
      break;
    case BarrierMistake::kWarpEarlyReturn:
      if (i == 7) return;
      __syncwarp();
      break;
    case BarrierMistake::kNotInOwnMask:
      __syncwarp(0x0000ffffu);
      break;
    case BarrierMistake::kDifferentMasks:
      __syncwarp(i < 16 ? 0x0000ffffu : kFullWarp);
      break;
    case BarrierMistake::kNone:
      if (i < 32) __syncwarp(i % 2 == 0 ? 0x55555555u : 0xaaaaaaaau);
      __syncthreads();
      break;
  }
}

enum class Shuffle { kIndexed, kUp, kDown, kXor, kAbsentLane };

template <class T>
static __global__ void shuffle(Shuffle kind, int argument, int width, T* values) {
  const T own = values[threadIdx.x];
  T received = own;
  if (kind == Shuffle::kIndexed) received = __shfl_sync(kFullWarp, own, argument, width);
  if (kind == Shuffle::kUp) {
    received = __shfl_up_sync(kFullWarp, own, static_cast<unsigned>(argument), width);
  }
  if (kind == Shuffle::kDown) {
    received = __shfl_down_sync(kFullWarp, own, static_cast<unsigned>(argument), width);
  }
  if (kind == Shuffle::kXor) received = __shfl_xor_sync(kFullWarp, own, argument, width);
  if (kind == Shuffle::kAbsentLane && threadIdx.x < 16) {
    received = __shfl_sync(0x0000ffffu, own, static_cast<int>(threadIdx.x) + 1);
  }
  values[threadIdx.x] = received;
}

// Sums and maxima over a block, one call after the other: each thread stores what it got.
struct BlockTotals {
  std::uint32_t greatest, least;  // least by the complement
  std::int64_t sum, negative;
};
static __global__ void total_of_block(const std::int64_t* values, BlockTotals* totals) {
  const std::int64_t own = values[threadIdx.x];
  BlockTotals result;
  result.greatest = block_greatest(std::uint32_t(own));
  result.least = ~block_greatest(~std::uint32_t(own));
  result.sum = block_sum(own);
  result.negative = block_sum(-own);
  totals[threadIdx.x] = result;
}

struct Votes {
  unsigned ballot;
  int any, all, block_any, block_all, block_count;
};

// Thread i votes true where i is at least `threshold`.
static __global__ void vote(int threshold, Votes* votes) {
  const int yes = static_cast<int>(threadIdx.x) >= threshold;
  Votes result;
  result.ballot = __ballot_sync(kFullWarp, yes);
  result.any = __any_sync(kFullWarp, yes);
  result.all = __all_sync(kFullWarp, yes);
  result.block_any = __syncthreads_or(yes);
  result.block_all = __syncthreads_and(yes);
  result.block_count = __syncthreads_count(yes);
  votes[threadIdx.x] = result;
}

struct AtomicTargets {
  int add_int;
  unsigned add_unsigned;
  unsigned long long add_long;
  float add_float;
  int max_int;
  int min_int;
  unsigned cas_sum;
  unsigned exchanged;
  unsigned lost;
};

// Thread g of n adds, compares and exchanges g; `lost` sums what exchanges pushed out.
static __global__ void use_atomics(AtomicTargets* targets) {
  const unsigned g = blockIdx.x * blockDim.x + threadIdx.x;
  atomicAdd(&targets->add_int, -static_cast<int>(g));
  atomicAdd(&targets->add_unsigned, g);
  atomicAdd(&targets->add_long, static_cast<unsigned long long>(g) << 32);
  atomicAdd(&targets->add_float, static_cast<float>(g));
  atomicMax(&targets->max_int, static_cast<int>(g * 7919u % 10007u));
  atomicMin(&targets->min_int, -static_cast<int>(g * 7919u % 10007u));
  unsigned seen = targets->cas_sum;
  for (unsigned expected = seen + 1; expected != seen;) {
    expected = seen;
    seen = atomicCAS(&targets->cas_sum, expected, expected + g);
  }
  atomicAdd(&targets->lost, atomicExch(&targets->exchanged, g));
}

// Reads and writes at a chosen place of shared memory.
static __global__ void touch_shared(int read_at, int write_at, float* out) {
  GALLOP_DYNAMIC_SHARED(float, values);
  if (write_at >= 0) values[write_at] = 1.0f;
  if (read_at >= 0) *out = values[read_at];
}

static __global__ void touch_static_shared(int read_at, int write_at, float* out) {
  GALLOP_SHARED(float, values, 4);
  if (write_at >= 0) values[write_at] = 1.0f;
  if (read_at >= 0) *out = values[read_at];
}

// Static and dynamic arrays of one kernel.
static __global__ void touch_both_shared(float* out) {
  GALLOP_DYNAMIC_SHARED(float, values);
  GALLOP_SHARED(float, fixed, 64);
  values[threadIdx.x] = 1.0f;
  fixed[threadIdx.x] = 2.0f;
  *out = values[threadIdx.x] + fixed[threadIdx.x];
}

// Where each thread of a three-dimensional launch is.
static __global__ void locate(unsigned* visits) {
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  atomicAdd(&visits[block * blockDim.x * blockDim.y * blockDim.z + thread], 1u);
}

}  // namespace gallop::test
