// Algorithm vpg_line_search: candidates play common scenarios, the step that is taken satisfies
// Armijo's rule there, and a search without a success leaves no trace in the policy.
#include <gtest/gtest.h>

#include <algorithm>

#include <gallop/host/learning/evaluate.h>
#include "tests/training/learner.h"

namespace gallop::testing {
namespace {

// Mean return and length of the episodes of search number `search` under a learner's policy; the
// seed as algorithms/vpg_line_search.cpp has it.
Evaluation play(const Learner& learner, const Algorithm& with_policy, std::uint64_t search) {
  const std::uint64_t first = std::uint64_t(1) << 55;
  const std::uint64_t run = learner.options.seed() * 0x9e3779b97f4a7c15u;
  const std::uint64_t seed = first + (run + search) % first;
  return evaluate_policy(*learner.backend, learner.options.environment(), with_policy.policy(),
                         int(learner.options.values().integer("search_episodes")), seed, false,
                         learner.options.configure());
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); i++) squares += std::pow(double(a[i]) - double(b[i]), 2);
  return std::sqrt(squares);
}

double search_step(const Learner& learner) {
  return learner.saved().get_scalar<double>("search_step");
}

struct Case {
  const char* environment;
  std::vector<std::string> options;
  long length;  // of every episode, 0 where they differ
};
const Case kCases[] = {
    {"mdp", {"search_episodes=64", "initial_step=2"}, 4},
    {"mdp", {"search_episodes=5", "armijo=0.3", "initial_step=8", "reward_scale=0.25"}, 4},
    {"pendulum", {"search_episodes=3", "initial_step=0.5", "backtracks=4"}, 200},
    {"cartpole", {"search_episodes=16", "armijo=0.1", "initial_step=3"}, 0},
};

TEST(LineSearch, TakesTheFirstCandidateThatReachesArmijosRule) {
  int taken_steps = 0, shortened = 0, rejected = 0;
  for (const Case& c : kCases) {
    std::vector<std::string> options = c.options;
    options.push_back("normalize_advantages=false");  // dU / dalpha needs no deviation
    Learner learner(c.environment, "vpg_line_search", 1, options),
        old(c.environment, "vpg_line_search", 1, options);
    const Options& values = learner.options.values();
    const double initial = values.real("initial_step");
    for (int k = 0; k < 12; k++) {
      SCOPED_TRACE(std::string(c.environment) + ", iteration " + std::to_string(k));
      const TensorFile file = learner.saved();
      old.algorithm->load(file);
      const double first = search_step(learner);
      const std::uint64_t steps = learner.algorithm->steps();
      const Metrics metrics = learner.run(1);
      const Evaluation before = play(learner, *old.algorithm, std::uint64_t(k));
      const Evaluation after = play(learner, *learner.algorithm, std::uint64_t(k));
      // Bit for bit: the same scenarios, for whoever plays them.
      EXPECT_EQ(metric(metrics, "search_return"), after.mean);
      const double alpha = metric(metrics, "step_scale");
      const std::vector<float> theta = floats_of(learner.saved(), "policy/parameters");
      const std::vector<float> theta_old = floats_of(file, "policy/parameters");
      const double slope =
          metric(metrics, "gradient_norm") * before.mean_length / values.real("reward_scale");
      const double next = search_step(learner);
      double tries = double(values.integer("backtracks"));
      if (alpha > 0) {
        taken_steps++;
        EXPECT_GE(after.mean, before.mean + values.real("armijo") * alpha * slope);
        EXPECT_GT(after.mean, before.mean);
        EXPECT_NEAR(distance(theta, theta_old), alpha, 1e-4 * alpha + 1e-6);
        tries = std::log2(first / alpha) + 1;
        EXPECT_EQ(tries, std::round(tries)) << "alpha is a power of a half of the first";
        EXPECT_GE(tries, 1);
        EXPECT_LE(tries, double(values.integer("backtracks")));
        EXPECT_EQ(next, std::clamp(2 * alpha, initial * 1e-3, initial));
        shortened += tries > 1;
      } else {
        rejected++;
        EXPECT_TRUE(differences_under("policy/", learner.saved(), file).empty());
        EXPECT_EQ(after.mean, before.mean);
        EXPECT_EQ(next, std::max(initial * 1e-3, first / 4));
      }
      // Episodes of the policy as it was and of every candidate count.
      const double counted = double(learner.algorithm->steps() - steps) - 16 * 24;
      if (c.length > 0) {
        EXPECT_EQ(counted,
                  double(values.integer("search_episodes")) * double(c.length) * (tries + 1));
      } else {
        EXPECT_GT(counted, 16 * before.mean_length + (alpha > 0 ? 15.9 * after.mean_length : 0));
      }
    }
  }
  std::printf("%d steps taken, %d of them shortened, %d searches without a step\n", taken_steps,
              shortened, rejected);
  EXPECT_GT(taken_steps, 10);
  EXPECT_GT(shortened, 3);
  EXPECT_GT(rejected, 0);
}

// With normalised advantages the gradient is one of rewards divided by their deviation: the slope
// that the rule uses does not change with the scale of rewards, nor does the search.
TEST(LineSearch, TheRuleDoesNotDependOnTheScaleOfRewards) {
  const auto trained = [](const char* scale) {
    Learner learner("pendulum", "vpg_line_search", 1,
                    {std::string("reward_scale=") + scale, "search_episodes=4", "armijo=0.2",
                     "baseline=none", "initial_step=4"});
    std::vector<double> numbers;
    for (int k = 0; k < 6; k++) {
      const Metrics metrics = learner.run(1);
      numbers.push_back(metric(metrics, "step_scale"));
      numbers.push_back(metric(metrics, "search_return"));
    }
    return numbers;
  };
  // Advantages are normalised by their deviation + 1e-8: the scale takes part in a last bit.
  const std::vector<double> one = trained("1"), eighth = trained("0.125");
  int taken = 0;
  for (std::size_t k = 0; k < one.size(); k++) {
    EXPECT_NEAR(one[k], eighth[k], 1e-3 * std::abs(one[k])) << "number " << k;
    taken += k % 2 == 0 && one[k] > 0 ? 1 : 0;
  }
  EXPECT_GE(taken, 1);
}

TEST(LineSearch, AnImpossibleDemandLeavesTheParametersBitForBit) {
  for (const char* environment : {"mdp", "pendulum", "cartpole"}) {
    Learner learner(environment, "vpg_line_search", 2,
                    {"armijo=1", "initial_step=1e6", "backtracks=3", "search_episodes=4"});
    double last = NAN;
    for (int k = 0; k < 4; k++) {
      const TensorFile before = learner.saved();
      const Metrics metrics = learner.run(1);
      EXPECT_EQ(metric(metrics, "step_scale"), 0) << environment;
      EXPECT_TRUE(differences_under("policy/", learner.saved(), before).empty()) << environment;
      EXPECT_FALSE(differences_under("value/", learner.saved(), before).empty()) << environment;
      EXPECT_NE(metric(metrics, "search_return"), last) << "scenarios are fresh in each iteration";
      last = metric(metrics, "search_return");
    }
  }
}

// No reward depends on the policy: nothing is better, and nothing moves.
TEST(LineSearch, AGradientOfZeroTakesNoStep) {
  Learner learner("bandit_step", "vpg_line_search", 1, {"n_envs=4", "n_steps=1", "c=-1000"});
  const TensorFile before = learner.saved();
  const Metrics metrics = learner.run(1);  // equal advantages
  EXPECT_EQ(metric(metrics, "gradient_norm"), 0);
  EXPECT_EQ(metric(metrics, "step_scale"), 0);
  EXPECT_TRUE(differences_under("policy/", learner.saved(), before).empty());
}

TEST(LineSearch, ASearchGoesOnExactlyAfterItWasSaved) {
  for (const Case& c : kCases) {
    Learner whole(c.environment, "vpg_line_search", 1, c.options),
        other(c.environment, "vpg_line_search", 3, c.options);
    whole.run(3);
    other.run(1);
    other.algorithm->load(whole.saved());
    for (int k = 0; k < 4; k++) {
      const Metrics a = whole.run(1), b = other.run(1);
      EXPECT_EQ(metric(a, "step_scale"), metric(b, "step_scale")) << c.environment;
      EXPECT_EQ(metric(a, "search_return"), metric(b, "search_return")) << c.environment;
    }
    EXPECT_TRUE(differences(whole.saved(), other.saved()).empty()) << c.environment;
  }
}

}  // namespace
}  // namespace gallop::testing
