// kernels/optimizers/adam.h against Algorithm 1 of arXiv:1412.6980 in long double.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/learning/kernel_sets.h"

namespace gallop::testing {
namespace {

// The kernel has its betas as floats, and the corrections belong to those.
const double kBeta1 = 0.9f, kBeta2 = 0.999f;

struct Moments {
  std::vector<float> parameters, first, second;
  StepState state = {1e-2, 1.0, 1.0, 0.0, 1.0, 0};
};

// A step of Adam along the gradient, in blocks of `grain`.
void step(const KernelSet& set, Moments& m, const std::vector<float>& gradient, long grain = 0,
          double max_norm = 0) {
  set.kernels->optimizer_step(
      {StepRule::kAdam, m.parameters.data(), gradient.data(), m.first.data(), m.second.data(),
       &m.state, max_norm, kBeta1, kBeta2, 1e-8f, long(gradient.size())},
      TestWork(grain));
}

TEST(Adam, EqualsTheAlgorithmOverManySteps) {
  Random random(51);
  for (const int n : {1, 7, 16, 131}) {
    Moments m = {std::vector<float>(n), std::vector<float>(n), std::vector<float>(n)};
    for (float& p : m.parameters) p = float(random.normal());
    std::vector<long double> theta(m.parameters.begin(), m.parameters.end()), first(n), second(n);
    std::vector<Moments> of_set(kernel_sets().size(), m);
    const long double b1 = kBeta1, b2 = kBeta2;
    for (int t = 1; t <= 300; t++) {
      std::vector<float> gradient(n);
      for (int i = 0; i < n; i++) {
        gradient[i] = float(random.normal() * std::exp(random.uniform(-6, 6)) + 0.1 * i);
      }
      for (int i = 0; i < n; i++) {
        const long double g = gradient[i];
        first[i] = b1 * first[i] + (1 - b1) * g;
        second[i] = b2 * second[i] + (1 - b2) * g * g;
        const long double m_hat = first[i] / (1 - std::pow(b1, (long double)(t)));
        const long double v_hat = second[i] / (1 - std::pow(b2, (long double)(t)));
        theta[i] -= 1e-2L * m_hat / (std::sqrt(v_hat) + 1e-8L);
      }
      for (std::size_t k = 0; k < of_set.size(); k++) {
        step(kernel_sets()[k], of_set[k], gradient, (n + 1) / 2);  // in two parts
      }
      for (int i = 0; i < n; i++) {
        // One step moves at most about the learning rate; rounding of 300 steps adds up.
        ASSERT_NEAR(of_set[0].parameters[i], double(theta[i]),
                    1e-6 * std::max(1.0, double(std::abs(theta[i]))) + 2e-9 * t)
            << "step " << t;
      }
    }
    for (const Moments& other : of_set) {
      ASSERT_TRUE(same_bits(other.parameters, of_set[0].parameters));
      ASSERT_TRUE(same_bits(other.first, of_set[0].first));
      ASSERT_TRUE(same_bits(other.second, of_set[0].second));
    }
  }
}

// From zero moments the first step is the learning rate, whatever the gradient's size.
TEST(Adam, TheFirstStepIsTheLearningRate) {
  for (const KernelSet& set : kernel_sets()) {
    Moments m = {std::vector<float>(6, 1.0f), std::vector<float>(6), std::vector<float>(6)};
    const std::vector<float> gradient = {1, -1, 1e-3f, -1e4f, 0, 1e10f};
    step(set, m, gradient);
    for (int i = 0; i < 6; i++) {
      const double sign = gradient[i] > 0 ? 1 : gradient[i] < 0 ? -1 : 0;
      EXPECT_NEAR(m.parameters[i], 1 - 1e-2 * sign, 2e-7) << set.isa << " " << gradient[i];
      EXPECT_NEAR(m.first[i], 0.1 * gradient[i], 1e-6 * std::abs(gradient[i])) << set.isa;
      EXPECT_NEAR(m.second[i], 1e-3 * gradient[i] * double(gradient[i]),
                  1e-4 * gradient[i] * double(gradient[i]))
          << set.isa;
    }
  }
}

TEST(Adam, TheGradientIsScaledBeforeItEntersTheMoments) {
  for (const KernelSet& set : kernel_sets()) {
    Moments a = {{1, 2, 3}, {.1f, .2f, .3f}, {.01f, .02f, .03f}}, b = a;
    a.state.power1 = b.state.power1 = kBeta1 * kBeta1;
    a.state.power2 = b.state.power2 = kBeta2 * kBeta2;
    const std::vector<float> gradient = {4, -8, 2}, scaled = {1, -2, .5f};
    step(set, a, gradient, 0, std::sqrt(84.0) / 4);
    EXPECT_EQ(a.state.scale, 0.25);
    step(set, b, scaled);
    EXPECT_TRUE(same_bits(a.parameters, b.parameters)) << set.isa;
    EXPECT_TRUE(same_bits(a.first, b.first)) << set.isa;
    EXPECT_TRUE(same_bits(a.second, b.second)) << set.isa;
  }
}

}  // namespace
}  // namespace gallop::testing
