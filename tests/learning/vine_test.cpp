// host/learning/vine.h: values of branches against exact ones, random numbers in common, and the
// gradient against differences of equation 16 of arXiv:1502.05477v5.
#include <gallop/host/learning/vine.h>

#include <gtest/gtest.h>

#include <gallop/host/runtime/stop.h>

#include "tests/learning/kernel_sets.h"
#include "tests/learning/reference_region.h"
#include "tests/reference/mdp_exact.h"
#include "tests/training/learner.h"

namespace gallop::testing {
namespace {

struct Grown {
  LearnerParts parts;
  Vine vine;

  Grown(const std::string& environment, const std::vector<std::string>& options)
      : parts(environment, "trpo_vine", options), vine(parts.context, parts.learner) {}

  void set_policy(const std::vector<float>& theta) {
    parts.backend->to_device(parts.learner.policy().parameters().mutable_data(), theta.data(),
                             theta.size() * sizeof(float));
  }
  void grow() {
    parts.learner.collect();
    vine.grow();
  }
};

// Every action of the decision process from every state, then the policy for two steps more: the
// exact difference of Q within 4 standard errors.
TEST(Vine, DifferencesOfTheDecisionProcessAreTheExactOnes) {
  ThreeStateMdp mdp;
  Grown at("mdp", {"n_envs=64", "n_steps=64", "vine_states=4096", "branch_steps=3", "gamma=1",
                   "bootstrap=false", "normalize_advantages=false"});
  std::vector<float> theta;
  for (const auto& row : mdp.theta) theta.insert(theta.end(), {float(row[0]), float(row[1])});
  at.set_policy(theta);
  double sum[3] = {}, squares[3] = {};
  long count[3] = {};
  for (int round = 0; round < 4; round++) {
    at.grow();
    const Samples s = at.vine.samples();
    ASSERT_EQ(s.count, 2 * 4096);
    EXPECT_EQ(at.vine.steps(), 2u * 4096u * 3u);
    for (long j = 0; j < 4096; j++) {
      const int state = int(s.observation[j]);
      ASSERT_EQ(s.observation[4096 + j], s.observation[j]) << "the same state in both branches";
      ASSERT_EQ(s.action[j], 0);
      ASSERT_EQ(s.action[4096 + j], 1);
      ASSERT_EQ(s.log_prob[j], float(-std::log(2.0)));
      ASSERT_NEAR(s.advantage[j], -s.advantage[4096 + j], 1e-6);
      const double difference = double(s.advantage[4096 + j]) - double(s.advantage[j]);
      sum[state] += difference;
      squares[state] += difference * difference;
      count[state]++;
    }
  }
  for (int state = 0; state < 3; state++) {
    double q[2];
    for (int a = 0; a < 2; a++) {
      q[a] = mdp.reward[state][a];
      for (int next = 0; next < 3; next++) {
        q[a] += mdp.transition[state][a][next] * mdp.value(next, 2);
      }
    }
    ASSERT_GT(count[state], 100) << state;
    const double mean = sum[state] / double(count[state]);
    const double error =
        std::sqrt((squares[state] / double(count[state]) - mean * mean) / double(count[state]));
    EXPECT_NEAR(mean, q[1] - q[0], 4 * error) << state;
    EXPECT_LT(error, 0.1) << "so that the bound says something";
  }
}

// Noise of deviation 1 a step and first actions that hardly differ: with random numbers in common
// the branches of a state hardly do either, though returns from state to state do.
TEST(Vine, BranchesOfAStateHaveTheirRandomNumbersInCommon) {
  Grown at("lqr", {"n_envs=32", "n_steps=8", "vine_states=200", "branches=5", "branch_steps=20",
                   "hidden=", "init_log_std=-5", "sigma_w=1", "bootstrap=false"});
  at.grow();
  const Samples s = at.vine.samples();
  ASSERT_EQ(s.count, 5 * 200);
  double value = at.vine.mean_value();
  EXPECT_LT(value, -5) << "the noise costs";
  EXPECT_LT(at.vine.mean_spread(), 0.2);
  EXPECT_GT(at.vine.mean_spread(), 0);
  // Every branch begins with an action of its own.
  std::set<float> actions(s.action, s.action + s.count);
  EXPECT_GT(actions.size(), 990u);
  // And the next iteration has other numbers.
  at.grow();
  EXPECT_NE(at.vine.mean_value(), value);
}

// Without a discount on the last step and with it: V of the network stands for what follows.
TEST(Vine, TheValueOfACutBranchIsTheNetworks) {
  const std::vector<std::string> options = {"n_envs=16",      "n_steps=8", "vine_states=16",
                                            "branch_steps=2", "hidden=4",  "gamma=0.5"};
  std::vector<std::string> without = options;
  without.emplace_back("bootstrap=false");
  Grown with_value("pendulum", options), cut("pendulum", without);
  with_value.grow();
  cut.grow();
  const Samples a = with_value.vine.samples(), b = cut.vine.samples();
  double greatest = 0;
  for (long i = 0; i < a.count; i++) {
    ASSERT_EQ(a.action[i], b.action[i]);
    greatest = std::max(greatest, std::fabs(double(a.advantage[i]) - double(b.advantage[i])));
  }
  EXPECT_GT(greatest, 0) << "the network at first is not constant";
  EXPECT_LT(greatest, 0.25 * 10);
  EXPECT_EQ(with_value.vine.steps(), cut.vine.steps());
}

// d/d theta of the mean over states of eq. 16, by central differences in double.
TEST(Vine, TheGradientIsThatOfTheSelfNormalisedSurrogate) {
  Grown at("pendulum", {"n_envs=16", "n_steps=16", "vine_states=60", "branches=3",
                        "branch_steps=10", "hidden=6", "normalize_observations=false"});
  std::vector<float> theta = at.parts.learner.policy().parameters().values();
  Random random(9);
  for (float& x : theta) x += float(0.3 * random.normal());
  at.set_policy(theta);
  at.grow();
  const Samples s = at.vine.samples();
  PolicyGradientRequest r = at.parts.learner.policy().gradient_request(s);
  r.loss = PolicyLoss::kSurrogate;
  at.parts.backend->policy_gradient(r);
  const PolicyShape shape = at.parts.learner.policy().shape();
  const long offset = layer_offset(shape.network, shape.network.n_layers);
  const auto surrogate = [&](const Vector& at_theta) {
    double mean = 0;
    for (long j = 0; j < 60; j++) {
      double weighted = 0, weights = 0;
      for (long k = 0; k < 3; k++) {
        Vector x;
        for (int o = 0; o < 3; o++) x.push_back(s.observation[(k * 3 + o) * 60 + j]);
        const Vector output = reference_forward(shape.network, at_theta, x);
        const double rho = std::exp(reference_distribution(shape, output, at_theta.data() + offset,
                                                           {double(s.action[k * 60 + j])})
                                        .log_prob -
                                    double(s.log_prob[k * 60 + j]));
        weighted += rho * (double(s.advantage[k * 60 + j]) + 7.0);  // any constant
        weights += rho;
      }
      mean += weighted / weights / 60;
    }
    return mean;
  };
  double squares = 0, errors = 0;
  for (std::size_t i = 0; i < theta.size(); i++) {
    Vector up(theta.begin(), theta.end()), down = up;
    up[i] += 1e-5;
    down[i] -= 1e-5;
    const double exact = (surrogate(up) - surrogate(down)) / 2e-5;
    squares += exact * exact;
    errors += std::pow(exact + double(r.gradient[i]), 2);  // the loss is what descends
  }
  EXPECT_GT(squares, 0);
  EXPECT_LT(std::sqrt(errors), 2e-3 * std::sqrt(squares));
}

TEST(Vine, StatesAreSpreadOverStepsAndInstancesAndAreThoseOfTheRollout) {
  Grown at("cartpole", {"n_envs=8", "n_steps=12", "vine_states=24", "branch_steps=1",
                        "bootstrap=false", "hidden="});
  at.grow();
  const Samples s = at.vine.samples();
  const RolloutArrays a = at.parts.arrays();
  std::set<long> steps;
  for (long j = 0; j < 24; j++) {
    const long step = j * 12 / 24, instance = j % 8;
    steps.insert(step);
    for (long o = 0; o < 4; o++) {
      EXPECT_EQ(s.observation[o * 24 + j], a.observation[(step * 4 + o) * 8 + instance]);
    }
  }
  EXPECT_EQ(steps.size(), 12u);
  EXPECT_EQ(at.vine.mean_value(), 1.0) << "a reward of 1 for the step";
}

// A rollout that takes long is made in parts by a backend that looks whether to stop: the states of
// all parts are recorded, each where its step is. Of cart-pole they are what is observed.
TEST(Vine, StatesOfARolloutInPartsAreThoseOfTheWhole) {
  LearnerParts parts("cartpole", "trpo_vine", {"n_envs=60000", "n_steps=32"});
  parts.learner.track_states();
  int looks = 0;
  const StopScope scope(*parts.backend, [&] {
    looks++;
    return false;
  });
  parts.learner.collect();  // tells how long a step takes
  const int before = looks;
  parts.learner.collect();
  EXPECT_GT(looks - before, 1) << "not made in parts";
  const std::vector<float> states = parts.learner.rollout().states();
  const RolloutArrays a = parts.arrays();
  for (std::size_t i = 0; i < states.size(); i++) ASSERT_EQ(states[i], a.observation[i]) << i;
}

TEST(Vine, ThreadsDoNotChangeABit) {
  std::vector<TensorFile> files;
  for (const int threads : {1, 3}) {
    Learner learner("hopper", "trpo_vine", threads,
                    {"vine_states=30", "branch_steps=12", "normalize_observations=true"});
    learner.run(3);
    files.push_back(learner.saved());
  }
  EXPECT_EQ(differences(files[0], files[1]), std::set<std::string>{});
}

}  // namespace
}  // namespace gallop::testing
