// Outputs of a network for recorded observations: each block takes a few columns of one row; in
// mode fast 128 columns, of as many rows as that takes.
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/gradients/values.h>
#include <gallop/kernels/gradients/gradient.cuh>

namespace gallop::inline GALLOP_ISA {

// Whether the value of this column is asked for.
__device__ __forceinline__ bool wants_value(const ValuesRequest& r, long row, int i) {
  if (i >= r.n_envs) return false;
  if (r.truncated == nullptr) return true;
  const long at = row * r.n_envs + i;
  return r.truncated[at] != 0 && (r.terminated == nullptr || r.terminated[at] == 0);
}

static __global__ void __launch_bounds__(kBlockThreads, 4)
    values_kernel(const __grid_constant__ ValuesRequest r, int n) {
  GALLOP_DYNAMIC_SHARED(float, unit);
  const bool tabular = r.shape.kind == NetworkKind::kTabular;
  float* const other = unit + long(widest(r.shape)) * n;
  const unsigned blocks_of_row = unsigned(r.n_envs + n - 1) / unsigned(n);
  const long row = blockIdx.x / blocks_of_row;
  const long from = unsigned(row) / unsigned(r.interval);
  const int first = int(blockIdx.x % blocks_of_row) * n;
  const int lane = int(threadIdx.x) % n;
  const bool wanted = wants_value(r, row, first + lane);
  if (__syncthreads_or(wanted ? 1 : 0) == 0) return;
  const int n_in = tabular ? 1 : r.shape.width[0], n_out = outputs_of(r.shape);
  const int step = int(blockDim.x) / n;
  for (int k = int(threadIdx.x) / n; k < n_in; k += step) {
    float x = 0.0f;
    if (wanted) {
      x = r.observation[(from * n_in + k) * r.n_envs + first + lane];
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

static __global__ void __launch_bounds__(kGradientThreads, 2)
    tensor_values_kernel(const __grid_constant__ ValuesRequest r) {
  GALLOP_DYNAMIC_SHARED(float, work);
  const long first = long(blockIdx.x) * kChunkSamples, left = long(r.n_rows) * r.n_envs - first;
  const int n = int(left < kChunkSamples ? left : long(kChunkSamples));
  Samples samples = {};
  samples.n_envs = r.n_envs;
  samples.observation = r.observation;
  load_chunk<Arithmetic::kFast>(r.shape, samples, r.normalization, first, n, work);
  tensor_forward_chunk(r.shape, r.parameters, work);
  const float* const outputs = work + long(unit_row(r.shape, r.shape.n_layers)) * kSampleStride;
  const int s = int(threadIdx.x) % kChunkSamples, n_out = outputs_of(r.shape);
  if (s >= n) return;
  const SamplePlace place = place_of(samples, first + s);
  constexpr int kStep = kGradientThreads / kChunkSamples;
  for (int j = int(threadIdx.x) / kChunkSamples; j < n_out; j += kStep) {
    r.output[(place.step * n_out + j) * r.n_envs + place.instance] = outputs[j * kSampleStride + s];
  }
}

// Networks whose units exceed shared memory have no such kernel, nor have tables.
inline bool has_tensor_values(const ValuesRequest& r) {
  return r.arithmetic == Arithmetic::kFast && r.truncated == nullptr &&
         r.shape.kind == NetworkKind::kMlp && long(r.n_rows) * r.n_envs <= kMostElements &&
         rows_fit_shared(network_rows(r.shape));
}

inline LaunchStatus values(const ValuesRequest& r, const CudaWork& on) {
  const long total = long(r.n_rows) * r.n_envs;
  if (total == 0) return {0, "values"};
  if (has_tensor_values(r)) {
    const LaunchConfig config{
        .name = "tensor_values",
        .grid = blocks_for(std::size_t(total), unsigned(kChunkSamples)),
        .block = kGradientThreads,
        .shared_bytes = sizeof(float) * std::size_t(network_rows(r.shape)) * kSampleStride,
        .stream = on.stream};
    return launch(config, tensor_values_kernel, r);
  }
  const int n = block_instances(r.shape, total);
  const long grid = long(r.n_rows) * blocks_for(std::size_t(r.n_envs), unsigned(n));
  if (grid > 0x7fffffff) return {kLaunchRefused, "values"};
  const LaunchConfig config{.name = "values",
                            .grid = unsigned(grid),
                            .block = kBlockThreads,
                            .shared_bytes = block_network_bytes(r.shape, n),
                            .stream = on.stream};
  return launch(config, values_kernel, r, n);
}

}  // namespace gallop::inline GALLOP_ISA
