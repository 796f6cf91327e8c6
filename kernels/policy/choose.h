// Actions from the outputs of a policy's network, outside of a rollout: what rollouts do within a
// step (kernels/policy/act.h), with the same bits for the same ids, episodes and steps.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/policy/heads.h>
#include <gallop/kernels/policy/shape.h>
#include <gallop/kernels/random/instance_ids.h>

namespace gallop {

// Instances [0, n).
struct ChooseRequest {
  PolicyShape shape;
  const float* parameters;  // [D] of the policy: a log sigma that is a parameter stands behind
                            // those of the network
  long n;
  const float* output;  // [outputs, n] of the network
  int deterministic;    // the most probable action or the mean
  std::uint64_t seed;
  // [n, and readable up to the next multiple of 16]: with the seed, what an action is drawn by.
  InstanceIds ids;
  const std::uint32_t* episode;
  const std::int32_t* elapsed;
  float* action;    // [A, n], or [1, n] where it is an index
  float* log_prob;  // [n] or null
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// The instances of one register, from number i on.
template <class F>
GALLOP_HD void choose_lanes(const ChooseRequest& r, long i, int count) {
  const PolicyShape& shape = r.shape;
  const float* const log_std_parameter =
      r.parameters + layer_offset(shape.network, shape.network.n_layers);
  const int n_out = outputs_of(shape.network), rows = action_rows(shape);
  F output[kMaxOutputs], log_std[kMaxOutputs], action[kMaxOutputs];
  for (int j = 0; j < n_out; j++) output[j] = load_lanes(r.output + j * r.n + i, count, F());
  log_std_of(shape.head, shape.n_actions, output, log_std_parameter, log_std);
  Rng<F> rng(r.seed, kRandomAction, ids_from<F>(r.ids, int(i)),
             load_words(r.episode + i, kLanesOf<F>, Word<F>()),
             to_word(load_words(r.elapsed + i, kLanesOf<F>, Int<F>())));
  const F log_prob = choose_action(shape.head, shape.n_actions, output, log_std,
                                   r.deterministic != 0, rng, action);
  for (int j = 0; j < rows; j++) store_lanes(r.action + j * r.n + i, action[j], count);
  if (r.log_prob != nullptr) store_lanes(r.log_prob + i, log_prob, count);
}

template <class F>
void choose_actions(const ChooseRequest& r, const CpuWork& on) {
  split_registers<F>(on, r.n, kInstanceGrain,
                     [&](long i, int count) { choose_lanes<F>(r, i, count); });
}

}  // namespace gallop::inline GALLOP_ISA
