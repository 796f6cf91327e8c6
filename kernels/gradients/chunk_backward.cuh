// Forward and backward pass of a network over one chunk of 128 samples by one block of threads. The
// arrays are [unit, sample] with padded rows; every sum has the order of
// kernels/gradients/chunk_network.h: over inputs, outputs or samples ascending.
#pragma once

#include <gallop/kernels/gradients/samples.h>
#include <gallop/kernels/numerics/arithmetic.h>
#include <gallop/kernels/policy/act.h>
#include <gallop/kernels/device/tensor_core.cuh>
#include <gallop/kernels/network/block_network.cuh>

namespace gallop::inline GALLOP_ISA {

constexpr int kGradientThreads = 256;
// A row of samples: 33 quads, so that threads that read quads of neighbouring rows meet different
// banks.
constexpr int kSampleStride = kChunkSamples + 4;

// Rows of a network's work memory: its inputs, then the units of each layer. The derivative by a
// unit replaces the unit itself as soon as nothing reads that any more.
GALLOP_HD int unit_row(const NetworkShape& shape, int layer) {
  int row = 0;
  for (int l = 0; l < layer; l++) {
    row += shape.kind == NetworkKind::kTabular && l == 0 ? 1 : shape.width[l];
  }
  return row;
}
GALLOP_HD int network_rows(const NetworkShape& shape) {
  return unit_row(shape, shape.n_layers) + outputs_of(shape);
}

// The number of the sample at place `at` of the minibatch.
GALLOP_HD long sample_id(const Samples& samples, long at) {
  return samples.order == nullptr ? at : long(samples.order[at]);
}

// Where the sample of this number was recorded. It has 32 bits, as the numbers of an order: a
// division of 64 bits is a subroutine on a device.
GALLOP_HD SamplePlace place_of(const Samples& samples, long id) {
  const unsigned number = unsigned(id), n_envs = unsigned(samples.n_envs);
  return {id, long(number / n_envs), long(number % n_envs)};
}

// The number as an operand of a product in that arithmetic.
template <Arithmetic kArithmetic>
__device__ __forceinline__ float as_operand(float x) {
  return kArithmetic == Arithmetic::kFast ? __uint_as_float(to_tf32(x)) : x;
}

// Copies the (normalised) observations of n samples from place `first` on into the first rows; the
// samples beyond n are 0.
template <Arithmetic kArithmetic = Arithmetic::kStrict>
__device__ __forceinline__ void load_chunk(const NetworkShape& shape, const Samples& samples,
                                           const Normalization& by, long first, int n,
                                           float* work) {
  const bool tabular = shape.kind == NetworkKind::kTabular;
  const int rows = tabular ? 1 : shape.width[0];
  const int s = int(threadIdx.x) % kChunkSamples;
  const long id = s < n ? sample_id(samples, first + s) : 0;
  const SamplePlace place = place_of(samples, id);
  for (int k = int(threadIdx.x) / kChunkSamples; k < rows; k += kGradientThreads / kChunkSamples) {
    float x = 0.0f;
    if (s < n) {
      x = samples.observation[(place.step * rows + k) * samples.n_envs + place.instance];
      if (!tabular) x = normalize(by, k, x);
    }
    work[k * kSampleStride + s] = as_operand<kArithmetic>(x);
  }
}

// A layer of fewer than 8 outputs: a thread takes one output of one sample, where tiles of 4 x 8
// would leave all but one warp of the block without work.
__device__ __forceinline__ void narrow_layer(const float* in, int n_in, const float* weight,
                                             int n_out, Activation activation, float* out) {
  const float* const bias = weight + long(n_in) * n_out;
  for (int task = int(threadIdx.x); task < kChunkSamples * n_out; task += kGradientThreads) {
    const int s = task % kChunkSamples, j = task / kChunkSamples;
    float sum = bias[j];
    GALLOP_UNROLL(4)
    for (int k = 0; k < n_in; k++) {
      sum = fmadd(in[long(k) * kSampleStride + s], weight[long(k) * n_out + j], sum);
    }
    out[long(j) * kSampleStride + s] = activate(activation, sum);
  }
}

__device__ __forceinline__ void forward_chunk(const NetworkShape& shape, const float* parameters,
                                              float* work) {
  __syncthreads();
  if (shape.kind == NetworkKind::kTabular) {
    const int n_out = shape.width[1];
    for (int task = int(threadIdx.x); task < kChunkSamples * n_out; task += kGradientThreads) {
      const int s = task % kChunkSamples, j = task / kChunkSamples;
      work[(1 + j) * kSampleStride + s] = parameters[long(work[s]) * n_out + j];
    }
    __syncthreads();
    return;
  }
  const float* weight = parameters;
  float* in = work;
  GALLOP_UNROLL(1)
  for (int l = 0; l < shape.n_layers; l++) {
    const int n_in = shape.width[l], n_out = shape.width[l + 1];
    const float* bias = weight + long(n_in) * n_out;
    const Activation activation = l + 1 < shape.n_layers ? shape.hidden : Activation::kIdentity;
    float* const out = in + long(n_in) * kSampleStride;
    if (n_out < kBlockColumns) {
      narrow_layer(in, n_in, weight, n_out, activation, out);
    } else {
      block_layer<4>(in, n_in, weight, bias, n_out, activation, kChunkSamples, kSampleStride, out);
    }
    __syncthreads();
    weight = bias + n_out;
    in = out;
  }
}

// R x C elements of sum_s x[r][s] d[c][s], samples [0, n) ascending; kQuads times four of them in a
// round, where there are registers for the loads of more.
template <int R, int C, int kQuads>
__device__ __forceinline__ void weight_tile(const float* const (&x)[R], const float* const (&d)[C],
                                            int n, float (&sum)[R][C]) {
  GALLOP_UNROLL(4)
  for (int r = 0; r < R; r++) {
    GALLOP_UNROLL(4)
    for (int c = 0; c < C; c++) sum[r][c] = 0.0f;
  }
  int s = 0;
  GALLOP_UNROLL(1)
  for (; s + 4 * kQuads <= n; s += 4 * kQuads) {
    GALLOP_UNROLL(2)
    for (int at = s; at < s + 4 * kQuads; at += 4) {
      float xs[R][4], ds[C][4];
      GALLOP_UNROLL(4)
      for (int r = 0; r < R; r++) load_aligned<4>(x[r] + at, xs[r]);
      GALLOP_UNROLL(4)
      for (int c = 0; c < C; c++) load_aligned<4>(d[c] + at, ds[c]);
      GALLOP_UNROLL(4)
      for (int q = 0; q < 4; q++) {
        GALLOP_UNROLL(4)
        for (int r = 0; r < R; r++) {
          GALLOP_UNROLL(4)
          for (int c = 0; c < C; c++) sum[r][c] = fmadd(xs[r][q], ds[c][q], sum[r][c]);
        }
      }
    }
  }
  GALLOP_UNROLL(1)
  for (; s < n; s++) {
    GALLOP_UNROLL(4)
    for (int r = 0; r < R; r++) {
      GALLOP_UNROLL(4)
      for (int c = 0; c < C; c++) sum[r][c] = fmadd(x[r][s], d[c][s], sum[r][c]);
    }
  }
}

// dW[k, j] = sum_s x[k, s] d[j, s] into gradient [n_in, n_out], in tiles of R x C: thread tiles
// interleave, so that neighbouring threads read neighbouring rows.
template <int R, int C, int kQuads>
__device__ __forceinline__ void weight_gradient(const float* x, int n_in, const float* d, int n_out,
                                                int n, float* gradient) {
  const int row_step = (n_in + R - 1) / R, column_step = (n_out + C - 1) / C;
  for (int task = int(threadIdx.x); task < row_step * column_step; task += kGradientThreads) {
    const int k = task / column_step, j = task % column_step;
    const float *row_of[R], *column_of[C];  // the first ones again beyond the edges
    GALLOP_UNROLL(4)
    for (int r = 0; r < R; r++) {
      row_of[r] = x + long(k + r * row_step < n_in ? k + r * row_step : k) * kSampleStride;
    }
    GALLOP_UNROLL(4)
    for (int c = 0; c < C; c++) {
      column_of[c] =
          d + long(j + c * column_step < n_out ? j + c * column_step : j) * kSampleStride;
    }
    float sum[R][C];
    weight_tile<R, C, kQuads>(row_of, column_of, n, sum);
    GALLOP_UNROLL(4)
    for (int r = 0; r < R; r++) {
      GALLOP_UNROLL(4)
      for (int c = 0; c < C; c++) {
        const int row = k + r * row_step, column = j + c * column_step;
        if (row < n_in && column < n_out) gradient[long(row) * n_out + column] = sum[r][c];
      }
    }
  }
}

// sum[j] = sum_s x[j, s] for `rows` rows, s ascending.
__device__ __forceinline__ void sum_sample_rows(const float* x, int rows, int n, float* sum) {
  for (int j = int(threadIdx.x); j < rows; j += kGradientThreads) {
    const float* const row = x + long(j) * kSampleStride;
    float total = 0.0f;
    int s = 0;
    GALLOP_UNROLL(4)
    for (; s + 4 <= n; s += 4) {
      float xs[4];
      load_aligned<4>(row + s, xs);
      GALLOP_UNROLL(4)
      for (int q = 0; q < 4; q++) total = total + xs[q];
    }
    for (; s < n; s++) total = total + row[s];
    sum[j] = total;
  }
}

GALLOP_HD float slope_of(Activation activation, float y) {
  if (activation == Activation::kTanh) return fmadd(-y, y, 1.0f);
  if (activation == Activation::kRelu) return select(y > 0.0f, 1.0f, 0.0f);
  return 1.0f;
}

// Adds sum_j d[j, s] W[k, j], j ascending, for 4 samples from s on and 8 units from k on. Weights
// of a row are read 16 bytes at a time: 12 requests of shared memory and cache for 128
// multiply-adds, where one weight at a time takes 36.
__device__ __forceinline__ void add_unit_gradient(const float* d, int n_out, const float* weight,
                                                  int k, int s, float (&sum)[4][kBlockColumns]) {
  GALLOP_UNROLL(1)
  for (int j = 0; j < n_out; j += 4) {
    float x[4][4], w[4];
    GALLOP_UNROLL(4)
    for (int q = 0; q < 4; q++) load_aligned<4>(d + long(j + q) * kSampleStride + s, x[q]);
    const float* row = weight + long(k) * n_out + j;
    GALLOP_UNROLL(8)
    for (int c = 0; c < kBlockColumns; c++, row += n_out) {
      load_aligned<4>(row, w);
      GALLOP_UNROLL(4)
      for (int q = 0; q < 4; q++) {
        GALLOP_UNROLL(4)
        for (int e = 0; e < 4; e++) sum[e][c] = fmadd(x[q][e], w[q], sum[e][c]);
      }
    }
  }
}

// unit[k, s] = slope(unit[k, s]) sum_j d[j, s] W[k, j]. A thread takes 4 samples and 8 units.
__device__ __forceinline__ void unit_gradient(const float* d, int n_out, const float* weight,
                                              int n_in, Activation activation, float* unit) {
  constexpr int kGroups = kChunkSamples / 4;
  const int tasks = kGroups * ((n_in + kBlockColumns - 1) / kBlockColumns);
  const bool quads = n_out % 4 == 0 && is_aligned(weight);
  for (int task = int(threadIdx.x); task < tasks; task += kGradientThreads) {
    const int s = task % kGroups * 4, k = task / kGroups * kBlockColumns;
    float sum[4][kBlockColumns], x[4], y[4];
    GALLOP_UNROLL(4)
    for (int e = 0; e < 4; e++) {
      GALLOP_UNROLL(8)
      for (int c = 0; c < kBlockColumns; c++) sum[e][c] = 0.0f;
    }
    const bool whole = quads && k + kBlockColumns <= n_in;
    if (whole) add_unit_gradient(d, n_out, weight, k, s, sum);
    GALLOP_UNROLL(1)
    for (int j = whole ? n_out : 0; j < n_out; j++) {
      load_aligned<4>(d + long(j) * kSampleStride + s, x);
      GALLOP_UNROLL(8)
      for (int c = 0; c < kBlockColumns; c++) {
        const float w = k + c < n_in ? weight[long(k + c) * n_out + j] : 0.0f;
        GALLOP_UNROLL(4)
        for (int e = 0; e < 4; e++) sum[e][c] = fmadd(x[e], w, sum[e][c]);
      }
    }
    GALLOP_UNROLL(8)
    for (int c = 0; c < kBlockColumns; c++) {
      if (k + c < n_in) {
        float* const at = unit + long(k + c) * kSampleStride + s;
        load_aligned<4>(at, y);
        GALLOP_UNROLL(4)
        for (int e = 0; e < 4; e++) x[e] = sum[e][c] * slope_of(activation, y[e]);
        store_aligned<4>(at, x);
      }
    }
  }
}

// One element of the table for each thread: samples ascending.
__device__ __forceinline__ void table_gradient(const NetworkShape& shape, int n, const float* work,
                                               float* gradient) {
  const int n_out = shape.width[1], total = shape.width[0] * n_out;
  for (int at = int(threadIdx.x); at < total; at += kGradientThreads) {
    const int row = at / n_out, j = at % n_out;
    float sum = 0.0f;
    for (int s = 0; s < n; s++) {
      if (int(work[s]) == row) sum = sum + work[(1 + j) * kSampleStride + s];
    }
    gradient[at] = sum;
  }
}

// The gradient of a layer's weights and biases, in the flat layout, by its inputs x and the
// derivatives d by what it gives.
template <int kQuads = 1>
__device__ __forceinline__ void layer_gradient(const float* x, int n_in, const float* d, int n_out,
                                               int n, float* gradient) {
  if (n_in * long(n_out) >= 8 * kGradientThreads) {
    weight_gradient<4, 4, kQuads>(x, n_in, d, n_out, n, gradient);
  } else {
    weight_gradient<1, 1, kQuads>(x, n_in, d, n_out, n, gradient);
  }
  sum_sample_rows(d, n_out, n, gradient + long(n_in) * n_out);
}

// Given the derivatives by the outputs in their rows, writes the gradient by the parameters in
// their flat layout. The units are overwritten.
template <int kQuads = 1>
__device__ __forceinline__ void backward_chunk(const NetworkShape& shape, const float* parameters,
                                               int n, float* work, float* gradient) {
  __syncthreads();
  if (shape.kind == NetworkKind::kTabular) {
    table_gradient(shape, n, work, gradient);
    return;
  }
  GALLOP_UNROLL(1)
  for (int l = shape.n_layers - 1; l >= 0; l--) {
    const int n_in = shape.width[l], n_out = shape.width[l + 1];
    float* const unit = work + long(unit_row(shape, l)) * kSampleStride;
    const float* d = unit + long(n_in) * kSampleStride;
    const long offset = layer_offset(shape, l);
    layer_gradient<kQuads>(unit, n_in, d, n_out, n, gradient + offset);
    if (l == 0) break;
    __syncthreads();  // the units are read above and replaced below
    unit_gradient(d, n_out, parameters + offset, n_in, shape.hidden, unit);
    __syncthreads();
  }
}

}  // namespace gallop::inline GALLOP_ISA
