// Derivatives of a step of an environment, by numbers that carry them (numerics/dual.h): the step
// is run once for every kTangents components of state and action, and Jacobians are never stored
// where only their products with adjoints are asked for.
//
// With the step as s' = f(s, a, w), o' = g(s'), r = R(s, a, w), noise w fixed by its counters, and
// adjoints l of s', m of o' and c of r:
//
//   adjoint of s  =  c dR/ds + (df/ds)' l + (dg(f)/ds)' m      and the same by a.
#pragma once

#include <gallop/kernels/environment/runner.h>
#include <gallop/kernels/random/dual_stream.h>

namespace gallop::inline GALLOP_ISA {

constexpr int kTangents = 4;  // columns of a Jacobian at once: with the value they fit registers

// What a step is derived at.
template <class Env, class F>
struct StepPoint {
  F state[Traits<Env>::kState];
  F action[Traits<Env>::kActionRows];
  Word<F> id, episode;
  Int<F> elapsed;
};

// Calls visit(first, count, reward, state, observation) with what the step gives, for components
// first to first + count - 1 of the state and then the action: derivatives by them are the slopes.
// Noise is of the purpose kRandomDynamics, as in advance().
template <class Env, class F, class Visit>
GALLOP_HD void for_each_tangent(const Scenario& scenario,
                                const typename Env::template Parameters<Dual<F, kTangents>>& p,
                                const StepPoint<Env, F>& at, bool clip, const Visit& visit) {
  using D = Dual<F, kTangents>;
  using T = Traits<Env>;
  const int n_actions = action_rows<Env>(scenario.shared);
  const int n = T::kState + n_actions;
  const F one = real<F>(1.0), zero = real<F>(0.0);
  GALLOP_UNROLL(1)
  for (int first = 0; first < n; first += kTangents) {
    D words[T::kState], action[T::kActionRows], observation[T::kObservationRows];
    for (int k = 0; k < T::kState; k++) {
      words[k] = D(at.state[k]);
      for (int j = 0; j < kTangents; j++) words[k].slope[j] = k == first + j ? one : zero;
    }
    for (int k = 0; k < T::kActionRows; k++) {
      action[k] = D(k < n_actions ? at.action[k] : zero);
      for (int j = 0; j < kTangents; j++) {
        action[k].slope[j] = T::kState + k == first + j ? one : zero;
      }
    }
    if (clip) clip_action<Env, D>(action);
    typename Env::template State<D> state;
    __builtin_memcpy(static_cast<void*>(&state), words, sizeof(state));
    Rng<D> rng(scenario.seed, kRandomDynamics, at.id, at.episode, to_word(at.elapsed));
    const Outcome<D> outcome = step<Env, D>(scenario.shared, p, state, action, rng);
    observe<Env, D>(scenario.shared, p, state, observation);
    __builtin_memcpy(words, static_cast<const void*>(&state), sizeof(state));
    visit(first, n - first < kTangents ? n - first : kTangents, outcome.reward, words, observation);
  }
}

// Adjoints of what a step gives.
template <class Env, class F>
struct StepAdjoint {
  F reward;
  F state[Traits<Env>::kState];
  F observation[Traits<Env>::kObservationRows];
};

// Those of what it takes: `by` [S + A], first the state's. Sums in the order reward, state,
// observation, components ascending.
template <class Env, class F>
GALLOP_HD void pull_back_step(const Scenario& scenario,
                              const typename Env::template Parameters<Dual<F, kTangents>>& p,
                              const StepPoint<Env, F>& at, bool clip, const StepAdjoint<Env, F>& of,
                              F* by) {
  using D = Dual<F, kTangents>;
  const int rows = observation_rows<Env>(scenario.shared);
  for_each_tangent<Env, F>(
      scenario, p, at, clip,
      [&](int first, int count, const D& reward, const D* state, const D* observation) {
        F sum[kTangents];
        for (int j = 0; j < kTangents; j++) sum[j] = of.reward * reward.slope[j];
        for (int k = 0; k < Traits<Env>::kState; k++) {
          for (int j = 0; j < kTangents; j++) {
            sum[j] = fmadd(of.state[k], state[k].slope[j], sum[j]);
          }
        }
        for (int k = 0; k < rows; k++) {
          for (int j = 0; j < kTangents; j++) {
            sum[j] = fmadd(of.observation[k], observation[k].slope[j], sum[j]);
          }
        }
        for (int j = 0; j < count; j++) by[first + j] = sum[j];
      });
}

}  // namespace gallop::inline GALLOP_ISA
