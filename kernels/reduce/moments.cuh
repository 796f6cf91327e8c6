// Order-free moments (kernels/reduce/moments.h): sums of a block, added by integer atomics.
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/reduce/moments.h>
#include <gallop/kernels/device/block_reduce.cuh>
#include <gallop/kernels/device/launch.cuh>

namespace gallop::inline GALLOP_ISA {

constexpr unsigned kMomentsBlock = 256;
constexpr int kMomentsAtOnce = 4;  // numbers of a thread that are read at once

// Eight blocks a multiprocessor, or as many as n numbers fill.
inline unsigned moments_grid(long n) {
  const std::size_t most = 8 * std::size_t(device_limits().multiprocessors);
  const std::size_t wanted = blocks_for(std::size_t(n), kMomentsBlock);
  return unsigned(wanted < 1 ? 1 : wanted < most ? wanted : most);
}

// Magnitude as bits, which order like the magnitudes; infinity where x is not finite.
GALLOP_HD std::uint32_t magnitude_bits(float x) {
  const std::uint32_t bits = std::uint32_t(as_int(abs(x)));
  return bits < 0x7f800000u ? bits : 0x7f800000u;
}

// Calls body(x[i]) for i = first, first + step, ... below n < 2^31.
template <class Body>
__device__ __forceinline__ void for_row(const float* x, unsigned n, unsigned first, unsigned step,
                                        const Body& body) {
  unsigned i = first;
  GALLOP_UNROLL(1)
  for (; i + (kMomentsAtOnce - 1) * step < n; i += kMomentsAtOnce * step) {
    float number[kMomentsAtOnce];
    GALLOP_UNROLL(4)
    for (int k = 0; k < kMomentsAtOnce; k++) number[k] = x[i + k * step];
    GALLOP_UNROLL(4)
    for (int k = 0; k < kMomentsAtOnce; k++) body(number[k]);
  }
  GALLOP_UNROLL(1)
  for (; i < n; i += step) body(x[i]);
}

// Calls body(x) for each number of the block's group that this thread has: row after row, so that
// none of them takes a division. Rows have less than 2^31 numbers.
template <class Body>
__device__ __forceinline__ void for_numbers(const MomentsRequest& r, const Body& body) {
  const float* const x = r.x + long(blockIdx.y) * r.group_stride;
  const unsigned n = unsigned(r.n), step = gridDim.x * blockDim.x;
  const unsigned first = blockIdx.x * blockDim.x + threadIdx.x;
  if (r.rows == 1) return for_row(x, n, first, step, body);
  const unsigned rows_on = step / n, columns_on = step % n;
  long row = first / n;
  unsigned column = first % n;
  GALLOP_UNROLL(1)
  while (row < r.rows) {
    float number[kMomentsAtOnce];
    bool is_there[kMomentsAtOnce];
    GALLOP_UNROLL(4)
    for (int k = 0; k < kMomentsAtOnce; k++) {
      is_there[k] = row < r.rows;
      number[k] = x[is_there[k] ? row * r.stride + column : 0];
      row += rows_on;
      column += columns_on;
      if (column >= n) column -= n, row++;
    }
    GALLOP_UNROLL(4)
    for (int k = 0; k < kMomentsAtOnce; k++) {
      if (is_there[k]) body(number[k]);
    }
  }
}

// Adds the block's sums to *total. All threads of the block call it.
__device__ __forceinline__ void add_to_total(std::int64_t own, std::int64_t* total) {
  const std::int64_t sum = block_sum(own);
  if (threadIdx.x == 0) {
    atomicAdd(reinterpret_cast<unsigned long long*>(total), static_cast<unsigned long long>(sum));
  }
}

static __global__ void begin_moments_kernel(const __grid_constant__ MomentsRequest r) {
  r.result[blockIdx.y] = {0.0, 0.0, 0, 0, 0u, 0u};
}

static __global__ void __launch_bounds__(kMomentsBlock)
    greatest_kernel(const __grid_constant__ MomentsRequest r) {
  std::uint32_t own = 0;
  for_numbers(r, [&](float x) {
    const std::uint32_t bits = magnitude_bits(x);
    own = bits > own ? bits : own;
  });
  own = block_greatest(own);
  if (threadIdx.x == 0) atomicMax(&r.result[blockIdx.y].greatest, own);
}

static __global__ void __launch_bounds__(kMomentsBlock)
    sum_kernel(const __grid_constant__ MomentsRequest r) {
  MomentSums& m = r.result[blockIdx.y];
  if (!is_bounded(m)) return;
  const int exponent = fixed_exponent(bound_of(m), r.rows * r.n);
  std::int64_t own = 0;
  for_numbers(r, [&](float x) { own += to_fixed(double(x), exponent); });
  add_to_total(own, &m.fixed_sum);
}

static __global__ void __launch_bounds__(kMomentsBlock)
    sum_of_squares_kernel(const __grid_constant__ MomentsRequest r) {
  MomentSums& m = r.result[blockIdx.y];
  if (!is_bounded(m)) return;
  const double mean = mean_of(r, m);
  const int exponent = square_exponent(r, m);
  std::int64_t own = 0;
  for_numbers(r, [&](float x) {
    const double d = double(x) - mean;
    own += to_fixed(d * d, exponent);
  });
  add_to_total(own, &m.fixed_sum_of_squares);
}

static __global__ void end_moments_kernel(const __grid_constant__ MomentsRequest r) {
  end_moments(r, r.result[blockIdx.y]);
}

inline LaunchStatus moments(const MomentsRequest& r, const CudaWork& on) {
  if (r.n > 0x7fffffff) return {kLaunchRefused, "moments"};
  const unsigned grid = moments_grid(r.rows * r.n), groups = unsigned(r.groups);
  LaunchConfig config{.name = "begin_moments", .grid = dim3(1, groups), .stream = on.stream};
  LaunchStatus status = launch(config, begin_moments_kernel, r);
  config.grid = dim3(grid, groups);
  config.block = kMomentsBlock;
  config.name = "greatest";
  if (status.ok()) status = launch(config, greatest_kernel, r);
  config.name = "sum";
  if (status.ok() && r.about_zero == 0) status = launch(config, sum_kernel, r);
  config.name = "sum_of_squares";
  if (status.ok()) status = launch(config, sum_of_squares_kernel, r);
  const LaunchConfig end{.name = "end_moments", .grid = dim3(1, groups), .stream = on.stream};
  if (status.ok()) status = launch(end, end_moments_kernel, r);
  return status;
}

}  // namespace gallop::inline GALLOP_ISA
