// Gradients and updates on the subject, against the CPU.
#include <cmath>
#include <limits>

#include "tests/cuda/gradient_case.h"

namespace gallop::testing {
namespace {

void expect_equal(const GradientCase& c, bool all_orders = false) {
  SCOPED_TRACE(c.label());
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  const std::vector<float> policy = run_policy(*cpu, c), value = run_value(*cpu, c);
  const auto compare = [&] {
    EXPECT_TRUE(same_bits(policy, run_policy(*subject, c))) << "policy";
    EXPECT_TRUE(same_bits(value, run_value(*subject, c))) << "value";
  };
  if (all_orders) {
    in_every_order(compare);
  } else {
    compare();
  }
  EXPECT_FALSE(untouched(policy));
  EXPECT_FALSE(untouched(value));
}

TEST(Gradient, EveryCountAroundAChunk) {
  for (const long count : {1L, 2L, 3L, 127L, 128L, 129L, 255L, 513L}) {
    GradientCase c;
    c.count = count;
    c.hidden = {16};
    c.shuffled = count % 2 == 1;
    expect_equal(c);
  }
}

TEST(Gradient, EveryHeadAndLoss) {
  for (const Head head : {Head::kCategorical, Head::kGaussian, Head::kGaussianNetwork}) {
    for (const PolicyLoss loss : {PolicyLoss::kLikelihoodRatio, PolicyLoss::kSurrogate,
                                  PolicyLoss::kClippedSurrogate, PolicyLoss::kPenalizedSurrogate}) {
      GradientCase c;
      c.head = head;
      c.loss = loss;
      c.n_actions = 3;
      c.count = 130;
      expect_equal(c);
    }
  }
}

TEST(Gradient, EveryActivationAndDepth) {
  for (const Activation activation :
       {Activation::kTanh, Activation::kRelu, Activation::kIdentity}) {
    for (const std::vector<int>& hidden :
         {std::vector<int>{}, std::vector<int>{33}, std::vector<int>{65, 50, 9}}) {
      GradientCase c;
      c.activation = activation;
      c.hidden = hidden;
      c.count = 140;
      expect_equal(c);
    }
  }
}

TEST(Gradient, ClippedValues) {
  for (const float clip : {0.0f, 0.3f, 1.0f}) {
    GradientCase c;
    c.hidden = {33};
    c.count = 270;
    c.value_clip = clip;
    expect_equal(c);
    const auto cpu = make_cpu_backend(1);
    GradientCase free = c;
    free.value_clip = -1;
    EXPECT_FALSE(same_bits(run_value(*cpu, c), run_value(*cpu, free))) << "nothing was clipped";
  }
}

TEST(Gradient, TablesAndNetworksBeyondSharedMemory) {
  GradientCase c;
  c.kind = NetworkKind::kTabular;
  c.hidden = {};
  c.n_inputs = 64;
  c.n_actions = 16;
  expect_equal(c);
  GradientCase wide;
  wide.hidden = {256, 256};
  wide.count = 150;
  expect_equal(wide);
}

// Around the 48 KiB of shared memory that a block has without asking, of which the kernels' static
// arrays take some: 92 to 94 rows of samples.
TEST(Gradient, LaunchesAroundTheSharedMemoryOfEveryDevice) {
  for (int width = 79; width <= 85; width++) {
    GradientCase c;
    c.hidden = {width};
    c.count = 130;
    expect_equal(c);
  }
}

TEST(Gradient, EveryOrderOfThreads) {
  GradientCase c;
  c.hidden = {64, 40};
  c.count = 135;
  c.head = Head::kGaussian;
  expect_equal(c, true);
}

// Derivatives by fixed parameters are 0, the others what they are without them, sums behind them
// too.
TEST(Gradient, OfFixedParametersIsZero) {
  const auto subject = make_subject();
  for (const std::vector<int>& hidden : {std::vector<int>{}, std::vector<int>{40, 9}}) {
    GradientCase c;
    c.hidden = hidden;
    c.head = Head::kGaussian;
    c.n_actions = 3;
    c.count = 270;
    const std::vector<float> free = run_policy(*subject, c);
    c.fixed_each = 3;
    expect_equal(c);
    const std::vector<float> some = run_policy(*subject, c);
    const std::size_t n = std::size_t(parameter_count(shape_of(c, 3)));
    for (std::size_t k = 0; k < free.size(); k++) {
      if (k < n && k % 3 == 0) {
        EXPECT_EQ(some[k], 0.0f) << k;
      } else {
        EXPECT_TRUE(is_same(some[k], free[k])) << k;
      }
    }
  }
}

TEST(Gradient, WhatIsNotFiniteRefusesItsSegment) {
  const auto cpu = make_cpu_backend(1);
  const auto subject = make_subject();
  const auto run = [](Backend& backend) {
    GradientCase c;
    c.hidden = {8};
    c.count = 200;
    CaseSamples from(backend, c);
    std::vector<float> target = from.batch.target.download();
    target[from.samples.order == nullptr ? 5 : 35] = std::numeric_limits<float>::infinity();
    from.batch.target.upload(target);
    const PolicyShape shape = shape_of(c, 1);
    const auto parameters = uploaded(backend, parameters_of(shape, 19, 1.0f));
    ValueGradientRequest r = {};
    r.shape = shape.network;
    r.parameters = parameters.data();
    r.samples = from.samples;
    r.weight = 1.0f;
    const auto gradient = poisoned<float>(backend, 64);
    r.gradient = gradient.data();
    backend.value_gradient(r);
    return gradient.download();
  };
  const std::vector<float> expected = run(*cpu), actual = run(*subject);
  EXPECT_TRUE(std::isnan(actual[0]));
  for (std::size_t i = 0; i < expected.size(); i++) {
    EXPECT_EQ(std::isnan(expected[i]), std::isnan(actual[i])) << i;
  }
}

}  // namespace
}  // namespace gallop::testing
