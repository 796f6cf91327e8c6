// n-step returns and advantages (Mnih et al., arXiv:1602.01783v2, section 4; the lecture's A3C):
//
//   Q[t] = sum_{i < k} gamma^i r[t + i] + gamma^k V(s[t + k]),   A[t] = Q[t] - V[t]
//
// k is n, or fewer where the episode or the rollout ends before: a terminated episode has no value
// after its last reward, a truncated one that of its final observation, and the end of the rollout
// that of obs[T].
#pragma once

#include "kernels/numerics/scalar.h"

namespace gallop {

struct NStepRequest {
  int n_steps, n_envs;
  int n;  // of the n-step return; at least 1
  float gamma, reward_scale;
  const float* reward;             // [T, N]
  const std::uint8_t* terminated;  // [T, N]
  const std::uint8_t* truncated;   // [T, N]
  const float* value;              // [T + 1, N]
  const float* final_value;        // [T, N] V(final_obs), read where truncated and not terminated
  float* advantage;                // [T, N]
  float* target;                   // [T, N] Q, or null
  int begin, end;                  // instances
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

template <class F>
GALLOP_HD void n_step_at(const NStepRequest& r, int t, int n, int count) {
  F sum = F(0.0f), discount = F(1.0f);
  Mask<F> running = sum == F(0.0f);
  int last = t;
  for (; last < r.n_steps && last < t + r.n; last++) {
    const long at = long(last) * r.n_envs + n;
    const Mask<F> terminated = load_mask(r.terminated + at, count, F());
    const Mask<F> truncated = load_mask(r.truncated + at, count, F());
    const F reward = load_lanes(r.reward + at, count, F()) * F(r.reward_scale);
    sum = select(running, fmadd(discount, reward, sum), sum);
    discount = discount * F(r.gamma);
    const F final_value = load_lanes(r.final_value + at, count, F());
    const F with_final = select(terminated, sum, fmadd(discount, final_value, sum));
    sum = select(running & truncated, with_final, sum);
    running = running & !(terminated | truncated);
  }
  const long at = long(t) * r.n_envs + n;
  const F after = load_lanes(r.value + long(last) * r.n_envs + n, count, F());
  sum = select(running, fmadd(discount, after, sum), sum);
  store_lanes(r.advantage + at, sum - load_lanes(r.value + at, count, F()), count);
  if (r.target != nullptr) store_lanes(r.target + at, sum, count);
}

template <class F>
void n_step(const NStepRequest& r) {
  constexpr int kW = kLanesOf<F>;
  for (int t = 0; t < r.n_steps; t++) {
    for (int n = r.begin; n < r.end; n += kW) {
      n_step_at<F>(r, t, n, r.end - n < kW ? r.end - n : kW);
    }
  }
}

}  // namespace gallop::inline GALLOP_ISA
