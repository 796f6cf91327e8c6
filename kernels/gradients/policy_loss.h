// Policy losses of one sample and their derivatives by the outputs of the network and by log sigma.
//
//   categorical   d log pi(a) / d logit_i = 1[a = i] - p_i,  dH / d logit_i = -p_i (log p_i + H)
//   Gaussian      d log pi / d mean = (a - mean) / sigma^2,  d log pi / d log sigma = z^2 - 1,  dH
//   = 1
//
// PPO: Schulman et al., arXiv:1707.06347v2, eq. 7 and 8.
#pragma once

#include "kernels/gradients/samples.h"
#include "kernels/policy/heads.h"

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
    return fmadd(F(coefficient), ratio - F(1.0f), -(ratio * advantage));
  }
  const F low(1.0f - coefficient), high(1.0f + coefficient);
  const F free = ratio * advantage, clipped = min(high, max(low, ratio)) * advantage;
  const Mask<F> outside = (ratio < low) | (ratio > high);
  out.statistic[kStatSurrogate] = -min(free, clipped);
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
  const int n = shape.n_actions;
  const F weight(r.weight), bonus(r.weight * r.entropy_coefficient);
  const float coefficient = r.loss == PolicyLoss::kPenalizedSurrogate ? r.kl_penalty : r.clip;
  SampleLoss<F> loss;
  if (shape.head == Head::kCategorical) {
    Softmax<F> s;
    softmax(output, n, s);
    const Int<F> chosen = to_int(action[0]);
    const F log_prob = categorical_log_prob(output, n, s, chosen);
    const F entropy = categorical_entropy(output, n, s);
    const F slope =
        weight * loss_slope(r.loss, coefficient, log_prob, old_log_prob, advantage, loss);
    const F per_total = reciprocal(s.total);
    for (int i = 0; i < n; i++) {
      const F p = s.weight[i] * per_total;
      const F log_p = (output[i] - s.greatest) - s.log_total;
      const F hit = select(chosen == Int<F>(i), F(1.0f), F(0.0f));
      d_output[i] = fmadd(slope, hit - p, bonus * (p * (log_p + entropy)));
    }
    loss.statistic[kStatEntropy] = entropy;
    return loss;
  }
  const F log_prob = gaussian_log_prob(output, log_std, action, n);
  const F slope = weight * loss_slope(r.loss, coefficient, log_prob, old_log_prob, advantage, loss);
  for (int i = 0; i < n; i++) {
    const F s = clamp_log_std(log_std[i]);
    const F inverse = exp(-s);
    const F z = (action[i] - output[i]) * inverse;
    d_output[i] = slope * (z * inverse);
    const F by_log_std = fmadd(slope, fmadd(z, z, F(-1.0f)), -bonus);
    const Mask<F> clamped = (log_std[i] < F(kMinLogStd)) | (log_std[i] > F(kMaxLogStd));
    const F d = select(clamped, F(0.0f), by_log_std);
    if (shape.head == Head::kGaussianNetwork)
      d_output[n + i] = d;
    else
      d_log_std[i] = d;
  }
  loss.statistic[kStatEntropy] = gaussian_entropy(log_std, n);
  return loss;
}

}  // namespace gallop::inline GALLOP_ISA
