// The arithmetic of PullBackRequest for a register of instances, or one on a device.
#pragma once

#include <gallop/kernels/environment/pull_back.h>
#include <gallop/kernels/rollout/pull_back.h>

namespace gallop::inline GALLOP_ISA {

template <class Env, class F>
GALLOP_HD void pull_back_lanes(const PullBackRequest& r,
                               const typename Env::template Parameters<Dual<F, kTangents>>& p,
                               int i, int count) {
  using T = Traits<Env>;
  const long n = r.n_envs;
  const int n_actions = action_rows<Env>(r.scenario.shared);
  const int rows = observation_rows<Env>(r.scenario.shared);
  const auto row = [&](const float* from, int k) {
    return load_lanes(from + k * n + i, count, F());
  };
  StepPoint<Env, F> at;
  at.id = ids_from<F>(r.scenario.ids, i);
  at.episode = load_words(r.episode + i, count, Word<F>());
  at.elapsed = load_words(r.elapsed + i, count, Int<F>());
  StepAdjoint<Env, F> of;
  of.reward = row(r.reward_adjoint, 0);
  for (int k = 0; k < T::kState; k++) {
    at.state[k] = load_lanes(r.state + k * r.state_stride + i, count, F());
    of.state[k] = row(r.state_adjoint, k);
  }
  for (int k = 0; k < n_actions; k++) at.action[k] = row(r.action, k);
  for (int k = 0; k < rows; k++) of.observation[k] = row(r.observation_adjoint, k);
  auto own = p;
  draw_parameters<Env, F, Dual<F, kTangents>>(r.scenario, at.id, at.episode, own);
  F by[T::kState + T::kActionRows];
  pull_back_step<Env, F>(r.scenario, own, at, r.clip != 0, of, by);
  for (int k = 0; k < T::kState; k++) store_lanes(r.state_adjoint + k * n + i, by[k], count);
  for (int k = 0; k < n_actions; k++) {
    store_lanes(r.action_adjoint + k * n + i, by[T::kState + k], count);
  }
}

}  // namespace gallop::inline GALLOP_ISA
