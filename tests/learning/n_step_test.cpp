// kernels/estimators/n_step.h against the definition, term by term in long double, and against its
// two limits, one-step differences and Monte Carlo returns.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/learning/rewards_case.h"

namespace gallop::testing {
namespace {

struct NStepResult {
  std::vector<float> advantage, target;
};

NStepResult run_n_step(const KernelSet& set, const RewardsCase& c, int n, bool with_target = true) {
  Floats advantage(long(c.n_steps) * c.n_envs), target(long(c.n_steps) * c.n_envs);
  NStepRequest r = {};
  r.n_steps = c.n_steps;
  r.n_envs = c.n_envs;
  r.n = n;
  r.gamma = c.gamma;
  r.reward_scale = c.reward_scale;
  r.reward = c.reward.data();
  r.terminated = c.terminated.data();
  r.truncated = c.truncated.data();
  r.value = c.value.data();
  r.final_value = c.final_value.data();
  r.advantage = advantage.data();
  r.target = with_target ? target.data() : nullptr;
  set.kernels->n_step(r, TestWork(16));
  return {advantage.values(), target.values()};
}

std::vector<float> gae_advantages(const KernelSet& set, const RewardsCase& c, float lambda) {
  Floats advantage(long(c.n_steps) * c.n_envs);
  GaeRequest r = {};
  r.n_steps = c.n_steps;
  r.n_envs = c.n_envs;
  r.gamma = c.gamma;
  r.lambda = lambda;
  r.reward_scale = c.reward_scale;
  r.reward = c.reward.data();
  r.terminated = c.terminated.data();
  r.truncated = c.truncated.data();
  r.value = c.value.data();
  r.final_value = c.final_value.data();
  r.advantage = advantage.data();
  set.kernels->gae(r, TestWork(16));
  return advantage.values();
}

struct Exact {
  long double q = 0, magnitude = 0;
};

// Rewards of at most n steps, and what the state after them is worth. Both flags together are a
// terminal state.
Exact by_definition(const RewardsCase& c, int t, int i, int n) {
  Exact e;
  long double weight = 1;
  const auto add = [&](long double term) {
    e.q += weight * term;
    e.magnitude += weight * std::abs(term);
  };
  for (int k = t; k < std::min(t + n, c.n_steps); k++) {
    add((long double)c.reward[c.at(k, i)] * c.reward_scale);
    weight *= c.gamma;
    if (c.terminated[c.at(k, i)]) return e;
    if (c.truncated[c.at(k, i)]) {
      add(c.final_value[c.at(k, i)]);
      return e;
    }
  }
  add(c.value[c.at(std::min(t + n, c.n_steps), i)]);
  return e;
}

TEST(NStep, EqualsTheDefinition) {
  Random random(31);
  long both = 0;
  for (int trial = 0; trial < 200; trial++) {
    const RewardsCase c = random_rewards(random, 1 + random.below(90), 1 + random.below(37));
    const int n = random.chance(0.3) ? 1 + random.below(3) : 1 + random.below(120);
    const NStepResult first = run_n_step(kernel_sets()[0], c, n);
    for (int i = 0; i < c.n_envs; i++) {
      for (int t = 0; t < c.n_steps; t++) {
        both += c.terminated[c.at(t, i)] & c.truncated[c.at(t, i)];
        const Exact exact = by_definition(c, t, i, n);
        const double v = c.value[c.at(t, i)], limit = 2e-6 * (double(exact.magnitude) + 1);
        ASSERT_NEAR(first.target[c.at(t, i)], double(exact.q), limit)
            << "T " << c.n_steps << " t " << t << " n " << n << " gamma " << c.gamma;
        ASSERT_NEAR(first.advantage[c.at(t, i)], double(exact.q) - v, limit + 1e-6 * std::abs(v));
      }
    }
    for (const KernelSet& set : kernel_sets()) {
      const NStepResult other = run_n_step(set, c, n);
      ASSERT_TRUE(same_bits(other.advantage, first.advantage)) << set.isa << " N " << c.n_envs;
      ASSERT_TRUE(same_bits(other.target, first.target)) << set.isa << " N " << c.n_envs;
      const NStepResult without = run_n_step(set, c, n, false);
      ASSERT_TRUE(same_bits(without.advantage, first.advantage)) << set.isa;
      for (const float x : without.target) ASSERT_TRUE(std::isnan(x)) << "not asked for";
    }
  }
  EXPECT_GT(both, 1000) << "terminated and truncated in one step";
}

// One step is the difference that GAE sums up, number for number; all steps are GAE with lambda 1.
TEST(NStep, ItsLimitsAreOneStepAndMonteCarlo) {
  Random random(32);
  for (int trial = 0; trial < 60; trial++) {
    RewardsCase c = random_rewards(random, 1 + random.below(300), 1 + random.below(20));
    if (trial < 20) c.gamma = trial % 2 == 0 ? 0.0f : 1.0f;
    for (const KernelSet& set : kernel_sets()) {
      const std::vector<float> one = run_n_step(set, c, 1).advantage;
      const std::vector<float> delta = gae_advantages(set, c, 0);
      const std::vector<float> all = run_n_step(set, c, c.n_steps + trial % 3).advantage;
      const std::vector<float> monte_carlo = gae_advantages(set, c, 1);
      for (std::size_t k = 0; k < one.size(); k++) {
        ASSERT_EQ(one[k], delta[k]) << set.isa << " T " << c.n_steps << " gamma " << c.gamma;
        const int t = int(k) / c.n_envs, i = int(k) % c.n_envs;
        const double size = double(by_definition(c, t, i, c.n_steps).magnitude);
        ASSERT_NEAR(all[k], monte_carlo[k], 4e-6 * (size + 2)) << set.isa << " gamma " << c.gamma;
      }
    }
  }
}

TEST(NStep, AnExampleByHand) {
  RewardsCase c(4, 1);
  c.gamma = 0.5f;
  c.reward = {1, 2, 4, 8};
  c.truncated = {0, 1, 0, 1};
  c.terminated = {0, 0, 0, 1};  // the last step does both: no value after it
  c.final_value = {NAN, 16, NAN, NAN};
  c.value = {1, 2, 3, 4, 100};
  for (const KernelSet& set : kernel_sets()) {
    EXPECT_EQ(run_n_step(set, c, 1).target, (std::vector<float>{2, 10, 6, 8})) << set.isa;
    EXPECT_EQ(run_n_step(set, c, 2).target, (std::vector<float>{6, 10, 8, 8})) << set.isa;
    EXPECT_EQ(run_n_step(set, c, 9).advantage, (std::vector<float>{5, 8, 5, 4})) << set.isa;
    c.gamma = 0;
    EXPECT_EQ(run_n_step(set, c, 3).target, c.reward) << set.isa;
    c.gamma = 0.5f;
  }
}

TEST(NStep, WideArraysHaveTheSameBits) {
  for (const int n : {1, 5, 100}) {
    expect_wide_arrays_to_have_the_same_bits(20, [n](const KernelSet& set, const RewardsCase& c) {
      return run_n_step(set, c, n).target;
    });
  }
}

TEST(NStep, ArraysThatNoCacheHoldsHaveTheSameBits) {
  for (const int n : {1, 4}) {
    expect_far_arrays_to_have_the_same_bits(21, [n](const KernelSet& set, const RewardsCase& c) {
      return run_n_step(set, c, n).target;
    });
  }
}

}  // namespace
}  // namespace gallop::testing
