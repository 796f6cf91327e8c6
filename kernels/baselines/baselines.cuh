// Baselines (kernels/baselines/): features and values by a thread for each sample, optimal
// baselines by one for each component, and the products of features by blocks that share out the
// samples.
#pragma once

#include <gallop/kernels/baselines/linear.h>
#include <gallop/kernels/baselines/optimal.h>
#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/device/for_each.cuh>
#include <gallop/kernels/device/shared_memory.cuh>

namespace gallop::inline GALLOP_ISA {

struct FeaturesSample {
  FeaturesRequest r;
  GALLOP_HD void operator()(long s) const { write_features(r, s); }
};
struct GramTotal {
  const double* sum;  // [kGramSums, products]
  double* product;
  long n_products;
  GALLOP_HD void operator()(long p) const { product[p] = gram_total(sum + p, n_products); }
};
struct LinearValueSample {
  LinearValuesRequest r;
  GALLOP_HD void operator()(long s) const { linear_value(r, s); }
};
struct OptimalBaselineComponent {
  OptimalBaselineRequest r;
  GALLOP_HD void operator()(long j) const { optimal_baseline_component(r, j); }
};

// A block takes the products of 16 rows with 16 rows, one a thread, over every 64th chunk. Rows
// stand in shared memory in double precision, since a conversion takes as long as four products.
constexpr int kGramTile = 16;
constexpr int kGramBlock = kGramTile * kGramTile;
constexpr int kGramStride = kGramChunk + 1;  // threads read different rows from different banks

// The rows from `first` on, as far as there are such, of samples [at, at + n).
__device__ __forceinline__ void load_gram_rows(const GramRequest& r, long first, long at, int n,
                                               double* to) {
  const int s = int(threadIdx.x) % kGramChunk;
  if (s >= n) return;
  GALLOP_UNROLL(8)
  for (int k = int(threadIdx.x) / kGramChunk; k < kGramTile; k += kGramBlock / kGramChunk) {
    if (first + k > r.n_features) continue;
    to[k * kGramStride + s] = double(gram_row(r, first + k)[at + s]);
  }
}

static __global__ void __launch_bounds__(kGramBlock)
    gram_kernel(const __grid_constant__ GramRequest r, double* sums) {
  GALLOP_SHARED(double, rows, 2 * kGramTile * kGramStride);
  double* const columns = rows + kGramTile * kGramStride;
  const int a = int(threadIdx.x) / kGramTile, b = int(threadIdx.x) % kGramTile;
  const long n_chunks = gram_chunks(r.count), n_products = gram_count(r.n_features);
  const int tiles = (r.n_features + kGramTile) / kGramTile;
  GALLOP_UNROLL(1)
  for (int tile = int(blockIdx.y); tile < tiles * (tiles + 1) / 2; tile += int(gridDim.y)) {
    int of_rows = 0;
    while ((of_rows + 1) * (of_rows + 2) / 2 <= tile) of_rows++;
    const int of_columns = tile - of_rows * (of_rows + 1) / 2;
    const long i = long(of_rows) * kGramTile + a, j = long(of_columns) * kGramTile + b;
    const bool used = i <= r.n_features && j <= i && j < r.n_features;
    double sum = 0;
    GALLOP_UNROLL(1)
    for (long c = blockIdx.x; c < n_chunks; c += kGramSums) {
      const int n = gram_chunk_size(r.count, c);
      load_gram_rows(r, i - a, c * kGramChunk, n, rows);
      load_gram_rows(r, j - b, c * kGramChunk, n, columns);
      __syncthreads();
      if (used) sum = sum + strided_dot(rows + a * kGramStride, columns + b * kGramStride, n);
      __syncthreads();
    }
    if (used) sums[blockIdx.x * n_products + i * (i + 1) / 2 + j] = sum;
  }
}

inline LaunchStatus features(const FeaturesRequest& r, const CudaWork& on) {
  if (r.count > kMostElements) return {kLaunchRefused, "features"};
  return for_each("features", r.count, on.stream, FeaturesSample{r});
}
inline LaunchStatus gram(const GramRequest& r, const CudaWork& on) {
  const long n_products = gram_count(r.n_features);
  auto* const sums = on.array<double>(std::size_t(kGramSums * n_products));
  const long tiles = (r.n_features + kGramTile) / kGramTile, pairs = tiles * (tiles + 1) / 2;
  const LaunchConfig config{.name = "gram",
                            .grid = dim3(kGramSums, unsigned(pairs < 32768 ? pairs : 32768)),
                            .block = kGramBlock,
                            .stream = on.stream};
  const LaunchStatus status = launch(config, gram_kernel, r, sums);
  if (!status.ok()) return status;
  return for_each("gram_total", n_products, on.stream, GramTotal{sums, r.product, n_products});
}
inline LaunchStatus linear_values(const LinearValuesRequest& r, const CudaWork& on) {
  return for_each("linear_values", r.count, on.stream, LinearValueSample{r});
}
inline LaunchStatus optimal_baseline(const OptimalBaselineRequest& r, const CudaWork& on) {
  return for_each("optimal_baseline", r.n_parameters, on.stream, OptimalBaselineComponent{r});
}

}  // namespace gallop::inline GALLOP_ISA
