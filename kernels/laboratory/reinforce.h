// Likelihood-ratio gradients of whole paths (Williams 1992): Psi (R - b), Psi = sum_t d log pi_t,
// R the return of the path.
//
// Baselines: none; the exact E[R]; the optimal one of each component, b_d = E[Psi_d^2 R] /
// E[Psi_d^2], and of all together, b = E[|Psi|^2 R] / E[|Psi|^2] (Greensmith, Bartlett and Baxter
// 2004), both from pilot paths. The mean of the other paths is in leave_one_out.h.
#pragma once

#include "kernels/laboratory/paths.h"

namespace gallop::inline GALLOP_ISA {

enum class PathBaseline { kNone, kExpected, kOptimal, kOptimalScalar };

// Psi [D], returns R.
template <class P>
GALLOP_HD typename P::F path_score(const typename P::Path& path, int horizon, typename P::F* psi) {
  using F = typename P::F;
  F total = F(0.0), step[P::kParameters];
  for (int d = 0; d < P::kParameters; d++) psi[d] = F(0.0);
  for (int t = 0; t < horizon; t++) {
    path.score(t, step);
    for (int d = 0; d < P::kParameters; d++) psi[d] = psi[d] + step[d];
    total = total + path.reward(t);
  }
  return total;
}

template <class P, PathBaseline baseline>
void reinforce(const EstimateRequest& r) {
  using F = typename P::F;
  const LaboratoryModel& m = *r.model;
  estimate_paths<P>(r, r.record, [&](const typename P::Path& path, F* gradient) {
    const F total = path_score<P>(path, m.horizon, gradient);
    for (int d = 0; d < P::kParameters; d++) {
      double b = 0;
      if constexpr (baseline == PathBaseline::kExpected) b = m.expected_return;
      if constexpr (baseline == PathBaseline::kOptimal) b = m.optimal[d];
      if constexpr (baseline == PathBaseline::kOptimalScalar) b = m.optimal_scalar;
      gradient[d] = gradient[d] * (total - F(b));
    }
  });
}

}  // namespace gallop::inline GALLOP_ISA
