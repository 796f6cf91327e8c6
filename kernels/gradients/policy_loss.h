// Policy losses of one sample and their derivatives by log pi; the heads (policy/heads) have those
// by the outputs of the network and by log sigma.
//
// PPO: Schulman et al., arXiv:1707.06347v2, eq. 7 and 8.
#pragma once

#include <gallop/kernels/gradients/samples.h>
#include <gallop/kernels/policy/heads.h>

namespace gallop::inline GALLOP_ISA {

template <class F>
struct SampleLoss {
  F statistic[kPolicyStatistics];
};

// d loss / d log pi(a), and the statistics that need only log pi. `coefficient` is the clip range
// or the KL penalty of the losses that have one.
template <class F>
GALLOP_HD F loss_slope(PolicyLoss loss, float coefficient, F log_prob, F old_log_prob, F advantage,
                       SampleLoss<F>& out) {
  const F log_ratio = min(F(20.0f), max(F(-20.0f), log_prob - old_log_prob));
  const F ratio = exp(log_ratio);
  out.statistic[kStatKl] = (ratio - F(1.0f)) - log_ratio;
  if (loss == PolicyLoss::kLikelihoodRatio) {
    out.statistic[kStatSurrogate] = -(log_prob * advantage);
    out.statistic[kStatClipped] = F(0.0f);
    return -advantage;
  }
  if (loss == PolicyLoss::kSurrogate) {
    out.statistic[kStatSurrogate] = -(ratio * advantage);
    out.statistic[kStatClipped] = F(0.0f);
    return -(ratio * advantage);
  }
  if (loss == PolicyLoss::kPenalizedSurrogate) {
    out.statistic[kStatSurrogate] = -(ratio * advantage);
    out.statistic[kStatClipped] = F(0.0f);
    // d((rho - 1) - log rho) / d log pi = rho - 1
    return fmadd(F(coefficient), ratio - F(1.0f), -(ratio * advantage));  // slope of eq. 8
  }
  const F low(1.0f - coefficient), high(1.0f + coefficient);
  const F free = ratio * advantage, clipped = min(high, max(low, ratio)) * advantage;
  const Mask<F> outside = (ratio < low) | (ratio > high);
  out.statistic[kStatSurrogate] = -min(free, clipped);  // eq. 7
  out.statistic[kStatClipped] = select(outside, F(1.0f), F(0.0f));
  // d(rho A) / d log pi = rho A. NaN counts as free, so that it reaches the gradient and is
  // refused.
  return select(clipped < free, F(0.0f), -free);
}

// Derivatives of weight * (loss - entropy_coefficient * H). `output` and `d_output` [outputs];
// `log_std` and `d_log_std` [A] are used by Gaussian heads only. A network that gives log sigma has
// its derivative in d_output [A, 2A).
template <class F>
GALLOP_HD SampleLoss<F> policy_loss(const PolicyGradientRequest& r, const F* output,
                                    const F* log_std, const F* action, F old_log_prob, F advantage,
                                    F* d_output, F* d_log_std) {
  const PolicyShape& shape = r.policy.shape;
  const F weight(r.weight), bonus(r.weight * r.entropy_coefficient);
  const float coefficient = r.loss == PolicyLoss::kPenalizedSurrogate ? r.kl_penalty : r.clip;
  SampleLoss<F> loss;
  with_head(shape.head, [&](auto head) {
    const typename decltype(head)::template At<F> at(shape.n_actions, output, log_std);
    const F slope = weight * loss_slope(r.loss, coefficient, at.log_prob(action), old_log_prob,
                                        advantage, loss);
    loss.statistic[kStatEntropy] = at.loss_slope(action, slope, bonus, d_output, d_log_std);
  });
  return loss;
}

}  // namespace gallop::inline GALLOP_ISA
