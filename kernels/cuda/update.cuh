// From the gradients of chunks to their sum, order-free (kernels/reduce/partials.h).
#pragma once

#include "kernels/cuda/moments.cuh"
#include "kernels/cuda/shared_memory.cuh"
#include "kernels/reduce/partials.h"

namespace gallop::inline GALLOP_ISA {

// A million samples have 7 813 chunks: many threads each with several loads under way.
constexpr unsigned kBoundBlock = 512;
constexpr int kSumElements = 32, kSumSlices = 16;  // of a block

// bound[s] = greatest magnitude of segment s over all chunks; one block a segment.
static __global__ void __launch_bounds__(kBoundBlock)
    bound_kernel(const __grid_constant__ ReduceRequest r, float* bound) {
  GALLOP_SHARED(unsigned, greatest, 1);
  if (r.active != nullptr && *r.active == 0) return;
  if (threadIdx.x == 0) greatest[0] = 0;
  __syncthreads();
  const int s = int(blockIdx.x);
  unsigned own = 0;
  GALLOP_UNROLL(4)
  for (int c = int(threadIdx.x); c < r.n_chunks; c += int(blockDim.x)) {
    const unsigned bits = magnitude_bits(r.greatest[long(c) * kMaxSegments + s]);
    own = bits > own ? bits : own;
  }
  atomicMax(&greatest[0], own);
  __syncthreads();
  if (threadIdx.x == 0) bound[s] = as_float(std::int32_t(greatest[0]));
}

__device__ __forceinline__ int segment_of(const Segments& segments, int element) {
  int s = 0;
  while (s + 1 < segments.count && segments.begin[s + 1] <= element) s++;
  return s;
}

// A warp adds 32 consecutive elements over every sixteenth chunk; integers, so the slices add up to
// the same bits in any order.
static __global__ void __launch_bounds__(kSumElements* kSumSlices)
    sum_partials_kernel(const __grid_constant__ ReduceRequest r, const float* bound) {
  GALLOP_SHARED(std::int64_t, slices, kSumElements * kSumSlices);
  if (r.active != nullptr && *r.active == 0) return;
  const int lane = int(threadIdx.x) % kSumElements, slice = int(threadIdx.x) / kSumElements;
  const int i = r.begin + int(blockIdx.x) * kSumElements + lane;
  const bool used = i < r.end;
  const float greatest = used ? bound[segment_of(r.segments, i)] : 0.0f;
  const bool bounded = greatest < __builtin_inff();
  const int exponent = bounded ? fixed_exponent(double(greatest), r.n_chunks) : 0;
  std::int64_t sum = 0;
  if (used && bounded) {
    const double scale = power_of_two(exponent);
    GALLOP_UNROLL(8)
    for (int c = slice; c < r.n_chunks; c += kSumSlices) {
      sum += round_to_int64(double(r.partial[long(c) * r.stride + i]) * scale);
    }
  }
  slices[threadIdx.x] = sum;
  __syncthreads();
  if (slice != 0 || !used) return;
  for (int k = 1; k < kSumSlices; k++) sum += slices[k * kSumElements + lane];
  r.sum[i] = bounded ? float(double(sum) * power_of_two(-exponent)) : __builtin_nanf("");
}

inline LaunchStatus reduce_partials(const ReduceRequest& r, float* bound, void* stream) {
  if (r.begin >= r.end) return {0, "reduce_partials"};
  const LaunchConfig bounds{
      .name = "bound", .grid = unsigned(r.segments.count), .block = kBoundBlock, .stream = stream};
  const LaunchStatus status = launch(bounds, bound_kernel, r, bound);
  if (!status.ok()) return status;
  const LaunchConfig sums{.name = "sum_partials",
                          .grid = blocks_for(std::size_t(r.end - r.begin), kSumElements),
                          .block = kSumElements * kSumSlices,
                          .stream = stream};
  return launch(sums, sum_partials_kernel, r, static_cast<const float*>(bound));
}

}  // namespace gallop::inline GALLOP_ISA
