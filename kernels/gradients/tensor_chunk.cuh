// The passes of chunk_backward.cuh on the tensor cores, for mode fast: operands are rounded to
// TF32, sums are float, tanh is the device's. Any MLP; tables have no products. A warp computes a
// tile of 32 x 32 or 32 x 16 numbers from rows of samples. Units and derivatives are rounded once,
// where they are stored, since they are read as operands several times. Tiles that are whole ask
// for no edges.
//
// The products' own order of rows, columns and depth is free as long as both operands agree on it.
// Here it is such that operands need no moving between registers: where samples are rows, row g of
// a product and row g + 8 are neighbours, and depths p and p + 4 of a lane, so that eight bytes are
// two registers of operand A, from different banks; where samples are the depth, rows are read as
// matrices (load_matrices).
#pragma once

#include <gallop/kernels/device/tensor_core.cuh>
#include <gallop/kernels/gradients/chunk_backward.cuh>
#include <gallop/kernels/reduce/moments.cuh>

namespace gallop::inline GALLOP_ISA {

constexpr int kTensorRows = 32;  // of a warp's tile: two products of 16
constexpr int kTensorWarps = kGradientThreads / 32;

// A lane's place in the operands (tensor_core.cuh).
struct TensorLane {
  int row, pair;
  __device__ __forceinline__ TensorLane()
      : row(int(threadIdx.x) % 32 / 4), pair(int(threadIdx.x) % 4) {}
};

// Notes the greatest of a warp's magnitudes, of which infinity stands for what is not finite.
__device__ __forceinline__ void note_greatest(float own, unsigned* greatest) {
  const unsigned bits = warp_greatest(magnitude_bits(own));
  if (threadIdx.x % 32 == 0 && bits > 0) atomicMax(greatest, bits);
}

__device__ __forceinline__ float nearest_tf32(float x) { return __uint_as_float(to_tf32(x)); }

// Operand A of two products: 2 samples from `from` on and 2 of the next 16, in the row there and in
// the next one. `left` of these rows are there, the others count as 0.
template <bool kWhole>
__device__ __forceinline__ void load_samples(const float* from, int left,
                                             std::uint32_t (&a)[2][4]) {
  GALLOP_UNROLL(2)
  for (int m = 0; m < 2; m++) {
    float x[2][2] = {};
    if (kWhole || left > 0) load_aligned<2>(from + 16 * m, x[0]);
    if (kWhole || left > 1) load_aligned<2>(from + kSampleStride + 16 * m, x[1]);
    a[m][0] = __float_as_uint(x[0][0]);
    a[m][1] = __float_as_uint(x[0][1]);
    a[m][2] = __float_as_uint(x[1][0]);
    a[m][3] = __float_as_uint(x[1][1]);
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
    const int s = task % groups * kTensorRows + 2 * lane.row, first = task / groups * kColumns;
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
        GALLOP_UNROLL(2)
        for (int m = 0; m < 2; m++) {
          const float y[2] = {sum[m][q][odd], sum[m][q][odd + 2]};
          store_aligned<2>(out + long(j) * kSampleStride + s + 16 * m, y);
        }
      }
    }
  }
}

// As forward_chunk; the inputs are rounded already.
__device__ __forceinline__ void tensor_forward_chunk(const NetworkShape& shape,
                                                     const float* parameters, float* work) {
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
      GALLOP_UNROLL(2)
      for (int m = 0; m < 2; m++) {
        float* const at = unit + long(k) * kSampleStride + s + 16 * m;
        float y[2], dy[2] = {sum[m][q][odd], sum[m][q][odd + 2]};
        load_aligned<2>(at, y);
        GALLOP_UNROLL(2)
        for (int e = 0; e < 2; e++) {
          const float slope = slope_of(kTanh ? Activation::kTanh : activation, y[e]);
          dy[e] = nearest_tf32(dy[e] * slope);
        }
        store_aligned<2>(at, dy);
      }
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
    const int s = task % groups * kTensorRows + 2 * lane.row, first = task / groups * kColumns;
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

// Operands whose depth are samples, 8 from s on: of rows [first, first + 16) operand A of a
// product, or of rows [first, first + 8 kTiles) operands B of kTiles of them, in pairs of
// registers. Rows from n_rows on are another one: what comes of them is not stored. Work in shared
// memory is read as matrices; elsewhere depths p and p + 4 of a lane are neighbours.
template <bool kShared, bool kIsA, int kTiles>
class OperandRows {
 public:
  __device__ __forceinline__ OperandRows(const float* x, int first, int n_rows) {
    const TensorLane lane;
    const auto row_at = [&](int row) {
      return x + long(row < n_rows ? row : n_rows - 1) * kSampleStride;
    };
    if constexpr (kShared) {
      // Eight lanes say where the rows of one matrix are: rows, then depths of A; the other way
      // round of B.
      const int matrix = int(threadIdx.x) % 32 / 8 % (2 * kTiles), row = int(threadIdx.x) % 8;
      const int of_rows = kIsA ? matrix % 2 : matrix / 2;
      const int of_depths = kIsA ? matrix / 2 : matrix % 2;
      at_[0] = row_at(first + 8 * of_rows + row) + 4 * of_depths;
    } else {
      GALLOP_UNROLL(2)
      for (int k = 0; k < kTiles; k++) {
        at_[k] = row_at(first + 8 * k + lane.row) + 2 * lane.pair;
      }
    }
  }
  __device__ __forceinline__ void load(int s, std::uint32_t (&to)[2 * kTiles]) const {
    if constexpr (kShared) {
      load_matrices(at_[0] + s, to);
    } else {
      GALLOP_UNROLL(2)
      for (int k = 0; k < kTiles; k++) {
        float x[2];
        load_aligned<2>(at_[k] + s, x);
        to[kIsA ? k : 2 * k] = __float_as_uint(x[0]);
        to[kIsA ? k + 2 : 2 * k + 1] = __float_as_uint(x[1]);
      }
    }
  }

 private:
  const float* at_[kShared ? 1 : kTiles];
};

// Sums over the samples of products of rows: to[i * row_step + j * column_step] for i in [0, n_x)
// and j in [0, n_y) = sum_s x[i, s] y[j, s]. A warp's tile is 32 rows x 8 kTiles columns. What is
// read for it gives the sums of the rows of x or of y besides.
struct TensorOuter {
  const float *x, *y;
  int n_x, n_y;
  float* to;
  long row_step, column_step;
  float* row_sum;      // of the rows of x or y
  unsigned* greatest;  // [2] in shared memory: magnitudes of what `to` and `row_sum` get
};

// The sum of a row, of which four neighbouring lanes have a part each.
__device__ __forceinline__ float sum_of_four(float own) {
  own = own + __shfl_xor_sync(~0u, own, 1);
  return own + __shfl_xor_sync(~0u, own, 2);
}

// kWhole: 32 rows and 16 columns divide n_x and n_y, column_step is 1 and all is aligned.
template <bool kShared, int kTiles, bool kSumsX, bool kWhole>
__device__ __forceinline__ void tensor_outer(const TensorOuter& r) {
  constexpr int kColumns = 8 * kTiles;
  const TensorLane lane;
  const int groups = (r.n_x + kTensorRows - 1) / kTensorRows;
  const int tiles = (r.n_y + kColumns - 1) / kColumns;
  GALLOP_UNROLL(1)
  for (int task = int(threadIdx.x) / 32; task < groups * tiles; task += kTensorWarps) {
    const int i = task % groups * kTensorRows, j = task / groups * kColumns;
    const bool sums = kSumsX ? j == 0 : i == 0;
    const OperandRows<kShared, true, 2> x[2] = {{r.x, i, r.n_x}, {r.x, i + 16, r.n_x}};
    const OperandRows<kShared, false, kTiles> y(r.y, j, r.n_y);
    float sum[2][kTiles][4] = {}, total[kSumsX ? 4 : kTiles] = {};
    GALLOP_UNROLL(2)
    for (int s = 0; s < kChunkSamples; s += 8) {
      std::uint32_t a[2][4], b[2 * kTiles];
      x[0].load(s, a[0]);
      x[1].load(s, a[1]);
      y.load(s, b);
      GALLOP_UNROLL(2)
      for (int m = 0; m < 2; m++) {
        GALLOP_UNROLL(2)
        for (int q = 0; q < kTiles; q++) multiply_tf32(sum[m][q], a[m], b[2 * q], b[2 * q + 1]);
      }
      if (sums) {
        if constexpr (kSumsX) {
          GALLOP_UNROLL(4)
          for (int k = 0; k < 4; k++) {
            total[k] = total[k] +
                       (__uint_as_float(a[k / 2][k % 2]) + __uint_as_float(a[k / 2][k % 2 + 2]));
          }
        } else {
          GALLOP_UNROLL(2)
          for (int q = 0; q < kTiles; q++) {
            total[q] = total[q] + (__uint_as_float(b[2 * q]) + __uint_as_float(b[2 * q + 1]));
          }
        }
      }
    }
    float most = 0.0f;
    for_tile(sum, [&](float own) {
      most = greater_magnitude(most, own);
      return own;
    });
    note_greatest(most, r.greatest);
    if (sums) {
      most = 0.0f;
      GALLOP_UNROLL(4)
      for (int k = 0; k < (kSumsX ? 4 : kTiles); k++) {
        const int row = (kSumsX ? i : j) + 8 * k + lane.row;
        total[k] = sum_of_four(total[k]);
        most = greater_magnitude(most, total[k]);
        if (lane.pair == 0 && row < (kSumsX ? r.n_x : r.n_y)) r.row_sum[row] = total[k];
      }
      note_greatest(most, r.greatest + 1);
    }
    GALLOP_UNROLL(2)
    for (int m = 0; m < 2; m++) {
      GALLOP_UNROLL(2)
      for (int h = 0; h < 2; h++) {
        const int row = i + 16 * m + 8 * h + lane.row;
        GALLOP_UNROLL(2)
        for (int q = 0; q < kTiles; q++) {
          const int column = j + 8 * q + 2 * lane.pair;
          float* const to = r.to + row * r.row_step + column * r.column_step;
          const float own[2] = {sum[m][q][2 * h], sum[m][q][2 * h + 1]};
          if constexpr (kWhole) {
            store_aligned<2>(to, own);
          } else if (row < r.n_x) {
            if (column < r.n_y) to[0] = own[0];
            if (column + 1 < r.n_y) to[r.column_step] = own[1];
          }
        }
      }
    }
  }
}

// As backward_chunk; derivatives by the outputs are rounded already, and 0 for the samples beyond
// those of the chunk. Notes the greatest magnitudes of each layer's weights and biases, in
// `greatest` [2 layers], which is in shared memory and 0 when all threads come here.
template <bool kShared>
__device__ __forceinline__ void tensor_backward_chunk(const NetworkShape& shape,
                                                      const float* parameters, float* work,
                                                      float* gradient, unsigned* greatest) {
  __syncthreads();
  GALLOP_UNROLL(1)
  for (int l = shape.n_layers - 1; l >= 0; l--) {
    const int n_in = shape.width[l], n_out = shape.width[l + 1];
    float* const unit = work + long(unit_row(shape, l)) * kSampleStride;
    const float* const d = unit + long(n_in) * kSampleStride;
    const long offset = layer_offset(shape, l);
    float* const to = gradient + offset;
    const bool whole = n_in % 32 == 0 && n_out % 32 == 0;
    float* const biases = to + long(n_in) * n_out;
    unsigned* const own = greatest + 2 * l;
    if (n_in <= 8) {
      tensor_outer<kShared, 1, true, false>({d, unit, n_out, n_in, to, 1, n_out, biases, own});
    } else if (n_out <= 8) {
      tensor_outer<kShared, 1, false, false>({unit, d, n_in, n_out, to, n_out, 1, biases, own});
    } else if (whole && is_aligned(to)) {
      tensor_outer<kShared, 2, false, true>({unit, d, n_in, n_out, to, n_out, 1, biases, own});
    } else {
      tensor_outer<kShared, 2, false, false>({unit, d, n_in, n_out, to, n_out, 1, biases, own});
    }
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
