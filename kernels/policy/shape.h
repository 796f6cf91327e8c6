// A policy as plain data: a network, a head that turns its outputs into a distribution of actions,
// and a frozen normalisation of observations.
//
// Parameters: those of the network (network/shape.h), then, for a Gaussian head whose deviation
// does not depend on the state, log sigma [A].
#pragma once

#include "kernels/network/shape.h"

namespace gallop {

enum class Head : int {
  kCategorical,      // softmax over the outputs; with a tabular network the tabular softmax
  kGaussian,         // independent normals: outputs are the means, log sigma is a parameter [A]
  kGaussianNetwork,  // outputs are the means [A], then log sigma [A]
  kDeterministic     // outputs are the action
};

constexpr float kMinLogStd = -5.0f, kMaxLogStd = 2.0f;  // log sigma is clamped to this

struct PolicyShape {
  NetworkShape network;
  Head head;
  int n_actions;  // A: number of actions, or components of a continuous one
};

// x -> clamp((x - mean) * inverse_std, +-limit), for each component of the observation. Null for
// none.
struct Normalization {
  const float* mean;         // [O]
  const float* inverse_std;  // [O]
  float limit;
};

struct PolicyView {
  PolicyShape shape;
  const float* parameters;  // [D]
  Normalization normalization;
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

GALLOP_HD long parameter_count(const PolicyShape& shape) {
  return layer_offset(shape.network, shape.network.n_layers) +
         (shape.head == Head::kGaussian ? shape.n_actions : 0);
}
// Floats that one action takes in an array.
GALLOP_HD int action_rows(const PolicyShape& shape) {
  return shape.head == Head::kCategorical ? 1 : shape.n_actions;
}

}  // namespace gallop::inline GALLOP_ISA
