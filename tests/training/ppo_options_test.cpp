// Options of PPO beside the paper's: the early stop by divergence, rewards by their running
// deviation.
#include <gtest/gtest.h>

#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/learning/on_policy.h>
#include <gallop/host/learning/reward_normalizer.h>
#include "tests/training/learner.h"

namespace gallop::testing {
namespace {

using Assignments = std::vector<std::string>;

const Assignments kNormalized = {"normalize_rewards=true", "minibatch=96"};

TEST(TargetKl, AnIterationEndsAfterThePassThatGoesTooFar) {
  Learner none("cartpole", "ppo", 1, {"epochs=5", "learning_rate=0.01"});
  Learner far("cartpole", "ppo", 1, {"epochs=5", "learning_rate=0.01", "target_kl=1000"});
  Learner near("cartpole", "ppo", 1, {"epochs=5", "learning_rate=0.01", "target_kl=1e-7"});
  Learner single("cartpole", "ppo", 1, {"epochs=1", "learning_rate=0.01"});
  for (Learner* learner : {&none, &far, &near, &single}) learner->run(1);
  EXPECT_TRUE(differences(none.saved(), far.saved()).empty()) << "a limit that nothing reaches";
  EXPECT_EQ(metric(far.run(1), "epochs"), 5);
  // The first minibatch of an iteration is seen by the policy that acted: one pass, of one of them.
  Learner whole("cartpole", "ppo", 1,
                {"epochs=5", "learning_rate=0.01", "target_kl=1e-7", "minibatch=100000"});
  EXPECT_EQ(metric(whole.run(1), "epochs"), 2) << "the second pass sees the first one's step";
  EXPECT_FALSE(differences(none.saved(), near.saved()).empty());
  if (metric(near.run(1), "epochs") == 1) single.run(1);
  EXPECT_LT(metric(near.run(1), "epochs"), 5);
}

// As it is defined, in the order of time, one sum for each instance.
TEST(RewardNormalizer, IsTheDeviationOfDiscountedReturns) {
  const Learner l("pendulum", "ppo", 1, {"gamma=0.9", "n_steps=150", "n_envs=5"});
  OnPolicyLearner learner({.backend = *l.backend,
                           .environment = l.options.environment(),
                           .options = l.options.values(),
                           .seed = 1,
                           .configure = l.options.configure()});
  RewardNormalizer normalizer(5, 0.9);
  EXPECT_EQ(normalizer.scale(), 1.0);
  std::vector<double> sum(5, 0.0), all;
  bool any_end = false;
  for (int rollout = 0; rollout < 3; rollout++) {
    learner.collect();
    normalizer.update(learner.rollout());
    const Trajectory& t = learner.rollout().trajectory();  // host memory
    for (int step = 0; step < t.n_steps; step++) {
      for (int i = 0; i < 5; i++) {
        const int k = step * 5 + i;
        sum[std::size_t(i)] = 0.9 * sum[std::size_t(i)] + double(t.reward[k]);
        all.push_back(sum[std::size_t(i)]);
        const bool ended = t.terminated[k] != 0 || t.truncated[k] != 0;
        any_end = any_end || ended;
        if (ended) sum[std::size_t(i)] = 0;
      }
    }
  }
  EXPECT_TRUE(any_end) << "no episode ended: the sums were never begun anew";
  double mean = 0, variance = 0;
  for (const double g : all) mean += g / double(all.size());
  for (const double g : all) variance += (g - mean) * (g - mean) / double(all.size());
  EXPECT_NEAR(normalizer.scale() * std::sqrt(variance + 1e-8), 1.0, 1e-9);
  TensorFile file;
  normalizer.save(file, "n");
  RewardNormalizer other(5, 0.9);
  other.load(file, "n", learner.steps());
  EXPECT_EQ(other.scale(), normalizer.scale());
  learner.collect();
  normalizer.update(learner.rollout());
  other.update(learner.rollout());
  EXPECT_EQ(other.scale(), normalizer.scale()) << "the open sums are part of what is saved";
  EXPECT_THROW(other.load(file, "n", 10), Error) << "more returns than steps";
}

TEST(RewardNormalizer, IsPartOfTheCheckpointAndOfNoThread) {
  Learner whole("pendulum", "ppo", 1, kNormalized), part("pendulum", "ppo", 3, kNormalized);
  Learner rest("pendulum", "ppo", 2, kNormalized), plain("pendulum", "ppo", 1, {"minibatch=96"});
  whole.run(6);
  part.run(3);
  rest.algorithm->load(part.saved());
  const double deviation = metric(rest.run(3), "reward_deviation");
  EXPECT_TRUE(differences(whole.saved(), rest.saved()).empty());
  EXPECT_GT(deviation, 1);
  plain.run(6);
  EXPECT_FALSE(differences_under("value/parameters", whole.saved(), plain.saved()).empty());
}

}  // namespace
}  // namespace gallop::testing
