// Matrix products of the learner: C[r, c] = start[c] + sum_i A[r, i] B[i, c] with i ascending in
// one chain of fused multiply-adds for each element, so that every blocking gives the same bits and
// the bits of network/forward.h. Lanes run over c; B and C have rows padded to a multiple of 16
// columns.
#pragma once

#include "kernels/numerics/scalar.h"

namespace gallop {

constexpr int kColumnPad = 16;

// A[r, i] stands at a[r * a_row + i * a_inner]: a transposed A costs nothing.
struct Product {
  int rows, inner, columns;
  const float* a;
  long a_row, a_inner;
  const float* b;  // [inner, b_stride]
  long b_stride;
  const float*
      start;  // [rows, start_stride], one row for all where start_stride is 0; null for zero
  float* c;   // [rows, c_stride]; may be `start`
  long c_stride;
  long start_stride;
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

GALLOP_HD int padded(int columns) { return (columns + kColumnPad - 1) / kColumnPad * kColumnPad; }

// R rows and V registers of columns at (r, c).
template <class F, int R, int V>
GALLOP_HD void multiply_block(const Product& p, int r, int c) {
  constexpr int kW = kLanesOf<F>;
  F sum[R][V];
  GALLOP_UNROLL(4)
  for (int v = 0; v < V; v++) {
    GALLOP_UNROLL(16)
    for (int k = 0; k < R; k++) {
      sum[k][v] = p.start == nullptr
                      ? F(0.0f)
                      : load_lanes(p.start + (r + k) * p.start_stride + c + v * kW, kW, F());
    }
  }
  const float* a = p.a + r * p.a_row;
  const float* b = p.b + c;
  const long a_row = p.a_row, a_inner = p.a_inner, b_stride = p.b_stride;
  for (int i = p.inner; i > 0; i--, a += a_inner, b += b_stride) {
    F x[V];
    GALLOP_UNROLL(4)
    for (int v = 0; v < V; v++) x[v] = load_lanes(b + v * kW, kW, F());
    GALLOP_UNROLL(16)
    for (int k = 0; k < R; k++) {
      const F ak(a[k * a_row]);
      GALLOP_UNROLL(4)
      for (int v = 0; v < V; v++) sum[k][v] = fmadd(ak, x[v], sum[k][v]);
    }
  }
  GALLOP_UNROLL(16)
  for (int k = 0; k < R; k++) {
    GALLOP_UNROLL(4)
    for (int v = 0; v < V; v++) {
      store_lanes(p.c + (r + k) * p.c_stride + c + v * kW, sum[k][v], kW);
    }
  }
}

template <class F, int V>
GALLOP_HD void multiply_columns(const Product& p, int c) {
  constexpr int kR = kLanesOf<F> == 8 ? 5 : 8;
  int r = 0;
  for (; r + kR <= p.rows; r += kR) multiply_block<F, kR, V>(p, r, c);
  for (; r + 4 <= p.rows; r += 4) multiply_block<F, 4, V>(p, r, c);
  for (; r < p.rows; r++) multiply_block<F, 1, V>(p, r, c);
}

template <class F>
GALLOP_NOINLINE_HD void multiply(const Product& p) {
  constexpr int kW = kLanesOf<F>;
  const int columns = padded(p.columns);
  int c = 0;
  for (; c + 2 * kW <= columns; c += 2 * kW) multiply_columns<F, 2>(p, c);
  for (; c < columns; c += kW) multiply_columns<F, 1>(p, c);
}

}  // namespace gallop::inline GALLOP_ISA
