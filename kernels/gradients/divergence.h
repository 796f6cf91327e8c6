// Divergence of a candidate policy from the one that acted, in the mean over samples, with the
// surrogate of the candidate's return and its entropy: what a trust region accepts a step by.
//
//   KL = mean of sum over a of p(a) (log p(a) - log q(a))          (categories)
//   KL = mean of sum over i of log(s1 / s0) + (s0^2 + (m0 - m1)^2) / (2 s1^2) - 1 / 2   (normals)
//
// with p, m0, s0 of the policy that acted, whose outputs were kept (fisher_prepare), and q, m1, s1
// of the candidate. To second order it is d^T F d / 2 for a step d (fisher.h).
//
// Slip: on the lecture's slide the second-order KL lacks the factor 1/2 and the average over
// samples; it is d^T F d / 2.
//
// Source: Schulman, Levine, Moritz, Jordan and Abbeel, arXiv:1502.05477v5, equations 12 and 14.
//
// Verified: against a reference written out (tests/learning/fisher_test.cpp) and, for every
// accepted step of 10 000, recomputed in double (tests/learning/trust_region_test.cpp).
#pragma once

#include "kernels/gradients/fisher.h"

namespace gallop {

struct DivergenceRequest {
  PolicyView candidate;
  Samples samples;
  const float* old_units;  // [chunks, unit_stride] of the policy that acted, its outputs among them
  long unit_stride;
  const float* old_log_std;  // [A] its log sigma, of a Gaussian head
  int begin, end;
  float* partial;   // [chunks, kColumnPad]
  float* greatest;  // [chunks, kMaxSegments]
  float* scratch;
  const std::int32_t* active;  // of the device, or null; 0: the sums are not wanted
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

GALLOP_HD void divergence_segments(Segments& to) {
  to.count = kDivergenceSums;
  for (int k = 0; k <= kDivergenceSums; k++) to.begin[k] = k;
}

// KL(old || new) of one register of samples.
template <class F>
GALLOP_HD F divergence(Head head, int n, const F* old_output, const F* old_log_std, const F* output,
                       const F* log_std) {
  F sum = F(0.0f);
  if (head == Head::kCategorical) {
    Softmax<F> before, after;
    softmax(old_output, n, before);
    softmax(output, n, after);
    const F per_total = reciprocal(before.total);
    for (int i = 0; i < n; i++) {
      const F log_old = (old_output[i] - before.greatest) - before.log_total;
      const F log_new = (output[i] - after.greatest) - after.log_total;
      sum = fmadd(before.weight[i] * per_total, log_old - log_new, sum);
    }
    return sum;
  }
  // log(s1 / s0) + (s0^2 + (m0 - m1)^2) / (2 s1^2) - 1 / 2
  for (int i = 0; i < n; i++) {
    const F s0 = clamp_log_std(old_log_std[i]), s1 = clamp_log_std(log_std[i]);
    const F inverse = exp(-s1), ratio = exp(s0 - s1);
    const F z = (old_output[i] - output[i]) * inverse;
    sum = sum + ((s1 - s0) + fmadd(fmadd(ratio, ratio, z * z), F(0.5f), F(-0.5f)));
  }
  return sum;
}

// Terms of one register of samples in the sums of a divergence.
template <class F>
GALLOP_HD void divergence_terms(Head head, int n, const F* old_output, const F* old_log_std,
                                const F* output, const F* log_std, const F* action, F old_log_prob,
                                F advantage, F* term) {
  F log_prob;
  if (head == Head::kCategorical) {
    Softmax<F> now;
    softmax(output, n, now);
    log_prob = categorical_log_prob(output, n, now, to_int(action[0]));
    term[kSumEntropy] = categorical_entropy(output, n, now);
  } else {
    log_prob = gaussian_log_prob(output, log_std, action, n);
    term[kSumEntropy] = gaussian_entropy(log_std, n);
  }
  SampleLoss<F> loss;
  loss_slope(PolicyLoss::kSurrogate, 0.0f, log_prob, old_log_prob, advantage, loss);
  term[kSumSurrogate] = loss.statistic[kStatSurrogate];
  term[kSumKl] = divergence(head, n, old_output, old_log_std, output, log_std);
}

template <class F>
void policy_divergence(const DivergenceRequest& r) {
  PolicyGradientRequest loads = {};
  loads.policy = r.candidate;
  loads.samples = r.samples;
  loads.loss = PolicyLoss::kSurrogate;
  loads.scratch = r.scratch;
  PolicyGradient<F> at(loads);
  const PolicyShape& shape = r.candidate.shape;
  const int last = shape.network.n_layers, n_out = outputs_of(shape.network);
  const int stride = at.network.pad(last);
  Segments segments;
  divergence_segments(segments);
  ChunkNetwork<F> old;
  old.shape = shape.network;
  for (int c = r.begin; c < r.end; c++) {
    const int n = chunk_size(r.samples, c);
    at.load(long(c) * kChunkSamples, n);
    at.network.forward(n);
    use_units(old, const_cast<float*>(r.old_units) + long(c) * r.unit_stride);
    for (int s = 0; s < n; s += kLanesOf<F>) {
      F output[kMaxOutputs], spread[kMaxOutputs], before[kMaxOutputs], old_spread[kMaxOutputs];
      F action[kMaxOutputs];
      for (int j = 0; j < n_out; j++) {
        output[j] = load_column<F>(at.network.unit[last], s, stride, j);
        before[j] = load_column<F>(old.unit[last], s, stride, j);
      }
      for (int j = 0; j < r.samples.action_rows; j++) {
        action[j] = load_lanes(at.action + j * kChunkSamples + s, kLanesOf<F>, F());
      }
      log_std_of(shape.head, shape.n_actions, output, at.log_std_parameter, spread);
      log_std_of(shape.head, shape.n_actions, before, r.old_log_std, old_spread);
      F term[kDivergenceSums];
      divergence_terms(shape.head, shape.n_actions, before, old_spread, output, spread, action,
                       load_lanes(at.log_prob + s, kLanesOf<F>, F()),
                       load_lanes(at.advantage + s, kLanesOf<F>, F()), term);
      for (int k = 0; k < kDivergenceSums; k++) {
        store_column(at.statistic, s, kColumnPad, k, term[k]);
      }
    }
    float* to = r.partial + long(c) * kColumnPad;
    at.network.sum_rows(at.statistic, n, kDivergenceSums, kColumnPad, to);
    note_greatest<F>(segments, to, r.greatest + long(c) * kMaxSegments);
  }
}

}  // namespace gallop::inline GALLOP_ISA
