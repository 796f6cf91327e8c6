// host/learning/network_parameters.h: many steps of Adam with a limited norm against the algorithm
// in long double, refused steps, and initial weights.
#include <gtest/gtest.h>

#include <cmath>

#include <gallop/host/files/tensor_file.h>
#include <gallop/host/learning/network_parameters.h>
#include "tests/learning/kernel_sets.h"

namespace gallop::testing {
namespace {

class Trained : public ::testing::Test {
 protected:
  void set_gradient(TrainedParameters& p, const std::vector<float>& gradient) {
    backend_->to_device(p.gradient(), gradient.data(), gradient.size() * sizeof(float));
  }
  std::unique_ptr<Backend> backend_ = make_cpu_backend(2);
};

TEST_F(Trained, StepsEqualTheAlgorithmWithALimitedNorm) {
  for (const double limit : {0.0, 0.5, 100.0}) {
    Random random(91);
    const int n = 50;
    std::vector<float> initial(n), gradient(n);
    for (float& p : initial) p = float(random.normal());
    TrainedParameters trained(*backend_, initial, 0);
    std::vector<long double> theta(initial.begin(), initial.end()), first(n), second(n);
    const long double b1 = 0.9f, b2 = 0.999f;
    for (int step = 1; step <= 200; step++) {
      long double squares = 0;
      for (float& g : gradient) {
        g = float(random.normal());
        squares += (long double)g * g;
      }
      const long double norm = std::sqrt(squares);
      const long double scale = limit > 0 && norm > limit ? limit / norm : 1.0L;
      set_gradient(trained, gradient);
      EXPECT_NEAR(trained.adam_step(0.01, limit), double(norm), 1e-9);
      for (int i = 0; i < n; i++) {
        const long double g = gradient[i] * scale;
        first[i] = b1 * first[i] + (1 - b1) * g;
        second[i] = b2 * second[i] + (1 - b2) * g * g;
        theta[i] -= 0.01L * first[i] / (1 - std::pow(b1, (long double)step)) /
                    (std::sqrt(second[i] / (1 - std::pow(b2, (long double)step))) + 1e-8L);
      }
    }
    const std::vector<float> values = trained.values();
    for (int i = 0; i < n; i++) {
      // 200 additions round by at most 3e-8 each.
      EXPECT_NEAR(values[i], double(theta[i]), 5e-6) << limit;
    }
  }
}

TEST_F(Trained, PlainAndRmsPropStepsEqualTheirRecursions) {
  for (const double limit : {0.0, 0.5}) {
    Random random(92);
    const int n = 37;
    std::vector<float> initial(n), gradient(n);
    for (float& p : initial) p = float(random.normal());
    TrainedParameters plain(*backend_, initial, 0), rmsprop(*backend_, initial, 0);
    std::vector<long double> a(initial.begin(), initial.end()), b = a, second(n);
    const long double decay = 0.97f, epsilon = 1e-3f;
    for (int step = 0; step < 200; step++) {
      long double squares = 0;
      for (float& g : gradient) {
        g = float(random.normal());
        squares += (long double)g * g;
      }
      const long double norm = std::sqrt(squares);
      const long double scale = limit > 0 && norm > limit ? limit / norm : 1.0L;
      set_gradient(plain, gradient);
      set_gradient(rmsprop, gradient);
      EXPECT_NEAR(plain.plain_step(0.03, limit), double(norm), 1e-9);
      EXPECT_NEAR(rmsprop.rmsprop_step(0.01, limit, 0.97, 1e-3), double(norm), 1e-9);
      for (int i = 0; i < n; i++) {
        const long double g = gradient[i] * scale;
        a[i] -= 0.03L * g;
        second[i] = decay * second[i] + (1 - decay) * g * g;
        b[i] -= 0.01L * g / (std::sqrt(second[i]) + epsilon);
      }
    }
    for (int i = 0; i < n; i++) {
      EXPECT_NEAR(plain.values()[i], double(a[i]), 1e-5) << limit;
      EXPECT_NEAR(rmsprop.values()[i], double(b[i]), 2e-5) << limit;
    }
  }
}

// A step that would put a number that is not finite anywhere is refused whole.
TEST_F(Trained, AStepThatIsNotFiniteLeavesEverythingAsItWas) {
  TrainedParameters trained(*backend_, {1, 2, 3}, 0);
  set_gradient(trained, {.1f, .2f, .3f});
  trained.adam_step(0.1, 0);
  TensorFile before;
  trained.save(before, "p");
  for (const float bad : {float(NAN), float(INFINITY), -float(INFINITY), 1e20f, -3e38f}) {
    set_gradient(trained, {.1f, bad, .3f});
    EXPECT_FALSE(std::isfinite(trained.adam_step(0.1, 0))) << bad;
    EXPECT_FALSE(std::isfinite(trained.plain_step(0.1, 0))) << bad;
    EXPECT_FALSE(std::isfinite(trained.rmsprop_step(0.1, 0, 0.9, 1e-8))) << bad;
    TensorFile after;
    trained.save(after, "p");
    for (const auto& [name, tensor] : before.tensors()) {
      EXPECT_EQ(after.tensor(name).bytes, tensor.bytes) << name << " after " << bad;
    }
  }
  // With a limit on the norm a great gradient is a direction like any other.
  set_gradient(trained, {.1f, 1e20f, .3f});
  EXPECT_NEAR(trained.adam_step(0.1, 1.0), 1e20, 1e13);
  for (const float p : trained.values()) EXPECT_TRUE(std::isfinite(p));
}

TEST_F(Trained, WhatWasRememberedComesBackWithItsMoments) {
  TrainedParameters trained(*backend_, {1, 2, 3}, 0);
  set_gradient(trained, {.1f, .2f, .3f});
  trained.adam_step(0.1, 0);
  TensorFile before;
  trained.save(before, "p");
  trained.remember();
  for (int k = 0; k < 3; k++) trained.adam_step(0.1, 0);
  trained.plain_step(0.1, 0);
  TensorFile moved;
  trained.save(moved, "p");
  EXPECT_NE(moved.tensor("p/parameters").bytes, before.tensor("p/parameters").bytes);
  trained.restore();
  TensorFile after;
  trained.save(after, "p");
  for (const auto& [name, tensor] : before.tensors()) {
    EXPECT_EQ(after.tensor(name).bytes, tensor.bytes) << name;
  }
}

TEST_F(Trained, InitialWeightsHaveTheStatedNormsAndStreams) {
  const NetworkShape shape = network_shape(false, 5, {33, 7}, "tanh", 3);
  const std::vector<float> weights = initial_parameters(shape, 9, 0, 1.5, 0.01);
  ASSERT_EQ(long(weights.size()), layer_offset(shape, 3));
  for (int l = 0; l < 3; l++) {
    const int n_in = shape.width[l], n_out = shape.width[l + 1];
    const float* w = weights.data() + layer_offset(shape, l);
    for (int j = 0; j < n_out; j++) {
      double squares = 0;
      for (int k = 0; k < n_in; k++) squares += double(w[k * n_out + j]) * double(w[k * n_out + j]);
      EXPECT_NEAR(std::sqrt(squares), l == 2 ? 0.01 : 1.5, 1e-6) << l;
      EXPECT_EQ(w[n_in * n_out + j], 0.0f) << "biases are 0";
    }
  }
  EXPECT_TRUE(same_bits(initial_parameters(shape, 9, 0, 1.5, 0.01), weights));
  EXPECT_FALSE(same_bits(initial_parameters(shape, 9, 1, 1.5, 0.01), weights));
  EXPECT_FALSE(same_bits(initial_parameters(shape, 10, 0, 1.5, 0.01), weights));
}

}  // namespace
}  // namespace gallop::testing
