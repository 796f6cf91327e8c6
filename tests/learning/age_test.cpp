// kernels/estimators/age.h: ages by counting, and the factor gamma^age in long double.
#include <gallop/kernels/estimators/age.h>

#include <gtest/gtest.h>

#include "tests/learning/rewards_case.h"

namespace gallop::testing {
namespace {

std::vector<float> run_ages(const KernelSet& set, const RewardsCase& c,
                            const std::vector<float>& first) {
  Floats age(long(c.n_steps + 1) * c.n_envs);
  std::copy(first.begin(), first.end(), age.data());
  set.kernels->ages({c.n_steps, c.n_envs, c.terminated.data(), c.truncated.data(), age.data()},
                    TestWork(16));
  return age.values();
}

TEST(Age, CountsTheStepsSinceTheEpisodeBegan) {
  Random random(41);
  for (int trial = 0; trial < 100; trial++) {
    const RewardsCase c = random_rewards(random, 1 + random.below(200), 1 + random.below(40));
    std::vector<float> first(c.n_envs);
    for (float& a : first) a = float(random.below(1000));
    std::vector<float> expected = first;
    for (int t = 0; t < c.n_steps; t++) {
      for (int n = 0; n < c.n_envs; n++) {
        const bool ended = c.terminated[c.at(t, n)] != 0 || c.truncated[c.at(t, n)] != 0;
        expected.push_back(ended ? 0.0f : expected[c.at(t, n)] + 1);
      }
    }
    for (const KernelSet& set : kernel_sets()) {
      ASSERT_EQ(run_ages(set, c, first), expected) << set.isa << " N " << c.n_envs;
    }
  }
}

std::vector<float> run_discount(const KernelSet& set, const std::vector<float>& advantage,
                                const std::vector<float>& age, float gamma, long n, long grain) {
  std::vector<float> result = advantage;
  set.kernels->discount_by_age({result.data(), age.data(), gamma, n}, TestWork(grain));
  return result;
}

TEST(Age, TheDiscountIsGammaToTheAge) {
  Random random(42);
  const float gammas[] = {0.0f, 0.1f, 0.5f, 0.9f, 0.99f, 0.9999f, 1.0f};
  for (int trial = 0; trial < 70; trial++) {
    const float gamma = gammas[trial % 7];
    const long n = 1 + random.below(300);
    std::vector<float> advantage(n), age(n);
    for (float& a : advantage) a = float(3 * random.normal());
    for (float& a : age) a = float(random.chance(0.2) ? 0 : random.below(trial % 2 ? 20 : 5000));
    const std::vector<float> first = run_discount(kernel_sets()[0], advantage, age, gamma, n, 0);
    for (long i = 0; i < n; i++) {
      const long double power = std::pow((long double)gamma, (long double)age[i]);  // 0^0 = 1
      const double exact = double(power * advantage[i]);
      if (gamma == 1.0f || age[i] == 0.0f) {
        ASSERT_EQ(first[i], advantage[i]) << "gamma " << gamma << " age " << age[i];
      }
      // An error of a rounding in the logarithm is one of age log gamma roundings in the power,
      // and less than 1e-29 is as good as nothing beside any advantage.
      const double limit = std::abs(exact) * (1e-6 + 1.2e-7 * std::abs(age[i] * std::log(gamma)));
      ASSERT_NEAR(first[i], exact, (gamma > 0 ? limit : 0) + 1e-29)
          << "gamma " << gamma << " age " << age[i];
    }
    for (const KernelSet& set : kernel_sets()) {
      ASSERT_TRUE(same_bits(run_discount(set, advantage, age, gamma, n, 0), first)) << set.isa;
      // Elements beyond them stay as they are.
      const long fewer = random.below(int(n) + 1);
      const std::vector<float> part = run_discount(set, advantage, age, gamma, fewer, 5);
      for (long i = 0; i < n; i++) {
        ASSERT_EQ(part[i], i < fewer ? first[i] : advantage[i]) << set.isa << " " << i;
      }
    }
  }
}

}  // namespace
}  // namespace gallop::testing
