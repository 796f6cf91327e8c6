// What any right answer of the constraint solver meets, with no reference at hand: the gradient of
// the cost vanishes, in double and, within rounding, in float.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "tests/bodies/all_models.h"
#include "tests/bodies/random_state.h"

namespace gallop::testing {
constexpr int kOptimalityStates = 1500;

template <class Case>
class Optimality : public ::testing::Test {
 protected:
  using Model = typename Case::Model;
  static constexpr int kDofs = BodyCounts<Model>::kDofs;
  static constexpr int kCoordinates = BodyCounts<Model>::kCoordinates;

  template <class F>
  struct Problem {
    BodyParameters<Model, F> p;
    F q[kCoordinates], v[kDofs], torque[kDofs];
  };
  template <class F>
  Problem<F> random_problem() {
    Problem<F> problem;
    const BodyParameters<Model, double> defaults = gallop::testing::default_parameters<Model>();
    for (int k = 0; k < defaults.kCount; k++) problem.p.value[k] = F(defaults.value[k]);
    double q[kCoordinates], v[kDofs];
    random_state<Model>(random_, Case::kLow, Case::kHigh, q, v);
    for (int k = 0; k < kCoordinates; k++) problem.q[k] = F(q[k]);
    for (int k = 0; k < kDofs; k++) problem.v[k] = F(v[k]), problem.torque[k] = F(0);
    return problem;
  }

  // The solution from a guess of zeros, its constraint forces, and the gradient left by a fresh
  // evaluation of all rows there, relative to the greatest of the forces.
  template <class F>
  double gradient_left(const Problem<F>& problem, bool& constrained) {
    using Parts = PartsOf<Model, F>;
    typename Parts::Pose pose;
    pose.update(problem.p, problem.q, problem.v, problem.torque);
    F a[kDofs] = {}, gradient[kDofs], scale = 0;
    Newton<Model, F> solver(pose);
    solver.solve(problem.p, problem.q, problem.v, a);
    constrained = solver.constrained;
    Newton<Model, F> fresh(pose);
    (void)(fresh.floor.detect(pose, problem.p));
    (void)(fresh.self.detect(pose));
    (void)(fresh.limits.detect(problem.q, problem.v, a));
    typename Parts::Space::Motion moved[Parts::Pose::kMoving];
    pose.sweep(a, moved);
    fresh.floor.accelerate(moved);
    fresh.self.accelerate(moved);
    pose.mass.multiply(a, gradient);
    for (int k = 0; k < kDofs; k++) {
      scale = std::max({scale, std::abs(gradient[k]), std::abs(pose.force[k])});
      gradient[k] -= pose.force[k];
    }
    typename Parts::Hessian hessian;
    fresh.self.start(pose.mass, hessian);
    fresh.floor.add_gradient(pose, gradient, hessian);
    fresh.limits.add_gradient(gradient, hessian);
    fresh.self.add_gradient(pose, gradient, hessian);
    F most = 0;
    for (int k = 0; k < kDofs; k++) most = std::max(most, std::abs(gradient[k]));
    return double(most / scale);
  }

  std::mt19937_64 random_{11};
};
TYPED_TEST_SUITE_P(Optimality);

TYPED_TEST_P(Optimality, TheGradientVanishes) {
  std::vector<double> in_double, in_float;
  for (int i = 0; i < kOptimalityStates; i++) {
    bool constrained = false;
    const double left = this->gradient_left(this->template random_problem<double>(), constrained);
    if (constrained) in_double.push_back(left);
    const double rough = this->gradient_left(this->template random_problem<float>(), constrained);
    if (constrained) in_float.push_back(rough);
  }
  ASSERT_GT(in_double.size(), 100u);
  ASSERT_GT(in_float.size(), 100u);
  std::sort(in_double.begin(), in_double.end());
  std::sort(in_float.begin(), in_float.end());
  EXPECT_LE(in_double.back(), 1e-9);
  EXPECT_LE(in_double[in_double.size() * 99 / 100], 1e-11);
  EXPECT_LE(in_float[in_float.size() * 99 / 100], 1e-3);
}

REGISTER_TYPED_TEST_SUITE_P(Optimality, TheGradientVanishes);

}  // namespace gallop::testing
