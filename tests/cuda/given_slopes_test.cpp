// Backward passes from given slopes on the subject, against the CPU.
#include <gallop/kernels/gradients/given_slopes.h>

#include <cmath>

#include "tests/cuda/gradient_case.h"
#include "tests/host/expect_error.h"

namespace gallop::testing {
namespace {

// The case's network with slopes by its outputs, and by three numbers behind its parameters.
struct GivenSlopes {
  static constexpr int kOwn = 3;
  CaseSamples from;
  PolicyShape shape;
  DeviceArray<float> parameters, mean, inverse_std, output_slope, own_slope;
  std::size_t places;  // T N

  GivenSlopes(Backend& backend, const GradientCase& c) : from(backend, c) {
    shape = shape_of(c, c.n_actions);
    shape.head = Head::kDeterministic;
    Numbers numbers(31);
    parameters = uploaded(backend, parameters_of(shape, 17, 1.0f));
    const std::size_t n_in = c.n_inputs;
    mean = uploaded(backend, numbers.many(n_in, -0.3f, 0.3f));
    inverse_std = uploaded(backend, numbers.many(n_in, 0.5f, 2.0f));
    places = std::size_t(from.batch.shape.n_steps) * from.batch.shape.n_envs;
    output_slope = uploaded(backend, numbers.many(places * c.n_actions, -1.0f, 1.0f));
    own_slope = uploaded(backend, numbers.many(places * kOwn, -1.0f, 1.0f));
  }
  // Some observations are at their limit.
  Normalization normalization(const GradientCase& c) const {
    if (!c.normalized) return {};
    return {mean.data(), inverse_std.data(), 1.2f};
  }
};

// The gradient, then a few poisoned numbers.
std::vector<float> run_network(Backend& backend, const GradientCase& c) {
  const GivenSlopes given(backend, c);
  const NetworkShape& network = given.shape.network;
  const auto gradient = poisoned<float>(
      backend, std::size_t(layer_offset(network, network.n_layers)) + GivenSlopes::kOwn + 3);
  backend.network_gradient({network, given.parameters.data(), given.normalization(c),
                            given.from.samples, given.output_slope.data(), given.own_slope.data(),
                            GivenSlopes::kOwn, 0.7f, c.arithmetic, gradient.data()});
  return gradient.download();
}

// Slopes by the observations; poisoned at places without a sample, and behind all.
std::vector<float> run_inputs(Backend& backend, const GradientCase& c) {
  const GivenSlopes given(backend, c);
  const auto slope = poisoned<float>(backend, given.places * c.n_inputs + 3);
  backend.input_gradient({given.shape.network, given.parameters.data(), given.normalization(c),
                          given.from.samples, given.output_slope.data(), slope.data()});
  return slope.download();
}

void expect_equal(const GradientCase& c, bool all_orders = false) {
  SCOPED_TRACE(c.label());
  const auto cpu = make_cpu_backend(2);
  const auto subject = make_subject();
  const bool tabular = c.kind == NetworkKind::kTabular;
  const std::vector<float> network = run_network(*cpu, c);
  const std::vector<float> inputs = tabular ? std::vector<float>() : run_inputs(*cpu, c);
  const auto compare = [&] {
    EXPECT_TRUE(same_bits(network, run_network(*subject, c))) << "by parameters";
    if (!tabular) {
      EXPECT_TRUE(same_bits(inputs, run_inputs(*subject, c))) << "by inputs";
    }
  };
  if (all_orders) {
    in_every_order(compare);
  } else {
    compare();
  }
  EXPECT_FALSE(untouched(network));
  if (!tabular) {
    EXPECT_FALSE(untouched(inputs));
  }
}

TEST(GivenSlopes, EveryCountAroundAChunk) {
  for (const long count : {0L, 1L, 2L, 3L, 127L, 128L, 129L, 255L, 513L}) {
    GradientCase c;
    c.count = count;
    c.hidden = {16};
    c.shuffled = count % 2 == 1;
    c.normalized = count % 4 < 2;
    if (count > 0) {
      expect_equal(c);
      continue;
    }
    const auto cpu = make_cpu_backend(1);
    const auto subject = make_subject();
    EXPECT_TRUE(same_bits(run_network(*cpu, c), run_network(*subject, c)));
    EXPECT_TRUE(untouched(run_inputs(*cpu, c)));
    EXPECT_TRUE(untouched(run_inputs(*subject, c)));
  }
}

TEST(GivenSlopes, EveryActivationDepthAndNumberOfOutputs) {
  int k = 0;
  for (const Activation activation :
       {Activation::kTanh, Activation::kRelu, Activation::kIdentity}) {
    for (const std::vector<int>& hidden : {std::vector<int>{}, std::vector<int>{33},
                                           std::vector<int>{64, 12}, std::vector<int>{65, 50, 9}}) {
      GradientCase c;
      c.activation = activation;
      c.hidden = hidden;
      c.count = 140;
      c.n_inputs = 1 + k * 7 % 19;
      c.n_actions = 1 + k * 5 % 13;
      c.normalized = k++ % 2 == 0;
      expect_equal(c);
    }
  }
}

TEST(GivenSlopes, MoreOutputsThanAPolicyHas) {
  GradientCase c;
  c.head = Head::kGaussian;
  c.n_actions = 100;
  c.n_inputs = 45;
  c.hidden = {32};
  c.count = 129;
  expect_equal(c);
}

TEST(GivenSlopes, TablesAndNetworksBeyondSharedMemory) {
  GradientCase c;
  c.kind = NetworkKind::kTabular;
  c.hidden = {};
  c.n_inputs = 64;
  c.n_actions = 16;
  expect_equal(c);
  GradientCase wide;
  wide.hidden = {256, 256};
  wide.count = 150;
  wide.normalized = true;
  expect_equal(wide);
}

TEST(GivenSlopes, LaunchesAroundTheSharedMemoryOfEveryDevice) {
  for (int width = 79; width <= 89; width++) {
    GradientCase c;
    c.hidden = {width};
    c.count = 130;
    expect_equal(c);
  }
}

TEST(GivenSlopes, EveryOrderOfThreads) {
  GradientCase c;
  c.hidden = {64, 40};
  c.count = 135;
  c.normalized = true;
  expect_equal(c, true);
}

// As near as other gradients of mode fast (gradient_fast_test.cpp).
TEST(GivenSlopes, ModeFastRoundsTheProductsOfNetworksAlone) {
  const auto cpu = make_cpu_backend(1);
  const auto subject = make_subject();
  for (const std::vector<int>& hidden : {std::vector<int>{64, 64}, std::vector<int>{33}}) {
    GradientCase c;
    c.hidden = hidden;
    const std::vector<float> strict = run_network(*cpu, c);
    c.arithmetic = Arithmetic::kFast;
    EXPECT_TRUE(same_bits(strict, run_network(*cpu, c))) << "the CPU has no mode fast";
    const std::vector<float> fast = run_network(*subject, c);
    const std::size_t n = strict.size() - 3 - GivenSlopes::kOwn;
    double difference = 0, length = 0;
    for (std::size_t i = 0; i < n; i++) {
      difference += std::pow(double(strict[i]) - double(fast[i]), 2);
      length += std::pow(double(strict[i]), 2);
    }
    EXPECT_LT(std::sqrt(difference / length), 2e-2);
    EXPECT_GT(difference, 0.0);
    for (std::size_t i = n; i < n + GivenSlopes::kOwn; i++) EXPECT_EQ(strict[i], fast[i]);
  }
  GradientCase table;
  table.kind = NetworkKind::kTabular;
  table.hidden = {};
  const std::vector<float> strict = run_network(*cpu, table);
  table.arithmetic = Arithmetic::kFast;
  EXPECT_TRUE(same_bits(strict, run_network(*subject, table)));
}

TEST(GivenSlopes, WhatCannotBeServedIsRefusedByName) {
  const auto subject = make_subject();
  InputGradientRequest inputs = {};
  inputs.shape.kind = NetworkKind::kTabular;
  test::expect_error_with(
      ExitCode::value, [&] { subject->input_gradient(inputs); }, "input_gradient", "table");
  NetworkGradientRequest network = {};
  network.n_own = 2;
  test::expect_error_with(
      ExitCode::value, [&] { subject->network_gradient(network); }, "network_gradient", "n_own");
}

}  // namespace
}  // namespace gallop::testing
