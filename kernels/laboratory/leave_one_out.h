// Baselines that are the mean of the other paths of the block: m paths, one estimate
//
//   whole paths  1/m sum_i Psi_i (R_i - mean_{j != i} R_j)
//   by time      1/m sum_i sum_t psi_it (G_it - mean_{j != i} G_jt)
//
// Each is unbiased, and the sample covariance of Psi and R (of psi_t and G_t, summed over t):
// C / (m - 1) with C = sum_i (Psi_i - mean Psi) (R_i - mean R). Its terms are not independent, so
// their variance over m is not that of the estimate. What stands for a path here is the jackknife's
// pseudo-value, m U - (m - 1) U_{-i} for the estimate U and the estimate U_{-i} without path i:
// their mean is U exactly, and their variance over m estimates that of U (Efron and Stein 1981).
#pragma once

#include "kernels/laboratory/reinforce.h"

namespace gallop::inline GALLOP_ISA {

// Scratch of a block: a row for each step, then the slots of sums.
template <class P>
long leave_one_out_scratch(int horizon, int stride) {
  return long(horizon) * stride + long(horizon) * (P::kParameters + 1) * kSumSlots;
}

// gradient holds (Psi_i - mean) (R_i - mean); turns it into pseudo-values.
template <class P>
void to_pseudo_values(const EstimateRequest& r) {
  const double m = r.n_paths;
  for (int d = 0; d < P::kParameters; d++) {
    double* x = r.gradient + long(d) * r.stride;
    double c = 0;
    for (int i = 0; i < r.n_paths; i++) c += x[i];
    // Of two paths there is no estimate without one of them: both stand for the estimate.
    const double scale = r.n_paths > 2 ? m / (m - 2) : 0;
    const double offset = r.n_paths > 2 ? c * ((m - 1) / (m - 2) - m / (m - 1)) : -c;
    for (int i = 0; i < r.n_paths; i++) x[i] = __builtin_fma(scale, x[i], -offset);
  }
}

template <class P>
void reinforce_leave_one_out(const EstimateRequest& r) {
  using F = typename P::F;
  double slots[P::kParameters + 1][kSumSlots] = {};
  for_each_path<P>(*r.model, r.record, r.n_paths, [&](const typename P::Path& path, int first) {
    F psi[P::kParameters];
    const F total = path_score<P>(path, r.model->horizon, psi);
    store_doubles(r.scratch + first, total);
    add_to_slots(slots[P::kParameters], total, first, r.n_paths);
    for (int d = 0; d < P::kParameters; d++) {
      store_doubles(r.gradient + long(d) * r.stride + first, psi[d]);
      add_to_slots(slots[d], psi[d], first, r.n_paths);
    }
  });
  const double mean = sum_of_slots(slots[P::kParameters]) / r.n_paths;
  for (int d = 0; d < P::kParameters; d++) {
    const double mean_psi = sum_of_slots(slots[d]) / r.n_paths;
    double* x = r.gradient + long(d) * r.stride;
    for (int i = 0; i < r.n_paths; i++) x[i] = (x[i] - mean_psi) * (r.scratch[i] - mean);
  }
  to_pseudo_values<P>(r);
}

template <class P>
void gpomdp_leave_one_out(const EstimateRequest& r) {
  using F = typename P::F;
  constexpr int kQuantities = P::kParameters + 1;
  const int horizon = r.model->horizon;
  double* slots = r.scratch + long(horizon) * r.stride;  // [H, D + 1, kSumSlots]
  for (long k = 0; k < long(horizon) * kQuantities * kSumSlots; k++) slots[k] = 0;
  for_each_path<P>(*r.model, r.record, r.n_paths, [&](const typename P::Path& path, int first) {
    F rest = F(0.0), psi[P::kParameters];
    for (int t = horizon - 1; t >= 0; t--) {
      rest = rest + path.reward(t);
      store_doubles(r.scratch + long(t) * r.stride + first, rest);
      path.score(t, psi);
      double* to = slots + long(t) * kQuantities * kSumSlots;
      add_to_slots(to + P::kParameters * kSumSlots, rest, first, r.n_paths);
      for (int d = 0; d < P::kParameters; d++) {
        add_to_slots(to + d * kSumSlots, psi[d], first, r.n_paths);
      }
    }
  });
  for (long k = 0; k < long(horizon) * kQuantities; k++) {
    slots[k * kSumSlots] = sum_of_slots(slots + k * kSumSlots) / r.n_paths;
  }
  for_each_path<P>(*r.model, r.record, r.n_paths, [&](const typename P::Path& path, int first) {
    F psi[P::kParameters], x[P::kParameters];
    for (int d = 0; d < P::kParameters; d++) x[d] = F(0.0);
    for (int t = 0; t < horizon; t++) {
      const double* mean = slots + long(t) * kQuantities * kSumSlots;
      const F rest = load_doubles(r.scratch + long(t) * r.stride + first, F());
      const F weight = rest - F(mean[P::kParameters * kSumSlots]);
      path.score(t, psi);
      for (int d = 0; d < P::kParameters; d++) {
        x[d] = fmadd(psi[d] - F(mean[d * kSumSlots]), weight, x[d]);
      }
    }
    for (int d = 0; d < P::kParameters; d++) {
      store_doubles(r.gradient + long(d) * r.stride + first, x[d]);
    }
  });
  to_pseudo_values<P>(r);
}

}  // namespace gallop::inline GALLOP_ISA
