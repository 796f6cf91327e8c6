// Discounted returns of recorded rollouts:
//
//   R[t]    = r[t] + gamma next[t]
//   next[t] = terminated[t] ? 0 : truncated[t] ? V(final_obs[t]) : R[t + 1]
//
// and R[T] = V(obs[T]) where the rollout cuts an episode. Without values (null) the cut ends count
// as 0.
//
// Slip: the lecture's slides on discounting have exponents that count from the horizon; here they
// count from t, as in its Algorithm 1.
//
// Source: the lecture on policy optimisation by Schulman and Abbeel, Algorithm 1.
//
// Verified: against the definition as a sum (tests/learning/returns_test.cpp).
#pragma once

#include <gallop/kernels/estimators/sweep.h>

namespace gallop {

// Real: float, or double where what is computed is to be exact.
template <class Real>
struct ReturnsRequestOf {
  int n_steps, n_envs;
  Real gamma, reward_scale;
  const Real* reward;              // [T, N]
  const std::uint8_t* terminated;  // [T, N]
  const std::uint8_t* truncated;   // [T, N]
  const Real* last_value;          // [N] V(obs[T]) or null
  const Real* final_value;         // [T, N] read where truncated and not terminated, or null
  Real* returns;                   // [T, N]
};
using ReturnsRequest = ReturnsRequestOf<float>;

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// R[t] of a step that leads to `next`, zero where the episode is terminated.
template <class F, class Real>
GALLOP_HD F discounted_return(const ReturnsRequestOf<Real>& r, F reward, F next) {
  return fmadd(F(r.gamma), next, reward * F(r.reward_scale));
}
// The same where `next` counts only if the episode is not terminated.
template <class F, class Real>
GALLOP_HD F discounted_return(const ReturnsRequestOf<Real>& r, F reward, F next, Mask<F> open) {
  return discounted_return(r, reward, zero_unless(open, next));
}

// The recursion for sweep.h: its state is R[t + 1].
template <bool kFarArrays>
struct ReturnsRecursion {
  static constexpr bool kFar = kFarArrays;
  static constexpr int kState = 1, kHeld = 0;
  const ReturnsRequest r;
  const std::uint8_t *const terminated = r.terminated, *const truncated = r.truncated;
  const float* const final_value = r.final_value;

  GALLOP_HD void begin(long n, float* state) const {
    state[0] = r.last_value == nullptr ? 0.0f : r.last_value[n];
  }
  static GALLOP_HD float factor_of(int) { return 0.0f; }
  static GALLOP_HD bool enters(int) { return false; }
  template <class F>
  static GALLOP_HD void enter(F, F*) {}
  static GALLOP_HD void end(float last, float* state) { state[0] = last; }
  template <class F>
  GALLOP_HD void step(long at, F, F* state) const {
    state[0] = discounted_return(r, load_lanes(r.reward + at, kLanesOf<F>, F()), state[0]);
    store_result<kFar>(r.returns + at, state[0]);
  }
  GALLOP_HD void fetch(long at) const {
    fetch_elements(r.reward + at, kFlagGroup);
    if constexpr (!kFar) fetch_elements<true>(r.returns + at, kFlagGroup);
  }
};

template <class F>
void returns(const ReturnsRequest& r, const CpuWork& on) {
  if (is_far(r.n_steps, r.n_envs, 2 * sizeof(float) + 2))
    sweep<F>(ReturnsRecursion<true>{r}, r.n_steps, r.n_envs, on);
  else
    sweep<F>(ReturnsRecursion<false>{r}, r.n_steps, r.n_envs, on);
}

}  // namespace gallop::inline GALLOP_ISA
