// Options that give a learner other state or another way through an iteration: a saved learner
// continues with the same bits whatever they are, and the adaptation of the KL penalty follows its
// rule.
#include <gtest/gtest.h>

#include "tests/host/expect_error.h"
#include "tests/training/learner.h"

namespace gallop::testing {
namespace {

struct Variant {
  std::string environment, algorithm;
  std::vector<std::string> options;
};

std::vector<Variant> variants() {
  std::vector<Variant> all;
  for (const char* environment : {"cartpole", "mdp"}) {
    for (const char* baseline : {"none", "mean", "time", "linear", "network"}) {
      for (const char* algorithm :
           {"vpg", "vpg_line_search", "actor_critic", "actor_critic_one_step"}) {
        all.push_back({environment, algorithm, {std::string("baseline=") + baseline}});
      }
      all.push_back({environment,
                     "vpg",
                     {std::string("baseline=") + baseline, "discount_states=true", "gamma=0.9",
                      "step=rmsprop", "estimator=n_step", "value_proximal=1"}});
    }
    for (const char* baseline : {"none", "mean", "optimal", "optimal_component"}) {
      all.push_back(
          {environment, "reinforce", {std::string("baseline=") + baseline, "n_steps=30"}});
    }
    for (const char* step : {"plain", "adam", "rmsprop"}) {
      all.push_back({environment, "a2c", {std::string("step=") + step}});
    }
  }
  for (const char* step : {"plain", "rmsprop", "natural", "trust_region"}) {
    all.push_back({"pendulum", "bptt", {std::string("step=") + step, "from_reset=true"}});
  }
  for (const char* common : {"policy", "dynamics", "both"}) {
    all.push_back({"pendulum", "bptt", {std::string("common=") + common, "from_reset=true"}});
  }
  all.push_back({"pendulum", "bptt", {"sample_actions=false", "state_interval=5"}});
  all.push_back({"lqr", "bptt", {"derivatives=differences", "gamma=0.9", "log_std=network"}});
  all.push_back({"lqr", "shac", {"state_interval=3", "target_decay=0.9", "gae_lambda=0.5"}});
  for (const char* k : {"0", "1", "3", "infinity"}) {
    all.push_back({"pendulum",
                   "svg",
                   {std::string("k=") + k, "log_std=network", "ensemble=2", "model_steps=3",
                    "minibatch=40", "entropy_coefficient=0.01", "buffer_size=700"}});
  }
  for (const char* tail : {"true", "false"}) {
    all.push_back({"pendulum",
                   "learned_model",
                   {std::string("value_tail=") + tail, "ensemble=3", "updates=4", "model_steps=2",
                    "max_adjoint=1", "step=rmsprop", "model_held_out=0", "buffer_size=700"}});
  }
  return all;
}

TEST(Variants, ASavedLearnerContinuesWithTheSameBitsOnAnyNumberOfThreads) {
  for (const Variant& v : variants()) {
    std::string label = v.environment + " " + v.algorithm;
    for (const std::string& option : v.options) label += " " + option;
    SCOPED_TRACE(label);
    Learner whole(v.environment, v.algorithm, 1, v.options),
        other(v.environment, v.algorithm, 3, v.options);
    whole.run(3);
    other.run(2);
    other.algorithm->load(whole.saved());
    EXPECT_TRUE(differences(whole.saved(), other.saved()).empty());
    for (int k = 0; k < 3; k++) {
      const Metrics a = whole.run(1), b = other.run(1);
      ASSERT_EQ(a.size(), b.size());
      for (std::size_t m = 0; m < a.size(); m++) {
        EXPECT_TRUE(a[m].second == b[m].second ||
                    (std::isnan(a[m].second) && std::isnan(b[m].second)))
            << a[m].first;
      }
    }
    EXPECT_EQ(differences(whole.saved(), other.saved()), std::set<std::string>());
  }
}

// Ages of running episodes are part of what is saved: without them the baseline of a resumed run
// would take states for younger than they are.
TEST(Variants, AgesGoOnWhereTheyWere) {
  for (const char* option : {"baseline=time", "baseline=linear", "discount_states=true"}) {
    Learner learner("pendulum", "vpg", 1, {option});
    learner.run(3);
    EXPECT_EQ(floats_of(learner.saved(), "ages"), std::vector<float>(16, 3 * 24)) << option;
    learner.run(6);  // episodes of 200 steps: cut after 200, then 16 more
    EXPECT_EQ(floats_of(learner.saved(), "ages"), std::vector<float>(16, 9 * 24 - 200)) << option;
  }
}

// Which iterations have the same paths, as long as the policy stays.
TEST(Bptt, RandomNumbersInCommonAreThoseNamed) {
  const auto returns = [](const char* common, const char* noise) {
    Learner learner("lqr", "bptt", 1,
                    {std::string("common=") + common, noise, "n_steps=10", "step=plain",
                     "learning_rate=1e-20", "init_log_std=-1"});
    std::set<double> found;
    for (int k = 0; k < 4; k++) found.insert(metric(learner.run(1), "return"));
    return found.size();
  };
  EXPECT_EQ(returns("both", "sample_actions=true"), 1u);
  EXPECT_EQ(returns("none", "sample_actions=true"), 4u);
  EXPECT_EQ(returns("policy", "sample_actions=true"), 4u);
  EXPECT_EQ(returns("dynamics", "sample_actions=true"), 4u);
  // What is left of the noise is in common.
  EXPECT_EQ(returns("policy", "parameters.sigma_w=0"), 1u);
  EXPECT_EQ(returns("dynamics", "parameters.sigma_w=0"), 4u);
  EXPECT_EQ(returns("dynamics", "sample_actions=false"), 1u);
  EXPECT_EQ(returns("policy", "sample_actions=false"), 4u);
}

TEST(Bptt, ATrustRegionBoundsTheMeasuredDivergence) {
  Learner learner("pendulum", "bptt", 1,
                  {"step=trust_region", "delta=0.02", "damping=1e-6", "from_reset=true"});
  for (int k = 0; k < 6; k++) {
    const Metrics metrics = learner.run(1);
    EXPECT_GT(metric(metrics, "kl"), 1e-4);
    EXPECT_LE(metric(metrics, "kl"), 0.02);
  }
}

TEST(Bptt, RandomNumbersInCommonNeedNewEpisodes) {
  test::expect_error_with(
      ExitCode::value,
      [] {
        Learner learner("lqr", "bptt", 1, {"common=both", "from_reset=false"});
      },
      "common", "from_reset");
}

// beta doubles where KL > 1.5 delta, halves where KL < delta / 1.5, and else stays; within
// [1e-4, 1e4].
TEST(Penalty, BetaFollowsTheMeasuredDivergence) {
  int doubled = 0, halved = 0, kept = 0;
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{"delta=1e-4", "beta=0.3"},
        std::vector<std::string>{"delta=0.05", "beta=8", "learning_rate=0.001"},
        std::vector<std::string>{"delta=1e-3", "beta=9000", "learning_rate=0.03"},
        std::vector<std::string>{"delta=5", "beta=2e-4"},
        std::vector<std::string>{"delta=0.003"}}) {
    Learner learner("cartpole", "trpo_penalty", 1, options);
    const double delta = learner.options.values().real("delta");
    double expected = learner.options.values().real("beta");
    for (int k = 0; k < 15; k++) {
      const Metrics metrics = learner.run(1);
      EXPECT_EQ(metric(metrics, "beta"), expected) << options[0] << " iteration " << k;
      const double kl = metric(metrics, "kl");
      if (kl > 1.5 * delta) {
        expected = std::min(2 * expected, 1e4);
        doubled++;
      } else if (kl < delta / 1.5) {
        expected = std::max(expected / 2, 1e-4);
        halved++;
      } else {
        kept++;
      }
      EXPECT_EQ(learner.saved().get_scalar<double>("beta"), expected);
    }
  }
  EXPECT_GT(doubled, 5);
  EXPECT_GT(halved, 5);
  EXPECT_GT(kept, 0);
}

TEST(Penalty, WithoutAdaptationBetaStays) {
  Learner learner("cartpole", "trpo_penalty", 1, {"adapt=false", "beta=3", "delta=1e-9"});
  for (int k = 0; k < 5; k++) {
    const Metrics metrics = learner.run(1);
    EXPECT_EQ(metric(metrics, "beta"), 3);
    EXPECT_GT(metric(metrics, "kl"), 1.5e-9);
  }
  EXPECT_EQ(learner.saved().get_scalar<double>("beta"), 3);
}

// A greater penalty makes a shorter step.
TEST(Penalty, AGreaterBetaIsASmallerDivergence) {
  const auto divergence = [](const char* beta) {
    Learner learner("cartpole", "trpo_penalty", 1,
                    {std::string("beta=") + beta, "adapt=false", "learning_rate=0.01"});
    double sum = 0;
    for (int k = 0; k < 5; k++) sum += metric(learner.run(1), "kl");
    return sum;
  };
  const double weak = divergence("0.01"), strong = divergence("100");
  EXPECT_LT(strong, weak / 3);
}

}  // namespace
}  // namespace gallop::testing
