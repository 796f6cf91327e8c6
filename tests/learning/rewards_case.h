// Recorded rewards, flags and values with every kind of ending, for the estimators' tests.
#pragma once

#include "tests/learning/kernel_sets.h"

namespace gallop::testing {

struct RewardsCase {
  int n_steps, n_envs;
  float gamma = 1, lambda = 1, reward_scale = 1;
  std::vector<float> reward;                        // [T, N]
  std::vector<std::uint8_t> terminated, truncated;  // [T, N]
  std::vector<float> value;                         // [T + 1, N]
  std::vector<float> final_value;                   // [T, N] NaN where it must not be read

  RewardsCase(int steps, int envs)
      : n_steps(steps),
        n_envs(envs),
        reward(long(steps) * envs),
        terminated(long(steps) * envs),
        truncated(long(steps) * envs),
        value(long(steps + 1) * envs),
        final_value(long(steps) * envs, std::nanf("")) {}

  long at(int t, int n) const { return long(t) * n_envs + n; }
};

inline RewardsCase random_rewards(Random& random, int n_steps, int n_envs) {
  RewardsCase c(n_steps, n_envs);
  const float edge[] = {0.0f, 0.5f, 0.9f, 0.99f, 1.0f};
  c.gamma = random.chance(0.5) ? edge[random.below(5)] : float(random.uniform());
  c.lambda = random.chance(0.5) ? edge[random.below(5)] : float(random.uniform());
  c.reward_scale = random.chance(0.5) ? 1.0f : float(random.uniform(0.01, 10));
  const double p = std::pow(10.0, random.uniform(-3, -0.3));  // of an end, each kind
  for (long i = 0; i < long(n_steps) * n_envs; i++) {
    c.reward[i] = float(random.normal());
    c.terminated[i] = random.chance(p);
    c.truncated[i] = random.chance(p);
    if (c.truncated[i] && !c.terminated[i]) c.final_value[i] = float(2 * random.normal());
  }
  for (float& v : c.value) v = float(2 * random.normal());
  return c;
}

}  // namespace gallop::testing
