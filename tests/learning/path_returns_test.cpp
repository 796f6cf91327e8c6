// kernels/estimators/path_returns.h against the definition: every path's discounted return in long
// double, at each of its transitions, and nothing where the rollout cuts a path.
#include <gtest/gtest.h>

#include "tests/learning/rewards_case.h"

namespace gallop::testing {
namespace {

struct Paths {
  std::vector<float> path_return;
  std::vector<std::uint8_t> complete;
};

Paths run_path_returns(const KernelSet& set, const RewardsCase& c) {
  const long n = long(c.n_steps) * c.n_envs;
  Floats path_return(n);
  std::vector<std::uint8_t> complete(n, 0xa5);
  PathReturnsRequest r = {};
  r.n_steps = c.n_steps;
  r.n_envs = c.n_envs;
  r.gamma = c.gamma;
  r.reward_scale = c.reward_scale;
  r.reward = c.reward.data();
  r.terminated = c.terminated.data();
  r.truncated = c.truncated.data();
  r.path_return = path_return.data();
  r.complete = complete.data();
  set.kernels->path_returns(r, TestWork(16));
  return {path_return.values(), complete};
}

TEST(PathReturns, EqualTheDefinition) {
  Random random(51);
  long paths = 0, cut = 0;
  for (int trial = 0; trial < 200; trial++) {
    const RewardsCase c = random_rewards(random, 1 + random.below(200), 1 + random.below(37));
    const Paths first = run_path_returns(kernel_sets()[0], c);
    for (int n = 0; n < c.n_envs; n++) {
      int begin = 0;
      long double sum = 0, weight = 1, magnitude = 0;
      for (int t = 0; t < c.n_steps; t++) {
        const long double reward = (long double)c.reward[c.at(t, n)] * c.reward_scale;
        sum += weight * reward;
        magnitude += weight * std::abs(reward);
        weight *= c.gamma;
        if (!c.terminated[c.at(t, n)] && !c.truncated[c.at(t, n)]) continue;
        for (; begin <= t; begin++) {
          ASSERT_EQ(first.complete[c.at(begin, n)], 1);
          ASSERT_NEAR(first.path_return[c.at(begin, n)], double(sum),
                      1e-5 * (double(magnitude) + 1e-3));
          ASSERT_EQ(first.path_return[c.at(begin, n)], first.path_return[c.at(t, n)])
              << "one return a path";
        }
        paths++;
        sum = magnitude = 0;
        weight = 1;
      }
      for (; begin < c.n_steps; begin++, cut++) {
        ASSERT_EQ(first.complete[c.at(begin, n)], 0);
        ASSERT_EQ(first.path_return[c.at(begin, n)], 0.0f);
      }
    }
    for (const KernelSet& set : kernel_sets()) {
      const Paths other = run_path_returns(set, c);
      ASSERT_TRUE(same_bits(other.path_return, first.path_return)) << set.isa;
      ASSERT_EQ(other.complete, first.complete) << set.isa;
    }
  }
  EXPECT_GT(paths, 1000);
  EXPECT_GT(cut, 1000);
}

TEST(PathReturns, AnExampleByHand) {
  RewardsCase c(6, 1);
  c.reward = {1, 2, 4, 8, 16, 32};
  c.terminated = {0, 1, 0, 1, 0, 0};
  c.truncated = {0, 0, 1, 1, 0, 0};
  for (const auto& [gamma, expected] :
       {std::pair<float, std::vector<float>>(1.0f, {3, 3, 4, 8, 0, 0}),
        std::pair<float, std::vector<float>>(0.5f, {2, 2, 4, 8, 0, 0}),
        std::pair<float, std::vector<float>>(0.0f, {1, 1, 4, 8, 0, 0})}) {
    c.gamma = gamma;
    for (const KernelSet& set : kernel_sets()) {
      EXPECT_EQ(run_path_returns(set, c).path_return, expected) << set.isa << " " << gamma;
      EXPECT_EQ(run_path_returns(set, c).complete, (std::vector<std::uint8_t>{1, 1, 1, 1, 0, 0}));
    }
  }
}

}  // namespace
}  // namespace gallop::testing
