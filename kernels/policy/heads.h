// Heads turn the outputs of a policy's network into a distribution of actions. A head is a type in
// a file of its own (heads/); with_head() is the one place that tells them apart. `F` is one
// instance or a register of them; arrays of F are indexed by output or action. A head has
//
//   kDiscrete                      an action is an index, else a component of a continuous one
//   kOutputs, kParameters          of each action; parameters stand behind those of the network
//   kRedundantOutputs              outputs of which only differences to the first count
//   log_std_of(n, output, parameter, log_std)  what the others read beside the outputs, up to
//     kHeadNumbers for each action
//   choose(n, output, log_std, deterministic, rng, action)  writes an action, returns its log pi
//   At(n, output, log_std)         the distribution at these outputs:
//     log_prob(action), entropy()
//     loss_slope(action, slope, bonus, d_output, d_log_std)  slope d log pi - bonus dH; returns H
//     metric(t, u)                 u = M t, the Fisher matrix of the distribution in the outputs
//     divergence_to(now)           KL(this || now)
//     pull_back(action, d_action, d_output, d_log_std)  through the reparameterised action, of
//     heads
//                                  whose actions are continuous
#pragma once

#include <gallop/kernels/policy/heads/categorical.h>
#include <gallop/kernels/policy/heads/deterministic.h>
#include <gallop/kernels/policy/heads/gaussian.h>
#include <gallop/kernels/policy/heads/squashed.h>
#include <gallop/kernels/policy/shape.h>

namespace gallop {

constexpr int kHeadNumbers = 3;

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// body(Type{}) of the head.
template <class Body>
GALLOP_HD auto with_head(Head head, const Body& body) {
  if (head == Head::kCategorical) return body(Categorical{});
  if (head == Head::kGaussian) return body(Gaussian{});
  if (head == Head::kGaussianNetwork) return body(GaussianNetwork{});
  if (head == Head::kSquashedGaussian) return body(SquashedGaussian{});
  if (head == Head::kSquashedDeterministic) return body(SquashedDeterministic{});
  return body(Deterministic{});
}

// Outputs that a network of this head has for n actions, and parameters behind the network's.
GALLOP_HD int head_outputs(Head head, int n) {
  return with_head(head, [n](auto h) { return n * decltype(h)::kOutputs; });
}
GALLOP_HD int head_parameters(Head head, int n) {
  return with_head(head, [n](auto h) { return n * decltype(h)::kParameters; });
}
GALLOP_HD bool is_discrete(Head head) {
  return with_head(head, [](auto h) { return decltype(h)::kDiscrete; });
}
// Whether bounds of the actions, which are not learnt, stand behind the network's parameters.
GALLOP_HD bool is_bounded(Head head) {
  return with_head(head, [](auto h) { return decltype(h)::kParameters > 1; });
}
// Floats that one action takes in an array.
GALLOP_HD int action_rows(const PolicyShape& shape) {
  return is_discrete(shape.head) ? 1 : shape.n_actions;
}
GALLOP_HD long parameter_count(const PolicyShape& shape) {
  return layer_offset(shape.network, shape.network.n_layers) +
         head_parameters(shape.head, shape.n_actions);
}

template <class F>
GALLOP_HD void log_std_of(Head head, int n, const F* output, const float* parameter, F* log_std) {
  with_head(head, [&](auto h) { h.log_std_of(n, output, parameter, log_std); });
}

// Chooses actions from the outputs of the network. Writes action [A] (an index as an exact F for a
// discrete head) and returns its log-probability. Random numbers: purpose kRandomAction, one word
// for a category, a pair of words for two components of a normal.
template <class F>
GALLOP_HD F choose_action(Head head, int n, const F* output, const F* log_std, bool deterministic,
                          Rng<F>& rng, F* action) {
  return with_head(
      head, [&](auto h) { return h.choose(n, output, log_std, deterministic, rng, action); });
}

}  // namespace gallop::inline GALLOP_ISA
