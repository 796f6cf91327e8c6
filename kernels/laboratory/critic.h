// Advantages by a critic V, fitted on pilot paths or exact:
//
//   n-step       sum_{i<n} gamma^i r_{t+i} + gamma^n V(s_{t+n}) - V(s_t)
//   GAE          sum_i (gamma lambda)^i delta_{t+i},  delta_t = r_t + gamma V(s_{t+1}) - V(s_t)
//                (Schulman et al., arXiv 1506.02438v6, eq. 16)
//
// V is 0 at the horizon, which ends a path. With the exact V and gamma = 1 both are unbiased for
// every n and lambda; a fitted V biases them unless n = H or lambda = 1.
#pragma once

#include "kernels/laboratory/gpomdp.h"

namespace gallop::inline GALLOP_ISA {

enum class Critic { kFitted, kExact };

template <class P, Critic critic>
GALLOP_HD typename P::F critic_value(const LaboratoryModel& m, const typename P::Path& path,
                                     int t) {
  if constexpr (critic == Critic::kExact)
    return path.value(kDiscounted, t);
  else
    return fitted_value<P>(m, kDiscounted, path, t);
}

template <class P, Critic critic>
void n_step(const EstimateRequest& r) {
  using F = typename P::F;
  const LaboratoryModel& m = *r.model;
  estimate_paths<P>(r, r.record, [&](const typename P::Path& path, F* gradient) {
    for (int t = m.horizon - 1; t >= 0; t--) {
      const int end = m.horizon - t < m.n_step ? m.horizon : t + m.n_step;
      F rest = critic_value<P, critic>(m, path, end);
      for (int k = end - 1; k >= t; k--) rest = fmadd(F(m.gamma), rest, path.reward(k));
      add_score<P>(path, t, rest - critic_value<P, critic>(m, path, t), gradient);
    }
  });
}

template <class P, Critic critic>
void generalized_advantage(const EstimateRequest& r) {
  using F = typename P::F;
  const LaboratoryModel& m = *r.model;
  estimate_paths<P>(r, r.record, [&](const typename P::Path& path, F* gradient) {
    F advantage = F(0.0), next = F(0.0);
    for (int t = m.horizon - 1; t >= 0; t--) {
      const F value = critic_value<P, critic>(m, path, t);
      const F delta = fmadd(F(m.gamma), next, path.reward(t)) - value;
      advantage = fmadd(F(m.gamma * m.lambda), advantage, delta);  // eq. 16
      add_score<P>(path, t, advantage, gradient);
      next = value;
    }
  });
}

}  // namespace gallop::inline GALLOP_ISA
