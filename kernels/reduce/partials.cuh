// From the gradients of chunks to their sum, order-free (kernels/reduce/partials.h). A block takes
// some elements and finds the bounds of their segments by itself: what that reads twice is less
// than a launch takes.
#pragma once

#include <gallop/kernels/reduce/partials.h>
#include <gallop/kernels/device/shared_memory.cuh>
#include <gallop/kernels/reduce/moments.cuh>

namespace gallop::inline GALLOP_ISA {

// A million samples have 7 813 chunks: many threads each with several loads under way.
constexpr int kSumElements = 32, kSumSlices = 16;  // of a block at once
constexpr unsigned kSumBlock = kSumElements * kSumSlices;

// Elements of a block: few, but of many parameters so many that no more blocks are started than run
// at once.
inline int elements_of_block(int n) {
  const int rows = (n + kSumElements - 1) / kSumElements;
  const int most = 4 * device_limits().multiprocessors;
  return kSumElements * ((rows + most - 1) / most);
}
inline unsigned sum_grid(const ReduceRequest& r) {
  const int n = r.segments.begin[r.segments.count];
  return blocks_for(std::size_t(n), unsigned(elements_of_block(n)));
}

__device__ __forceinline__ int segment_of(const Segments& segments, int element) {
  int s = 0;
  while (s + 1 < segments.count && segments.begin[s + 1] <= element) s++;
  return s;
}

// bound[k] = greatest magnitude, as bits, of segment first + k over all chunks, for `count`
// segments. Warps share the chunks of few segments. All may read it after a barrier.
__device__ __forceinline__ void bound_segments(const ReduceRequest& r, int first, int count,
                                               unsigned* bound) {
  constexpr int kWarps = int(kSumBlock) / 32;
  const int parts = count < kWarps ? kWarps / count : 1;
  if (threadIdx.x < kMaxSegments) bound[threadIdx.x] = 0;
  __syncthreads();
  GALLOP_UNROLL(1)
  for (int task = int(threadIdx.x) / 32; task < count * parts; task += kWarps) {
    const int k = task % count, part = task / count;
    unsigned own = 0;
    GALLOP_UNROLL(4)
    for (int c = 32 * part + int(threadIdx.x) % 32; c < r.n_chunks; c += 32 * parts) {
      const unsigned bits = magnitude_bits(r.greatest[long(c) * kMaxSegments + first + k]);
      own = bits > own ? bits : own;
    }
    own = warp_greatest(own);
    if (threadIdx.x % 32 == 0) atomicMax(&bound[k], own);
  }
  __syncthreads();
}

// Elements [begin, end) of the sum. A warp adds 32 consecutive ones over every sixteenth chunk;
// integers, so the slices add up to the same bits in any order.
__device__ __forceinline__ void sum_partials(const ReduceRequest& r, int begin, int end) {
  GALLOP_SHARED(std::int64_t, slices, kSumBlock);
  GALLOP_SHARED(unsigned, bound, kMaxSegments);
  const int first = segment_of(r.segments, begin);
  bound_segments(r, first, segment_of(r.segments, end - 1) - first + 1, bound);
  const int lane = int(threadIdx.x) % kSumElements, slice = int(threadIdx.x) / kSumElements;
  GALLOP_UNROLL(1)
  for (int i = begin + lane; i - lane < end; i += kSumElements) {
    const bool used = i < end;
    const unsigned greatest = used ? bound[segment_of(r.segments, i) - first] : 0u;
    const bool bounded = greatest < 0x7f800000u;
    const int exponent =
        bounded ? fixed_exponent(double(as_float(std::int32_t(greatest))), r.n_chunks) : 0;
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
    if (slice == 0 && used) {
      for (int k = 1; k < kSumSlices; k++) sum += slices[k * kSumElements + lane];
      const bool fixed = i < r.n_fixed && r.fixed[i] != 0;
      r.sum[i] = !bounded ? __builtin_nanf("")
                 : fixed  ? 0.0f
                          : float(double(sum) * power_of_two(-exponent));
    }
    __syncthreads();
  }
}
// Those of this block of the grid.
__device__ __forceinline__ void sum_partials_of_block(const ReduceRequest& r, int elements) {
  const int n = r.segments.begin[r.segments.count], begin = int(blockIdx.x) * elements;
  sum_partials(r, begin, begin + elements < n ? begin + elements : n);
}

static __global__ void __launch_bounds__(kSumBlock)
    sum_partials_kernel(const __grid_constant__ ReduceRequest r, int elements) {
  if (r.active != nullptr && *r.active == 0) return;
  sum_partials_of_block(r, elements);
}

inline LaunchStatus reduce_partials(const ReduceRequest& r, const CudaWork& on) {
  const int n = r.segments.begin[r.segments.count];
  if (n == 0) return {0, "reduce_partials"};
  const LaunchConfig config{
      .name = "sum_partials", .grid = sum_grid(r), .block = kSumBlock, .stream = on.stream};
  return launch(config, sum_partials_kernel, r, elements_of_block(n));
}

}  // namespace gallop::inline GALLOP_ISA
