// The passes of chunk_backward.cuh on the tensor cores, for mode fast: operands are rounded to
// TF32, sums are float, tanh is the device's. Any MLP; tables have no products. A warp computes a
// tile of 32 x 32 or 32 x 16 numbers from rows of samples. Units and derivatives are rounded once,
// where they are stored, since they are read as operands several times. Tiles that are whole ask
// for no edges.
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

template <bool kWhole>
__device__ __forceinline__ void load_or_zero(const float* from, bool valid, float (&x)[4]) {
  if (kWhole || valid) {
    load_aligned<4>(from, x);
  } else {
    x[0] = x[1] = x[2] = x[3] = 0.0f;
  }
}

__device__ __forceinline__ float nearest_tf32(float x) { return __uint_as_float(to_tf32(x)); }

// Rounds rows of samples where they stand. Barriers before and after are the caller's.
__device__ __forceinline__ void round_rows(float* rows, int n_rows) {
  for (int at = int(threadIdx.x); at < n_rows * kChunkSamples; at += kGradientThreads) {
    float& x = rows[at / kChunkSamples * kSampleStride + at % kChunkSamples];
    x = nearest_tf32(x);
  }
}

// Operand A: 4 samples from `from` on, in the row there and in the next one. `left` of these rows
// are there, the others count as 0.
template <bool kWhole>
__device__ __forceinline__ void load_samples(const float* from, int left,
                                             std::uint32_t (&a)[2][4]) {
  float x[2][4];
  load_or_zero<kWhole>(from, left > 0, x[0]);
  load_or_zero<kWhole>(from + kSampleStride, left > 1, x[1]);
  GALLOP_UNROLL(2)
  for (int m = 0; m < 2; m++) {
    a[m][0] = __float_as_uint(x[0][2 * m]);
    a[m][1] = __float_as_uint(x[0][2 * m + 1]);
    a[m][2] = __float_as_uint(x[1][2 * m]);
    a[m][3] = __float_as_uint(x[1][2 * m + 1]);
  }
}

// Operand B: kTiles neighbours in the row at `from` and in the next one, of which `rows` are there
// with `columns` each; kWhole: all, and aligned.
template <int kTiles, bool kWhole>
__device__ __forceinline__ void load_weights(const float* from, int n_out, int rows, int columns,
                                             std::uint32_t (&b)[2][kTiles]) {
  GALLOP_UNROLL(2)
  for (int h = 0; h < 2; h++, from += n_out) {
    float w[4] = {};
    if constexpr (kWhole) {
      load_aligned<4>(from, w);
    } else {
      GALLOP_UNROLL(4)
      for (int q = 0; q < kTiles; q++) {
        if (h < rows && q < columns) w[q] = from[q];
      }
    }
    GALLOP_UNROLL(4)
    for (int q = 0; q < kTiles; q++) b[h][q] = finite_to_tf32(w[q]);
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

// Applies `body` to all numbers of a tile.
template <int kTiles, class Body>
__device__ __forceinline__ void for_tile(float (&sum)[2][kTiles][4], const Body& body) {
  GALLOP_UNROLL(2)
  for (int m = 0; m < 2; m++) {
    GALLOP_UNROLL(4)
    for (int q = 0; q < kTiles; q++) {
      GALLOP_UNROLL(4)
      for (int c = 0; c < 4; c++) sum[m][q][c] = body(sum[m][q][c]);
    }
  }
}

// Units of a hidden layer, rounded; one branch for all of the tile.
template <int kTiles>
__device__ __forceinline__ void activate_tile(Activation activation, float (&sum)[2][kTiles][4]) {
  if (activation == Activation::kTanh) {
    for_tile(sum, [](float x) { return nearest_tf32(approximate_tanh(x)); });
  } else {
    for_tile(sum, [activation](float x) { return nearest_tf32(activate(activation, x)); });
  }
}

// out [n_out, samples] = activation(bias + in W), in the last layer without activation. kTiles = 1
// for up to 8 outputs; kWhole: multiples of 8 inputs and of 32 outputs, aligned.
template <int kTiles, bool kWhole>
__device__ __forceinline__ void tensor_layer(const float* in, int n_in, const float* weight,
                                             int n_out, Activation activation, bool last,
                                             float* out) {
  constexpr int kColumns = 8 * kTiles;
  const TensorLane lane;
  const float* const bias = weight + long(n_in) * n_out;
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
        const float start = kWhole || j < n_out ? bias[j] : 0.0f;
        sum[0][q][odd] = sum[0][q][odd + 2] = sum[1][q][odd] = sum[1][q][odd + 2] = start;
      }
    }
    const int column = first + kTiles * lane.row;
    const float* x = in + 2 * lane.pair * kSampleStride + s;
    const float* w = weight + long(2 * lane.pair) * n_out + column;
    GALLOP_UNROLL(1)
    for (int k = 0; k < n_in; k += 8, x += 8 * kSampleStride, w += 8L * n_out) {
      const int left = n_in - k - 2 * lane.pair;
      std::uint32_t a[2][4], b[2][kTiles];
      load_samples<kWhole>(x, left, a);
      load_weights<kTiles, kWhole>(w, n_out, left, n_out - column, b);
      GALLOP_UNROLL(4)
      for (int q = 0; q < kTiles; q++) {
        GALLOP_UNROLL(2)
        for (int m = 0; m < 2; m++) multiply_tf32(sum[m][q], a[m], b[0][q], b[1][q]);
      }
    }
    if (!last) activate_tile(activation, sum);
    GALLOP_UNROLL(4)
    for (int q = 0; q < kTiles; q++) {
      GALLOP_UNROLL(2)
      for (int odd = 0; odd < 2; odd++) {
        const int j = first + kTiles * (2 * lane.pair + odd) + q;
        if (!kWhole && j >= n_out) continue;
        float y[4];
        four_rows(sum, q, odd, y);
        store_aligned<4>(out + long(j) * kSampleStride + s, y);
      }
    }
  }
}

// As forward_chunk; the inputs are rounded, too.
__device__ __forceinline__ void tensor_forward_chunk(const NetworkShape& shape,
                                                     const float* parameters, float* work) {
  __syncthreads();
  round_rows(work, shape.width[0]);
  __syncthreads();
  const float* weight = parameters;
  float* in = work;
  GALLOP_UNROLL(1)
  for (int l = 0; l < shape.n_layers; l++) {
    const int n_in = shape.width[l], n_out = shape.width[l + 1];
    const bool last = l + 1 == shape.n_layers;
    float* const out = in + long(n_in) * kSampleStride;
    if (n_out <= 8) {
      tensor_layer<1, false>(in, n_in, weight, n_out, shape.hidden, last, out);
    } else if (n_in % 8 == 0 && n_out % 32 == 0 && is_aligned(weight)) {
      tensor_layer<4, true>(in, n_in, weight, n_out, shape.hidden, last, out);
    } else {
      tensor_layer<4, false>(in, n_in, weight, n_out, shape.hidden, last, out);
    }
    __syncthreads();
    weight += long(n_in + 1) * n_out;
    in = out;
  }
}

// Puts the derivatives by the units of a tile, rounded, in the units' place: the sums times the
// slopes of the activation. kTanh: of tanh.
template <bool kTanh, bool kWhole>
__device__ __forceinline__ void store_unit_gradient(const float (&sum)[2][4][4], int n_in,
                                                    int first, int s, Activation activation,
                                                    float* unit) {
  const TensorLane lane;
  GALLOP_UNROLL(4)
  for (int q = 0; q < 4; q++) {
    GALLOP_UNROLL(2)
    for (int odd = 0; odd < 2; odd++) {
      const int k = first + 4 * (2 * lane.pair + odd) + q;
      if (!kWhole && k >= n_in) continue;
      float* const at = unit + long(k) * kSampleStride + s;
      float y[4], dy[4];
      four_rows(sum, q, odd, dy);
      load_aligned<4>(at, y);
      GALLOP_UNROLL(4)
      for (int e = 0; e < 4; e++) {
        const float slope = slope_of(kTanh ? Activation::kTanh : activation, y[e]);
        dy[e] = nearest_tf32(dy[e] * slope);
      }
      store_aligned<4>(at, dy);
    }
  }
}

// unit[k, s] = slope(unit[k, s]) sum_j d[j, s] W[k, j], rounded. kWhole: multiples of 32 units and
// of 8 outputs, aligned.
template <bool kWhole>
__device__ __forceinline__ void tensor_unit_gradient(const float* d, int n_out, const float* weight,
                                                     int n_in, Activation activation, float* unit) {
  constexpr int kTiles = 4, kColumns = 8 * kTiles;
  const TensorLane lane;
  const int groups = kChunkSamples / kTensorRows, tiles = (n_in + kColumns - 1) / kColumns;
  GALLOP_UNROLL(1)
  for (int task = int(threadIdx.x) / 32; task < groups * tiles; task += kTensorWarps) {
    const int s = task % groups * kTensorRows + 4 * lane.row, first = task / groups * kColumns;
    const int own = first + kTiles * lane.row;  // units of this lane's columns
    const float* x = d + 2 * lane.pair * kSampleStride + s;
    const float* w = weight + long(own) * n_out + 2 * lane.pair;
    float sum[2][kTiles][4] = {};
    GALLOP_UNROLL(1)
    for (int j = 0; j < n_out; j += 8, x += 8 * kSampleStride, w += 8) {
      const int left = n_out - j - 2 * lane.pair;
      std::uint32_t a[2][4];
      load_samples<kWhole>(x, left, a);
      GALLOP_UNROLL(4)
      for (int q = 0; q < kTiles; q++) {
        const float* const from = w + long(q) * n_out;
        float b[2] = {};
        if constexpr (kWhole) {
          load_aligned<2>(from, b);
        } else if (own + q < n_in) {
          if (left > 0) b[0] = from[0];
          if (left > 1) b[1] = from[1];
        }
        GALLOP_UNROLL(2)
        for (int m = 0; m < 2; m++) {
          multiply_tf32(sum[m][q], a[m], finite_to_tf32(b[0]), finite_to_tf32(b[1]));
        }
      }
    }
    if (activation == Activation::kTanh) {
      store_unit_gradient<true, kWhole>(sum, n_in, first, s, activation, unit);
    } else {
      store_unit_gradient<false, kWhole>(sum, n_in, first, s, activation, unit);
    }
  }
}

// Sums over the samples of products of rows: to[i * row_step + j * column_step] for i in [0, n_x)
// and j in [0, n_y) = sum_s x[i, s] y[j, s]. A warp's tile is 32 x 16: of a group of 32 columns
// those with column % 4 in 0, 1 or in 2, 3. kWhole: multiples of 32 both, row_step 1, aligned.
struct TensorOuter {
  const float *x, *y;
  int n_x, n_y;
  float* to;
  long row_step, column_step;
};
template <bool kWhole>
__device__ __forceinline__ void tensor_outer(const TensorOuter& r) {
  constexpr int kTiles = 2;
  const TensorLane lane;
  const int groups = (r.n_x + kTensorRows - 1) / kTensorRows, halves = (r.n_y + 31) / 32 * 2;
  GALLOP_UNROLL(1)
  for (int task = int(threadIdx.x) / 32; task < groups * halves; task += kTensorWarps) {
    const int i = task % groups * kTensorRows + 4 * lane.row;
    const int half = task / groups, first = half / 2 * 32 + half % 2 * 2;
    if (!kWhole && first >= r.n_y) continue;
    const int column = first + 4 * lane.row;
    const float* x = r.x + long(i) * kSampleStride + 4 * lane.pair;
    const float* y = r.y + long(column) * kSampleStride + 4 * lane.pair;
    float sum[2][kTiles][4] = {};
    GALLOP_UNROLL(1)
    for (int s = 0; s < kChunkSamples; s += 16) {
      float xs[4][4], ys[kTiles][4];
      GALLOP_UNROLL(4)
      for (int e = 0; e < 4; e++) {
        load_or_zero<kWhole>(x + e * kSampleStride + s, i + e < r.n_x, xs[e]);
      }
      GALLOP_UNROLL(2)
      for (int q = 0; q < kTiles; q++) {
        load_or_zero<kWhole>(y + q * kSampleStride + s, column + q < r.n_y, ys[q]);
      }
      GALLOP_UNROLL(2)
      for (int p = 0; p < 4; p += 2) {
        GALLOP_UNROLL(2)
        for (int m = 0; m < 2; m++) {
          const std::uint32_t a[4] = {
              __float_as_uint(xs[2 * m][p]), __float_as_uint(xs[2 * m + 1][p]),
              __float_as_uint(xs[2 * m][p + 1]), __float_as_uint(xs[2 * m + 1][p + 1])};
          GALLOP_UNROLL(2)
          for (int q = 0; q < kTiles; q++) {
            multiply_tf32(sum[m][q], a, __float_as_uint(ys[q][p]), __float_as_uint(ys[q][p + 1]));
          }
        }
      }
    }
    GALLOP_UNROLL(2)
    for (int q = 0; q < kTiles; q++) {
      GALLOP_UNROLL(2)
      for (int odd = 0; odd < 2; odd++) {
        const int j = first + 4 * (2 * lane.pair + odd) + q;
        if (!kWhole && j >= r.n_y) continue;
        float own[4];
        four_rows(sum, q, odd, own);
        float* const to = r.to + i * r.row_step + j * r.column_step;
        if constexpr (kWhole) {
          store_aligned<4>(to, own);
        } else {
          GALLOP_UNROLL(4)
          for (int e = 0; e < 4; e++) {
            if (i + e < r.n_x) to[e * r.row_step] = own[e];
          }
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
  round_rows(work + long(unit_row(shape, shape.n_layers)) * kSampleStride, outputs_of(shape));
  __syncthreads();
  GALLOP_UNROLL(1)
  for (int l = shape.n_layers - 1; l >= 0; l--) {
    const int n_in = shape.width[l], n_out = shape.width[l + 1];
    float* const unit = work + long(unit_row(shape, l)) * kSampleStride;
    const float* const d = unit + long(n_in) * kSampleStride;
    const long offset = layer_offset(shape, l);
    float* const to = gradient + offset;
    const bool whole = n_in % 32 == 0 && n_out % 32 == 0;
    // The outputs along the tile's rows, four neighbours of which are stored at once, unless there
    // are fewer of them than of the inputs and than fill half a tile.
    if (whole && is_aligned(to)) {
      tensor_outer<true>({d, unit, n_out, n_in, to, 1, n_out});
    } else if (n_out >= n_in || n_out >= 16) {
      tensor_outer<false>({d, unit, n_out, n_in, to, 1, n_out});
    } else {
      tensor_outer<false>({unit, d, n_in, n_out, to, n_out, 1});
    }
    sum_rows_by_four(d, n_out, to + long(n_in) * n_out);
    if (l == 0) break;
    __syncthreads();  // the units are read above and replaced below
    if (whole && is_aligned(parameters + offset)) {
      tensor_unit_gradient<true>(d, n_out, parameters + offset, n_in, shape.hidden, unit);
    } else {
      tensor_unit_gradient<false>(d, n_out, parameters + offset, n_in, shape.hidden, unit);
    }
    __syncthreads();
  }
}

}  // namespace gallop::inline GALLOP_ISA
