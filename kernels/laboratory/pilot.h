// Sums over the pilot paths, from which the host solves for the baselines that are fitted: the
// squares for optimal constant ones, and normal equations of returns on features, once for all
// steps together (the linear baseline) and once for each step (the critic).
#pragma once

#include "kernels/laboratory/gpomdp.h"
#include "kernels/laboratory/reinforce.h"

namespace gallop::inline GALLOP_ISA {

// Adds phi phi' (upper triangle) and phi y to slots [normal_size(n), kSumSlots].
template <class F>
GALLOP_HD void add_normal(const F* phi, int n, F y, int first, int n_paths, double* slots) {
  for (int i = 0; i < n; i++) {
    for (int j = i; j < n; j++, slots += kSumSlots) {
      add_to_slots(slots, phi[i] * phi[j], first, n_paths);
    }
  }
  for (int i = 0; i < n; i++, slots += kSumSlots) {
    add_to_slots(slots, phi[i] * y, first, n_paths);
  }
}
// Adds the slots to sums [count] and clears them.
GALLOP_HD void take_slots(double* slots, int count, double* sums) {
  for (int k = 0; k < count; k++) {
    sums[k] += sum_of_slots(slots + k * kSumSlots);
    for (int i = 0; i < kSumSlots; i++) slots[k * kSumSlots + i] = 0;
  }
}

template <class P>
void pilot_sums(const PilotRequest& r) {
  using F = typename P::F;
  const LaboratoryModel& m = *r.model;
  const PilotLayout layout = {m.n_parameters, m.horizon, m.n_features};
  constexpr int kLinear = P::kFeatures + 3;
  double paths[2 * P::kParameters * kSumSlots] = {};
  double linear[(kLinear * (kLinear + 1) / 2 + kLinear) * kSumSlots] = {};
  double critic[(P::kFeatures * (P::kFeatures + 1) / 2 + P::kFeatures) * kSumSlots] = {};
  for_each_path<P>(m, r.record, r.n_paths, [&](const typename P::Path& path, int first) {
    F psi[P::kParameters], rest[2] = {F(0.0), F(0.0)};
    const F total = path_score<P>(path, m.horizon, psi);
    for (int d = 0; d < P::kParameters; d++) {
      const F square = psi[d] * psi[d];
      add_to_slots(paths + d * kSumSlots, square, first, r.n_paths);
      add_to_slots(paths + (P::kParameters + d) * kSumSlots, square * total, first, r.n_paths);
    }
    for (int t = m.horizon - 1; t >= 0; t--) {
      rest[kPlain] = rest[kPlain] + path.reward(t);
      rest[kDiscounted] = fmadd(F(m.gamma), rest[kDiscounted], path.reward(t));
      for (int d = 0; d < 2; d++) {
        store_doubles(r.rest + (long(d) * m.horizon + t) * r.stride + first, rest[d]);
      }
    }
  });
  take_slots(paths, 2 * P::kParameters, r.sums);
  for (int t = 0; t < m.horizon; t++) {
    for (int d = 0; d < 2; d++) {
      for_each_path<P>(m, r.record, r.n_paths, [&](const typename P::Path& path, int first) {
        const double* at = r.rest + (long(d) * m.horizon + t) * r.stride + first;
        const F rest = load_doubles(at, F());
        F phi[kLinear];
        linear_features<P>(path, t, m.horizon, phi);
        add_normal(phi, P::kFeatures, rest, first, r.n_paths, critic);
        if (d == kPlain) add_normal(phi, kLinear, rest, first, r.n_paths, linear);
      });
      take_slots(critic, PilotLayout::normal_size(P::kFeatures),
                 r.sums + layout.critic(Discounting(d), t));
    }
  }
  take_slots(linear, PilotLayout::normal_size(kLinear), r.sums + layout.linear());
}

}  // namespace gallop::inline GALLOP_ISA
