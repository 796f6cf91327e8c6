// Sums over the pilot paths, from which the host solves for the baselines that are fitted: the
// squares for optimal constant ones, and normal equations of returns on features, once for all
// steps together (the linear baseline) and once for each step (the critic).
#pragma once

#include <gallop/host/laboratory/estimators/likelihood_ratio.h>

namespace gallop::inline GALLOP_ISA {

// Adds phi phi' (upper triangle) and phi y to slots [normal_size(n), kSumSlots].
template <class C, int n>
GALLOP_HD void add_normal(const Summand<C>* phi, const Summand<C>& y, int first, int n_paths,
                          double* slots) {
  for (int i = 0; i < n; i++) {
    for (int j = i; j < n; j++, slots += kSumSlots) {
      (phi[i] * phi[j]).add_to(slots, first, n_paths);
    }
  }
  for (int i = 0; i < n; i++, slots += kSumSlots) (phi[i] * y).add_to(slots, first, n_paths);
}
// Adds the slots to sums [count] and clears them.
GALLOP_HD void take_slots(double* slots, int count, double* sums) {
  for (int k = 0; k < count; k++, slots += kSumSlots) {
    sums[k] += sum_of_slots(slots);
    for (int i = 0; i < kSumSlots; i++) slots[i] = 0;
  }
}

// Scratch: returns from each step on, [2, stride, H] by Discounting.
template <class C>
void pilot_sums(const typename C::Request& r) {
  using F = typename C::F;
  using Phi = Features<C>;
  const LaboratoryModel& m = *r.model;
  const PilotLayout layout = {m.n_parameters, m.horizon, m.n_features};
  constexpr int kLinear = PilotLayout::normal_size(Phi::kWithTime);
  constexpr int kCritic = PilotLayout::normal_size(Phi::kCount);
  double paths_slots[2 * C::kD * kSumSlots] = {};
  double linear[kLinear * kSumSlots] = {}, critic[kCritic * kSumSlots] = {};
  const auto rest_of = [&](int how, int first) {
    return reinterpret_cast<typename C::Real*>(r.scratch) +
           (long(how) * r.stride + first) * m.horizon;
  };
  for_each_register<C>(r, r.record, [&](const C& paths, int first) {
    returns_of(paths, 1, rest_of(kPlain, first));
    returns_of(paths, m.gamma, rest_of(kDiscounted, first));
    F psi[C::kD];
    const Summand<C> total = paths.path_score(psi);
    for (int d = 0; d < C::kD; d++) {
      const Summand<C> score = psi[d], square = score * score;
      square.add_to(paths_slots + d * kSumSlots, first, r.n_paths);
      (square * total).add_to(paths_slots + (C::kD + d) * kSumSlots, first, r.n_paths);
    }
  });
  take_slots(paths_slots, 2 * C::kD, r.sums);
  for (int t = 0; t < m.horizon; t++) {
    for (const Discounting how : {kPlain, kDiscounted}) {
      for_each_register<C>(r, r.record, [&](const C& paths, int first) {
        F o[C::kO];
        C::load(paths.observation, t, o);
        const Phi features(o, t, m.horizon);
        Summand<C> phi[Phi::kWithTime];
        for (int k = 0; k < Phi::kWithTime; k++) phi[k] = features.phi[k];
        const Summand<C> rest = C::at(rest_of(how, first), t);
        add_normal<C, Phi::kCount>(phi, rest, first, r.n_paths, critic);
        if (how == kPlain) add_normal<C, Phi::kWithTime>(phi, rest, first, r.n_paths, linear);
      });
      take_slots(critic, kCritic, r.sums + layout.critic(how, t));
    }
  }
  take_slots(linear, kLinear, r.sums + layout.linear());
}

}  // namespace gallop::inline GALLOP_ISA
