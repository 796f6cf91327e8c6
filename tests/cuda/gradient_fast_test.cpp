// Gradients of mode fast against those of mode strict on the CPU: operands in TF32 and the device's
// tanh, so close but not equal.
#include <cmath>

#include "tests/cuda/gradient_case.h"

namespace gallop::testing {
namespace {

// TF32 keeps 11 bits: 5e-4 of an operand. Found were 3e-4 to 1.4e-3, more where the sum over the
// samples cancels, and where a unit of ReLU changes its side.
constexpr double kGreatestError = 3e-3, kGreatestCancelled = 2e-2, kGreatestRelu = 5e-2;

// Length of the difference over the length, of the first n numbers.
double relative_error(const std::vector<float>& expected, const std::vector<float>& actual,
                      std::size_t n) {
  double difference = 0, length = 0;
  for (std::size_t i = 0; i < n; i++) {
    const double d = double(expected[i]) - double(actual[i]);
    difference += d * d;
    length += double(expected[i]) * double(expected[i]);
  }
  return std::sqrt(difference / length);
}

// Returns the greater of both errors.
double expect_close(GradientCase c, double greatest = kGreatestError) {
  SCOPED_TRACE(c.label());
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  const std::vector<float> policy = run_policy(*cpu, c), value = run_value(*cpu, c);
  c.arithmetic = Arithmetic::kFast;
  const std::vector<float> fast_policy = run_policy(*subject, c);
  const std::vector<float> fast_value = run_value(*subject, c);
  EXPECT_TRUE(same_bits(policy, run_policy(*cpu, c))) << "the CPU has no mode fast";
  // Three poisoned numbers end either; the statistics before them are compared one by one.
  const std::size_t n = policy.size() - 3 - kPolicyStatistics, m = value.size() - 4;
  double error =
      std::max(relative_error(policy, fast_policy, n), relative_error(value, fast_value, m));
  EXPECT_LT(error, greatest);
  for (std::size_t i = n; i < n + kPolicyStatistics; i++) {
    // Samples at the edge of the clip range may change sides.
    const double allowed = i - n == kStatClipped ? 2.0 : 2e-3 * double(c.count) + 2e-3;
    EXPECT_NEAR(policy[i], fast_policy[i], allowed) << i - n;
  }
  EXPECT_NEAR(value[m] / fast_value[m], 1.0, 5e-3);
  for (std::size_t i = 0; i < 3; i++) {
    EXPECT_EQ(std::memcmp(&policy[n + kPolicyStatistics + i],
                          &fast_policy[n + kPolicyStatistics + i], sizeof(float)),
              0);
  }
  return error;
}

TEST(FastGradient, EveryHeadAndLoss) {
  for (const Head head : {Head::kCategorical, Head::kGaussian, Head::kGaussianNetwork}) {
    for (const PolicyLoss loss : {PolicyLoss::kLikelihoodRatio, PolicyLoss::kSurrogate,
                                  PolicyLoss::kClippedSurrogate, PolicyLoss::kPenalizedSurrogate}) {
      GradientCase c;
      c.head = head;
      c.loss = loss;
      c.n_actions = 3;
      c.count = 130;
      EXPECT_GT(expect_close(c), 1e-6) << "nothing was rounded: this is not the fast kernel";
    }
  }
}

TEST(FastGradient, EveryCountAroundAChunk) {
  for (const long count : {1L, 2L, 3L, 127L, 128L, 129L, 255L, 513L}) {
    GradientCase c;
    c.count = count;
    c.hidden = {16};
    c.loss = PolicyLoss::kSurrogate;
    c.shuffled = count % 2 == 1;
    expect_close(c);
  }
}

// Widths that are and are not multiples of 8, 16 and 32, and fewer and more outputs than inputs.
TEST(FastGradient, EveryWidthActivationAndDepth) {
  for (const Activation activation :
       {Activation::kTanh, Activation::kRelu, Activation::kIdentity}) {
    for (const std::vector<int>& hidden :
         {std::vector<int>{}, std::vector<int>{1}, std::vector<int>{33}, std::vector<int>{8, 12},
          std::vector<int>{20, 64}, std::vector<int>{65, 50, 9}, std::vector<int>{128, 128}}) {
      GradientCase c;
      c.activation = activation;
      c.hidden = hidden;
      c.count = 140;
      c.loss = PolicyLoss::kSurrogate;
      expect_close(c, activation == Activation::kRelu ? kGreatestRelu : kGreatestError);
    }
  }
}

TEST(FastGradient, ManyInputsAndOutputs) {
  for (const int n_inputs : {1, 11, 45}) {
    for (const int n_actions : {1, 2, 9, 17}) {
      GradientCase c;
      c.n_inputs = n_inputs;
      c.n_actions = n_actions;
      c.head = Head::kGaussian;
      c.hidden = {32};
      c.count = 129;
      c.loss = PolicyLoss::kLikelihoodRatio;
      expect_close(c, kGreatestCancelled);
    }
  }
}

TEST(FastGradient, BeyondSharedMemory) {
  GradientCase wide;
  wide.hidden = {256, 256};
  wide.count = 150;
  wide.loss = PolicyLoss::kSurrogate;
  expect_close(wide);
}

TEST(FastGradient, TablesAreStrict) {
  GradientCase c;
  c.kind = NetworkKind::kTabular;
  c.hidden = {};
  c.n_inputs = 64;
  c.n_actions = 16;
  const auto cpu = make_cpu_backend(1);
  const std::vector<float> expected = run_policy(*cpu, c);
  c.arithmetic = Arithmetic::kFast;
  EXPECT_TRUE(same_bits(expected, run_policy(*make_subject(), c)));
}

TEST(FastGradient, BitsDoNotDependOnTheOrderOfThreads) {
  GradientCase c;
  c.hidden = {64, 40};
  c.count = 135;
  c.head = Head::kGaussian;
  c.arithmetic = Arithmetic::kFast;
  const auto subject = make_subject();
  const std::vector<float> policy = run_policy(*subject, c), value = run_value(*subject, c);
  in_every_order([&] {
    EXPECT_TRUE(same_bits(policy, run_policy(*subject, c)));
    EXPECT_TRUE(same_bits(value, run_value(*subject, c)));
  });
}

}  // namespace
}  // namespace gallop::testing
