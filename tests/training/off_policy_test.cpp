// Off-policy actor-critics through the library and the program: they learn pendulum, end as they
// say where they cannot, and take their options.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include <gallop/host/runtime/environments.h>

#include "tests/host/expect_error.h"
#include "tests/host/temporary_folder.h"
#include "tests/training/learner.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

class OffPolicy : public ::testing::TestWithParam<const AlgorithmDescriptor*> {
 protected:
  std::string name() const { return GetParam()->name; }
};
INSTANTIATE_TEST_SUITE_P(Registry, OffPolicy, ::testing::ValuesIn(off_policy_algorithms()),
                         [](const auto& info) { return std::string(info.param->name); });

TEST_P(OffPolicy, ActsAtRandomUntilLearningStarts) {
  Learner learner("pendulum", name(), 1, {"learning_starts=385"});
  const TensorFile before = learner.saved();
  EXPECT_EQ(metric(learner.run(1), "updates"), 0);  // 384 steps
  EXPECT_FALSE(differences(learner.saved(), before).contains("policy/parameters"));
  const Metrics metrics = learner.run(1);
  EXPECT_EQ(metric(metrics, "updates"), 24);
  EXPECT_TRUE(std::isfinite(metric(metrics, "q")));
  EXPECT_TRUE(differences(learner.saved(), before).contains("policy/parameters"));
  EXPECT_EQ(metric(metrics, "replay_size"), 500) << "no more than buffer_size";
}

TEST_P(OffPolicy, CountsUpdates) {
  const auto updates = [&](const std::vector<std::string>& options) {
    Learner learner("pendulum", name(), 1, options);
    return metric(learner.run(1), "updates");
  };
  EXPECT_EQ(updates({"learning_starts=0"}), 24);
  EXPECT_EQ(updates({"learning_starts=0", "train_freq=6"}), 4);
  EXPECT_EQ(updates({"learning_starts=0", "gradient_steps=3"}), 72);
  EXPECT_EQ(updates({"learning_starts=0", "n_envs=2", "gradient_steps=0"}), 48);
}

TEST_P(OffPolicy, RefusesWhatDoesNotFit) {
  const auto refused = [&](const char* environment, const std::vector<std::string>& options,
                           const char* text) {
    test::expect_error_with(
        ExitCode::value, [&] { Learner(environment, name(), 1, options); }, text);
  };
  refused("cartpole", {}, "discrete actions");
  refused("mdp", {}, "this algorithm learns policies of continuous");
  refused("lqr", {}, "expects finite bounds");
  refused("pendulum", {"train_freq=7"}, "expected a multiple of train_freq");
  refused("pendulum", {"buffer_size=5"}, "expected at least the 16 transitions");
  refused("pendulum", {"buffer_size=1000000000", "batch_size=16000000"}, "GB are available");
}

// Values that grow beyond what a step takes: everything learnt is what it was before the iteration.
TEST_P(OffPolicy, StopsAtNumbersThatAreNotFinite) {
  std::vector<std::string> wild = {"reward_scale=1e9", "value_learning_rate=10",
                                   "learning_rate=10"};
  if (Options(GetParam()->options).has("tau")) wild.push_back("tau=1");
  Learner learner("pendulum", name(), 1, wild);
  TensorFile before;
  test::expect_error_with(
      ExitCode::non_finite,
      [&] {
        for (int k = 0; k < 40; k++) {
          before = learner.saved();
          learner.run(1);
        }
      },
      "gradient");
  EXPECT_TRUE(differences_under("policy/", learner.saved(), before).empty());
  EXPECT_TRUE(differences_under("value/", learner.saved(), before).empty());
}

// One cart of a gram that is pushed with ten thousand newtons.
TEST_P(OffPolicy, WhatAnInstanceSpoiltIsNotReplayed) {
  const auto make = [](Backend& backend, const RunOptions& options) {
    return options.algorithm().create(
        {.backend = backend,
         .environment = options.environment(),
         .options = options.values(),
         .seed = options.seed(),
         .configure = [configure = options.configure()](Environments& e) {
           configure(e);
           std::vector<float> mass(std::size_t(e.n_envs()), 5.0f), gear(mass.size(), 100.0f);
           mass[5] = 1e-3f;
           gear[5] = 1e4f;
           for (const char* name : {"mass_cart", "mass_pole"}) e.set_parameter(name, mass);
           e.set_parameter("gear_x", gear);
         }});
  };
  const auto options_of = [&](const char* nonfinite) {
    RunOptions options("inverted_pendulum", name());
    for (const std::string& small :
         {std::string("n_envs=16"), std::string("n_steps=24"), std::string("hidden=8"),
          std::string("learning_starts=100"), std::string("batch_size=20"),
          std::string("nonfinite=") + nonfinite}) {
      options.set_assignment(small, "test");
    }
    return options;
  };
  const auto backend = make_cpu_backend(2);
  const RunOptions stop = options_of("stop"), reset = options_of("reset");
  const auto stopping = make(*backend, stop), going = make(*backend, reset);
  test::expect_error_with(
      ExitCode::non_finite, [&] { stopping->iterate(); }, "instance 5", "inverted_pendulum");
  const Metrics metrics = going->iterate();
  const double spoilt = metric(metrics, "nonfinite_instances");
  EXPECT_GE(spoilt, 1);
  EXPECT_LE(spoilt, 24);
  EXPECT_EQ(metric(metrics, "replay_size"), 16 * 24 - spoilt);
  EXPECT_TRUE(std::isfinite(metric(going->iterate(), "value_loss")));
  TensorFile file;
  going->save(file);
  going->load(file);  // which refuses numbers that are not finite
}

TEST(OffPolicyNoise, AProcessExploresAndIsSaved) {
  const std::vector<std::string> options = {"noise=ou", "exploration_noise=0.3"};
  for (const char* const name : {"ddpg", "td3", "dpg"}) {
    Learner whole("pendulum", name, 1, options), other("pendulum", name, 2, options);
    Learner gaussian("pendulum", name, 1, {"exploration_noise=0.3"});
    whole.run(3);
    gaussian.run(3);
    EXPECT_TRUE(differences(whole.saved(), gaussian.saved()).contains("policy/parameters"));
    other.algorithm->load(whole.saved());
    whole.run(2);
    other.run(2);
    EXPECT_EQ(differences(whole.saved(), other.saved()), std::set<std::string>()) << name;
    EXPECT_TRUE(whole.saved().has("noise"));
  }
}

// What is reported is of the iteration itself, so that a resumed run reports the same.
TEST(Td3, IterationsWithoutAPolicyGradientSaySo) {
  Learner learner("pendulum", "td3", 1, {"n_steps=1", "learning_starts=0", "policy_delay=3"});
  for (int k = 0; k < 6; k++) {
    const Metrics metrics = learner.run(1);
    EXPECT_EQ(std::isnan(metric(metrics, "q")), k % 3 != 2) << k;
    EXPECT_TRUE(std::isfinite(metric(metrics, "value_loss"))) << k;
  }
}

TEST(Sac, TheEntropyCoefficientIsLearntOrGiven) {
  Learner given("pendulum", "sac", 1, {"entropy_coefficient=0.25"}), learnt("pendulum", "sac", 1);
  EXPECT_NEAR(metric(given.run(3), "entropy_coefficient"), 0.25, 1e-6);
  EXPECT_NE(metric(learnt.run(3), "entropy_coefficient"), 1);
  EXPECT_FALSE(given.saved().has("temperature/parameters"));
}

struct Bar {
  const char* algorithm;
  double bar;
};
class OffPolicyLearning : public ::testing::TestWithParam<Bar> {};
INSTANTIATE_TEST_SUITE_P(Pendulum, OffPolicyLearning,
                         ::testing::Values(Bar{"sac", -180}, Bar{"td3", -200}),
                         [](const auto& info) { return std::string(info.param.algorithm); });

TEST_P(OffPolicyLearning, ReachesTheBarWithTheShippedDefaults) {
  const test::TemporaryFolder folder;
  const ProgramResult result =
      run_program({"train", "pendulum", "--algorithm", GetParam().algorithm, "--seed", "1",
                   "--device", "cpu", "--json", "--out", folder / "run"});
  ASSERT_EQ(result.code, 0) << result.err;
  const nlohmann::json object = nlohmann::json::parse(last_line(result.out));
  EXPECT_GE(object["eval_return_mean"].get<double>(), GetParam().bar);
  std::printf("%s: %.1f in %.2f s\n", GetParam().algorithm,
              object["eval_return_mean"].get<double>(), object["train_seconds"].get<double>());
}

}  // namespace
}  // namespace gallop::testing
