// Forward pass of a network for a tile of instances: lanes over instances, weights broadcast. Every
// output is its bias followed by one chain of fused multiply-adds in ascending input, so tiles of
// any shape, and the products of network/multiply.h, give the same bits.
#pragma once

#include <gallop/kernels/network/shape.h>
#include <gallop/kernels/numerics/math.h>

namespace gallop::inline GALLOP_ISA {

template <class F>
GALLOP_HD F activate(Activation activation, F x) {
  if (activation == Activation::kTanh) return tanh(x);
  if (activation == Activation::kRelu) return select(x < F(0.0f), F(0.0f), x);
  return x;
}

// Columns [j, j + J) of one layer for E registers of instances. The inputs are [unit, E * lanes],
// the outputs have rows `stride` apart.
template <class F, int E, int J>
GALLOP_HD void dense_columns(const float* in, int n_in, const float* weight, const float* bias,
                             int n_out, int j, Activation activation, float* out, long stride) {
  constexpr int kW = kLanesOf<F>;
  F sum[E][J];
  for (int e = 0; e < E; e++) {
    for (int c = 0; c < J; c++) sum[e][c] = F(bias[j + c]);
  }
  const float* w = weight + j;
  for (int k = 0; k < n_in; k++, w += n_out, in += E * kW) {
    F x[E];
    GALLOP_UNROLL(4)
    for (int e = 0; e < E; e++) x[e] = load_lanes(in + e * kW, kW, F());
    GALLOP_UNROLL(16)
    for (int c = 0; c < J; c++) {
      const F wc(w[c]);
      GALLOP_UNROLL(4)
      for (int e = 0; e < E; e++) sum[e][c] = fmadd(x[e], wc, sum[e][c]);
    }
  }
  for (int c = 0; c < J; c++) {
    for (int e = 0; e < E; e++) {
      store_lanes(out + (j + c) * stride + e * kW, activate(activation, sum[e][c]), kW);
    }
  }
}

// A layer in passes of J columns, the last ones narrower: as few as leave a column alone, whose
// sums would wait for each other.
template <class F, int E, int J>
GALLOP_HD void dense_layer(const float* in, int n_in, const float* weight, const float* bias,
                           int n_out, Activation activation, float* out, long stride) {
  int j = 0;
  for (; j + J <= n_out && n_out - j != J + 1; j += J) {
    dense_columns<F, E, J>(in, n_in, weight, bias, n_out, j, activation, out, stride);
  }
  for (; J > 4 && j + 4 <= n_out; j += 4) {
    dense_columns<F, E, 4>(in, n_in, weight, bias, n_out, j, activation, out, stride);
  }
  for (; j + 2 <= n_out; j += 2) {
    dense_columns<F, E, 2>(in, n_in, weight, bias, n_out, j, activation, out, stride);
  }
  for (; j < n_out; j++) {
    dense_columns<F, E, 1>(in, n_in, weight, bias, n_out, j, activation, out, stride);
  }
}

// Registers of instances and outputs that one pass holds: 16 sums for AVX-512's 32 registers, 12
// for AVX2's 16. Measured on Zen 4 with GCC 12.
template <class F>
struct TileShape {
  static constexpr int kE = kLanesOf<F> == 16 ? 2 : 4;
  static constexpr int kJ = kLanesOf<F> == 8 ? 3 : 8;
  static constexpr int kSingleJ = kLanesOf<F> == 16 ? 16 : 8;  // of a single register
  static constexpr int kInstances = kE * kLanesOf<F>;
};

// The state whose row of a table is read. What is none reads that of another one: the runner
// reports such an observation, but only after the policy has acted on it.
template <class F>
GALLOP_HD F table_state(const NetworkShape& shape, F state) {
  return min(max(state, F(0.0f)), F(float(shape.width[0] - 1)));
}

// Runs the network on a tile of E registers, J columns at a time. `a` [width[0], instances] holds
// the inputs; `a` and `b` (each [widest, instances]) are overwritten in turn. Returns the one that
// holds the outputs.
template <class F, int E = TileShape<F>::kE, int J = TileShape<F>::kJ>
GALLOP_HD float* forward_tile(const NetworkShape& shape, const float* parameters, float* a,
                              float* b) {
  constexpr int kInstances = E * kLanesOf<F>;
  if (shape.kind == NetworkKind::kTabular) {
    const int n_out = shape.width[1];
    for (int e = 0; e < E; e++) {
      const F state = load_lanes(a + e * kLanesOf<F>, kLanesOf<F>, F());
      const Int<F> row = to_int(table_state(shape, state) * F(float(n_out)));
      for (int j = 0; j < n_out; j++) {
        store_lanes(b + j * kInstances + e * kLanesOf<F>, gather(parameters + j, row), kLanesOf<F>);
      }
    }
    return b;
  }
  const float* weight = parameters;
  for (int l = 0; l < shape.n_layers; l++) {
    const int n_in = shape.width[l], n_out = shape.width[l + 1];
    const float* bias = weight + long(n_in) * n_out;
    const Activation activation = l + 1 < shape.n_layers ? shape.hidden : Activation::kIdentity;
    dense_layer<F, E, J>(a, n_in, weight, bias, n_out, activation, b, kInstances);
    weight = bias + n_out;
    float* swap = a;
    a = b;
    b = swap;
  }
  return a;
}

}  // namespace gallop::inline GALLOP_ISA
