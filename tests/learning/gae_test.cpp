// kernels/estimators/gae.h against the definition, term by term in long double.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/learning/rewards_case.h"

namespace gallop::testing {
namespace {

// A[t] = sum over k >= t of (product over t <= j < k of gamma lambda (1 - ended[j])) delta[k].
// Returns A[t] and, in `magnitude`, the same sum over |r|, |gamma V| and |V| of the delta: the
// scale of rounding errors.
long double advantage_by_definition(const RewardsCase& c, int t, int n, long double& magnitude) {
  long double sum = 0, weight = 1;
  magnitude = 0;
  for (int k = t; k < c.n_steps; k++) {
    const long at = c.at(k, n);
    const long double next = c.terminated[at]  ? 0.0L
                             : c.truncated[at] ? c.final_value[at]
                                               : c.value[at + c.n_envs];
    const long double delta = (long double)c.reward[at] * c.reward_scale +
                              (long double)c.gamma * next - (long double)c.value[at];
    sum += weight * delta;
    magnitude += weight * (std::abs((long double)c.reward[at] * c.reward_scale) +
                           std::abs(c.gamma * next) + std::abs((long double)c.value[at]));
    if (c.terminated[at] || c.truncated[at]) break;
    weight *= (long double)c.gamma * c.lambda;
  }
  return sum;
}

struct Result {
  std::vector<float> advantage, target;
};

Result run_gae(const KernelSet& set, const RewardsCase& c, int grain = 0) {
  const long count = long(c.n_steps) * c.n_envs;
  Floats advantage(count), target(count);
  GaeRequest r = {};
  r.n_steps = c.n_steps;
  r.n_envs = c.n_envs;
  r.gamma = c.gamma;
  r.lambda = c.lambda;
  r.reward_scale = c.reward_scale;
  r.reward = c.reward.data();
  r.terminated = c.terminated.data();
  r.truncated = c.truncated.data();
  r.value = c.value.data();
  r.final_value = c.final_value.data();
  r.advantage = advantage.data();
  r.target = target.data();
  set.kernels->gae(r, TestWork(grain));
  return {advantage.values(), target.values()};
}

TEST(Gae, GoldenSequence) {
  // Algorithms' reference, section 1.16: r, V, bootstrap 0.9, gamma 0.99, lambda 0.95.
  RewardsCase c(4, 1);
  c.gamma = 0.99f;
  c.lambda = 0.95f;
  c.reward = {1, .5f, -.2f, 2};
  c.value = {.5f, .4f, .3f, .2f, 0.77f};
  const double cut[] = {3.240917437, 2.493266813, 2.2288855, 2.691};
  const double ended[] = {2.499685534, 1.70514145, 1.3909, 1.8};
  for (const KernelSet& set : kernel_sets()) {
    c.terminated = {0, 0, 0, 0};
    c.truncated = {0, 0, 0, 1};
    c.final_value = {NAN, NAN, NAN, .9f};
    Result r = run_gae(set, c);
    for (int t = 0; t < 4; t++) {
      EXPECT_NEAR(r.advantage[t], cut[t], 1e-6) << set.isa << " truncated, step " << t;
      EXPECT_NEAR(r.target[t], cut[t] + c.value[t], 1e-6) << set.isa << " truncated, step " << t;
    }
    // The rollout ends within an episode: V[T] stands for what follows.
    c.truncated[3] = 0;
    c.value[4] = .9f;
    c.final_value[3] = NAN;
    r = run_gae(set, c);
    for (int t = 0; t < 4; t++) EXPECT_NEAR(r.advantage[t], cut[t], 1e-6) << set.isa << t;
    c.terminated[3] = 1;
    r = run_gae(set, c);
    for (int t = 0; t < 4; t++) EXPECT_NEAR(r.advantage[t], ended[t], 1e-6) << set.isa << t;
    c.truncated[3] = 1;  // both: the termination counts
    r = run_gae(set, c);
    for (int t = 0; t < 4; t++) EXPECT_NEAR(r.advantage[t], ended[t], 1e-6) << set.isa << t;
  }
}

TEST(Gae, EqualsTheDefinitionInBothShapes) {
  Random random(11);
  double worst = 0;
  int sequences = 0, scans = 0;
  for (int trial = 0; trial < 300; trial++) {
    const int n_steps = trial == 0   ? kGaeScanSteps - 1
                        : trial == 1 ? kGaeScanSteps
                        : trial == 2 ? 512
                        : trial == 3 ? 1
                                     : 1 + random.below(512);
    const RewardsCase c = random_rewards(random, n_steps, 1 + random.below(33));
    scans += n_steps >= kGaeScanSteps ? 1 : 0;
    const Result first = run_gae(kernel_sets()[0], c);
    for (int n = 0; n < c.n_envs; n++, sequences++) {
      for (int t = 0; t < n_steps; t++) {
        long double magnitude;
        const long double exact = advantage_by_definition(c, t, n, magnitude);
        const double error = double(std::abs(first.advantage[c.at(t, n)] - exact));
        const double scale = std::max(1e-3, double(magnitude));
        ASSERT_LE(error, 1e-5 * scale) << "T " << n_steps << " t " << t << " gamma " << c.gamma
                                       << " lambda " << c.lambda << " exact " << double(exact);
        worst = std::max(worst, error / scale);
        ASSERT_EQ(first.target[c.at(t, n)], first.advantage[c.at(t, n)] + c.value[c.at(t, n)]);
      }
    }
    for (const KernelSet& set : kernel_sets()) {
      const Result whole = run_gae(set, c), split = run_gae(set, c, 16);
      ASSERT_TRUE(same_bits(whole.advantage, first.advantage)) << set.isa << ", T " << n_steps;
      ASSERT_TRUE(same_bits(split.advantage, first.advantage)) << set.isa << ", T " << n_steps;
      ASSERT_TRUE(same_bits(split.target, first.target)) << set.isa << ", T " << n_steps;
    }
  }
  EXPECT_GT(sequences, 3000);
  EXPECT_GT(scans, 50);
  RecordProperty("worst_relative_error", std::to_string(worst));
  std::printf("%d sequences, greatest relative error %.2g\n", sequences, worst);
}

TEST(Gae, LambdaZeroIsTheTemporalDifference) {
  Random random(12);
  for (const int n_steps : {7, 40, kGaeScanSteps, 300}) {
    RewardsCase c = random_rewards(random, n_steps, 9);
    c.lambda = 0;
    for (const KernelSet& set : kernel_sets()) {
      const Result r = run_gae(set, c);
      for (long i = 0; i < long(n_steps) * c.n_envs; i++) {
        const double next = c.terminated[i]  ? 0.0
                            : c.truncated[i] ? double(c.final_value[i])
                                             : double(c.value[i + c.n_envs]);
        const double scaled = double(c.reward[i]) * double(c.reward_scale);
        const double delta = scaled + double(c.gamma) * next - double(c.value[i]);
        const double scale = std::abs(scaled) + std::abs(next) + std::abs(double(c.value[i]));
        ASSERT_NEAR(r.advantage[i], delta, 3e-7 * scale) << set.isa << " T " << n_steps;
      }
    }
  }
}

TEST(Gae, LambdaOneIsTheReturnLessTheValue) {
  Random random(13);
  for (const int n_steps : {7, 40, kGaeScanSteps, 300}) {
    RewardsCase c = random_rewards(random, n_steps, 9);
    c.lambda = 1;
    c.gamma = 0.95f;
    for (const KernelSet& set : kernel_sets()) {
      const Result r = run_gae(set, c);
      for (int n = 0; n < c.n_envs; n++) {
        long double follows = c.value[c.at(n_steps, n)];
        for (int t = n_steps - 1; t >= 0; t--) {
          const long at = c.at(t, n);
          if (c.truncated[at]) follows = c.final_value[at];
          if (c.terminated[at]) follows = 0;
          follows = (long double)c.gamma * follows +
                    (long double)c.reward[at] * (long double)c.reward_scale;
          ASSERT_NEAR(r.target[at], double(follows),
                      2e-5 * std::max(1.0, double(std::abs(follows))))
              << set.isa << " T " << n_steps << " t " << t;
        }
      }
    }
  }
}

// Nothing behind the end of an episode reaches its advantages, to the last bit.
TEST(Gae, NothingLeaksOverAnEnd) {
  Random random(14);
  for (int trial = 0; trial < 400; trial++) {
    const int n_steps = 2 + random.below(400);
    RewardsCase c = random_rewards(random, n_steps, 16);
    const int end = random.below(n_steps - 1);
    for (int n = 0; n < c.n_envs; n++) {
      const int kind = 1 + random.below(3);
      c.terminated[c.at(end, n)] = kind & 1;
      c.truncated[c.at(end, n)] = kind >> 1;
      c.final_value[c.at(end, n)] = float(random.normal());
    }
    RewardsCase other = c;
    for (int t = end + 1; t < n_steps; t++) {
      for (int n = 0; n < c.n_envs; n++) {
        const long at = c.at(t, n);
        other.reward[at] = float(1e6 * random.normal());
        other.value[at] = float(1e6 * random.normal());
        other.terminated[at] = random.chance(0.2);
        other.truncated[at] = random.chance(0.2);
        other.final_value[at] = float(1e6 * random.normal());
      }
    }
    for (int n = 0; n < c.n_envs; n++) other.value[c.at(n_steps, n)] = 1e6f;
    const KernelSet& set = kernel_sets()[trial % kernel_sets().size()];
    const Result a = run_gae(set, c), b = run_gae(set, other);
    ASSERT_TRUE(same_bits(a.advantage.data(), b.advantage.data(), long(end + 1) * c.n_envs))
        << set.isa << " T " << n_steps << " end " << end;
    ASSERT_FALSE(same_bits(a.advantage, b.advantage)) << "the change had no effect at all";
  }
}

TEST(Gae, WideArraysHaveTheSameBits) {
  for (const int n_steps : {40, kGaeScanSteps + 5}) {
    expect_wide_arrays_to_have_the_same_bits(
        n_steps,
        [](const KernelSet& set, const RewardsCase& c) { return run_gae(set, c).advantage; });
  }
}

TEST(Gae, ArraysThatNoCacheHoldsHaveTheSameBits) {
  for (const int n_steps : {9, kGaeScanSteps}) {
    expect_far_arrays_to_have_the_same_bits(
        n_steps,
        [](const KernelSet& set, const RewardsCase& c) { return run_gae(set, c).advantage; });
  }
}

}  // namespace
}  // namespace gallop::testing
