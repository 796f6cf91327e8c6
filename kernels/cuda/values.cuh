// Outputs of a network for recorded observations: each block takes a few columns of one row.
#pragma once

#include "kernels/cuda/block_network.cuh"
#include "kernels/cuda/kernel_table.h"
#include "kernels/policy/act.h"

namespace gallop::inline GALLOP_ISA {

// Whether the value of this column is asked for.
__device__ __forceinline__ bool wants_value(const CudaValuesRequest& r, long row, int i) {
  if (i >= r.n_envs) return false;
  if (r.truncated == nullptr) return true;
  const long at = row * r.n_envs + i;
  return r.truncated[at] != 0 && (r.terminated == nullptr || r.terminated[at] == 0);
}

static __global__ void __launch_bounds__(kBlockThreads, 4)
    values_kernel(const __grid_constant__ CudaValuesRequest r, int n) {
  GALLOP_DYNAMIC_SHARED(float, unit);
  const bool tabular = r.shape.kind == NetworkKind::kTabular;
  float* const other = unit + long(widest(r.shape)) * n;
  const int blocks_of_row = (r.n_envs + n - 1) / n;
  const long row = long(blockIdx.x) / blocks_of_row;
  const int first = int(blockIdx.x % unsigned(blocks_of_row)) * n;
  const int lane = int(threadIdx.x) % n;
  const bool wanted = wants_value(r, row, first + lane);
  if (__syncthreads_or(wanted ? 1 : 0) == 0) return;
  const int n_in = tabular ? 1 : r.shape.width[0], n_out = outputs_of(r.shape);
  const int step = int(blockDim.x) / n;
  for (int k = int(threadIdx.x) / n; k < n_in; k += step) {
    float x = 0.0f;
    if (wanted) {
      x = r.observation[(row * n_in + k) * r.n_envs + first + lane];
      if (!tabular) x = normalize(r.normalization, k, x);
    }
    unit[k * n + lane] = x;
  }
  const float* out = block_forward(r.shape, r.parameters, n, unit, other);
  if (!wanted) return;
  for (int j = int(threadIdx.x) / n; j < n_out; j += step) {
    r.output[(row * n_out + j) * r.n_envs + first + lane] = out[j * n + lane];
  }
}

inline LaunchStatus values(const CudaValuesRequest& r, void* stream) {
  const long total = long(r.n_rows) * r.n_envs;
  if (total == 0) return {0, "values"};
  const int n = block_instances(r.shape, total);
  const long grid = long(r.n_rows) * blocks_for(std::size_t(r.n_envs), unsigned(n));
  if (grid > 0x7fffffff) return {kLaunchRefused, "values"};
  const LaunchConfig config{.name = "values",
                            .grid = unsigned(grid),
                            .block = kBlockThreads,
                            .shared_bytes = block_network_bytes(r.shape, n),
                            .stream = stream};
  return launch(config, values_kernel, r, n);
}

}  // namespace gallop::inline GALLOP_ISA
