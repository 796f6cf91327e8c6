// One layer of the derivative of a network along a vector, for a chunk of samples by one block.
#pragma once

#include <gallop/kernels/gradients/chunk_backward.cuh>

namespace gallop::inline GALLOP_ISA {

// One layer of the derivative along a vector: out = (c + x V + t W) * slope(y); t is null in the
// first layer, y in the last.
struct TangentLayer {
  int n_in, n_out;
  const float *x, *t, *y;  // rows of the work memory
  const float *vector, *weight;
  Activation activation;
  float* out;  // may be t where the layer takes one round

  __device__ __forceinline__ float slope(int j, int s) const {
    return y == nullptr ? 1.0f : slope_of(activation, y[long(j) * kSampleStride + s]);
  }
};

// Adds x W for 4 samples from s on and 8 outputs from j on: inputs ascending. As add_inputs, in
// shorter rounds: there are no registers for the loads of longer ones.
__device__ __forceinline__ void add_columns(const float* x, int n_in, const float* weight,
                                            int n_out, int j, int s, bool aligned,
                                            float (&sum)[4][kBlockColumns]) {
  const int valid = n_out - j < kBlockColumns ? n_out - j : kBlockColumns;
  x += s;
  weight += j;
  if (aligned && valid == kBlockColumns) {
    GALLOP_UNROLL(2)
    for (int k = 0; k < n_in; k++, x += kSampleStride, weight += n_out) {
      add_input<4, true>(x, weight, valid, sum);
    }
  } else {
    GALLOP_UNROLL(2)
    for (int k = 0; k < n_in; k++, x += kSampleStride, weight += n_out) {
      add_input<4, false>(x, weight, valid, sum);
    }
  }
}

// A thread takes 4 samples and 8 outputs in each round.
__device__ __forceinline__ void wide_tangent_layer(const TangentLayer& r) {
  constexpr int kGroups = kChunkSamples / 4;
  const int tasks = kGroups * ((r.n_out + kBlockColumns - 1) / kBlockColumns);
  const bool rows = r.n_out % 4 == 0;
  const float* const bias = r.vector + long(r.n_in) * r.n_out;
  GALLOP_UNROLL(1)
  for (int first = 0; first < tasks; first += kGradientThreads) {
    const int task = first + int(threadIdx.x), s = task % kGroups * 4;
    const int j = task / kGroups * kBlockColumns;
    const bool used = task < tasks;
    float sum[4][kBlockColumns];
    if (used) {
      GALLOP_UNROLL(8)
      for (int c = 0; c < kBlockColumns; c++) {
        const float start = j + c < r.n_out ? bias[j + c] : 0.0f;
        GALLOP_UNROLL(4)
        for (int e = 0; e < 4; e++) sum[e][c] = start;
      }
      add_columns(r.x, r.n_in, r.vector, r.n_out, j, s, rows && is_aligned(r.vector), sum);
      if (r.t != nullptr) {
        add_columns(r.t, r.n_in, r.weight, r.n_out, j, s, rows && is_aligned(r.weight), sum);
      }
    }
    __syncthreads();  // all of t has been read where it is replaced
    if (!used) continue;
    GALLOP_UNROLL(8)
    for (int c = 0; c < kBlockColumns; c++) {
      if (j + c < r.n_out) {  // not a break, for which the sums would stand in local memory
        float to[4];
        GALLOP_UNROLL(4)
        for (int e = 0; e < 4; e++) to[e] = sum[e][c] * r.slope(j + c, s + e);
        store_aligned<4>(r.out + long(j + c) * kSampleStride + s, to);
      }
    }
  }
  __syncthreads();
}

// Fewer than 8 outputs: a thread takes one of one sample, up to four times.
__device__ __forceinline__ void narrow_tangent_layer(const TangentLayer& r) {
  constexpr int kRounds = kBlockColumns * kChunkSamples / kGradientThreads;
  const int s = int(threadIdx.x) % kChunkSamples, j = int(threadIdx.x) / kChunkSamples;
  constexpr int kStep = kGradientThreads / kChunkSamples;
  float sum[kRounds];
  GALLOP_UNROLL(4)
  for (int q = 0; q < kRounds; q++) {
    const int column = j + q * kStep;
    if (column >= r.n_out) break;
    float own = r.vector[long(r.n_in) * r.n_out + column];
    GALLOP_UNROLL(4)
    for (int k = 0; k < r.n_in; k++) {
      own = fmadd(r.x[long(k) * kSampleStride + s], r.vector[long(k) * r.n_out + column], own);
    }
    if (r.t != nullptr) {
      GALLOP_UNROLL(4)
      for (int k = 0; k < r.n_in; k++) {
        own = fmadd(r.t[long(k) * kSampleStride + s], r.weight[long(k) * r.n_out + column], own);
      }
    }
    sum[q] = own * r.slope(column, s);
  }
  __syncthreads();  // as above
  GALLOP_UNROLL(4)
  for (int q = 0; q < kRounds; q++) {
    const int column = j + q * kStep;
    if (column < r.n_out) r.out[long(column) * kSampleStride + s] = sum[q];
  }
  __syncthreads();
}

__device__ __forceinline__ void tangent_layer(const TangentLayer& r) {
  if (r.n_out < kBlockColumns) {
    narrow_tangent_layer(r);
  } else {
    wide_tangent_layer(r);
  }
}

}  // namespace gallop::inline GALLOP_ISA
