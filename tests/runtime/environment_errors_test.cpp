// Wrong shapes, ranges and orders of calls through the library's interface: an Error of the right
// code that names the value, and an object that goes on.
#include <gtest/gtest.h>

#include <cmath>

#include <gallop/host/files/tensor_file.h>
#include <gallop/host/runtime/environments.h>
#include <gallop/host/runtime/processor.h>
#include "tests/host/expect_error.h"
#include "tests/learning/kernel_sets.h"
#include "tests/runtime/recorded_rollout.h"

namespace gallop::testing {
namespace {

using test::expect_error_with;

class EnvironmentErrors : public ::testing::Test {
 protected:
  const EnvironmentEntry& cartpole_ = find_environment("cartpole");
  std::unique_ptr<Backend> backend_ = make_cpu_backend(1);

  EnvironmentOptions options_;
  auto making() {
    return [this] { Environments(*backend_, cartpole_, options_); };
  }
};

TEST_F(EnvironmentErrors, CountsSeedsAndIdsOutOfRange) {
  options_.n_envs = 0;
  expect_error_with(ExitCode::value, making(), "n_envs is 0", "expected 1");
  options_.n_envs = -5;
  expect_error_with(ExitCode::value, making(), "n_envs is -5");
  options_.n_envs = (1 << 28) + 1;
  expect_error_with(ExitCode::value, making(), "268435457");
  options_.n_envs = 16;
  options_.seed = kMaxSeed + 1;
  expect_error_with(ExitCode::value, making(), "seed is 72057594037927936");
  options_.seed = kMaxSeed;
  options_.id_offset = 0xfffffff1u;
  expect_error_with(ExitCode::value, making(), "4294967281", "16");
  options_.id_offset = 0xfffffff0u;
  EXPECT_NO_THROW(making()());
  options_.time_limit = -2;
  expect_error_with(ExitCode::value, making(), "time_limit is -2");
}

TEST_F(EnvironmentErrors, Parameters) {
  Environments e = make_batch(*backend_, cartpole_, 4);
  expect_error_with(
      ExitCode::usage, [&] { e.set_parameter("gravty", 9.8); }, "gravty", "gravity", "cartpole");
  for (const double bad : {-2000.0, 1e9, double(NAN), double(INFINITY)}) {
    expect_error_with(
        ExitCode::value, [&] { e.set_parameter("gravity", bad); }, "gravity", "1000", "m/s^2");
  }
  EXPECT_EQ(e.parameter("gravity"), 9.8);
  const std::vector<float> three = {1, 2, 3}, four = {1, 2, 3, 1e9f};
  expect_error_with(
      ExitCode::value, [&] { e.set_parameter("gravity", three); }, "3 values", "4");
  expect_error_with(
      ExitCode::value, [&] { e.set_parameter("gravity", four); }, "gravity");
  expect_error_with(
      ExitCode::usage, [&] { (void)e.parameter("mass"); }, "mass_cart");
}

TEST_F(EnvironmentErrors, CallsInTheWrongOrder) {
  options_.n_envs = 8;
  Environments e(*backend_, cartpole_, options_);
  std::vector<float> action(8);
  expect_error_with(
      ExitCode::value, [&] { e.step(action.data(), {}); }, "reset");
  const std::vector<std::uint8_t> mask(8, 1);
  expect_error_with(
      ExitCode::value, [&] { e.reset_where(mask.data()); }, "reset");
  RecordedRollout r(e, 2);
  expect_error_with(
      ExitCode::value, [&] { e.rollout(ActionSource::kUniform, {}, false, r.trajectory()); },
      "reset");
  e.reset();
  EXPECT_NO_THROW(e.rollout(ActionSource::kUniform, {}, false, r.trajectory()));
}

TEST_F(EnvironmentErrors, WhatHasNotBegunIsNotReadAndNullIsNoMemory) {
  options_.n_envs = 8;
  Environments e(*backend_, cartpole_, options_);
  std::vector<float> observation(32), action(8);
  TensorFile file;
  expect_error_with(
      ExitCode::value, [&] { e.observe(observation.data()); }, "observe", "reset");
  expect_error_with(
      ExitCode::value, [&] { (void)e.get_state(); }, "get_state", "reset");
  expect_error_with(
      ExitCode::value, [&] { e.save(file, "batch"); }, "save", "reset");
  e.set_state(std::vector<float>(32, 0.0f));
  EXPECT_NO_THROW(e.observe(observation.data()));
  expect_error_with(
      ExitCode::value, [&] { e.observe(nullptr); }, "observations", "null");
  expect_error_with(
      ExitCode::value, [&] { e.step(nullptr, {}); }, "actions", "null");
  expect_error_with(
      ExitCode::value, [&] { e.reset_where(nullptr); }, "mask", "null");
  for (const long stride : {7L, 1L, -8L}) {
    StepOutput out = {};
    out.observation = observation.data();
    out.observation_stride = stride;
    expect_error_with(
        ExitCode::value, [&] { e.step(action.data(), out); }, "observation_stride", "8");
  }
  EXPECT_EQ(e.time(), 0u);
}

TEST_F(EnvironmentErrors, ChoicesThatAreNone) {
  options_.reset_mode = ResetMode(3);
  expect_error_with(ExitCode::value, making(), "reset_mode is 3");
  options_.reset_mode = ResetMode::kDisabled;
  options_.arithmetic = Arithmetic(-1);
  expect_error_with(ExitCode::value, making(), "arithmetic is -1");
  for (const int threads : {-1, -1000000, 4097, 1 << 30}) {
    expect_error_with(
        ExitCode::value, [&] { make_cpu_backend(threads); }, std::to_string(threads), "4096");
    expect_error_with(
        ExitCode::value, [&] { make_backend("cpu", threads, nullptr); }, std::to_string(threads));
  }
}

// Single precision makes 1e-6 a number below it.
TEST_F(EnvironmentErrors, ALimitIsWithinTheRangeInSinglePrecisionToo) {
  Environments e = make_batch(*backend_, cartpole_, 2);
  const std::vector<float> least(2, 1e-6f), less(2, std::nextafter(1e-6f, 0.0f));
  EXPECT_NO_THROW(e.set_parameter("tau", least));
  expect_error_with(
      ExitCode::value, [&] { e.set_parameter("tau", less); }, "tau");
}

TEST_F(EnvironmentErrors, IdsAreOneForEachInstance) {
  options_.ids = {4, 5, 6};
  expect_error_with(ExitCode::value, making(), "3 ids for", std::to_string(options_.n_envs));
  options_.ids.assign(options_.n_envs, 7);
  EXPECT_NO_THROW(making()());
  options_.id_offset = 1;
  expect_error_with(ExitCode::value, making(), "id_offset 1");
}

TEST_F(EnvironmentErrors, ViewsOfActionsAndObservations) {
  Environments e = make_batch(*backend_, cartpole_, 8);
  std::vector<float> numbers(32, 0.0f);
  const ArrayView rows = {numbers.data(), NumberKind::kFloat, 1, 4};
  const auto stepping = [&](ArrayView action, ArrayView observation) {
    return [&e, action, observation] { e.step(action, observation, {}); };
  };
  expect_error_with(ExitCode::value, stepping({}, rows), "the actions", "null");
  expect_error_with(ExitCode::value, stepping({numbers.data(), NumberKind::kInt32, 1, 0}, rows),
                    "the actions", "instance to instance");
  expect_error_with(ExitCode::value, stepping({numbers.data(), NumberKind(3), 1, 1}, rows),
                    "the actions", "kind 3");
  expect_error_with(ExitCode::value, stepping(rows, {numbers.data(), NumberKind::kInt64, 1, 4}),
                    "the observations", "floats");
  expect_error_with(
      ExitCode::value,
      [&] {
        e.observe(ArrayView{numbers.data(), NumberKind::kFloat, 0, 4});
      },
      "the observations", "component to component");
  EXPECT_EQ(e.time(), 0u);
}

TEST_F(EnvironmentErrors, FirstReturnsAndFirstLengthsGoTogether) {
  Environments e = make_batch(*backend_, cartpole_, 8);
  std::vector<float> returns(8, 0.0f);
  const std::vector<float> action(8, 0.0f);
  StepOutput out = {};
  out.first_return = returns.data();
  expect_error_with(
      ExitCode::value, [&] { e.step(action.data(), out); }, "first_return", "first_length");
  std::vector<std::int32_t> lengths(8, 0);
  Trajectory trajectory = {};
  trajectory.n_steps = 1;
  trajectory.n_envs = 8;
  trajectory.first_length = lengths.data();
  expect_error_with(
      ExitCode::value, [&] { e.rollout(ActionSource::kUniform, {}, false, trajectory); },
      "first_return", "first_length");
  EXPECT_EQ(e.time(), 0u);
}

TEST_F(EnvironmentErrors, ShapesOfRolloutsAndPolicies) {
  Environments e = make_batch(*backend_, cartpole_, 8);
  RecordedRollout other(3, 7, 4, 1), none(1, 8, 4, 1), r(3, 8, 4, 1);
  expect_error_with(
      ExitCode::value, [&] { e.rollout(ActionSource::kUniform, {}, false, other.trajectory()); },
      "7", "8");
  Trajectory empty = none.trajectory();
  empty.n_steps = 0;
  expect_error_with(
      ExitCode::value, [&] { e.rollout(ActionSource::kUniform, {}, false, empty); }, "0 steps");
  Trajectory final_alone = r.trajectory();
  final_alone.observation = nullptr;
  expect_error_with(
      ExitCode::value, [&] { e.rollout(ActionSource::kUniform, {}, false, final_alone); },
      "final observations");

  const RandomPolicy good = policies_for(e, 1)[2];  // 4, 64, 64, 2
  const auto refused = [&](const RandomPolicy& p, auto... texts) {
    expect_error_with(
        ExitCode::value, [&] { e.rollout(ActionSource::kPolicy, p.view(), false, r.trajectory()); },
        texts...);
  };
  RandomPolicy p = good;
  p.shape.network.width[0] = 5;
  refused(p, "5 components", "cartpole", "4 components");
  p = good;
  p.shape.n_actions = 3;
  refused(p, "3 discrete actions", "2 discrete actions");
  p = good;
  p.shape.head = Head::kGaussian;
  refused(p, "action components");
  p = good;
  p.shape.network.kind = NetworkKind::kTabular;
  refused(p, "3 layers", "table");
  p.shape.network.n_layers = 1;
  refused(p, "4 states", "4 components");
  p = good;
  p.shape.network.width[3] = 7;  // outputs
  refused(p, "7");
  p = good;
  p.shape.network.n_layers = kMaxLayers + 1;
  refused(p, "17");
  p = good;
  p.shape.network.n_layers = 0;
  refused(p, "0");
  p = good;
  p.shape.network.width[1] = kMaxWidth + 1;
  refused(p, "8193");
  p = good;
  p.shape.network.width[2] = 0;
  refused(p, "0");
  p = good;
  p.parameters.clear();
  PolicyView view = p.view();
  view.parameters = nullptr;
  expect_error_with(
      ExitCode::value, [&] { e.rollout(ActionSource::kPolicy, view, false, r.trajectory()); },
      "parameters");
  EXPECT_NO_THROW(e.rollout(ActionSource::kPolicy, good.view(), false, r.trajectory()));

  Environments pendulum = make_batch(*backend_, find_environment("pendulum"), 8);
  RecordedRollout q(pendulum, 3);
  RandomPolicy network = policies_for(pendulum, 1)[4];  // outputs are mean and log sigma
  ASSERT_EQ(network.shape.head, Head::kGaussianNetwork);
  network.shape.network.width[1] = 1;
  expect_error_with(
      ExitCode::value,
      [&] { pendulum.rollout(ActionSource::kPolicy, network.view(), false, q.trajectory()); }, "2");
}

TEST_F(EnvironmentErrors, StatesAndTables) {
  Environments e = make_batch(*backend_, cartpole_, 3);
  const std::vector<float> before = e.get_state(), short_state(11), table(5);
  expect_error_with(
      ExitCode::value, [&] { e.set_state(short_state); }, "11", "12", "4 comp");
  EXPECT_TRUE(same_bits(e.get_state(), before));
  expect_error_with(
      ExitCode::value, [&] { e.set_table(table); }, "cartpole", "no table");
  Environments mdp = make_batch(*backend_, find_environment("mdp"), 3);
  expect_error_with(
      ExitCode::value, [&] { mdp.set_table(table); }, "5 floats", "mdp");
  expect_error_with(
      ExitCode::value, [&] { mdp.set_parameter("n_states", 5); }, "n_states");
  expect_error_with(
      ExitCode::value, [&] { mdp.set_parameter("n_states", 3.5); }, "n_states", "whole");
  expect_error_with(
      ExitCode::value, [&] { e.set_time_limit(-1); }, "-1");
}

TEST_F(EnvironmentErrors, SizesFollowTheParametersOfABatchThatHasNotBegun) {
  EnvironmentOptions options;
  options.n_envs = 4;
  Environments mdp(*backend_, find_environment("mdp"), options);
  EXPECT_EQ(mdp.observation_size(), 3);
  mdp.set_parameter("n_states", 6);
  EXPECT_EQ(mdp.observation_size(), 6);
  const std::vector<float> equal(4, 6.0f), unequal = {6, 6, 5, 6};
  EXPECT_NO_THROW(mdp.set_parameter("n_states", equal));
  expect_error_with(
      ExitCode::value, [&] { mdp.set_parameter("n_states", unequal); }, "sizes");
  mdp.set_parameter("n_states", 5);
  EXPECT_EQ(mdp.observation_size(), 5);
}

TEST_F(EnvironmentErrors, CheckpointsOfAnotherBatch) {
  Environments four = make_batch(*backend_, cartpole_, 4),
               big = make_batch(*backend_, cartpole_, 200);
  TensorFile file, none;
  four.save(file, "batch");
  expect_error_with(
      ExitCode::checkpoint, [&] { big.load(file, "batch"); }, "batch/state");
  expect_error_with(
      ExitCode::checkpoint, [&] { big.load(none, "batch"); }, "batch/state");
}

TEST(Registry, UnknownNamesOfferTheNearest) {
  expect_error_with(
      ExitCode::usage, [] { (void)find_environment("cartpoel"); }, "cartpoel", "cartpole");
  expect_error_with(
      ExitCode::usage, [] { (void)find_algorithm("pppo"); }, "pppo", "ppo");
  EXPECT_EQ(&find_environment("CartPole-v1"), &find_environment("cartpole"));
  expect_error_with(
      ExitCode::value, [] { make_backend("gpu", 1, nullptr); }, "gpu", "cuda");
  expect_error_with(
      ExitCode::value,
      [] {
        ::setenv("GALLOP_ISA", "avx1024", 1);
        try {
          make_cpu_backend(1);
        } catch (...) {
          ::unsetenv("GALLOP_ISA");
          throw;
        }
      },
      "avx1024", isa_name(processor_isa()));
}

}  // namespace
}  // namespace gallop::testing
