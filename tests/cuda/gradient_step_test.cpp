// Gradients with the steps along them, and operations that run at the same time, on the subject
// against the CPU, where they follow one another.
#include <cmath>

#include <gallop/host/error.h>
#include "tests/cuda/gradient_case.h"

#ifndef GALLOP_GPU_TEST
#include "tests/executor/grid.h"
#endif

namespace gallop::testing {
namespace {

// A network with its optimiser: parameters, gradient with the sums behind it, moments, state.
struct Trained {
  DeviceArray<float> parameters, gradient, first, second;
  DeviceArray<StepState> state;
  long n;

  Trained(Backend& backend, const PolicyShape& shape, long size, int n_statistics)
      : parameters(uploaded(backend, parameters_of(shape, 19, 1.0f))),
        gradient(poisoned<float>(backend, std::size_t(size) + n_statistics)),
        first(uploaded(backend, std::vector<float>(size, 0.0f))),
        second(uploaded(backend, std::vector<float>(size, 0.0f))),
        state(uploaded<StepState>(backend, {{0.01, 1.0, 1.0, 0.0, 1.0, 0}})),
        n(size) {}

  StepRequest step() const {
    return {StepRule::kAdam,
            parameters.data(),
            gradient.data(),
            first.data(),
            second.data(),
            state.data(),
            0.5,
            0.9,
            0.99,
            1e-8f,
            n};
  }
  void expect_same(const Trained& other) const {
    EXPECT_TRUE(same_bits(parameters.download(), other.parameters.download()));
    EXPECT_TRUE(same_bits(gradient.download(), other.gradient.download()));
    EXPECT_TRUE(same_bits(first.download(), other.first.download()));
    EXPECT_TRUE(same_bits(second.download(), other.second.download()));
    const StepState a = state.download()[0], b = other.state.download()[0];
    EXPECT_TRUE(is_same(a.norm, b.norm)) << a.norm << " " << b.norm;
    EXPECT_EQ(a.power1, b.power1);
    EXPECT_EQ(a.scale, b.scale);
    EXPECT_EQ(a.refused, b.refused);
  }
};

// Policy and value network on the samples of one case.
struct Pair {
  Backend& backend;
  GradientCase given;
  CaseSamples from;
  PolicyShape policy_shape, value_shape;
  Trained policy, value;

  Pair(Backend& on, const GradientCase& c)
      : backend(on),
        given(c),
        from(on, c),
        policy_shape(shape_of(c, c.n_actions)),
        value_shape(shape_of(c, 1)),
        policy(on, policy_shape, parameter_count(policy_shape), kPolicyStatistics),
        value(on, value_shape, layer_offset(value_shape.network, value_shape.network.n_layers), 1) {
  }
  PolicyStepRequest policy_request() const {
    PolicyGradientRequest r = {};
    r.policy = {policy_shape, policy.parameters.data(), {}};
    r.samples = from.samples;
    r.arithmetic = given.arithmetic;
    r.loss = given.loss;
    r.clip = 0.2f;
    r.weight = 1.0f / float(given.count);
    r.gradient = policy.gradient.data();
    return {r, policy.step()};
  }
  ValueStepRequest value_request() const {
    ValueGradientRequest r = {};
    r.shape = value_shape.network;
    r.parameters = value.parameters.data();
    r.samples = from.samples;
    r.arithmetic = given.arithmetic;
    r.weight = 1.0f / float(given.count);
    r.gradient = value.gradient.data();
    return {r, value.step()};
  }
  void one_by_one() {
    backend.policy_gradient(policy_request().gradient);
    backend.optimizer_step(policy_request().step);
    backend.value_gradient(value_request().gradient);
    backend.optimizer_step(value_request().step);
  }
  void at_once() {
    backend.both([&] { backend.policy_step(policy_request()); },
                 [&] { backend.value_step(value_request()); });
  }
  void expect_same(const Pair& other) const {
    policy.expect_same(other.policy);
    value.expect_same(other.value);
  }
};

GradientCase small_case(long count) {
  GradientCase c;
  c.hidden = {16, 8};
  c.count = count;
  return c;
}

// Few and many chunks, more parameters than a block of the sum takes, and more than one block
// steps.
TEST(GradientStep, IsTheGradientAndTheStep) {
  GradientCase wide, wider;
  wide.hidden = {64, 64};
  wide.head = Head::kGaussian;
  wider.hidden = {130, 130};
  wider.count = 130;
  for (const GradientCase& c : {small_case(1), small_case(129), small_case(5000), wide, wider}) {
    SCOPED_TRACE(c.label());
    const auto cpu = make_cpu_backend(2);
    const auto subject = make_subject();
    Pair expected(*cpu, c), together(*cpu, c), actual(*subject, c);
    for (int k = 0; k < 2; k++) {
      expected.one_by_one();
      together.at_once();
      actual.at_once();
    }
    expected.expect_same(together);
    expected.expect_same(actual);
    EXPECT_EQ(actual.policy.state.download()[0].refused, 0);
  }
}

TEST(GradientStep, EveryOrderOfBlocksAndThreads) {
  const auto cpu = make_cpu_backend(1);
  Pair expected(*cpu, small_case(300));
  expected.one_by_one();
  in_every_order([&] {
    const auto subject = make_subject();
    Pair actual(*subject, small_case(300));
    actual.at_once();
    expected.expect_same(actual);
  });
}

TEST(GradientStep, WhatIsNotFiniteChangesNothing) {
  const auto cpu = make_cpu_backend(1);
  const auto subject = make_subject();
  for (Backend* backend : {cpu.get(), subject.get()}) {
    Pair pair(*backend, small_case(200));
    std::vector<float> target = pair.from.batch.target.download();
    target[35] = INFINITY;
    pair.from.batch.target.upload(target);
    const std::vector<float> policy = pair.policy.parameters.download();
    const std::vector<float> value = pair.value.parameters.download();
    pair.at_once();
    EXPECT_FALSE(same_bits(policy, pair.policy.parameters.download()));
    EXPECT_TRUE(same_bits(value, pair.value.parameters.download()));
    EXPECT_EQ(pair.value.state.download()[0].refused, 1);
    EXPECT_EQ(pair.policy.state.download()[0].refused, 0);
  }
}

// In mode fast a device has bits of its own, but one after the other and at once the same.
TEST(GradientStep, InModeFastIsTheGradientAndTheStep) {
  GradientCase c = small_case(400);
  c.arithmetic = Arithmetic::kFast;
  const auto subject = make_subject();
  Pair expected(*subject, c), actual(*subject, c);
  expected.one_by_one();
  actual.at_once();
  expected.expect_same(actual);
}

// What two sequences work in is not shared: a device that repeats them runs their launches by
// turns.
TEST(Branches, ARepetitionIsThatOfOneAfterTheOther) {
  const auto cpu = make_cpu_backend(1);
  const auto subject = make_subject();
  Pair expected(*cpu, small_case(500)), actual(*subject, small_case(500));
  std::unique_ptr<Recording> recording;
  for (int k = 0; k < 4; k++) {
    expected.one_by_one();
    expected.one_by_one();
    subject->run(
        [&] {
          actual.at_once();
          actual.at_once();
        },
        recording);
    expected.expect_same(actual);
  }
}

TEST(Branches, DoNotNestAndEndWithAFailure) {
  const auto subject = make_subject();
  const auto nothing = [] {};
  const auto nested = [&] { subject->both(nothing, nothing); };
  const auto x = uploaded<float>(*subject, {1, 2});
  for (int k = 0; k < 2; k++) {
    EXPECT_THROW(subject->both(nested, nothing), Error);
    EXPECT_THROW(subject->both(nothing, nested), Error);
    EXPECT_THROW(subject->both([] { throw value_error("planted"); }, nothing), Error);
    subject->both(
        [&] {
          subject->add_scaled({x.data(), 1.0f, x.data(), 1});
        },
        [&] {
          subject->add_scaled({x.data() + 1, 1.0f, x.data() + 1, 1});
        });
  }
  EXPECT_EQ(x.download(), (std::vector<float>{4, 8}));
}

#ifndef GALLOP_GPU_TEST

std::size_t launches_of(const std::function<void()>& operations) {
  std::vector<executor::GridLaunch> launches;
  const executor::ScopedCapture capture(launches);
  operations();
  return launches.size();
}

// Of a minibatch, two each for policy and value network.
TEST(GradientStep, TakesTwoLaunches) {
  const auto subject = make_subject();
  Pair pair(*subject, small_case(300));
  pair.at_once();  // its memory is there
  EXPECT_EQ(launches_of([&] { pair.one_by_one(); }), 6u);
  EXPECT_EQ(launches_of([&] { pair.at_once(); }), 4u);
}

#endif

}  // namespace
}  // namespace gallop::testing
