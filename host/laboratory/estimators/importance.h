// Gradients of the importance-sampled return at theta, from paths that acted by an older policy.
// rho_t = pi(u_t | s_t) / pi_old(u_t | s_t), psi_t = d log pi(u_t | s_t) at theta.
//
//   whole path    (prod_t rho_t) Psi R, the gradient of E_old[(prod rho) R]: unbiased
//   per decision  sum_t (prod_{k<=t} rho_k) r_t sum_{k<=t} psi_k: unbiased (Precup et al. 2000)
//   per step      sum_t rho_t psi_t G_t, the gradient of TRPO's surrogate (Schulman et al., arXiv
//                 1502.05477v5, eq. 14): states and rewards stay those of the old policy, so it is
//                 biased where the policies differ. The loss is the one that training descends.
//
// Where the old policy is the one at theta, ratios are 1 and the last is GPOMDP. Log ratios of
// steps are held within +-20.
#pragma once

#include <gallop/host/laboratory/estimators/likelihood_ratio.h>

namespace gallop::inline GALLOP_ISA {

// log(rho_0 ... rho_t), ascending, as body(t, x) sees it.
template <class C, class Body>
GALLOP_HD void for_each_ratio(const C& paths, const Body& body) {
  using F = typename C::F;
  F log_ratio = F(0.0f);
  for (int t = 0; t < paths.horizon; t++) {
    log_ratio = log_ratio + min(F(20.0f), max(F(-20.0f), C::at(paths.log_ratio, t)));
    body(t, log_ratio);
  }
}

template <class C>
void importance_path(const typename C::Request& r) {
  using F = typename C::F;
  estimate_paths<C>(r, r.old_record, [&](const C& paths, F* gradient) {
    F log_ratio = F(0.0f);
    for_each_ratio(paths, [&](int, F x) { log_ratio = x; });
    const F weight = paths.path_score(gradient) * exp(log_ratio);
    for (int d = 0; d < C::kD; d++) gradient[d] = gradient[d] * weight;
  });
}

// By the sum over k of psi_k sum_{t>=k} (prod_{j<=t} rho_j) r_t.
template <class C>
void importance_decision(const typename C::Request& r) {
  using F = typename C::F;
  estimate_by_weights<C>(r, r.old_record, [&](const C& paths, auto* weight, auto*) {
    for_each_ratio(paths, [&](int t, F x) { C::put(weight, t, exp(x) * C::at(paths.reward, t)); });
    for (int t = paths.horizon - 2; t >= 0; t--) {
      C::put(weight, t, C::at(weight, t) + C::at(weight, t + 1));
    }
  });
}

// `on_policy`: the paths are those of the policy at theta.
template <class C, bool on_policy>
void surrogate(const typename C::Request& r) {
  using F = typename C::F;
  estimate_by_weights<C>(
      r, on_policy ? r.record : r.old_record, [&](const C& paths, auto* weight, auto*) {
        returns_of(paths, 1, weight);
        transform(paths, weight, [&](int t, const F*, F rest) GALLOP_INLINE_LAMBDA {
          SampleLoss<F> unused;
          return -loss_slope(PolicyLoss::kSurrogate, 0.0f, C::at(paths.log_ratio, t), F(0.0f), rest,
                             unused);
        });
      });
}

}  // namespace gallop::inline GALLOP_ISA
