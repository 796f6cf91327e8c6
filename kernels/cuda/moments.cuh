// Order-free moments (kernels/reduce/fixed_point.h): the greatest magnitude, then sums of multiples
// of a power of two that follows from it, by integer atomics. The host reads only the result.
#pragma once

#include "kernels/cuda/kernel_table.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/shared_memory.cuh"
#include "kernels/reduce/fixed_point.h"

namespace gallop::inline GALLOP_ISA {

constexpr unsigned kMomentsBlock = 256;
constexpr std::size_t kMomentsGrid = 1056;  // eight blocks a multiprocessor of a large device

// Magnitude as bits, which order like the magnitudes; infinity where x is not finite.
GALLOP_HD std::uint32_t magnitude_bits(float x) {
  const std::uint32_t bits = std::uint32_t(as_int(abs(x)));
  return bits < 0x7f800000u ? bits : 0x7f800000u;
}

// Calls body(x) for each number of the block's group that this thread has.
template <class Body>
__device__ __forceinline__ void for_numbers(const CudaMomentsRequest& r, const Body& body) {
  const long total = r.rows * r.n, step = long(gridDim.x) * blockDim.x;
  const float* x = r.x + long(blockIdx.y) * r.group_stride;
  for (long k = long(blockIdx.x) * blockDim.x + threadIdx.x; k < total; k += step) {
    body(x[r.rows == 1 ? k : k / r.n * r.stride + k % r.n]);
  }
}

// Adds the block's sums to *total. All threads of the block call it.
__device__ __forceinline__ void add_to_total(std::int64_t own, std::int64_t* total) {
  GALLOP_SHARED(unsigned long long, sum, 1);
  if (threadIdx.x == 0) sum[0] = 0;
  __syncthreads();
  atomicAdd(&sum[0], static_cast<unsigned long long>(own));
  __syncthreads();
  if (threadIdx.x == 0) atomicAdd(reinterpret_cast<unsigned long long*>(total), sum[0]);
}

static __global__ void begin_moments_kernel(CudaMoments* m) {
  m[blockIdx.y] = {0.0, 0.0, 0, 0, 0u, 0u};
}

static __global__ void __launch_bounds__(kMomentsBlock)
    greatest_kernel(const __grid_constant__ CudaMomentsRequest r, CudaMoments* m) {
  m += blockIdx.y;
  GALLOP_SHARED(unsigned, greatest, 1);
  if (threadIdx.x == 0) greatest[0] = 0;
  __syncthreads();
  std::uint32_t own = 0;
  for_numbers(r, [&](float x) {
    const std::uint32_t bits = magnitude_bits(x);
    own = bits > own ? bits : own;
  });
  atomicMax(&greatest[0], own);
  __syncthreads();
  if (threadIdx.x == 0) atomicMax(&m->greatest, greatest[0]);
}

__device__ __forceinline__ bool is_bounded(const CudaMoments* m) {
  return m->greatest < 0x7f800000u;
}
__device__ __forceinline__ double bound_of(const CudaMoments* m) {
  return double(as_float(std::int32_t(m->greatest)));
}
__device__ __forceinline__ double mean_of(const CudaMomentsRequest& r, const CudaMoments* m) {
  if (r.about_zero != 0) return 0.0;
  const std::int64_t count = r.rows * r.n;
  return from_fixed(m->fixed_sum, fixed_exponent(bound_of(m), count)) / double(count);
}
// Of the squares of deviations.
__device__ __forceinline__ int square_exponent(const CudaMomentsRequest& r, const CudaMoments* m) {
  const double spread = bound_of(m) + __builtin_fabs(mean_of(r, m));
  return fixed_exponent(spread * spread, r.rows * r.n);
}

static __global__ void __launch_bounds__(kMomentsBlock)
    sum_kernel(const __grid_constant__ CudaMomentsRequest r, CudaMoments* m) {
  m += blockIdx.y;
  if (!is_bounded(m)) return;
  const int exponent = fixed_exponent(bound_of(m), r.rows * r.n);
  std::int64_t own = 0;
  for_numbers(r, [&](float x) { own += to_fixed(double(x), exponent); });
  add_to_total(own, &m->fixed_sum);
}

static __global__ void __launch_bounds__(kMomentsBlock)
    sum_of_squares_kernel(const __grid_constant__ CudaMomentsRequest r, CudaMoments* m) {
  m += blockIdx.y;
  if (!is_bounded(m)) return;
  const double mean = mean_of(r, m);
  const int exponent = square_exponent(r, m);
  std::int64_t own = 0;
  for_numbers(r, [&](float x) {
    const double d = double(x) - mean;
    own += to_fixed(d * d, exponent);
  });
  add_to_total(own, &m->fixed_sum_of_squares);
}

static __global__ void end_moments_kernel(const __grid_constant__ CudaMomentsRequest r,
                                          CudaMoments* m) {
  m += blockIdx.y;
  const bool bounded = is_bounded(m);
  m->mean = bounded ? mean_of(r, m) : __builtin_nan("");
  m->sum_of_squares =
      bounded ? from_fixed(m->fixed_sum_of_squares, square_exponent(r, m)) : __builtin_nan("");
}

inline LaunchStatus moments(const CudaMomentsRequest& r, CudaMoments* result, void* stream) {
  const std::size_t wanted = blocks_for(std::size_t(r.rows * r.n), kMomentsBlock);
  const unsigned grid = unsigned(wanted < 1 ? 1 : wanted < kMomentsGrid ? wanted : kMomentsGrid);
  const unsigned groups = unsigned(r.groups);
  LaunchConfig config{.name = "begin_moments", .grid = dim3(1, groups), .stream = stream};
  LaunchStatus status = launch(config, begin_moments_kernel, result);
  config.grid = dim3(grid, groups);
  config.block = kMomentsBlock;
  config.name = "greatest";
  if (status.ok()) status = launch(config, greatest_kernel, r, result);
  config.name = "sum";
  if (status.ok() && r.about_zero == 0) status = launch(config, sum_kernel, r, result);
  config.name = "sum_of_squares";
  if (status.ok()) status = launch(config, sum_of_squares_kernel, r, result);
  const LaunchConfig end{.name = "end_moments", .grid = dim3(1, groups), .stream = stream};
  if (status.ok()) status = launch(end, end_moments_kernel, r, result);
  return status;
}

}  // namespace gallop::inline GALLOP_ISA
