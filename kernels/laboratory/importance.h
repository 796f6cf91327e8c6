// Gradients of the importance-sampled return at theta, from paths that acted by an older policy.
// rho_t = pi(u_t | s_t) / pi_old(u_t | s_t), psi_t = d log pi(u_t | s_t) at theta.
//
//   whole path    (prod_t rho_t) Psi R, the gradient of E_old[(prod rho) R]: unbiased
//   per decision  sum_t (prod_{k<=t} rho_k) r_t sum_{k<=t} psi_k: unbiased (Precup et al. 2000)
//   per step      sum_t rho_t psi_t G_t, the gradient of TRPO's surrogate (Schulman et al., arXiv
//                 1502.05477v5, eq. 14): states and rewards stay those of the old policy, so it is
//                 biased where the policies differ
//
// Where the old policy is the one at theta, ratios are 1 and the last is GPOMDP. Log ratios of
// steps are held within +-20.
#pragma once

#include "kernels/laboratory/paths.h"

namespace gallop::inline GALLOP_ISA {

template <class P>
GALLOP_HD typename P::F limited_log_ratio(typename P::F x) {
  using F = typename P::F;
  return min(F(20.0), max(F(-20.0), x));
}

template <class P>
void importance_path(const EstimateRequest& r) {
  using F = typename P::F;
  const LaboratoryModel& m = *r.model;
  estimate_paths<P>(r, r.old_record, [&](const typename P::Path& path, F* gradient) {
    F log_ratio = F(0.0), total = F(0.0), psi[P::kParameters];
    for (int t = 0; t < m.horizon; t++) {
      log_ratio = log_ratio + limited_log_ratio<P>(path.old_score(m.old_theta, t, psi));
      total = total + path.reward(t);
      for (int d = 0; d < P::kParameters; d++) gradient[d] = gradient[d] + psi[d];
    }
    const F weight = exp(log_ratio) * total;
    for (int d = 0; d < P::kParameters; d++) gradient[d] = gradient[d] * weight;
  });
}

template <class P>
void importance_decision(const EstimateRequest& r) {
  using F = typename P::F;
  const LaboratoryModel& m = *r.model;
  estimate_paths<P>(r, r.old_record, [&](const typename P::Path& path, F* gradient) {
    F log_ratio = F(0.0), step[P::kParameters], sum[P::kParameters];
    for (int d = 0; d < P::kParameters; d++) sum[d] = F(0.0);
    for (int t = 0; t < m.horizon; t++) {
      log_ratio = log_ratio + limited_log_ratio<P>(path.old_score(m.old_theta, t, step));
      const F weight = exp(log_ratio) * path.reward(t);
      for (int d = 0; d < P::kParameters; d++) {
        sum[d] = sum[d] + step[d];
        gradient[d] = fmadd(sum[d], weight, gradient[d]);
      }
    }
  });
}

// `on_policy`: the paths are those of the policy at theta.
template <class P, bool on_policy>
void surrogate(const EstimateRequest& r) {
  using F = typename P::F;
  const LaboratoryModel& m = *r.model;
  const double* old = on_policy ? m.theta : m.old_theta;
  estimate_paths<P>(r, on_policy ? r.record : r.old_record,
                    [&](const typename P::Path& path, F* gradient) {
                      F rest = F(0.0), psi[P::kParameters];
                      for (int t = m.horizon - 1; t >= 0; t--) {
                        rest = rest + path.reward(t);
                        const F log_ratio = limited_log_ratio<P>(path.old_score(old, t, psi));
                        const F weight = exp(log_ratio) * rest;
                        for (int d = 0; d < P::kParameters; d++) {
                          gradient[d] = fmadd(psi[d], weight, gradient[d]);
                        }
                      }
                    });
}

}  // namespace gallop::inline GALLOP_ISA
