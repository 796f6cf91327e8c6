// Fisher products by sensitivities, the derivatives of a policy's outputs by the weighted sums of
// its hidden units. They are those of the policy that acted, so that all products of an update
// (fisher.h) share them: with sigma_j,l for output j and hidden layer l, and x_l the units of layer
// l,
//
//   J v: t_j = x_L v_j + b_j + sum over l of (x_{l-1} V_l + c_l) . sigma_j,l
//   J^T u: dV_l = x_{l-1}^T D_l, dc_l = sum of D_l, with D_l = sum over j of u_j sigma_j,l
//
// are two products of matrices for a layer where a pass forward and one backward take four. (v, b:
// the vector's weights and biases of the outputs; V_l, c_l: of hidden layer l.) They take memory, a
// float for each hidden unit and output; but for the last hidden layer L, where they are the
// outputs' weights times the activation's slope. Of a category only the differences of logits to
// the first one count: its Fisher matrix takes a constant to zero.
//
// Source: the chain rule; the two passes of which they take the place are those of Schraudolph,
// Neural Computation 14 (2002) 1723.
//
// Verified: against the reference in double (tests/learning/fisher_test.cpp).
#pragma once

#include <gallop/kernels/gradients/chunk_network.h>
#include <gallop/kernels/policy/heads.h>

namespace gallop {

constexpr int kMostSensitivities = kMostFactors;  // outputs whose sensitivities are ever kept

// Multiply-adds that must be saved for each float that is kept: about what a processor computes
// while it reads one from memory, 16 lanes x 3.5 GHz against 10 GB/s a core, or 2.9e13 a second
// against 4.8 TB/s on an H200.
constexpr long kSavedForEachFloat = 24;

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// Outputs that count: all, or the logits but the first. Free output j is output j + first.
GALLOP_HD int first_free_output(const PolicyShape& shape) {
  return with_head(shape.head, [](auto h) { return decltype(h)::kRedundantOutputs; });
}
GALLOP_HD int free_outputs(const PolicyShape& shape) {
  return outputs_of(shape.network) - first_free_output(shape);
}

// What belongs to free output j in a row of the last layer's weights, or in its biases.
GALLOP_HD float output_weight(const PolicyShape& shape, const float* row, int j) {
  return first_free_output(shape) > 0 ? row[1 + j] - row[0] : row[j];
}

// Outputs whose sensitivities are kept, 0 where a pass forward and one backward cost less. It
// follows from the shape alone: the two ways differ in their last bits.
GALLOP_HD int sensitivity_count(const PolicyShape& shape) {
  const NetworkShape& network = shape.network;
  const int count = free_outputs(shape);
  if (network.kind != NetworkKind::kMlp || count < 1 || count > kMostSensitivities) return 0;
  long saved = 0, kept = 0;
  for (int l = 1; l + 1 < network.n_layers; l++) {
    saved += 2L * network.width[l] * network.width[l + 1];
    kept += long(count) * network.width[l];
  }
  return kept > 0 && saved >= kSavedForEachFloat * kept ? count : 0;
}

// Units of the hidden layers whose sensitivities are kept in memory: all but the last.
GALLOP_HD int sensitivity_rows(const NetworkShape& shape) {
  int rows = 0;
  for (int l = 1; l + 1 < shape.n_layers; l++) rows += shape.width[l];
  return rows;
}

// Floats that the sensitivities of one chunk take, rows padded.
GALLOP_HD long sensitivity_floats(const PolicyShape& shape) {
  long floats = 0;
  for (int l = 1; l + 1 < shape.network.n_layers; l++) floats += padded(shape.network.width[l]);
  return floats * sensitivity_count(shape) * kChunkSamples;
}

// The sensitivities of a chunk on a CPU.
struct Sensitivities {
  int count;
  // [kChunkSamples, padded width] of the layers from 1 on; of the last hidden layer the outputs'
  // weights [padded width], which the slope multiplies.
  float* of[kMostSensitivities][kMaxLayers];

  // `weights` [count, padded width of the last hidden layer] may be null where nothing reads them.
  Sensitivities(const PolicyShape& shape, float* at, float* weights)
      : count(sensitivity_count(shape)) {
    const int last = shape.network.n_layers - 1;
    for (int j = 0; j < count; j++) {
      for (int l = 1; l < last; l++) {
        of[j][l] = at;
        at += long(kChunkSamples) * padded(shape.network.width[l]);
      }
      of[j][last] = weights + long(j) * padded(shape.network.width[last]);
    }
  }
};

// Writes the sensitivities that are kept of n samples, whose units the network holds.
template <class F>
void write_sensitivities(const PolicyShape& shape, ChunkNetwork<F>& network, int n,
                         const Sensitivities& to) {
  const int outputs = shape.network.n_layers, stride = network.pad(outputs);
  const int first = first_free_output(shape);
  for (int j = 0; j < to.count; j++) {
    float* const seed = network.delta[0];
    for (int s = 0; s < n; s++) {
      float* const row = seed + long(s) * stride;
      for (int k = 0; k < stride; k++) row[k] = 0.0f;
      if (first > 0) row[0] = -1.0f;
      row[first + j] = 1.0f;
    }
    network.unit_gradient(outputs - 1, n, seed, stride, 1, network.delta[1]);
    const float* d = network.delta[1];
    for (int l = outputs - 2; l > 0; l--) {
      network.unit_gradient(l, n, d, network.pad(l + 1), 1, to.of[j][l]);
      d = to.of[j][l];
    }
  }
}

// Weights of free output j, [padded units].
template <class F>
void output_weights(const PolicyShape& shape, const ChunkNetwork<F>& network, int j, float* to) {
  const int l = shape.network.n_layers - 1;
  for (int k = 0; k < network.pad(l); k++) {
    const float* const row = network.weight[l] + long(k) * network.pad(l + 1);
    to[k] = k < shape.network.width[l] ? output_weight(shape, row, j) : 0.0f;
  }
}

// dot[s, k % kColumnPad] = x[s, k] w[k], k ascending: one chain for each remainder. Rows of x have
// `stride` floats.
template <class F>
void start_terms(const float* x, int width, long stride, const float* w, int n, float* dot) {
  constexpr int kW = kLanesOf<F>;
  for (int s = 0; s < n; s++, x += stride, dot += kColumnPad) {
    for (int q = 0; q < kColumnPad; q += kW) {
      F sum = F(0.0f);
      for (int k = q; k < width; k += kColumnPad) {
        sum = fmadd(load_lanes(x + k, kW, F()), load_lanes(w + k, kW, F()), sum);
      }
      store_lanes(dot + q, sum, kW);
    }
  }
}

// The terms of a sample, added up in pairs half the terms apart.
GALLOP_HD float total_of_terms(const float* term) {
#if GALLOP_ON_DEVICE
  float sum[kColumnPad / 2];
  GALLOP_UNROLL(8)
  for (int k = 0; k < kColumnPad / 2; k++) sum[k] = term[k] + term[k + kColumnPad / 2];
  GALLOP_UNROLL(4)
  for (int k = 0; k < 4; k++) sum[k] = sum[k] + sum[k + 4];
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
#else
  typedef float Quad __attribute__((vector_size(16)));
  Quad quad[4];
  __builtin_memcpy(quad, term, sizeof(quad));
  const Quad sum = (quad[0] + quad[2]) + (quad[1] + quad[3]);
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
#endif
}

// Derivatives of the free outputs along the vector, less the vector's biases of the last layer:
// total [count][kChunkSamples]. First comes the last layer, then the hidden ones, ascending; terms
// are kept apart by the remainder of the unit's number, so that lanes of any width and threads of a
// device add in the same order. `vector` is a network whose weights it is; sums
// [count][kChunkSamples, kColumnPad].
template <class F>
void free_tangents(const PolicyShape& shape, const ChunkNetwork<F>& at, ChunkNetwork<F>& vector,
                   const Sensitivities& by, int n, float* sums, float* total, Prefetch* ahead) {
  const int last = at.shape.n_layers - 1;
  Product p = {};
  for (int j = 0; j < by.count; j++) {
    p.dot[j] = sums + long(j) * kChunkSamples * kColumnPad;
    float* const w = vector.unit[last];
    output_weights(shape, vector, j, w);
    start_terms<F>(at.unit[last], at.shape.width[last], at.pad(last), w, n, p.dot[j]);
  }
  p.rows = n;
  p.a_inner = 1;
  p.epilogue = Epilogue::kDot;
  p.activation = at.shape.hidden;
  p.n_factors = by.count;
  p.next = ahead;
  for (int l = 1; l <= last; l++) {
    p.inner = at.shape.width[l - 1];
    p.columns = at.shape.width[l];
    p.a = at.unit[l - 1];
    p.a_row = at.pad(l - 1);
    p.b = vector.weight[l - 1];
    p.b_stride = p.c_stride = at.pad(l);
    p.start = vector.bias[l - 1];
    p.value = l == last ? at.unit[l] : nullptr;
    p.factor_row = l == last ? 0 : at.pad(l);
    for (int j = 0; j < by.count; j++) p.factor[j] = by.of[j][l];
    multiply<F>(p);
  }
  for (int j = 0; j < by.count; j++) {
    for (int s = 0; s < n; s++) {
      total[j * kChunkSamples + s] = total_of_terms(p.dot[j] + long(s) * kColumnPad);
    }
  }
}

// d[s, k] = sum over j of u[j, s] sigma_j[s, k] of layer l, and the sum of its rows: j and s
// ascending. u [outputs, kChunkSamples].
template <class F, int V>
void combine_columns(const ChunkNetwork<F>& at, const Sensitivities& by, int l, int n,
                     const float* u, int k, int columns, float* d, float* sum) {
  constexpr int kW = kLanesOf<F>;
  const bool last = l + 1 == at.shape.n_layers;
  const long row = at.pad(l), factor_row = last ? 0 : row;
  F total[V];
  for (int v = 0; v < V; v++) total[v] = F(0.0f);
  for (int s = 0; s < n; s++, u++) {
    GALLOP_UNROLL(4)
    for (int v = 0; v < V; v++) {
      const long place = k + v * kW, to = s * row + place;
      F x = F(u[0]) * load_lanes(by.of[0][l] + s * factor_row + place, kW, F());
      for (int j = 1; j < by.count; j++) {
        x = fmadd(F(u[j * kChunkSamples]),
                  load_lanes(by.of[j][l] + s * factor_row + place, kW, F()), x);
      }
      if (last) x = x * slope_of(at.shape.hidden, load_lanes(at.unit[l] + to, kW, F()));
      store_lanes(d + to, x, kW);
      total[v] = total[v] + x;
    }
  }
  for (int v = 0; v < V; v++) store_lanes(sum + k + v * kW, total[v], columns - v * kW);
}
template <class F>
void combine_sensitivities(const ChunkNetwork<F>& at, const Sensitivities& by, int l, int n,
                           const float* u, float* d, float* sum) {
  constexpr int kW = kLanesOf<F>, kTogether = 4;
  const int width = at.shape.width[l];
  int k = 0;
  for (; k + kTogether * kW <= width; k += kTogether * kW) {
    combine_columns<F, kTogether>(at, by, l, n, u, k, kTogether * kW, d, sum);
  }
  for (; k < width; k += kW) {
    combine_columns<F, 1>(at, by, l, n, u, k, width - k, d, sum);
  }
}

}  // namespace gallop::inline GALLOP_ISA
