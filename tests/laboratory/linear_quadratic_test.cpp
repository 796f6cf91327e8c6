// The recursions of linear-quadratic systems against published numbers, an independent recursion in
// long double, and differences of the return.
#include <gallop/host/laboratory/linear_quadratic.h>

#include <gtest/gtest.h>

#include <cmath>

#include "tests/reference/lqr_exact.h"

namespace gallop {
namespace {

LinearQuadraticSystem<1> scalar_system(const testing::ScalarLqr& p) {
  LinearQuadraticSystem<1> system;
  system.a(0) = double(p.a), system.b(0) = double(p.b), system.q(0) = double(p.q);
  system.r(0) = double(p.rho), system.w(0) = double(p.sigma_w), system.initial(0) = double(p.s0);
  system.horizon = p.horizon;
  return system;
}
Eigen::Matrix<double, 1, 1> scalar_gain(double k) { return Eigen::Matrix<double, 1, 1>(k); }

LinearQuadraticSystem<3> dean() {
  LinearQuadraticSystem<3> system;
  system.a << 1.01, 0.01, 0, 0.01, 1.01, 0.01, 0, 0.01, 1.01;
  system.q *= 1e-3;
  system.initial_sigma = 1;
  system.horizon = 300;
  return system;
}

TEST(LinearQuadratic, HasTheKnownNumbers) {
  testing::ScalarLqr p;
  const auto noisy = solve<1>(scalar_system(p), scalar_gain(0.4), 0.3);
  EXPECT_NEAR(noisy.value, -2.987698532370, 1e-12);
  EXPECT_NEAR(noisy.by_gain(0), 4.353621344392, 1e-12);
  EXPECT_NEAR(noisy.by_sigma, -3.289741284308, 1e-12);
  p.sigma_w = 0;
  EXPECT_NEAR(solve<1>(scalar_system(p), scalar_gain(0.4), 0).by_gain(0), 3.687966369066, 1e-12);
}

TEST(LinearQuadratic, AgreesWithTheScalarRecursionAtOtherParameters) {
  const testing::ScalarLqr cases[] = {{1.1L, 0.3L, 0.5L, 0.2L, -2, 0.4L, 25},
                                      {0.2L, -1.5L, 2, 1, 0.5L, 0, 3},
                                      {-0.9L, 0.7L, 0, 0.3L, 3, 1, 1},
                                      {0.99L, 0.1L, 1, 0.01L, 1, 0.05L, 400}};
  for (const testing::ScalarLqr& p : cases) {
    for (const double k : {-0.2, 0.0, 0.35, 1.2}) {
      const testing::LqrAnswer exact = testing::exact_lqr(p, k, 0.6L);
      const auto ours = solve<1>(scalar_system(p), scalar_gain(k), 0.6);
      const double tolerance = 1e-12;
      const auto near = [&](double x, long double y) {
        EXPECT_NEAR(x, double(y), tolerance * (1 + std::fabs(double(y)))) << "k " << k;
      };
      near(ours.value, exact.value);
      near(ours.by_gain(0), exact.by_gain);
      near(ours.by_sigma, exact.by_sigma);
      near(expected_return<1>(scalar_system(p), scalar_gain(k), 0.6), exact.value);
    }
  }
}

// U with rewards discounted, by the moments alone.
double discounted_return(LinearQuadraticSystem<3> system, const Eigen::Matrix3d& gain, double sigma,
                         double gamma) {
  double value = 0, factor = 1, last = 0;
  const int horizon = system.horizon;
  for (int t = 1; t <= horizon; t++) {
    system.horizon = t;
    const double total = expected_return<3>(system, gain, sigma);
    value += factor * (total - last);
    last = total;
    factor *= gamma;
  }
  return value;
}

TEST(LinearQuadratic, GradientsAreDifferencesOfTheReturn) {
  LinearQuadraticSystem<3> system = dean();
  system.b << 1, 0.2, 0, -0.1, 0.8, 0.3, 0, 0, 1.1;
  system.r << 1, 0.1, 0, 0.1, 2, 0, 0, 0, 0.5;
  system.q << 0.3, 0.05, 0, 0.05, 0.2, 0, 0, 0, 0.1;
  system.initial << 1, -2, 0.5;
  system.horizon = 17;
  Eigen::Matrix3d gain = 0.1 * Eigen::Matrix3d::Identity();
  gain(0, 1) = 0.05, gain(2, 0) = -0.07;
  const double sigma = 0.4, e = 1e-5;
  for (const double gamma : {1.0, 0.9}) {
    const auto exact = solve<3>(system, gain, sigma, gamma);
    EXPECT_NEAR(exact.value, discounted_return(system, gain, sigma, gamma), 1e-9);
    for (int k = 0; k < 9; k++) {
      Eigen::Matrix3d above = gain, below = gain;
      above(k / 3, k % 3) += e, below(k / 3, k % 3) -= e;
      const double slope = (discounted_return(system, above, sigma, gamma) -
                            discounted_return(system, below, sigma, gamma)) /
                           (2 * e);
      EXPECT_NEAR(exact.by_gain(k / 3, k % 3), slope, 1e-6 * (1 + std::fabs(slope))) << k;
    }
    const double slope = (discounted_return(system, gain, sigma + e, gamma) -
                          discounted_return(system, gain, sigma - e, gamma)) /
                         (2 * e);
    EXPECT_NEAR(exact.by_sigma, slope, 1e-6 * (1 + std::fabs(slope)));
  }
}

// The system of Dean et al.: the gain solves the Riccati equation, its cost is the least, and the
// gradient vanishes there and nowhere near.
TEST(LinearQuadratic, OptimalGainOfDeanHasNoGradient) {
  const LinearQuadraticSystem<3> system = dean();
  const Eigen::Matrix3d best = optimal_gain<3>(system);
  const AverageCost<3> at_best = average_cost<3>(system, best);
  EXPECT_LT(at_best.gradient.norm(), 1e-9);
  for (int k = 0; k < 9; k++) {
    Eigen::Matrix3d other = best;
    other(k / 3, k % 3) += 1e-3;
    EXPECT_GT(average_cost<3>(system, other).cost, at_best.cost) << k;
  }
  const Eigen::Matrix3d now = 0.1 * Eigen::Matrix3d::Identity();
  const AverageCost<3> at_now = average_cost<3>(system, now);
  for (int k = 0; k < 9; k++) {
    Eigen::Matrix3d above = now, below = now;
    above(k / 3, k % 3) += 1e-6, below(k / 3, k % 3) -= 1e-6;
    const double slope =
        (average_cost<3>(system, above).cost - average_cost<3>(system, below).cost) / 2e-6;
    EXPECT_NEAR(at_now.gradient(k / 3, k % 3), slope, 1e-6 * (1 + std::fabs(slope))) << k;
  }
  EXPECT_TRUE(std::isinf(average_cost<3>(system, Eigen::Matrix3d::Zero()).cost));
}

// What a step of a long path costs, and its gradient, tend to those of infinite time.
TEST(LinearQuadratic, LongHorizonsTendToTheAverageCost) {
  LinearQuadraticSystem<3> system = dean();
  const Eigen::Matrix3d gain = 0.1 * Eigen::Matrix3d::Identity();
  const AverageCost<3> limit = average_cost<3>(system, gain);
  system.horizon = 1000;
  const auto shorter = solve<3>(system, gain, 0);
  system.horizon = 2000;
  const auto longer = solve<3>(system, gain, 0);
  EXPECT_NEAR(-(longer.value - shorter.value) / 1000, limit.cost, 1e-9);
  EXPECT_LT((-(longer.by_gain - shorter.by_gain) / 1000 - limit.gradient).norm(), 1e-9);
}

}  // namespace
}  // namespace gallop
