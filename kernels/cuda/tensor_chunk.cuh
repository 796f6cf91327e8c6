// The passes of chunk_backward.cuh on the tensor cores, for mode fast: operands are rounded to
// TF32, sums are float, tanh is the device's. Any MLP; tables have no products. A warp computes a
// tile of 32 x 32 or 32 x 16 numbers from rows of samples.
//
// The products' own order of rows, columns and depth is free as long as both operands agree on it.
// Here it is such that a lane reads four neighbours at once from different banks: row g of the four
// halves of two products is 4 g + 0 .. 3, and depths p and p + 4 of a lane are neighbours.
#pragma once

#include "kernels/cuda/chunk_backward.cuh"
#include "kernels/cuda/tensor_core.cuh"

namespace gallop::inline GALLOP_ISA {

constexpr int kTensorRows = 32;  // of a warp's tile: two products of 16
constexpr int kTensorWarps = kGradientThreads / 32;

// A lane's place in the operands (tensor_core.cuh).
struct TensorLane {
  int row, pair;
  __device__ __forceinline__ TensorLane()
      : row(int(threadIdx.x) % 32 / 4), pair(int(threadIdx.x) % 4) {}
};

__device__ __forceinline__ void load_or_zero(const float* from, bool valid, float (&x)[4]) {
  if (valid) {
    load_aligned<4>(from, x);
  } else {
    x[0] = x[1] = x[2] = x[3] = 0.0f;
  }
}

// Operand A: samples s .. s + 31 of rows k and k + 1 of this lane, 0 from row n_rows on.
__device__ __forceinline__ void load_samples(const float* rows, int n_rows, int k, int s,
                                             std::uint32_t (&a)[2][4]) {
  float x[2][4];
  GALLOP_UNROLL(2)
  for (int h = 0; h < 2; h++) {
    load_or_zero(rows + long(k + h) * kSampleStride + s, k + h < n_rows, x[h]);
  }
  GALLOP_UNROLL(2)
  for (int m = 0; m < 2; m++) {
    a[m][0] = to_tf32(x[0][2 * m]);
    a[m][1] = to_tf32(x[0][2 * m + 1]);
    a[m][2] = to_tf32(x[1][2 * m]);
    a[m][3] = to_tf32(x[1][2 * m + 1]);
  }
}

// The four neighbours along the rows of a tile, of its column tile q; `odd` column of this lane's
// two.
template <int kTiles>
__device__ __forceinline__ void four_rows(const float (&sum)[2][kTiles][4], int q, int odd,
                                          float (&to)[4]) {
  to[0] = sum[0][q][odd];
  to[1] = sum[0][q][odd + 2];
  to[2] = sum[1][q][odd];
  to[3] = sum[1][q][odd + 2];
}

// out [n_out, samples] = activation(bias + in W). With kTiles = 1 for up to 8 outputs.
template <int kTiles>
__device__ __forceinline__ void tensor_layer(const float* in, int n_in, const float* weight,
                                             int n_out, Activation activation, float* out) {
  constexpr int kColumns = 8 * kTiles;
  const TensorLane lane;
  const float* const bias = weight + long(n_in) * n_out;
  const bool quads = kTiles == 4 && n_out % 4 == 0 && is_aligned(weight);
  const int groups = kChunkSamples / kTensorRows, tiles = (n_out + kColumns - 1) / kColumns;
  GALLOP_UNROLL(1)
  for (int task = int(threadIdx.x) / 32; task < groups * tiles; task += kTensorWarps) {
    const int s = task % groups * kTensorRows + 4 * lane.row, first = task / groups * kColumns;
    float sum[2][kTiles][4];
    GALLOP_UNROLL(4)
    for (int q = 0; q < kTiles; q++) {
      GALLOP_UNROLL(2)
      for (int odd = 0; odd < 2; odd++) {
        const int j = first + kTiles * (2 * lane.pair + odd) + q;
        const float start = j < n_out ? bias[j] : 0.0f;
        sum[0][q][odd] = sum[0][q][odd + 2] = sum[1][q][odd] = sum[1][q][odd + 2] = start;
      }
    }
    const int column = first + kTiles * lane.row;
    GALLOP_UNROLL(1)
    for (int begin = 0; begin < n_in; begin += 8) {
      const int k = begin + 2 * lane.pair;
      std::uint32_t a[2][4], b[2][kTiles];
      load_samples(in, n_in, k, s, a);
      GALLOP_UNROLL(2)
      for (int h = 0; h < 2; h++) {
        const float* const from = weight + long(k + h) * n_out + column;
        float w[4] = {};
        if (quads) {
          load_or_zero(from, k + h < n_in && column < n_out, w);
        } else {
          GALLOP_UNROLL(4)
          for (int q = 0; q < kTiles; q++) {
            if (k + h < n_in && column + q < n_out) w[q] = from[q];
          }
        }
        GALLOP_UNROLL(4)
        for (int q = 0; q < kTiles; q++) b[h][q] = to_tf32(w[q]);
      }
      GALLOP_UNROLL(4)
      for (int q = 0; q < kTiles; q++) {
        GALLOP_UNROLL(2)
        for (int m = 0; m < 2; m++) multiply_tf32(sum[m][q], a[m], b[0][q], b[1][q]);
      }
    }
    GALLOP_UNROLL(4)
    for (int q = 0; q < kTiles; q++) {
      GALLOP_UNROLL(2)
      for (int odd = 0; odd < 2; odd++) {
        const int j = first + kTiles * (2 * lane.pair + odd) + q;
        if (j >= n_out) continue;
        float y[4];
        four_rows(sum, q, odd, y);
        GALLOP_UNROLL(4)
        for (int e = 0; e < 4; e++) {
          y[e] =
              activation == Activation::kTanh ? approximate_tanh(y[e]) : activate(activation, y[e]);
        }
        store_aligned<4>(out + long(j) * kSampleStride + s, y);
      }
    }
  }
}

// As forward_chunk.
__device__ __forceinline__ void tensor_forward_chunk(const NetworkShape& shape,
                                                     const float* parameters, float* work) {
  __syncthreads();
  const float* weight = parameters;
  float* in = work;
  GALLOP_UNROLL(1)
  for (int l = 0; l < shape.n_layers; l++) {
    const int n_in = shape.width[l], n_out = shape.width[l + 1];
    const Activation activation = l + 1 < shape.n_layers ? shape.hidden : Activation::kIdentity;
    float* const out = in + long(n_in) * kSampleStride;
    if (n_out <= 8) {
      tensor_layer<1>(in, n_in, weight, n_out, activation, out);
    } else {
      tensor_layer<4>(in, n_in, weight, n_out, activation, out);
    }
    __syncthreads();
    weight += long(n_in + 1) * n_out;
    in = out;
  }
}

// unit[k, s] = slope(unit[k, s]) sum_j d[j, s] W[k, j].
__device__ __forceinline__ void tensor_unit_gradient(const float* d, int n_out, const float* weight,
                                                     int n_in, Activation activation, float* unit) {
  constexpr int kTiles = 4, kColumns = 8 * kTiles;
  const TensorLane lane;
  const bool pairs = n_out % 2 == 0 && is_aligned(weight);
  const int groups = kChunkSamples / kTensorRows, tiles = (n_in + kColumns - 1) / kColumns;
  GALLOP_UNROLL(1)
  for (int task = int(threadIdx.x) / 32; task < groups * tiles; task += kTensorWarps) {
    const int s = task % groups * kTensorRows + 4 * lane.row, first = task / groups * kColumns;
    float sum[2][kTiles][4] = {};
    GALLOP_UNROLL(1)
    for (int begin = 0; begin < n_out; begin += 8) {
      const int j = begin + 2 * lane.pair;
      std::uint32_t a[2][4];
      load_samples(d, n_out, j, s, a);
      GALLOP_UNROLL(4)
      for (int q = 0; q < kTiles; q++) {
        const int k = first + kTiles * lane.row + q;
        const float* const from = weight + long(k) * n_out + j;
        float w[2] = {};
        if (k < n_in && j < n_out) {
          if (pairs) {
            load_aligned<2>(from, w);
          } else {
            w[0] = from[0];
            if (j + 1 < n_out) w[1] = from[1];
          }
        }
        GALLOP_UNROLL(2)
        for (int m = 0; m < 2; m++) {
          multiply_tf32(sum[m][q], a[m], to_tf32(w[0]), to_tf32(w[1]));
        }
      }
    }
    GALLOP_UNROLL(4)
    for (int q = 0; q < kTiles; q++) {
      GALLOP_UNROLL(2)
      for (int odd = 0; odd < 2; odd++) {
        const int k = first + kTiles * (2 * lane.pair + odd) + q;
        if (k >= n_in) continue;
        float* const at = unit + long(k) * kSampleStride + s;
        float y[4], x[4];
        four_rows(sum, q, odd, x);
        load_aligned<4>(at, y);
        GALLOP_UNROLL(4)
        for (int e = 0; e < 4; e++) x[e] = x[e] * slope_of(activation, y[e]);
        store_aligned<4>(at, x);
      }
    }
  }
}

// Sums over the samples of products of rows: to[i * row_step + j * column_step] for i in [0, n_x)
// and j in [0, n_y) = sum_s x[i, s] y[j, s]. A warp's tile is 32 x 16: of a group of 32 columns
// those with column % 4 in 0, 1 or in 2, 3.
struct TensorOuter {
  const float *x, *y;
  int n_x, n_y;
  float* to;
  long row_step, column_step;
};
__device__ __forceinline__ void tensor_outer(const TensorOuter& r) {
  constexpr int kTiles = 2;
  const TensorLane lane;
  const bool quads = r.row_step == 1 && r.column_step % 4 == 0 && is_aligned(r.to);
  const int groups = (r.n_x + kTensorRows - 1) / kTensorRows, halves = (r.n_y + 31) / 32 * 2;
  GALLOP_UNROLL(1)
  for (int task = int(threadIdx.x) / 32; task < groups * halves; task += kTensorWarps) {
    const int i = task % groups * kTensorRows + 4 * lane.row;
    const int half = task / groups, first = half / 2 * 32 + half % 2 * 2;
    if (first >= r.n_y) continue;
    float sum[2][kTiles][4] = {};
    GALLOP_UNROLL(1)
    for (int begin = 0; begin < kChunkSamples; begin += 16) {
      const int s = begin + 4 * lane.pair;
      float xs[4][4], ys[kTiles][4];
      GALLOP_UNROLL(4)
      for (int e = 0; e < 4; e++) {
        load_or_zero(r.x + long(i + e) * kSampleStride + s, i + e < r.n_x, xs[e]);
      }
      GALLOP_UNROLL(2)
      for (int q = 0; q < kTiles; q++) {
        const int j = first + 4 * lane.row + q;
        load_or_zero(r.y + long(j) * kSampleStride + s, j < r.n_y, ys[q]);
      }
      GALLOP_UNROLL(2)
      for (int p = 0; p < 4; p += 2) {
        GALLOP_UNROLL(2)
        for (int m = 0; m < 2; m++) {
          const std::uint32_t a[4] = {to_tf32(xs[2 * m][p]), to_tf32(xs[2 * m + 1][p]),
                                      to_tf32(xs[2 * m][p + 1]), to_tf32(xs[2 * m + 1][p + 1])};
          GALLOP_UNROLL(2)
          for (int q = 0; q < kTiles; q++) {
            multiply_tf32(sum[m][q], a, to_tf32(ys[q][p]), to_tf32(ys[q][p + 1]));
          }
        }
      }
    }
    GALLOP_UNROLL(2)
    for (int q = 0; q < kTiles; q++) {
      GALLOP_UNROLL(2)
      for (int odd = 0; odd < 2; odd++) {
        const int j = first + 4 * (2 * lane.pair + odd) + q;
        if (j >= r.n_y) continue;
        float own[4];
        four_rows(sum, q, odd, own);
        float* const to = r.to + i * r.row_step + j * r.column_step;
        if (quads && i + 4 <= r.n_x) {
          store_aligned<4>(to, own);
          continue;
        }
        GALLOP_UNROLL(4)
        for (int e = 0; e < 4; e++) {
          if (i + e < r.n_x) to[e * r.row_step] = own[e];
        }
      }
    }
  }
}

// sum[j] = sum_s x[j, s] for `rows` rows: four threads a row.
__device__ __forceinline__ void sum_rows_by_four(const float* x, int rows, float* sum) {
  const int part = int(threadIdx.x) % 4;
  GALLOP_UNROLL(1)
  for (int first = 0; first < rows; first += kGradientThreads / 4) {
    const int j = first + int(threadIdx.x) / 4;
    float total = 0.0f;
    if (j < rows) {
      const float* const row = x + long(j) * kSampleStride + 4 * part;
      GALLOP_UNROLL(8)
      for (int s = 0; s < kChunkSamples; s += 16) {
        float xs[4];
        load_aligned<4>(row + s, xs);
        total = total + ((xs[0] + xs[1]) + (xs[2] + xs[3]));
      }
    }
    total = total + __shfl_xor_sync(~0u, total, 1);
    total = total + __shfl_xor_sync(~0u, total, 2);
    if (part == 0 && j < rows) sum[j] = total;
  }
}

// As backward_chunk; derivatives of the samples beyond those of the chunk are 0.
__device__ __forceinline__ void tensor_backward_chunk(const NetworkShape& shape,
                                                      const float* parameters, float* work,
                                                      float* gradient) {
  __syncthreads();
  GALLOP_UNROLL(1)
  for (int l = shape.n_layers - 1; l >= 0; l--) {
    const int n_in = shape.width[l], n_out = shape.width[l + 1];
    float* const unit = work + long(unit_row(shape, l)) * kSampleStride;
    const float* const d = unit + long(n_in) * kSampleStride;
    const long offset = layer_offset(shape, l);
    float* const to = gradient + offset;
    // The outputs along the tile's rows, four neighbours of which are stored at once, unless there
    // are fewer of them than of the inputs and than fill half a tile.
    if (n_out >= n_in || n_out >= 16) {
      tensor_outer({d, unit, n_out, n_in, to, 1, n_out});
    } else {
      tensor_outer({unit, d, n_in, n_out, to, n_out, 1});
    }
    sum_rows_by_four(d, n_out, to + long(n_in) * n_out);
    if (l == 0) break;
    __syncthreads();  // the units are read above and replaced below
    tensor_unit_gradient(d, n_out, parameters + offset, n_in, shape.hidden, unit);
    __syncthreads();
  }
}

}  // namespace gallop::inline GALLOP_ISA
