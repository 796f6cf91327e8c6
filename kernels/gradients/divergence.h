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

#include <gallop/kernels/gradients/fisher.h>

namespace gallop {

struct DivergenceRequest {
  PolicyView candidate;
  Samples samples;
  const float* old_units;  // [chunks, unit_stride] of the policy that acted, its outputs among them
  long unit_stride;
  const float* old_log_std;    // [A] its log sigma, of a Gaussian head
  float* sums;                 // [kDivergenceSums]
  float* chunk_kl;             // [chunks] the greatest KL of each chunk's samples, or null
  const std::int32_t* active;  // of the device, or null; 0: the sums are not wanted
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

GALLOP_HD void divergence_segments(Segments& to) {
  to.count = kDivergenceSums;
  for (int k = 0; k <= kDivergenceSums; k++) to.begin[k] = k;
}

// Terms of one register of samples in the sums of a divergence.
template <class F>
GALLOP_HD void divergence_terms(Head head, int n, const F* old_output, const F* old_log_std,
                                const F* output, const F* log_std, const F* action, F old_log_prob,
                                F advantage, F* term) {
  with_head(head, [&](auto h) {
    using At = typename decltype(h)::template At<F>;
    const At before(n, old_output, old_log_std), now(n, output, log_std);
    SampleLoss<F> loss;
    loss_slope(PolicyLoss::kSurrogate, 0.0f, now.log_prob(action), old_log_prob, advantage, loss);
    term[kSumSurrogate] = loss.statistic[kStatSurrogate];  // eq. 14
    term[kSumEntropy] = now.entropy();
    term[kSumKl] = before.divergence_to(now);  // eq. 12
  });
}

// The greatest of every step-th sample from `begin` on, 0 where there is none above; what is not a
// number counts in the sum alone.
GALLOP_HD float greatest_of_samples(const float* kl, int begin, int n, int step) {
  float greatest = 0.0f;
  for (int s = begin; s < n; s += step) greatest = kl[s] > greatest ? kl[s] : greatest;
  return greatest;
}

template <class F>
void divergence_chunks(const OverChunks<DivergenceRequest>& r) {
  OverChunks<PolicyGradientRequest> loads = {};
  loads.policy = r.candidate;
  loads.samples = r.samples;
  loads.loss = PolicyLoss::kSurrogate;
  loads.scratch = r.scratch;
  PolicyGradient<F> at(loads);
  const PolicyShape& shape = r.candidate.shape;
  const int last = shape.network.n_layers, n_out = outputs_of(shape.network);
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
      F output[kMaxOutputs], log_std[kMaxOutputs], before[kMaxOutputs], old_log_std[kMaxOutputs];
      F action[kMaxOutputs];
      for (int j = 0; j < n_out; j++) {
        output[j] = load_lanes(at.network.unit[last] + j * kChunkSamples + s, kLanesOf<F>, F());
        before[j] = load_lanes(old.unit[last] + j * kChunkSamples + s, kLanesOf<F>, F());
      }
      for (int j = 0; j < r.samples.action_rows; j++) {
        action[j] = load_lanes(at.action + j * kChunkSamples + s, kLanesOf<F>, F());
      }
      log_std_of(shape.head, shape.n_actions, output, at.log_std_parameter, log_std);
      log_std_of(shape.head, shape.n_actions, before, r.old_log_std, old_log_std);
      F term[kDivergenceSums];
      divergence_terms(shape.head, shape.n_actions, before, old_log_std, output, log_std, action,
                       load_lanes(at.log_prob + s, kLanesOf<F>, F()),
                       load_lanes(at.advantage + s, kLanesOf<F>, F()), term);
      for (int k = 0; k < kDivergenceSums; k++) {
        store_lanes(at.statistic + k * kChunkSamples + s, term[k], kLanesOf<F>);
      }
    }
    float* to = r.partial + long(c) * r.stride;
    sum_columns(at.statistic, n, kDivergenceSums, to);
    if (r.chunk_kl != nullptr) {
      r.chunk_kl[c] = greatest_of_samples(at.statistic + kSumKl * kChunkSamples, 0, n, 1);
    }
    note_greatest<F>(segments, to, r.greatest + long(c) * kMaxSegments);
  }
}
template <class F>
void policy_divergence(const DivergenceRequest& r, const CpuWork& on) {
  if (r.active != nullptr && *r.active == 0) return;
  const PolicyShape& shape = r.candidate.shape;
  Segments segments;
  divergence_segments(segments);
  sum_over_chunks<F>(r, segments, r.sums, gradient_scratch(shape.network, shape.n_actions), on,
                     divergence_chunks<F>);
}

}  // namespace gallop::inline GALLOP_ISA
