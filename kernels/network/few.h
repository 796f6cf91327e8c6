// Forward pass of a network for fewer instances than a register has lanes, such as one: lanes over
// the outputs of a hidden layer, whose weights are then read once, where a tile (forward.h) would
// compute all of its instances. Each output is the same chain, so the bits are those of a tile.
#pragma once

#include <gallop/kernels/network/multiply.h>
#include <gallop/kernels/numerics/transpose.h>

namespace gallop::inline GALLOP_ISA {

// Whether forward_few serves the shape: rows of weights are read in whole registers.
GALLOP_HD bool has_whole_rows(const NetworkShape& shape) {
  bool whole = shape.kind == NetworkKind::kMlp && shape.n_layers > 1;
  for (int l = 1; l < shape.n_layers; l++) whole = whole && shape.width[l] % kColumnPad == 0;
  return whole;
}

// Like forward_tile, for n instances, at most those of a register. In the tile that it returns only
// those are outputs.
template <class F>
GALLOP_HD float* forward_few(const NetworkShape& shape, const float* parameters, int n, float* a,
                             float* b) {
  constexpr int kW = kLanesOf<F>, kInstances = TileShape<F>::kInstances;
  for (int s = 0; s < n; s++) {
    for (int k = 0; k < shape.width[0]; k++) b[s * shape.width[0] + k] = a[k * kInstances + s];
  }
  float *from = b, *to = a;  // [n, units]
  const float* weight = parameters;
  const int last = shape.n_layers - 1;
  for (int l = 0; l < last; l++) {
    const int n_in = shape.width[l], n_out = shape.width[l + 1];
    const float* const bias = weight + long(n_in) * n_out;
    Product p = {n, n_in, n_out, from, n_in, 1, weight, n_out, bias, to, n_out};
    p.epilogue = Epilogue::kActivate;
    p.activation = shape.hidden;
    multiply<F>(p);
    weight = bias + n_out;
    float* const swap = from;
    from = to;
    to = swap;
  }
  const int n_in = shape.width[last], n_out = shape.width[last + 1];
  for (int k = 0; k < n_in; k++) {
    for (int s = 0; s < kW; s++) to[k * kW + s] = s < n ? from[s * n_in + k] : 0.0f;
  }
  dense_layer<F, 1, TileShape<F>::kJ>(to, n_in, weight, weight + long(n_in) * n_out, n_out,
                                      Activation::kIdentity, from, kInstances);
  return from;
}

}  // namespace gallop::inline GALLOP_ISA
