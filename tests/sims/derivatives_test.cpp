// Derivatives of every smooth environment's step against central differences in double.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tests/learning/kernel_sets.h"
#include "tests/sims/environment_tables.h"

namespace gallop::testing {
namespace {

constexpr int kStates = 1000;
constexpr double kStep = 1e-5;  // of differences: errors of 1e-10 by curvature, 1e-11 by rounding
constexpr double kTolerance = 1e-6;     // of a derivative, times its size where that is above 1
constexpr double kNearKink = 1e-3;      // no nearer are derivatives compared
constexpr double kJump = 0.02;          // how much a derivative changes over a kink, likewise
constexpr double kLeastCompared = 0.9;  // of all components

using Numbers = std::vector<double>;

struct Linearized {
  Numbers result, jacobian;
};

// One environment under some parameters.
struct Derived {
  CompiledEnvironment of;
  Numbers parameters;
  SharedData data;
  int n_state, n_observation, n_action, n_result, n_taken;

  Derived(const CompiledEnvironment& e, const Numbers& values)
      : of(e),
        parameters(values),
        data(e.spec(), values),
        n_state(e.spec().n_state),
        n_observation(data.shared.sizes.observation),
        n_action(data.shared.sizes.action),
        n_result(n_state + 1 + n_observation),
        n_taken(n_state + n_action) {}

  // Next state, reward, observation.
  Numbers step(const Numbers& taken, int at) const {
    Numbers state(taken.begin(), taken.begin() + n_state);
    Numbers action(std::size_t(of.spec().action_capacity), 0.0);
    std::copy(taken.begin() + n_state, taken.end(), action.begin());
    Numbers observation(std::size_t(of.spec().observation_capacity)), terms(16);
    double reward = 0;
    of.transitions->transition_double(data.shared, parameters.data(), 7, at, state.data(),
                                      action.data(), observation.data(), &reward, terms.data());
    state.push_back(reward);
    state.insert(state.end(), observation.begin(), observation.begin() + n_observation);
    return state;
  }
  Linearized linearize(const Numbers& taken, int at) const {
    Linearized x = {Numbers(std::size_t(n_result), NAN),
                    Numbers(std::size_t(n_result) * n_taken, NAN)};
    of.transitions->linearize(data.shared, parameters.data(), 7, at, taken.data(),
                              taken.data() + n_state, x.result.data(), x.jacobian.data());
    return x;
  }
  // A state around where episodes begin, and an action, beyond its bounds too.
  Numbers random_point(Random& random, int id) const {
    Numbers taken(std::size_t(n_state), 0.0);
    of.transitions->initial_state(data.shared, parameters.data(), 7, std::uint32_t(id),
                                  taken.data());
    for (int k = 0; k < n_state; k++) {
      const bool counts = std::string(of.spec().state_names[k]) == "elapsed";
      taken[k] += counts ? double(random.below(100)) : 0.3 * random.normal();
    }
    for (int k = 0; k < n_action; k++) {
      const ComponentSpec& bounds = of.spec().action[k];
      const bool bounded = std::isfinite(bounds.high);
      taken.push_back(bounded ? 1.2 * random.uniform(bounds.low, bounds.high) : random.normal());
    }
    return taken;
  }
};

double scale_of(double derivative) { return std::max(1.0, std::abs(derivative)); }

// Whether a derivative by component k changes at once near the point.
bool is_near_kink(const Derived& e, Numbers taken, int at, int k) {
  taken[k] += kNearKink;
  const Linearized after = e.linearize(taken, at);
  taken[k] -= 2 * kNearKink;
  const Linearized before = e.linearize(taken, at);
  for (int i = 0; i < e.n_result; i++) {
    const std::size_t entry = std::size_t(i) * e.n_taken + k;
    const double change = after.jacobian[entry] - before.jacobian[entry];
    if (std::abs(change) > kJump * scale_of(after.jacobian[entry])) return true;
  }
  return false;
}

void expect_derivatives(const Derived& e) {
  Random random(11);
  long compared = 0;
  for (int s = 0; s < kStates; s++) {
    const Numbers taken = e.random_point(random, s);
    const Linearized found = e.linearize(taken, s);
    ASSERT_EQ(found.result, e.step(taken, s)) << e.of.label() << ": the same numbers";
    for (int k = 0; k < e.n_taken; k++) {
      if (is_near_kink(e, taken, s, k)) continue;
      compared++;
      Numbers up = taken, down = taken;
      up[k] += kStep;
      down[k] -= kStep;
      const Numbers above = e.step(up, s), below = e.step(down, s);
      for (int i = 0; i < e.n_result; i++) {
        const double exact = (above[i] - below[i]) / (up[k] - down[k]);
        const double derivative = found.jacobian[std::size_t(i) * e.n_taken + k];
        ASSERT_NEAR(derivative, exact, kTolerance * scale_of(exact))
            << e.of.label() << " state " << s << ": result " << i << " by component " << k;
      }
    }
  }
  EXPECT_GE(double(compared), kLeastCompared * kStates * e.n_taken) << e.of.label();
}

TEST(Derivatives, OfEverySmoothEnvironmentAreThoseOfCentralDifferences) {
  int n_smooth = 0;
  for (const CompiledEnvironment& e : scalar_environments()) {
    const bool smooth = e.spec().not_smooth == nullptr;
    EXPECT_EQ(e.transitions->linearize != nullptr, smooth) << e.label();
    EXPECT_EQ(e.table->pull_back != nullptr, smooth) << e.label();
    if (!smooth) continue;
    n_smooth++;
    expect_derivatives(Derived(e, default_parameters(e.spec())));
  }
  EXPECT_GE(n_smooth, 3);
}

// Of several states and inputs, coupled, and with noise that a step draws.
TEST(Derivatives, OfALinearSystemOfSeveralStates) {
  const std::vector<CompiledEnvironment> found = environments_named("lqr");
  ASSERT_FALSE(found.empty());
  const CompiledEnvironment& e = found.back();
  Numbers parameters = default_parameters(e.spec());
  Random random(3);
  for (double& p : parameters) p += 0.1 * random.normal();
  parameters[parameter_index(e.spec(), "n_states")] = 3;
  parameters[parameter_index(e.spec(), "n_inputs")] = 2;
  parameters[parameter_index(e.spec(), "sigma_w")] = 0.5;
  const Derived derived(e, parameters);
  EXPECT_EQ(derived.n_observation, 3);
  expect_derivatives(derived);
}

TEST(Derivatives, OfOtherEnvironmentsAreMissingForAReason) {
  int n_reasons = 0;
  for (const CompiledEnvironment& e : scalar_environments()) {
    if (e.spec().not_smooth == nullptr) continue;
    n_reasons++;
    EXPECT_GT(std::string(e.spec().not_smooth).size(), 10u) << e.label();
  }
  EXPECT_GE(n_reasons, 2);
}

}  // namespace
}  // namespace gallop::testing
