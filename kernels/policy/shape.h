// A policy as plain data: a network, a head that turns its outputs into a distribution of actions,
// and a frozen normalisation of observations.
//
// Parameters: those of the network (network/shape.h), then, for a Gaussian head whose deviation
// does not depend on the state, log sigma [A]; for heads of bounded actions, half the range between
// the bounds [A] and its centre [A], and for the deterministic one of them the deviation of its
// noise [A], none of which is learnt.
#pragma once

#include <cstdint>

#include <gallop/kernels/network/shape.h>

namespace gallop {

// Each is a type in policy/heads/.
enum class Head : int {
  kCategorical,      // softmax over the outputs; with a tabular network the tabular softmax
  kGaussian,         // independent normals: outputs are the means, log sigma is a parameter [A]
  kGaussianNetwork,  // outputs are the means [A], then log sigma [A]
  kDeterministic,    // outputs are the action
  // Within bounds by tanh, whose range is among the parameters:
  kSquashedGaussian,      // outputs are means [A], then log sigma [A], of a normal before the tanh
  kSquashedDeterministic  // outputs are the action before the tanh; explores by normal noise
};

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
  // [D], or null for none: 1 for a parameter that is not learnt, whose derivatives count as 0.
  // Acting does not read it.
  const std::uint8_t* fixed = nullptr;
};

}  // namespace gallop
