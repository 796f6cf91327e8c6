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
//
// Training has no such baseline: its mean over paths counts the path itself. So this is all the
// laboratory's.
#pragma once

#include <gallop/host/laboratory/estimators/paths.h>

namespace gallop::inline GALLOP_ISA {

// gradient holds (Psi_i - mean) (R_i - mean); turns it into pseudo-values.
template <class Request>
void to_pseudo_values(const Request& r, int n_parameters) {
  const double m = r.n_paths;
  for (int d = 0; d < n_parameters; d++) {
    auto* x = r.gradient + long(d) * r.stride;
    double c = 0;
    for (int i = 0; i < r.n_paths; i++) c += x[i];
    // Of two paths there is no estimate without one of them: both stand for the estimate.
    const double scale = r.n_paths > 2 ? m / (m - 2) : 0;
    const double offset = r.n_paths > 2 ? c * ((m - 1) / (m - 2) - m / (m - 1)) : -c;
    for (int i = 0; i < r.n_paths; i++) {
      x[i] = static_cast<std::remove_reference_t<decltype(x[i])>>(scale * x[i] - offset);
    }
  }
}

// by_time: a term of each step, its score and the return from there on; else one of the path.
// Scratch: sums [terms, D + 1, kSumSlots], then returns [terms, stride].
template <class C, bool by_time>
void leave_one_out(const typename C::Request& r) {
  using F = typename C::F;
  constexpr int kD = C::kD, kRow = (kD + 1) * kSumSlots;
  const int terms = by_time ? r.model->horizon : 1;
  double* const sums = r.scratch;
  auto* const returns = reinterpret_cast<typename C::Real*>(sums + long(terms) * kRow);
  for (long k = 0; k < long(terms) * kRow; k++) sums[k] = 0;
  const auto score = [](const C& paths, int t, F* psi) GALLOP_INLINE_LAMBDA {
    if constexpr (!by_time) return paths.path_score(psi);
    for (int d = 0; d < kD; d++) psi[d] = F(0.0f);
    paths.add_score(t, F(1.0f), psi);
    return C::at(paths.reward, t);
  };
  for_each_register<C>(r, r.record, [&](const C& paths, int first) {
    F rest = F(0.0f), psi[kD];
    for (int t = terms - 1; t >= 0; t--) {
      rest = rest + score(paths, t, psi);
      store_lanes(returns + long(t) * r.stride + first, rest, C::kN);
      double* const to = sums + long(t) * kRow;
      for (int d = 0; d < kD; d++) Summand<C>(psi[d]).add_to(to + d * kSumSlots, first, r.n_paths);
      Summand<C>(rest).add_to(to + kD * kSumSlots, first, r.n_paths);
    }
  });
  for (double* x = sums; x < sums + long(terms) * kRow; x += kSumSlots) {
    x[0] = sum_of_slots(x) / r.n_paths;
  }
  for_each_register<C>(r, r.record, [&](const C& paths, int first) {
    F psi[kD], x[kD];
    for (F& sum : x) sum = F(0.0f);
    for (int t = 0; t < terms; t++) {
      const double* const mean = sums + long(t) * kRow;
      const F rest = load_lanes(returns + long(t) * r.stride + first, C::kN, F());
      const F weight = rest - real<F>(mean[kD * kSumSlots]);
      score(paths, t, psi);
      for (int d = 0; d < kD; d++) {
        x[d] = fmadd(psi[d] - real<F>(mean[d * kSumSlots]), weight, x[d]);
      }
    }
    for (int d = 0; d < kD; d++) {
      store_lanes(r.gradient + long(d) * r.stride + first, x[d], C::kN);
    }
  });
  to_pseudo_values(r, kD);
}

}  // namespace gallop::inline GALLOP_ISA
