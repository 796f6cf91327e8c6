// Shapes of networks and the layout of their parameters in one flat vector, as plain data.
//
// MLP: for each layer the weights [inputs, outputs] (row k holds the weights of input k), then the
// biases [outputs]. Tabular: one row [outputs] for each state, no biases.
#pragma once

#include <gallop/kernels/numerics/platform.h>

namespace gallop {

constexpr int kMaxLayers = 16;   // affine maps in a network
constexpr int kMaxWidth = 8192;  // units in a layer
constexpr int kMaxOutputs = 64;  // outputs of a network

enum class NetworkKind : int { kMlp, kTabular };
enum class Activation : int { kTanh, kRelu, kIdentity };

struct NetworkShape {
  NetworkKind kind;
  Activation hidden;          // of every layer but the last
  int n_layers;               // affine maps; 1 is a linear map
  int width[kMaxLayers + 1];  // width[0] inputs (states for a table) ... width[n_layers] outputs
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// Where layer `layer` begins in the flat parameters; `layer` = n_layers gives their number.
GALLOP_HD long layer_offset(const NetworkShape& shape, int layer) {
  if (shape.kind == NetworkKind::kTabular) {
    return layer == 0 ? 0 : long(shape.width[0]) * shape.width[1];
  }
  long offset = 0;
  for (int l = 0; l < layer; l++) offset += (long(shape.width[l]) + 1) * shape.width[l + 1];
  return offset;
}
GALLOP_HD int outputs_of(const NetworkShape& shape) { return shape.width[shape.n_layers]; }
GALLOP_HD int widest(const NetworkShape& shape) {
  int width = 0;
  for (int l = 0; l <= shape.n_layers; l++) width = width > shape.width[l] ? width : shape.width[l];
  return width;
}

}  // namespace gallop::inline GALLOP_ISA
