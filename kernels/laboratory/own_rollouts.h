// Gradients from returns alone, by rollouts of policies with one parameter moved. The policy stays
// as noisy as it is.
//
//   central difference   (R(theta + e) - R(theta - e)) / (2 e)
//   evolution strategy   R(theta + s z) z / s with z ~ N(0, 1); in mirrored pairs
//                        (R(theta + s z) - R(theta - s z)) z / (2 s)   (Salimans et al. 2017)
//
// The two rollouts of a pair have random numbers of their own, or the same ones (common random
// numbers; Ng and Jordan 2000). The first estimates the difference quotient of U, the others the
// gradient of U smoothed by N(0, s^2): both are biased.
#pragma once

#include "kernels/laboratory/paths.h"

namespace gallop::inline GALLOP_ISA {

// Calls body(lane, simulate) for each register of each chunk, where simulate(side, displacement) is
// the return of its paths with the parameter moved; sides 0 and 1 have random numbers of their own.
template <class P, bool common, bool mirrored, class Body>
void displaced_rollouts(const EstimateRequest& r, const Body& body) {
  using F = typename P::F;
  constexpr int kW = kLanesOf<F>;
  const LaboratoryModel& m = *r.model;
  float* noise[2] = {r.noise, common ? r.noise : r.noise + noise_floats<P>(m.horizon)};
  for (int first = 0; first < r.n_paths; first += kLaboratoryChunk) {
    const std::uint32_t path = r.first_path + std::uint32_t(first);
    for (int side = 0; side < (common || !mirrored ? 1 : 2); side++) {
      draw_noise<P>(r.seed, r.stream + std::uint32_t(side), path, m.horizon, noise[side]);
    }
    for (int lane = 0; lane < kLaboratoryChunk; lane += kW) {
      body(first + lane, [&](int side, F displacement) {
        F theta[P::kParameters];
        for (int d = 0; d < P::kParameters; d++) theta[d] = F(m.theta[d]);
        theta[r.parameter] = theta[r.parameter] + displacement;
        return P::simulate(m, theta, {noise[side] + lane, m.horizon}, nullptr);
      });
    }
  }
}

template <class P, bool common>
void central_difference(const EstimateRequest& r) {
  using F = typename P::F;
  const double e = r.model->difference;
  displaced_rollouts<P, common, true>(r, [&](int first, const auto& simulate) {
    const F above = simulate(0, F(e)), below = simulate(1, F(-e));
    store_doubles(r.gradient + first, (above - below) * F(0.5 / e));
  });
}

// z ~ N(0, 1) of each path: purpose kRandomPerturbation, counter (path, stream, 0).
template <class F>
F direction(const EstimateRequest& r, int first) {
  double z[kLanesOf<F>];
  for (int i = 0; i < kLanesOf<F>; i++) {
    Rng<float> rng(r.seed, kRandomPerturbation, r.first_path + std::uint32_t(first + i), r.stream,
                   0u);
    z[i] = double(rng.normal());
  }
  return load_doubles(z, F());
}

template <class P>
void evolution_single(const EstimateRequest& r) {
  using F = typename P::F;
  const double s = r.model->smoothing;
  displaced_rollouts<P, false, false>(r, [&](int first, const auto& simulate) {
    const F z = direction<F>(r, first);
    store_doubles(r.gradient + first, simulate(0, F(s) * z) * (z * F(1 / s)));
  });
}

template <class P, bool common>
void evolution_mirrored(const EstimateRequest& r) {
  using F = typename P::F;
  const double s = r.model->smoothing;
  displaced_rollouts<P, common, true>(r, [&](int first, const auto& simulate) {
    const F z = direction<F>(r, first);
    const F above = simulate(0, F(s) * z), below = simulate(1, -(F(s) * z));
    store_doubles(r.gradient + first, (above - below) * (z * F(0.5 / s)));
  });
}

// The derivative of a recorded path's return, its random numbers held.
template <class P>
void pathwise(const EstimateRequest& r) {
  using F = typename P::F;
  estimate_paths<P>(r, r.record,
                    [](const typename P::Path& path, F* gradient) { path.pathwise(gradient); });
}

}  // namespace gallop::inline GALLOP_ISA
