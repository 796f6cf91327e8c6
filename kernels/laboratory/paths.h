// Loops over the recorded paths of a block, and sums over them whose bits do not depend on the
// width of registers.
#pragma once

#include "kernels/laboratory/noise.h"

namespace gallop::inline GALLOP_ISA {

template <class P>
void sample_paths(const PathRequest& r) {
  using F = typename P::F;
  constexpr int kW = kLanesOf<F>;
  const int horizon = r.model->horizon, size = P::path_doubles(*r.model);
  F theta[P::kParameters];
  for (int d = 0; d < P::kParameters; d++) theta[d] = F(r.theta[d]);
  for (int first = 0; first < r.n_paths; first += kLaboratoryChunk) {
    draw_noise<P>(r.seed, r.stream, r.first_path + std::uint32_t(first), horizon, r.noise);
    for (int lane = 0; lane < kLaboratoryChunk; lane += kW) {
      P::simulate(*r.model, theta, {r.noise + lane, horizon}, r.record + long(first + lane) * size);
    }
  }
}

// Calls body(path, first) for every register of paths; `first` is the number of its first one.
template <class P, class Body>
GALLOP_HD void for_each_path(const LaboratoryModel& m, const double* record, int n_paths,
                             const Body& body) {
  const int size = P::path_doubles(m);
  for (int first = 0; first < n_paths; first += kLanesOf<typename P::F>) {
    body(typename P::Path(m, record + long(first) * size), first);
  }
}

// The same for an estimator: body(path, gradient) fills gradient [D], which begins with zeros.
template <class P, class Body>
GALLOP_HD void estimate_paths(const EstimateRequest& r, const double* record, const Body& body) {
  using F = typename P::F;
  for_each_path<P>(*r.model, record, r.n_paths, [&](const typename P::Path& path, int first) {
    F gradient[P::kParameters];
    for (int d = 0; d < P::kParameters; d++) gradient[d] = F(0.0);
    body(path, gradient);
    for (int d = 0; d < P::kParameters; d++) {
      store_doubles(r.gradient + long(d) * r.stride + first, gradient[d]);
    }
  });
}

// gradient += weight * score of step t.
template <class P>
GALLOP_HD void add_score(const typename P::Path& path, int t, typename P::F weight,
                         typename P::F* gradient) {
  typename P::F psi[P::kParameters];
  path.score(t, psi);
  for (int d = 0; d < P::kParameters; d++) gradient[d] = fmadd(psi[d], weight, gradient[d]);
}

// Eight partial sums: path i goes to the one numbered i mod 8, whatever the width of a register.
inline constexpr int kSumSlots = 8;

// Adds the lanes of x that belong to paths below n_paths; `slots` [kSumSlots].
template <class F>
GALLOP_HD void add_to_slots(double* slots, F x, int first, int n_paths) {
  constexpr int kW = kLanesOf<F>;
  double* to = slots + first % kSumSlots;
  if (first + kW <= n_paths) {
    store_doubles(to, load_doubles(to, F()) + x);
  } else {
    double lanes[kW];
    store_doubles(lanes, x);
    for (int i = 0; i < kW && first + i < n_paths; i++) to[i] += lanes[i];
  }
}
GALLOP_HD double sum_of_slots(const double* slots) {
  double sum = slots[0];
  for (int i = 1; i < kSumSlots; i++) sum += slots[i];
  return sum;
}

}  // namespace gallop::inline GALLOP_ISA
