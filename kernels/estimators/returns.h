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

#include "kernels/numerics/scalar.h"

namespace gallop {

struct ReturnsRequest {
  int n_steps, n_envs;
  float gamma, reward_scale;
  const float* reward;             // [T, N]
  const std::uint8_t* terminated;  // [T, N]
  const std::uint8_t* truncated;   // [T, N]
  const float* last_value;         // [N] V(obs[T]) or null
  const float* final_value;        // [T, N] read where truncated and not terminated, or null
  float* returns;                  // [T, N]
  int begin, end;                  // instances
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

template <class F>
GALLOP_HD void discounted_returns(const ReturnsRequest& r, int n, int count) {
  F next = r.last_value == nullptr ? F(0.0f) : load_lanes(r.last_value + n, count, F());
  for (int t = r.n_steps - 1; t >= 0; t--) {
    const long at = long(t) * r.n_envs + n;
    const Mask<F> terminated = load_mask(r.terminated + at, count, F());
    const Mask<F> truncated = load_mask(r.truncated + at, count, F());
    const F last = r.final_value == nullptr ? F(0.0f) : load_lanes(r.final_value + at, count, F());
    next = select(terminated, F(0.0f), select(truncated, last, next));
    next = fmadd(F(r.gamma), next, load_lanes(r.reward + at, count, F()) * F(r.reward_scale));
    store_lanes(r.returns + at, next, count);
  }
}

template <class F>
void returns(const ReturnsRequest& r) {
  constexpr int kW = kLanesOf<F>;
  for (int n = r.begin; n < r.end; n += kW) {
    discounted_returns<F>(r, n, r.end - n < kW ? r.end - n : kW);
  }
}

}  // namespace gallop::inline GALLOP_ISA
