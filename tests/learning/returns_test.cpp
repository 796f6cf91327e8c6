// kernels/estimators/returns.h against the definition, term by term in long double.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/learning/rewards_case.h"

namespace gallop::testing {
namespace {

std::vector<float> run_returns(const KernelSet& set, const RewardsCase& c, bool with_values) {
  Floats returns(long(c.n_steps) * c.n_envs);
  ReturnsRequest r = {};
  r.n_steps = c.n_steps;
  r.n_envs = c.n_envs;
  r.gamma = c.gamma;
  r.reward_scale = c.reward_scale;
  r.reward = c.reward.data();
  r.terminated = c.terminated.data();
  r.truncated = c.truncated.data();
  r.last_value = with_values ? c.value.data() + c.at(c.n_steps, 0) : nullptr;
  r.final_value = with_values ? c.final_value.data() : nullptr;
  r.returns = returns.data();
  set.kernels->returns(r, TestWork(16));
  return returns.values();
}

// sum over k >= t of gamma^(k - t) r[k] up to the end of the episode, and what the end is worth.
long double return_by_definition(const RewardsCase& c, int t, int n, bool with_values,
                                 long double& magnitude) {
  long double sum = 0, weight = 1;
  magnitude = 0;
  const auto add = [&](long double term) {
    sum += weight * term;
    magnitude += weight * std::abs(term);
  };
  for (int k = t; k < c.n_steps; k++) {
    const long at = c.at(k, n);
    add((long double)c.reward[at] * c.reward_scale);
    weight *= c.gamma;
    if (c.terminated[at]) return sum;
    if (c.truncated[at]) {
      if (with_values) add(c.final_value[at]);
      return sum;
    }
  }
  if (with_values) add(c.value[c.at(c.n_steps, n)]);
  return sum;
}

TEST(Returns, EqualTheDefinition) {
  Random random(21);
  for (int trial = 0; trial < 200; trial++) {
    const RewardsCase c = random_rewards(random, 1 + random.below(512), 1 + random.below(20));
    const bool with_values = random.chance(0.5);
    const std::vector<float> first = run_returns(kernel_sets()[0], c, with_values);
    for (int n = 0; n < c.n_envs; n++) {
      for (int t = 0; t < c.n_steps; t++) {
        long double magnitude;
        const long double exact = return_by_definition(c, t, n, with_values, magnitude);
        ASSERT_NEAR(first[c.at(t, n)], double(exact), 1e-5 * std::max(1e-3, double(magnitude)))
            << "T " << c.n_steps << " t " << t << " gamma " << c.gamma;
      }
    }
    for (const KernelSet& set : kernel_sets()) {
      ASSERT_TRUE(same_bits(run_returns(set, c, with_values), first)) << set.isa;
    }
  }
}

TEST(Returns, ATruncationBootstrapsFromTheFinalObservation) {
  RewardsCase c(3, 1);
  c.gamma = 0.5f;
  c.reward = {1, 1, 1};
  c.truncated = {0, 1, 0};
  c.final_value = {NAN, 8, NAN};
  c.value = {100, 100, 100, 4};
  for (const KernelSet& set : kernel_sets()) {
    EXPECT_EQ(run_returns(set, c, true), (std::vector<float>{3.5f, 5, 3})) << set.isa;
    EXPECT_EQ(run_returns(set, c, false), (std::vector<float>{1.5f, 1, 1})) << set.isa;
  }
}

TEST(Returns, WideArraysHaveTheSameBits) {
  expect_wide_arrays_to_have_the_same_bits(
      40, [](const KernelSet& set, const RewardsCase& c) { return run_returns(set, c, true); });
}

TEST(Returns, ArraysThatNoCacheHoldsHaveTheSameBits) {
  expect_far_arrays_to_have_the_same_bits(
      21, [](const KernelSet& set, const RewardsCase& c) { return run_returns(set, c, true); });
}

}  // namespace
}  // namespace gallop::testing
