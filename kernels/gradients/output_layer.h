// The output layer of a chunk of samples. Outputs, their gradients and whatever else is summed over
// the samples are columns [k, kChunkSamples]: heads and losses have samples in their lanes, and few
// outputs would leave most lanes of a row idle.
#pragma once

#include <gallop/kernels/gradients/samples.h>
#include <gallop/kernels/network/multiply.h>
#include <gallop/kernels/numerics/transpose.h>

namespace gallop {

constexpr int kFewOutputs = 4;

// The backward pass of a layer of few outputs after a hidden one.
struct FewOutputs {
  int n, width;            // samples, hidden units
  const float* d_output;   // [outputs, kChunkSamples]
  const float* unit;       // [n, stride] hidden units
  const float* weight;     // [outputs, stride] of each output
  long stride;             // padded width
  float* weight_gradient;  // [outputs, stride]
  float* d;                // [n, stride] gradient by the weighted sums of the hidden units
  float* bias_gradient;    // [width] of the hidden layer, the sums of d
  Prefetch* next;
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// Floats that columns take; they are read by eights, from any of them on.
GALLOP_HD long column_floats(int columns) { return long(columns + kTransposed) * kChunkSamples; }

// sum[c] = sum over n samples of x[c, s], s ascending.
GALLOP_HD void sum_columns(const float* x, int n, int columns, float* sum) {
  int c = 0;
#if defined(__AVX2__) && GALLOP_LANES > 1
  for (; c < columns; c += kTransposed) {
    __m256 total = _mm256_setzero_ps();
    for (int s = 0; s < n; s += kTransposed) {
      const Transposed block = transpose_registers(x + long(c) * kChunkSamples + s, kChunkSamples);
      const int count = n - s < kTransposed ? n - s : kTransposed;
      if (count == kTransposed) {
        GALLOP_UNROLL(8)
        for (int k = 0; k < kTransposed; k++) total = _mm256_add_ps(total, block.column[k]);
      } else {
        for (int k = 0; k < count; k++) total = _mm256_add_ps(total, block.column[k]);
      }
    }
    float totals[kTransposed];
    _mm256_storeu_ps(totals, total);
    for (int k = 0; k < kTransposed && c + k < columns; k++) sum[c + k] = totals[k];
  }
#endif
  for (; c < columns; c++) {
    float total = 0.0f;
    for (int s = 0; s < n; s++) total = total + x[long(c) * kChunkSamples + s];
    sum[c] = total;
  }
}

// Outputs [n_out, kChunkSamples] of n samples, whose units are rows of `stride` floats; `scratch`
// [n_in, tile]. Weights are in their flat layout.
template <class F>
void output_layer(const float* unit, long stride, int n_in, const float* weight, int n_out, int n,
                  float* scratch, float* output) {
  using Tile = TileShape<F>;
  for (int s = 0; s < n; s += Tile::kInstances) {
    transpose(unit + s * stride, stride, Tile::kInstances, n_in, scratch, Tile::kInstances);
    dense_layer<F, Tile::kE, Tile::kJ>(scratch, n_in, weight, weight + long(n_in) * n_out, n_out,
                                       Activation::kIdentity, output + s, kChunkSamples);
  }
}

// V registers of units from k on.
template <class F, int J, int V, Activation kActivation>
GALLOP_HD void backward_columns(const FewOutputs& r, int k) {
  constexpr int kW = kLanesOf<F>;
  F sum[J][V], total[V];
  GALLOP_UNROLL(4)
  for (int v = 0; v < V; v++) {
    total[v] = F(0.0f);
    GALLOP_UNROLL(4)
    for (int j = 0; j < J; j++) sum[j][v] = F(0.0f);
  }
  const float *unit = r.unit + k, *weight = r.weight + k;
  float* d = r.d + k;
  for (int s = 0; s < r.n; s++, unit += r.stride, d += r.stride) {
    F by[J];
    GALLOP_UNROLL(4)
    for (int j = 0; j < J; j++) by[j] = F(r.d_output[j * kChunkSamples + s]);
    GALLOP_UNROLL(4)
    for (int v = 0; v < V; v++) {
      const F x = load_lanes(unit + v * kW, kW, F());
      F g = F(0.0f);
      GALLOP_UNROLL(4)
      for (int j = 0; j < J; j++) {
        sum[j][v] = fmadd(by[j], x, sum[j][v]);
        g = fmadd(by[j], load_lanes(weight + j * r.stride + v * kW, kW, F()), g);
      }
      g = g * slope_of(kActivation, x);
      total[v] = total[v] + g;
      store_lanes(d + v * kW, g, kW);
    }
    if (r.next != nullptr) fetch_ahead(*r.next, 0);
  }
  GALLOP_UNROLL(4)
  for (int v = 0; v < V; v++) {
    const int at = k + v * kW;
    GALLOP_UNROLL(4)
    for (int j = 0; j < J; j++) store_lanes(r.weight_gradient + j * r.stride + at, sum[j][v], kW);
    if (at < r.width) store_lanes(r.bias_gradient + at, total[v], r.width - at);
  }
}

template <class F, int J, Activation kActivation>
void few_outputs(const FewOutputs& r) {
  constexpr int kW = kLanesOf<F>, kV = J == 1 ? 4 : 2;
  int k = 0;
  for (; k + kV * kW <= r.stride; k += kV * kW) backward_columns<F, J, kV, kActivation>(r, k);
  for (; k < r.width; k += kW) backward_columns<F, J, 1, kActivation>(r, k);
}

template <class F, int J>
void few_outputs(const FewOutputs& r, Activation activation) {
  if (activation == Activation::kTanh) return few_outputs<F, J, Activation::kTanh>(r);
  if (activation == Activation::kRelu) return few_outputs<F, J, Activation::kRelu>(r);
  few_outputs<F, J, Activation::kIdentity>(r);
}

// 1 <= n_out <= kFewOutputs.
template <class F>
void backward_few_outputs(const FewOutputs& r, int n_out, Activation activation) {
  if (n_out == 1) few_outputs<F, 1>(r, activation);
  if (n_out == 2) few_outputs<F, 2>(r, activation);
  if (n_out == 3) few_outputs<F, 3>(r, activation);
  if (n_out == 4) few_outputs<F, 4>(r, activation);
}

}  // namespace gallop::inline GALLOP_ISA
