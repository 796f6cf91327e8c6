// The step of trust region policy optimisation (Schulman et al., arXiv:1502.05477v5, appendix C)
// with its scalars in the memory of the device: the full step beta x with beta = sqrt(2 delta /
// x^T F x), shortened by a factor until the measured surrogate has improved and the measured mean
// KL, or where chunk_kl is given the greatest KL of a sample, is at most delta. Once a candidate
// stands, or none is left, the tries that follow change nothing.
//
//   begin;  max_tries times: sums of the candidate, step
#pragma once

#include <gallop/kernels/gradients/samples.h>
#include <gallop/kernels/numerics/team.h>
#include <gallop/kernels/optimizers/conjugate_gradient.h>

namespace gallop {

struct LineSearchState {
  double before;                  // mean surrogate loss of the policy that acted
  double scale;                   // of the candidate
  double taken;                   // of the candidate that stands; 0 where the old parameters do
  double surrogate, kl, entropy;  // means of the policy that stands
  double greatest_kl;             // of a sample, of the policy that stands; 0 without chunk_kl
  std::int32_t tried;             // candidates measured
  std::int32_t searching;         // 0: the tries that follow change nothing, and need no sums
};

struct LineSearchRequest {
  long n;
  const float* old;         // [n] parameters that acted
  const float* direction;   // [n]
  float* parameters;        // [n] equal to `old` before; the candidate; at the end what stands
  const float* statistics;  // [kPolicyStatistics] sums of the surrogate's gradient at `old`
  const float* sums;        // [kDivergenceSums] of the candidate
  const ConjugateGradientState* solved;  // of the direction
  long count;                            // samples
  double delta, factor;
  int max_tries;
  LineSearchState* state;
  const float* chunk_kl;  // [n_chunks] of the candidate: what delta bounds; null for the mean
  int n_chunks;
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

GALLOP_HD float moved(float from, double scale, float direction) {
  return fmadd(float(scale), direction, from);
}

template <class Team>
GALLOP_TEAM void line_search_begin(const LineSearchRequest& r, const Team& team) {
  const ConjugateGradientState& solved = *r.solved;
  const double curvature = solved.curvature;
  const double scale = curvature > 0 ? sqrt(2.0 * r.delta / curvature) : 0.0;
  const bool searching =
      r.max_tries > 0 && scale > 0 && is_finite(solved.start) && is_finite(curvature);
  if (searching) {
    team.each(r.n, [&](long i) { r.parameters[i] = moved(r.old[i], scale, r.direction[i]); });
  }
  if (!team.leads()) return;
  // At the policy that acted the divergence is 0 and the gradient's sums are those of a candidate.
  const double before = double(r.statistics[kStatSurrogate]) / double(r.count);
  const double entropy = double(r.statistics[kStatEntropy]) / double(r.count);
  *r.state = {before, scale, 0.0, before, 0.0, entropy, 0.0, 0, searching ? 1 : 0};
}

template <class Team>
GALLOP_TEAM void line_search_step(const LineSearchRequest& r, const Team& team) {
  const LineSearchState was = *r.state;
  team.meet();  // all have read what the leader replaces
  if (was.searching == 0) return;
  const double surrogate = double(r.sums[kSumSurrogate]) / double(r.count);
  const double kl = double(r.sums[kSumKl]) / double(r.count);
  // Read by all threads: a few hundred numbers, which one would hand to the others no sooner.
  float greatest = 0.0f;
  for (int c = 0; r.chunk_kl != nullptr && c < r.n_chunks; c++) {
    greatest = r.chunk_kl[c] > greatest ? r.chunk_kl[c] : greatest;
  }
  const double bounded = r.chunk_kl != nullptr ? double(greatest) : kl;
  const bool accepted = surrogate < was.before && bounded <= r.delta && is_finite(surrogate) &&
                        is_finite(kl) && is_finite(bounded);
  const double shorter = was.scale * r.factor;
  const bool again = !accepted && was.tried + 1 < r.max_tries && shorter > 0;
  if (again) {
    team.each(r.n, [&](long i) { r.parameters[i] = moved(r.old[i], shorter, r.direction[i]); });
  } else if (!accepted) {
    team.each(r.n, [&](long i) { r.parameters[i] = r.old[i]; });
  }
  if (!team.leads()) return;
  r.state->tried = was.tried + 1;
  r.state->searching = again ? 1 : 0;
  if (again) r.state->scale = shorter;
  if (!accepted) return;
  r.state->taken = was.scale;
  r.state->surrogate = surrogate;
  r.state->kl = kl;
  r.state->greatest_kl = double(greatest);
  r.state->entropy = double(r.sums[kSumEntropy]) / double(r.count);
}

// On the CPU by one thread.
template <class F>
void line_search_begin(const LineSearchRequest& r, const CpuWork&) {
  line_search_begin(r, CpuTeam<F>());
}
template <class F>
void line_search_step(const LineSearchRequest& r, const CpuWork&) {
  line_search_step(r, CpuTeam<F>());
}

}  // namespace gallop::inline GALLOP_ISA
