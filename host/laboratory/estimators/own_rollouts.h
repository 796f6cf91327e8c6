// Gradients from returns alone, by rollouts of policies of which one parameter is moved, for an
// estimate of one derivative:
//
//   central difference   (R(theta + e) - R(theta - e)) / (2 e)
//   evolution strategy   R(theta + s z) z / s with z ~ N(0, 1); in mirrored pairs
//                        (R(theta + s z) - R(theta - s z)) z / (2 s)   (Salimans et al. 2017)
//
// The two rollouts of a pair have random numbers of their own, or the same ones (common random
// numbers; Ng and Jordan 2000). The first estimates the difference quotient of U, the others the
// gradient of U smoothed by N(0, s^2): both are biased.
#pragma once

#include <gallop/host/laboratory/estimators/paths.h>

namespace gallop::inline GALLOP_ISA {

// For each register of paths, calls move(first, parameter), which writes what the parameter is
// moved to in each of one or two rollouts, and stores estimate(first, returns).
template <class C, int sides, bool common, class Move, class Estimate>
void moved_rollouts(const typename C::Request& r, const Move& move, const Estimate& estimate) {
  using F = typename C::F;
  const Simulation<C> simulation(r);
  const auto nothing = [](auto&&...) {};
  for (int first = 0; first < r.n_paths; first += C::kN) {
    const std::uint32_t path = r.first_path + std::uint32_t(first);
    F parameter[sides], returns[sides];
    move(first, parameter);
    const auto policy = [&](int side) GALLOP_INLINE_LAMBDA {
      F theta[C::kD];
      for (int d = 0; d < C::kD; d++) {
        theta[d] = d == r.parameter ? parameter[side] : real<F>(simulation.m.theta[d]);
      }
      return typename C::Policy(simulation.m, theta);
    };
    if constexpr (common) {
      const typename C::Policy both[2] = {policy(0), policy(1)};
      simulation.run(both, r.stream, path, returns, nothing);
    } else {
      for (int side = 0; side < sides; side++) {
        const typename C::Policy one[1] = {policy(side)};
        simulation.run(one, r.stream + std::uint32_t(side), path, returns + side, nothing);
      }
    }
    store_lanes(r.gradient + first, estimate(first, returns), C::kN);
  }
}

template <class C, bool common>
void central_difference(const typename C::Request& r) {
  using F = typename C::F;
  const F theta = real<F>(r.model->theta[r.parameter]), e = real<F>(r.model->difference);
  const F above = theta + e, below = theta - e, per_distance = reciprocal(above - below);
  moved_rollouts<C, 2, common>(
      r, [&](int, F* parameter) { parameter[0] = above, parameter[1] = below; },
      [&](int, const F* returns) { return (returns[0] - returns[1]) * per_distance; });
}

// One side, or a mirrored pair. z: purpose kRandomPerturbation, counter (path, stream, 0).
template <class C, int sides, bool common>
void evolution(const typename C::Request& r) {
  using F = typename C::F;
  using W = Word<F>;
  const F theta = real<F>(r.model->theta[r.parameter]), s = real<F>(r.model->smoothing);
  const F per_distance = reciprocal(F(float(sides)) * s);
  const auto direction = [&](int first) {
    const W path = consecutive_words<F>(r.first_path + std::uint32_t(first));
    return Rng<F>(r.seed, kRandomPerturbation, path, W(r.stream), W(0u)).normal();
  };
  moved_rollouts<C, sides, common>(
      r,
      [&](int first, F* parameter) {
        parameter[0] = fmadd(s, direction(first), theta);
        if constexpr (sides == 2) parameter[1] = fmadd(-s, direction(first), theta);
      },
      [&](int first, const F* returns) {
        F difference = returns[0];
        if constexpr (sides == 2) difference = difference - returns[1];
        return difference * direction(first) * per_distance;
      });
}

// The derivative of a recorded path's return, its random numbers held.
template <class C>
void pathwise(const typename C::Request& r) {
  estimate_paths<C>(r, r.record, [&](const C& paths, typename C::F* gradient) {
    C::P::pathwise(model_of<C>(*r.model), paths, gradient);
  });
}

}  // namespace gallop::inline GALLOP_ISA
