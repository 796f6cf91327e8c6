// kernels/policy/heads/squashed.h: the density against quadrature and a reference in long double,
// where tanh rounds to 1 too; slopes and pull-backs against differences; bounds and modes.
#include <gallop/kernels/off_policy/sample_actions.h>

#include <gtest/gtest.h>

#include <cmath>

#include "tests/learning/kernel_sets.h"

namespace gallop::testing {
namespace {

constexpr int kN = 2;
// Half the range and its centre, behind log sigma.
const std::vector<double> kRange = {0.5, 3.0, 0.25, -1.0};

std::vector<double> numbers_of(const std::vector<double>& output) {
  const std::vector<float> range(kRange.begin(), kRange.end());
  std::vector<double> numbers(3 * kN);
  SquashedGaussian::log_std_of(kN, output.data(), range.data(), numbers.data());
  return numbers;
}

std::vector<double> some_outputs(Random& random) {
  std::vector<double> output;
  for (int k = 0; k < kN; k++) output.push_back(random.normal());
  for (int k = 0; k < kN; k++) output.push_back(random.uniform(-1.5, 0.5));
  return output;
}

// The density of one component integrates to 1 over its bounds, in the units of the action.
TEST(SquashedGaussian, TheDensityIsOneOfTheAction) {
  for (const double mean : {-1.0, 0.0, 0.7}) {
    const double log_std[] = {-0.4, 3.0, -1.0};  // log sigma, half, centre
    const SquashedGaussian::At<double> at(1, &mean, log_std);
    double sum = 0;
    const int n = 200000;
    for (int k = 0; k < n; k++) {
      const double action = -4 + 6 * (k + 0.5) / n;
      sum += std::exp(at.log_prob(&action)) * 6 / n;
    }
    EXPECT_NEAR(sum, 1, 1e-5) << mean;
  }
}

TEST(SquashedGaussian, LogProbabilitiesKeepTheirDigitsWhereTanhIsOne) {
  for (const float u : {-30.0f, -12.0f, -3.0f, -0.5f, 0.0f, 1e-3f, 2.0f, 9.0f, 20.0f, 40.0f}) {
    const long double c = std::cosh((long double)u), exact = -2 * std::log(c);
    EXPECT_NEAR(log_squash_slope(u), double(exact), 2e-6 * (1 + std::abs(double(exact)))) << u;
    EXPECT_NEAR(squash_slope(u), double(1 / (c * c)), 4e-6 * double(1 / (c * c)) + 1e-37) << u;
    EXPECT_NEAR(log_squash_slope(double(u)), double(exact), 1e-12 * (1 + std::abs(double(exact))));
    const float mean = u, numbers[] = {-0.7f, 2.0f, 0.0f};
    const double z_part = 0.7 - 0.5 * std::log(2 * M_PI);
    EXPECT_NEAR(SquashedGaussian::log_prob_of(1, &mean, numbers, &u),
                z_part - double(exact) - std::log(2.0), 1e-5 * (1 + std::abs(double(exact))));
  }
}

TEST(SquashedGaussian, TheSlopeOfTheLossIsThatOfItsParts) {
  Random random(3);
  for (int trial = 0; trial < 50; trial++) {
    const std::vector<double> output = some_outputs(random);
    const std::vector<double> action = {0.25 + 0.5 * std::tanh(random.normal()),
                                        -1.0 + 3.0 * std::tanh(random.normal())};
    const double slope = 0.7, bonus = 0.3;
    std::vector<double> d(2 * kN);
    const auto value = [&](const std::vector<double>& at) {
      const std::vector<double> numbers = numbers_of(at);
      const SquashedGaussian::At<double> here(kN, at.data(), numbers.data());
      return slope * here.log_prob(action.data()) - bonus * here.entropy();
    };
    const std::vector<double> numbers = numbers_of(output);
    SquashedGaussian::At<double>(kN, output.data(), numbers.data())
        .loss_slope(action.data(), slope, bonus, d.data(), nullptr);
    for (int k = 0; k < 2 * kN; k++) {
      std::vector<double> up = output, down = output;
      up[k] += 1e-5;
      down[k] -= 1e-5;
      const double expected = (value(up) - value(down)) / 2e-5;
      EXPECT_NEAR(d[k], expected, 1e-6 * (1 + std::abs(expected))) << trial << " " << k;
    }
  }
}

// Of c . a + w log pi(a) at fixed noise, for both heads, and the mode that At pulls back.
template <class Head>
void expect_pull_back(int n_outputs, double by_log_prob, const std::vector<double>& tail) {
  Random random(5);
  const double c[] = {0.3, -1.1};
  for (int trial = 0; trial < 50; trial++) {
    std::vector<double> output = some_outputs(random);
    output.resize(n_outputs);
    const std::vector<float> parameters(tail.begin(), tail.end());
    const auto run = [&](const std::vector<double>& at, double* u, std::vector<double>& numbers) {
      numbers.assign(3 * kN, 0);
      Head::log_std_of(kN, at.data(), parameters.data(), numbers.data());
      Rng<double> rng(7, kRandomUpdate, std::uint32_t(trial), 1, 2);
      double action[kN];
      const bool mode = n_outputs == kN;
      const double log_prob = Head::draw(kN, at.data(), numbers.data(), mode, rng, u, action);
      return c[0] * action[0] + c[1] * action[1] + by_log_prob * log_prob;
    };
    double u[kN], d[2 * kN], unused[kN];
    std::vector<double> numbers;
    run(output, u, numbers);
    Head::pull_back_draw(kN, output.data(), numbers.data(), u, c, by_log_prob, d);
    std::vector<double> other;
    for (int k = 0; k < n_outputs; k++) {
      std::vector<double> up = output, down = output;
      up[k] += 1e-5;
      down[k] -= 1e-5;
      const double expected = (run(up, unused, other) - run(down, unused, other)) / 2e-5;
      EXPECT_NEAR(d[k], expected, 1e-6 * (1 + std::abs(expected))) << trial << " " << k;
    }
    // From the action alone.
    double action[kN], by_action[2 * kN];
    const int centre = n_outputs == kN ? kN : 2 * kN, half = centre - kN;
    for (int i = 0; i < kN; i++) {
      action[i] = numbers[half + i] * std::tanh(u[i]) + numbers[centre + i];
    }
    typename Head::template At<double>(kN, output.data(), numbers.data())
        .pull_back(action, c, by_action, nullptr);
    Head::pull_back_draw(kN, output.data(), numbers.data(), u, c, 0.0, d);
    for (int k = 0; k < n_outputs; k++) EXPECT_NEAR(by_action[k], d[k], 1e-8) << k;
  }
}
TEST(SquashedHeads, PullBackIsTheDerivativeOfTheReparameterisedAction) {
  expect_pull_back<SquashedGaussian>(2 * kN, 0.4, kRange);
  expect_pull_back<SquashedGaussian>(2 * kN, 0.0, kRange);
  expect_pull_back<SquashedDeterministic>(kN, 0.0, {0.5, 3.0, 0.25, -1.0, 0.1, 0.1});
}

TEST(SquashedGaussian, TheDeviationIsClampedInEveryUse) {
  for (const double outside : {-7.0, 3.0}) {
    const std::vector<double> output = {0.2, -0.1, outside, outside};
    const std::vector<double> numbers = numbers_of(output);
    double d[2 * kN];
    const double u[] = {0.4, 0.4}, by_action[] = {1.0, 1.0};
    SquashedGaussian::pull_back_draw(kN, output.data(), numbers.data(), u, by_action, 0.5, d);
    EXPECT_EQ(d[2], 0);
    EXPECT_EQ(d[3], 0);
    EXPECT_NE(d[0], 0);
  }
}

TEST(SquashedHeads, ActionsStayWithinTheirBounds) {
  EXPECT_EQ(head_outputs(Head::kSquashedGaussian, 3), 6);
  EXPECT_EQ(head_parameters(Head::kSquashedGaussian, 3), 6);
  EXPECT_EQ(head_parameters(Head::kSquashedDeterministic, 3), 9);
  EXPECT_FALSE(is_discrete(Head::kSquashedGaussian));
  for (const Head head : {Head::kSquashedGaussian, Head::kSquashedDeterministic}) {
    for (const float output : {-100.0f, -1.0f, 0.0f, 3.0f, 100.0f}) {
      const float outputs[] = {output, 1.0f};  // the second is log sigma
      const float parameters[] = {2.0f, 0.5f, 1.5f};
      float numbers[3], action, mode;
      log_std_of(head, 1, outputs, parameters, numbers);
      for (std::uint32_t k = 0; k < 200; k++) {
        Rng<float> rng(1, kRandomAction, k, 0, 0);
        choose_action(head, 1, outputs, numbers, false, rng, &action);
        ASSERT_LE(std::abs(action - 0.5f), 2.0f) << output;
      }
      Rng<float> rng(1, kRandomAction, 0, 0, 0);
      choose_action(head, 1, outputs, numbers, true, rng, &mode);
      EXPECT_NEAR(mode, 0.5 + 2 * std::tanh(double(output)), 1e-6);
    }
  }
}

}  // namespace
}  // namespace gallop::testing
