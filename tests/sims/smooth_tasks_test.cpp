// The double integrator and the cart-pole that is swung up, against their equations written another
// way: the exact motion under a held force, and the two equations of motion solved as a system.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/learning/kernel_sets.h"
#include "tests/sims/environment_tables.h"

namespace gallop::testing {
namespace {

constexpr double kTolerance = 1e-12;
constexpr int kPoints = 200;

struct Result {
  std::vector<double> state, observation;
  double reward;
};

Result step(const CompiledEnvironment& e, std::vector<double> state, double action) {
  const std::vector<double> parameters = default_parameters(e.spec());
  const SharedData data(e.spec(), parameters);
  Result r = {std::move(state), std::vector<double>(e.spec().observation_capacity), NAN};
  EXPECT_EQ(e.transitions->transition_double(data.shared, parameters.data(), 0, 0, r.state.data(),
                                             &action, r.observation.data(), &r.reward, nullptr),
            0)
      << "it never terminates";
  return r;
}

TEST(DoubleIntegrator, MovesAsAMassUnderAHeldForce) {
  const std::vector<CompiledEnvironment> found = environments_named("double_integrator");
  if (found.empty()) GTEST_SKIP() << "this build has other environments";
  Random random(1);
  for (int k = 0; k < kPoints; k++) {
    const double x = random.normal(), v = random.normal(), action = 2 * random.normal();
    const double force = std::min(1.0, std::max(-1.0, action)), dt = 0.05;
    const Result r = step(found[0], {x, v}, action);
    EXPECT_NEAR(r.state[0], x + v * dt + force * dt * dt / 2, kTolerance);
    EXPECT_NEAR(r.state[1], v + force * dt, kTolerance);
    EXPECT_NEAR(r.reward, -(x * x + 0.1 * v * v + 0.01 * force * force), kTolerance);
    EXPECT_EQ(r.observation, r.state);
  }
}

TEST(CartPoleSwingUp, ObeysBothEquationsOfMotion) {
  const std::vector<CompiledEnvironment> found = environments_named("cartpole_swingup");
  if (found.empty()) GTEST_SKIP() << "this build has other environments";
  const double g = 9.8, cart = 1, m = 0.1, l = 0.5, tau = 0.05;
  Random random(2);
  for (int k = 0; k < kPoints; k++) {
    const double x = random.normal(), v = random.normal(), angle = 3 * random.normal(),
                 turn = 2 * random.normal(), action = 8 * random.normal();
    const double force = std::min(10.0, std::max(-10.0, action));
    // (cart + m) x'' + m l cos theta'' = F + m l sin theta'^2;  cos x'' + 4/3 l theta'' = g sin
    const double a = cart + m, b = m * l * std::cos(angle), c = std::cos(angle), d = 4.0 / 3 * l;
    const double p = force + m * l * std::sin(angle) * turn * turn, q = g * std::sin(angle);
    const double det = a * d - b * c;
    const double x_acc = (p * d - b * q) / det, turn_acc = (a * q - c * p) / det;
    const Result r = step(found[0], {x, v, angle, turn}, action);
    const double new_v = v + tau * x_acc, new_turn = turn + tau * turn_acc;
    EXPECT_NEAR(r.state[1], new_v, kTolerance * 10);
    EXPECT_NEAR(r.state[0], x + tau * new_v, kTolerance * 10);
    EXPECT_NEAR(r.state[3], new_turn, kTolerance * 10);
    EXPECT_NEAR(r.state[2], angle + tau * new_turn, kTolerance * 10);
    EXPECT_NEAR(r.reward, -(1 - std::cos(angle)) - 0.05 * x * x - 0.001 * force * force,
                kTolerance);
    EXPECT_EQ(r.observation[2], std::cos(r.state[2]));
    EXPECT_EQ(r.observation[3], std::sin(r.state[2]));
  }
}

}  // namespace
}  // namespace gallop::testing
