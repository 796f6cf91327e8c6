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

// Instances [first, first + n) of a case.
inline RewardsCase instances_of(const RewardsCase& c, int first, int n) {
  RewardsCase part(c.n_steps, n);
  part.gamma = c.gamma;
  part.lambda = c.lambda;
  part.reward_scale = c.reward_scale;
  for (int t = 0; t <= c.n_steps; t++) {
    for (int i = 0; i < n; i++) {
      part.value[part.at(t, i)] = c.value[c.at(t, first + i)];
      if (t == c.n_steps) continue;
      part.reward[part.at(t, i)] = c.reward[c.at(t, first + i)];
      part.terminated[part.at(t, i)] = c.terminated[c.at(t, first + i)];
      part.truncated[part.at(t, i)] = c.truncated[c.at(t, first + i)];
      part.final_value[part.at(t, i)] = c.final_value[c.at(t, first + i)];
    }
  }
  return part;
}

// An instance every so often of a case of many: `run` must give the same bits for all of them at
// once and for a few apart.
template <class Run>
void expect_parts_to_have_the_same_bits(const RewardsCase& c, const Run& run) {
  constexpr int kPart = 33;
  for (const KernelSet& set : kernel_sets()) {
    const std::vector<float> all = run(set, c);
    for (const int first : {0, (c.n_envs - kPart) / 2, c.n_envs - kPart}) {
      const RewardsCase part = instances_of(c, first, kPart);
      const std::vector<float> few = run(set, part);
      for (int t = 0; t < c.n_steps; t++) {
        ASSERT_TRUE(same_bits(&few[part.at(t, 0)], &all[c.at(t, first)], kPart))
            << set.isa << ", N " << c.n_envs << ": step " << t << " of instances from " << first;
      }
    }
  }
}

// Of rows that fill the groups of flags that a sweep looks at together, of such that do not, and of
// several blocks, where episodes end seldom, often and always.
template <class Run>
void expect_wide_arrays_to_have_the_same_bits(int n_steps, const Run& run) {
  Random random(70);
  for (const int n_envs : {64, 130, 1024, 2 * 1024 + 90}) {
    for (const double p : {0.0, 0.01, 0.3, 1.0}) {
      RewardsCase c = random_rewards(random, n_steps, n_envs);
      for (long i = 0; i < long(n_steps) * n_envs; i++) {
        c.terminated[i] = random.chance(p / 2);
        c.truncated[i] = random.chance(p);
        const bool cut = c.truncated[i] != 0 && c.terminated[i] == 0;
        c.final_value[i] = cut ? float(random.normal()) : std::nanf("");
      }
      expect_parts_to_have_the_same_bits(c, run);
    }
  }
}

// Of arrays that no cache is taken to hold, of rows that fill registers and of rows that do not.
template <class Run>
void expect_far_arrays_to_have_the_same_bits(int n_steps, const Run& run) {
  constexpr long kBytes = 10;  // an element, at least
  for (const int odd : {0, 37}) {
    Random random(71 + odd);
    const int n_envs = int(kCachedBytes / kBytes / n_steps) / 64 * 64 + 64 + odd;
    expect_parts_to_have_the_same_bits(random_rewards(random, n_steps, n_envs), run);
  }
}

}  // namespace gallop::testing
