// Likelihood-ratio gradients with temporal structure (GPOMDP, Baxter and Bartlett 2001):
//
//   sum_t d log pi_t (G_t - b_t(s_t)),  G_t = r_t + r_{t+1} + ...
//
// Baselines: none; the exact E[G_t]; linear in features of state and time (as in Duan et al. 2016),
// a fitted V_t(s), both from pilot paths; the exact V_t(s). The exact advantage Q_t(s, u) - V_t(s)
// stands in place of the difference in `advantage`.
//
// With discount: G_t = r_t + gamma G_{t+1}, and the factor gamma^t that makes the sum the gradient
// of the discounted return. Without the factor it is the gradient of no objective.
#pragma once

#include "kernels/laboratory/paths.h"

namespace gallop::inline GALLOP_ISA {

enum class StepBaseline { kNone, kExpected, kLinear, kFitted, kValue };

// Features of state and time, [Q + 3]: those of the state, tau, tau^2, tau^3, where tau = t / H.
template <class P>
GALLOP_HD void linear_features(const typename P::Path& path, int t, int horizon,
                               typename P::F* phi) {
  using F = typename P::F;
  path.features(t, phi);
  const double tau = double(t) / horizon;
  phi[P::kFeatures] = F(tau);
  phi[P::kFeatures + 1] = F(tau * tau);
  phi[P::kFeatures + 2] = F(tau * tau * tau);
}

// The critic fitted on pilot paths; 0 at the horizon.
template <class P>
GALLOP_HD typename P::F fitted_value(const LaboratoryModel& m, Discounting d,
                                     const typename P::Path& path, int t) {
  using F = typename P::F;
  F value = F(0.0);
  if (t == m.horizon) return value;
  F phi[P::kFeatures];
  path.features(t, phi);
  const double* weight = m.critic[d] + long(t) * P::kFeatures;
  for (int k = 0; k < P::kFeatures; k++) value = fmadd(F(weight[k]), phi[k], value);
  return value;
}

template <class P, StepBaseline baseline>
GALLOP_HD typename P::F step_baseline(const LaboratoryModel& m, const typename P::Path& path,
                                      int t) {
  using F = typename P::F;
  if constexpr (baseline == StepBaseline::kExpected) return F(m.expected_rest[t]);
  if constexpr (baseline == StepBaseline::kFitted) return fitted_value<P>(m, kPlain, path, t);
  if constexpr (baseline == StepBaseline::kValue) return path.value(kPlain, t);
  F value = F(0.0);
  if constexpr (baseline == StepBaseline::kLinear) {
    F phi[P::kFeatures + 3];
    linear_features<P>(path, t, m.horizon, phi);
    for (int k = 0; k < P::kFeatures + 3; k++) value = fmadd(F(m.linear[k]), phi[k], value);
  }
  return value;
}

template <class P, StepBaseline baseline>
void gpomdp(const EstimateRequest& r) {
  using F = typename P::F;
  const LaboratoryModel& m = *r.model;
  estimate_paths<P>(r, r.record, [&](const typename P::Path& path, F* gradient) {
    F rest = F(0.0);
    for (int t = m.horizon - 1; t >= 0; t--) {
      rest = rest + path.reward(t);
      add_score<P>(path, t, rest - step_baseline<P, baseline>(m, path, t), gradient);
    }
  });
}

template <class P>
void exact_advantage(const EstimateRequest& r) {
  using F = typename P::F;
  estimate_paths<P>(r, r.record, [&](const typename P::Path& path, F* gradient) {
    for (int t = r.model->horizon - 1; t >= 0; t--) {
      add_score<P>(path, t, path.advantage(t), gradient);
    }
  });
}

template <class P, bool with_factor>
void discounted(const EstimateRequest& r) {
  using F = typename P::F;
  const LaboratoryModel& m = *r.model;
  estimate_paths<P>(r, r.record, [&](const typename P::Path& path, F* gradient) {
    F rest = F(0.0);
    for (int t = m.horizon - 1; t >= 0; t--) {
      rest = fmadd(F(m.gamma), rest, path.reward(t));
      if constexpr (with_factor) {  // Horner's rule: what follows gets one more gamma
        for (int d = 0; d < P::kParameters; d++) gradient[d] = gradient[d] * F(m.gamma);
      }
      add_score<P>(path, t, rest, gradient);
    }
  });
}

}  // namespace gallop::inline GALLOP_ISA
