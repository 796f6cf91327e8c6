// What learning from transitions of an earlier policy needs of each of them.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/policy/heads.h>

namespace gallop {

// weight = min(pi(u | s) / mu(u | s), most), pi being the policy of now and mu the one that acted.
// Of a head without a density the weight is 1.
struct ImportanceRequest {
  PolicyShape shape;
  const float* parameters;  // [D] of the policy
  long n;
  const float* output;    // [outputs, n] of its network
  const float* action;    // [A, n] as it was taken, unclipped
  const float* log_prob;  // [n] log mu(u | s)
  float most;
  float* weight;  // [n]
};

// target = reward_scale * reward + gamma * continues * value of the state that follows.
struct BackupRequest {
  long n;
  float reward_scale, gamma;
  const float* reward;     // [n]
  const float* continues;  // [n] 0 where that state is terminal, else 1
  const float* value;      // [n]
  float* target;           // [n]
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

template <class F>
GALLOP_HD void importance_lanes(const ImportanceRequest& r, long i, int count) {
  const PolicyShape& shape = r.shape;
  const float* const own = r.parameters + layer_offset(shape.network, shape.network.n_layers);
  F output[kMaxOutputs], log_std[kMaxOutputs], action[kMaxOutputs];
  for (int j = 0; j < outputs_of(shape.network); j++) {
    output[j] = load_lanes(r.output + j * r.n + i, count, F());
  }
  for (int j = 0; j < action_rows(shape); j++) {
    action[j] = load_lanes(r.action + j * r.n + i, count, F());
  }
  log_std_of(shape.head, shape.n_actions, output, own, log_std);
  const F now = with_head(shape.head, [&](auto head) {
    return
        typename decltype(head)::template At<F>(shape.n_actions, output, log_std).log_prob(action);
  });
  const F log_ratio = now - load_lanes(r.log_prob + i, count, F());
  // Beyond e^40 no float would hold what is made of it.
  store_lanes(r.weight + i, min(F(r.most), exp(min(F(40.0f), log_ratio))), count);
}

template <class F>
GALLOP_HD void backup_lanes(const BackupRequest& r, long i, int count) {
  const F value = load_lanes(r.value + i, count, F());
  const F continues = load_lanes(r.continues + i, count, F());
  const F reward = F(r.reward_scale) * load_lanes(r.reward + i, count, F());
  const F after = select(continues < F(0.5f), F(0.0f), value);
  store_lanes(r.target + i, fmadd(F(r.gamma), after, reward), count);
}

template <class F>
void importance_weights(const ImportanceRequest& r, const CpuWork& on) {
  split_registers<F>(on, r.n, kInstanceGrain,
                     [&](long i, int count) { importance_lanes<F>(r, i, count); });
}
template <class F>
void one_step_targets(const BackupRequest& r, const CpuWork& on) {
  split_registers<F>(on, r.n, kInstanceGrain,
                     [&](long i, int count) { backup_lanes<F>(r, i, count); });
}

}  // namespace gallop::inline GALLOP_ISA
