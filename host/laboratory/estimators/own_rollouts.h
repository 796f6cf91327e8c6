// Gradients from returns alone, by rollouts of policies of which one parameter is moved, for an
// estimate of one derivative:
//
//   central difference   (R(theta + e) - R(theta - e)) / (2 e), R the mean of some rollouts
//   evolution strategy   R(theta + s z) z / s with z ~ N(0, 1), R less E[R] or not; in mirrored
//                        pairs (R(theta + s z) - R(theta - s z)) z / (2 s)   (Salimans et al. 2017)
//
// The two rollouts of a pair have random numbers of their own, or the same ones (common random
// numbers; fixed scenarios, PEGASUS: Ng and Jordan 2000). The first estimates the difference
// quotient of U, the others the gradient of U smoothed by N(0, s^2): both are biased. And where all
// parameters are moved at once, each derivative from the same rollouts' formula:
//
//   evolution strategy   in mirrored pairs, U smoothed in all its parameters
//   regression           least squares of R(theta + s z) over directions z and a constant
#pragma once

#include <gallop/host/laboratory/estimators/paths.h>

namespace gallop::inline GALLOP_ISA {

// Rollouts that a mean of returns is taken over where one is, and scenarios of PEGASUS.
inline constexpr int kAveraged = 4, kScenarios = 8;
// Where the random numbers of a sample's further rollouts are: behind the streams of all rows.
inline constexpr int kRepeatShift = 16;

// For each register of paths, calls move(first, parameter), which writes what the parameter is
// moved to in each of one or two rollouts, and stores estimate(first, returns), means of so many.
template <class C, int sides, bool common, class Move, class Estimate, int repeats = 1>
void moved_rollouts(const typename C::Request& r, const Move& move, const Estimate& estimate) {
  using F = typename C::F;
  const Simulation<C> simulation(r);
  const auto nothing = [](auto&&...) {};
  for (int first = 0; first < r.n_paths; first += C::kN) {
    const std::uint32_t path = r.first_path + std::uint32_t(first);
    F parameter[sides], returns[sides], one_return[sides];
    move(first, parameter);
    for (F& x : returns) x = F(0.0f);
    const auto policy = [&](int side) GALLOP_INLINE_LAMBDA {
      F theta[C::kD];
      for (int d = 0; d < C::kD; d++) {
        theta[d] = d == r.parameter ? parameter[side] : real<F>(simulation.m.theta[d]);
      }
      return typename C::Policy(simulation.m, theta);
    };
    for (int k = 0; k < repeats; k++) {
      const std::uint32_t stream = r.stream + (std::uint32_t(k) << kRepeatShift);
      if constexpr (common) {
        const typename C::Policy both[2] = {policy(0), policy(1)};
        simulation.run(both, stream, path, one_return, nothing);
      } else {
        for (int side = 0; side < sides; side++) {
          const typename C::Policy one[1] = {policy(side)};
          simulation.run(one, stream + std::uint32_t(side), path, one_return + side, nothing);
        }
      }
      for (int side = 0; side < sides; side++) {
        returns[side] = fmadd(one_return[side], F(1.0f / repeats), returns[side]);
      }
    }
    store_lanes(r.gradient + first, estimate(first, returns), C::kN);
  }
}

template <class C, bool common, int repeats = 1>
void central_difference(const typename C::Request& r) {
  using F = typename C::F;
  const F theta = real<F>(r.model->theta[r.parameter]), e = real<F>(r.model->difference);
  const F above = theta + e, below = theta - e, per_distance = reciprocal(above - below);
  const auto move = [&](int, F* parameter) { parameter[0] = above, parameter[1] = below; };
  const auto estimate = [&](int, const F* returns) {
    return (returns[0] - returns[1]) * per_distance;
  };
  moved_rollouts<C, 2, common, decltype(move), decltype(estimate), repeats>(r, move, estimate);
}

// One side, or a mirrored pair. z: purpose kRandomPerturbation, counter (path, stream, 0).
template <class C, int sides, bool common, bool centred = false>
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
        if constexpr (centred) difference = difference - real<F>(r.model->expected_return);
        if constexpr (sides == 2) difference = difference - returns[1];
        return difference * direction(first) * per_distance;
      });
}

// The policy at theta + by z in all parameters.
template <class C>
GALLOP_HD typename C::Policy displaced(const Simulation<C>& simulation, typename C::F by,
                                       const typename C::F* z) {
  typename C::F theta[C::kD];
  for (int d = 0; d < C::kD; d++)
    theta[d] = fmadd(by, z[d], real<typename C::F>(simulation.m.theta[d]));
  return typename C::Policy(simulation.m, theta);
}
// z [D] of rollout k of a register of samples: purpose kRandomPerturbation, counter (path, stream,
// k).
template <class C>
GALLOP_HD void directions(const typename C::Request& r, int first, int k, typename C::F* z) {
  using W = Word<typename C::F>;
  const W path = consecutive_words<typename C::F>(r.first_path + std::uint32_t(first));
  Rng<typename C::F> rng(r.seed, kRandomPerturbation, path, W(r.stream), W(std::uint32_t(k)));
  for (int d = 0; d < C::kD; d += 2) {
    const W a = rng.word(), b = rng.word();
    typename C::F second;
    to_normals<typename C::F>(a, b, z[d], second);
    if (d + 1 < C::kD) z[d + 1] = second;
  }
}

// A mirrored pair, all parameters moved.
template <class C>
void joint_evolution(const typename C::Request& r) {
  using F = typename C::F;
  const Simulation<C> simulation(r);
  const F s = real<F>(r.model->smoothing), per_distance = reciprocal(F(2.0f) * s);
  for (int first = 0; first < r.n_paths; first += C::kN) {
    const std::uint32_t path = r.first_path + std::uint32_t(first);
    F z[C::kD], returns[2], mine = F(0.0f);
    directions<C>(r, first, 0, z);
    for (int side = 0; side < 2; side++) {
      const typename C::Policy one[1] = {displaced<C>(simulation, side == 0 ? s : -s, z)};
      simulation.run(one, r.stream + std::uint32_t(side), path, returns + side, [](auto&&...) {});
    }
    for (int d = 0; d < C::kD; d++) mine = d == r.parameter ? z[d] : mine;
    store_lanes(r.gradient + first, (returns[0] - returns[1]) * mine * per_distance, C::kN);
  }
}

// Normal equations of a least-squares fit, solved by Cholesky's factorisation: n unknowns.
template <class F, int n>
struct LeastSquares {
  F a[n][n], b[n];

  GALLOP_HD LeastSquares() {
    for (int i = 0; i < n; i++) {
      b[i] = F(0.0f);
      for (int j = 0; j <= i; j++) a[i][j] = F(0.0f);
    }
  }
  GALLOP_HD void add(const F* x, F y) {
    for (int i = 0; i < n; i++) {
      b[i] = fmadd(x[i], y, b[i]);
      for (int j = 0; j <= i; j++) a[i][j] = fmadd(x[i], x[j], a[i][j]);
    }
  }
  // The solution [n] is left in b.
  GALLOP_HD void solve() {
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        F sum = a[i][j];
        for (int k = 0; k < j; k++) sum = fmadd(-a[i][k], a[j][k], sum);
        a[i][j] = i == j ? reciprocal(sqrt(sum)) : sum * a[j][j];  // of the diagonal its inverse
      }
    }
    for (int i = 0; i < n; i++) {
      for (int k = 0; k < i; k++) b[i] = fmadd(-a[i][k], b[k], b[i]);
      b[i] = b[i] * a[i][i];
    }
    for (int i = n - 1; i >= 0; i--) {
      for (int k = i + 1; k < n; k++) b[i] = fmadd(-a[k][i], b[k], b[i]);
      b[i] = b[i] * a[i][i];
    }
  }
};

// (Z^T Z)^-1 Z^T R with a column of ones beside the directions, three rollouts for each unknown.
template <class C>
constexpr int kRegressionRollouts = 3 * (C::kD + 1);
template <class C>
void regression(const typename C::Request& r) {
  using F = typename C::F;
  constexpr int kUnknowns = C::kD + 1;
  const Simulation<C> simulation(r);
  const F s = real<F>(r.model->smoothing), center = real<F>(r.model->expected_return);
  for (int first = 0; first < r.n_paths; first += C::kN) {
    const std::uint32_t path = r.first_path + std::uint32_t(first);
    LeastSquares<F, kUnknowns> fit;
    F x[kUnknowns], mine = F(0.0f), returned[1];
    x[C::kD] = F(1.0f);
    for (int k = 0; k < kRegressionRollouts<C>; k++) {
      directions<C>(r, first, k, x);
      const typename C::Policy one[1] = {displaced<C>(simulation, s, x)};
      simulation.run(one, r.stream + (std::uint32_t(k) << kRepeatShift), path, returned,
                     [](auto&&...) {});
      fit.add(x, returned[0] - center);  // which the constant takes up, and spares digits
    }
    fit.solve();
    for (int d = 0; d < C::kD; d++) mine = d == r.parameter ? fit.b[d] : mine;
    store_lanes(r.gradient + first, mine * reciprocal(s), C::kN);
  }
}

// The derivative of a recorded path's return, its random numbers held.
template <class C>
void pathwise(const typename C::Request& r) {
  estimate_paths<C>(r, r.record, [&](const C& paths, typename C::F* gradient) {
    C::P::pathwise(model_of<C>(*r.model), paths, gradient);
  });
}

// What holds its variance over long horizons: less weight of later rewards, the exact V behind some
// steps, the exact Q of each action.
enum class PathwiseTail { kDiscounted, kValue, kActionValue };
template <class C, PathwiseTail tail>
void pathwise_tail(const typename C::Request& r) {
  estimate_paths<C>(r, r.record, [&](const C& paths, typename C::F* gradient) {
    const typename C::P::Model& m = model_of<C>(*r.model);
    if constexpr (tail == PathwiseTail::kDiscounted) C::P::pathwise(m, paths, gradient, m.gamma);
    if constexpr (tail == PathwiseTail::kValue) C::P::pathwise_value(m, paths, gradient);
    if constexpr (tail == PathwiseTail::kActionValue) C::P::pathwise_q(m, paths, gradient);
  });
}

}  // namespace gallop::inline GALLOP_ISA
