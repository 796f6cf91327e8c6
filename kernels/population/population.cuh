// Members, sums and ranks of a population on a device (members.h, sums.h, ranks.h beside this).
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/population/members.h>
#include <gallop/kernels/population/ranks.h>
#include <gallop/kernels/population/sums.h>
#include <gallop/kernels/population/parameters.cuh>
#include <gallop/kernels/random/shuffle.cuh>
#include <gallop/kernels/reduce/partials.cuh>

namespace gallop::inline GALLOP_ISA {

constexpr unsigned kMemberThreads = 128;

// Four parameters of a member a thread; a row of blocks a member.
static __global__ void __launch_bounds__(kMemberThreads)
    make_members_kernel(const __grid_constant__ MembersRequest r) {
  const Population& p = r.population;
  const long block = long(blockIdx.x) * kMemberThreads + threadIdx.x;
  if (block >= parameter_blocks(p)) return;
  for (int row = int(blockIdx.y); row < r.n; row += int(gridDim.y)) {
    write_parameters(p, r.first + row, block, r.out + long(row) * p.n_parameters);
  }
}

inline LaunchStatus make_members(const MembersRequest& r, const CudaWork& on) {
  if (r.n == 0) return {0, "make_members"};
  const unsigned rows = unsigned(r.n) < 65535u ? unsigned(r.n) : 65535u;
  const LaunchConfig config{
      .name = "make_members",
      .grid = dim3(blocks_for(std::size_t(parameter_blocks(r.population)), kMemberThreads), rows),
      .block = kMemberThreads,
      .stream = on.stream};
  return launch(config, make_members_kernel, r);
}

// Four parameters of the partial sums of a chunk a thread, its members in their order; a row of
// blocks a chunk.
static __global__ void __launch_bounds__(kMemberThreads)
    sum_members_kernel(const __grid_constant__ SumMembersRequest r,
                       const __grid_constant__ MemberPartials to) {
  const Population& p = r.population;
  const long block = long(blockIdx.x) * kMemberThreads + threadIdx.x;
  if (block >= parameter_blocks(p)) return;
  GALLOP_UNROLL(1)
  for (int chunk = int(blockIdx.y); chunk < to.n_chunks; chunk += int(gridDim.y)) {
    float sum[4] = {}, square[4] = {};
    GALLOP_UNROLL(1)
    for (int m = chunk * kChunkMembers; m < end_of_chunk(p, chunk); m += members_of_draw(p)) {
      float eps[4];
      perturbations(p, pair_of(p, m), block, eps);
      const DrawWeights w = draw_weights(r, m);
      GALLOP_UNROLL(4)
      for (int c = 0; c < 4; c++) {
        sum[c] = fmadd(w.of_eps, eps[c], sum[c]);
        square[c] = fmadd(w.of_square, eps[c] * eps[c], square[c]);
      }
    }
    GALLOP_UNROLL(4)
    for (int c = 0; c < 4; c++) {
      const long k = 4 * block + c;
      if (k >= p.n_parameters) break;
      to.row(0, chunk)[k] = sum[c];
      if (to.n_sums > 1) to.row(1, chunk)[k] = square[c];
    }
  }
}

// Greatest magnitude of each row of partial sums.
static __global__ void __launch_bounds__(kMomentsBlock)
    greatest_partial_kernel(long n, const __grid_constant__ MemberPartials of) {
  const float* const row = of.partial + long(blockIdx.x) * of.stride;
  std::uint32_t own = 0;
  GALLOP_UNROLL(4)
  for (long k = threadIdx.x; k < n; k += kMomentsBlock) {
    const std::uint32_t bits = magnitude_bits(row[k]);
    own = bits > own ? bits : own;
  }
  own = block_greatest(own);
  if (threadIdx.x == 0) {
    of.greatest[long(blockIdx.x) * kMaxSegments] = as_float(std::int32_t(own));
  }
}

inline LaunchStatus sum_members(const SumMembersRequest& r, const CudaWork& on) {
  const long n = r.population.n_parameters;
  MemberPartials to(r);
  to.use(on.array<float>(std::size_t(to.floats())));
  const unsigned chunks = to.n_chunks < 65535 ? unsigned(to.n_chunks) : 65535u;
  LaunchConfig config{
      .name = "sum_members",
      .grid = dim3(blocks_for(std::size_t(parameter_blocks(r.population)), kMemberThreads), chunks),
      .block = kMemberThreads,
      .stream = on.stream};
  LaunchStatus status = launch(config, sum_members_kernel, r, to);
  config.name = "greatest_partial";
  config.grid = unsigned(to.n_sums * to.n_chunks);
  config.block = kMomentsBlock;
  if (status.ok()) status = launch(config, greatest_partial_kernel, n, to);
  for (int s = 0; s < to.n_sums && status.ok(); s++) {
    status = reduce_partials(to.reduction(r, s), on);
  }
  return status;
}

struct RankKey {
  const float* fitness;
  std::uint32_t *key, *number;
  GALLOP_HD void operator()(long i) const {
    key[i] = rank_key(fitness[i]);
    number[i] = std::uint32_t(i);
  }
};
struct RankPlace {
  RankRequest r;
  const std::uint32_t* order;
  GALLOP_HD void operator()(long k) const { place(r, order[k], k); }
};

// A stable sort of the members in ascending number by their keys.
inline LaunchStatus rank_members(const RankRequest& r, const CudaWork& on) {
  const std::size_t row = shuffle_row(r.n), bytes = sort_scratch(r.n);
  char* const base = on.array<char>(4 * row + bytes);
  const auto words = [&](int k) {
    return reinterpret_cast<std::uint32_t*>(base + std::size_t(k) * row);
  };
  std::uint32_t* const order = r.order != nullptr ? r.order : words(3);
  LaunchStatus status =
      for_each("rank_keys", r.n, on.stream, RankKey{r.fitness, words(0), words(1)});
  if (!status.ok()) return status;
  status = {sort_pairs(base + 4 * row, bytes, words(0), words(2), words(1), order, r.n, on.stream),
            "rank_sort"};
  if (!status.ok()) return status;
  return for_each("place_members", r.n, on.stream, RankPlace{r, order});
}

}  // namespace gallop::inline GALLOP_ISA
