// Parameters that episodes draw: what is drawn, by what counters, and what may not be.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <gallop/host/files/tensor_file.h>
#include <gallop/host/runtime/environments.h>
#include "tests/host/expect_error.h"
#include "tests/learning/kernel_sets.h"
#include "tests/runtime/recorded_rollout.h"

namespace gallop::testing {
namespace {

using test::expect_error_with;

constexpr int kInstances = 37, kLimit = 6;

class Randomized : public ::testing::Test {
 protected:
  Environments batch(int n = kInstances, std::uint32_t id_offset = 0,
                     ResetMode mode = ResetMode::kSameStep, const char* name = "pendulum") {
    EnvironmentOptions options;
    options.n_envs = n;
    options.seed = 11;
    options.id_offset = id_offset;
    options.reset_mode = mode;
    options.time_limit = kLimit;
    return {*backend_, find_environment(name), options};
  }
  static void draw(Environments& e) {
    e.randomize("mass", {0.5, 2, true});
    e.randomize("length", {0.8, 1.2, false});
  }
  static RecordedRollout rolled(Environments& e, int n_steps) {
    RecordedRollout r(e, n_steps);
    e.rollout(ActionSource::kUniform, {}, false, r.trajectory());
    return r;
  }

  std::unique_ptr<Backend> backend_ = make_cpu_backend(2);
};

TEST_F(Randomized, AnEpisodePlaysAsUnderTheParametersThatItDrew) {
  for (const ResetMode mode : {ResetMode::kSameStep, ResetMode::kNextStep, ResetMode::kDisabled}) {
    Environments drawn = batch(kInstances, 100, mode);
    draw(drawn);
    drawn.reset();
    const RandomPolicy policy = policies_for(drawn, 5).front();
    const auto played = [&](Environments& e) {
      RecordedRollout r(e, kLimit);
      e.rollout(ActionSource::kPolicy, policy.view(), true, r.trajectory());
      return r;
    };
    for (int episode = 0; episode < 3; episode++) {
      Environments given = batch(kInstances, 100, ResetMode::kDisabled);
      for (const char* name : {"mass", "length"}) {
        given.set_parameter(name, drawn.parameter_values(name));
      }
      given.reset();
      for (int k = 0; k < episode; k++) given.reset();
      EXPECT_TRUE(same_bits(given.get_state(), drawn.get_state())) << episode;
      // Whatever mode, the episode itself goes the same way.
      const RecordedRollout a = played(drawn), b = played(given);
      EXPECT_TRUE(same_bits(a.reward, b.reward)) << int(mode) << " " << episode;
      EXPECT_TRUE(same_bits(a.final_observation, b.final_observation));
      if (mode == ResetMode::kNextStep) rolled(drawn, 1);
      if (mode == ResetMode::kDisabled) drawn.reset();
    }
  }
}

TEST_F(Randomized, EveryEpisodeOfEveryInstanceDrawsFromTheWholeRange) {
  Environments e = batch(2000);
  draw(e);
  e.randomize("gravity", {9, 9, false});
  e.reset();
  std::vector<float> before;
  for (int episode = 0; episode < 3; episode++) {
    const std::vector<float> mass = e.parameter_values("mass"),
                             length = e.parameter_values("length");
    double log_mean = 0, mean = 0;
    for (std::size_t i = 0; i < mass.size(); i++) {
      ASSERT_GE(mass[i], 0.5f);
      ASSERT_LE(mass[i], 2.0f);
      ASSERT_GE(length[i], 0.8f);
      ASSERT_LE(length[i], 1.2f);
      log_mean += std::log(double(mass[i])) / double(mass.size());
      mean += double(length[i]) / double(mass.size());
    }
    // Six deviations of the mean of 2000 uniform numbers.
    EXPECT_NEAR(log_mean, 0, 6 * 2 * std::log(2.0) / std::sqrt(12.0 * 2000));
    EXPECT_NEAR(mean, 1, 6 * 0.4 / std::sqrt(12.0 * 2000));
    EXPECT_GT(std::set<float>(mass.begin(), mass.end()).size(), 1990u);
    EXPECT_FALSE(same_bits(mass, before));
    EXPECT_EQ(e.parameter_values("gravity"), std::vector<float>(2000, 9.0f));
    EXPECT_EQ(e.parameter_values("dt"), std::vector<float>(2000, 0.05f));
    before = mass;
    e.reset();
  }
}

TEST_F(Randomized, DrawsDependOnIdAndEpisodeAlone) {
  Environments whole = batch(), first = batch(16), second = batch(kInstances - 16, 16);
  for (Environments* e : {&whole, &first, &second}) {
    draw(*e);
    e->reset();
  }
  const RecordedRollout all = rolled(whole, 20);
  EXPECT_EQ(all.columns(0, 16).difference(rolled(first, 20)), "");
  EXPECT_EQ(all.columns(16, kInstances).difference(rolled(second, 20)), "");
  // One range less leaves the other's draws.
  Environments one = batch();
  one.randomize("length", {0.8, 1.2, false});
  one.reset();
  Environments both = batch();
  draw(both);
  both.reset();
  EXPECT_TRUE(same_bits(one.parameter_values("length"), both.parameter_values("length")));
  // Common random numbers: instances of one id draw alike.
  EnvironmentOptions options;
  options.n_envs = 2;
  options.ids = {5, 5};
  Environments twins(*backend_, find_environment("pendulum"), options);
  draw(twins);
  twins.reset();
  EXPECT_EQ(twins.parameter_values("mass")[0], twins.parameter_values("mass")[1]);
}

TEST_F(Randomized, WhatIsNotRandomizedHasTheBitsOfBefore) {
  Environments plain = batch(), stopped = batch();
  draw(stopped);
  stopped.stop_randomizing("mass");
  stopped.stop_randomizing();
  plain.reset();
  stopped.reset();
  EXPECT_EQ(rolled(plain, 20).difference(rolled(stopped, 20)), "");
  EXPECT_EQ(stopped.parameter("mass"), 1.0);
}

TEST_F(Randomized, SnapshotsAndCheckpointsGoOnWithTheSameDraws) {
  for (const bool started : {false, true}) {
    Environments e = batch(), other = batch(), loaded = batch();
    draw(e);
    other.randomize("gravity", {1, 2, false});
    if (started) {
      e.reset();
      rolled(e, 8);
      TensorFile file;
      e.save(file, "batch");
      draw(loaded);
      loaded.load(file, "batch");
    }
    other.restore(e.snapshot());
    EXPECT_EQ(other.parameter("gravity"), 10.0);
    if (!started) {
      for (Environments* b : {&e, &other}) b->reset();
    }
    EXPECT_TRUE(same_bits(e.parameter_values("mass"), other.parameter_values("mass")));
    const RecordedRollout expected = rolled(e, 20);
    EXPECT_EQ(expected.difference(rolled(other, 20)), "");
    if (started) {
      EXPECT_EQ(expected.difference(rolled(loaded, 20)), "");
    }
  }
}

TEST_F(Randomized, WhatCannotBeARangeIsRefusedAndChangesNothing) {
  Environments e = batch();
  draw(e);
  const std::vector<float> before = e.parameter_values("mass");
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  expect_error_with(
      ExitCode::usage,
      [&] {
        e.randomize("mas", {1, 2, false});
      },
      "pendulum", "'mas'", "mass");
  const auto refuse = [&](const DrawnRange& range, const char* what) {
    expect_error_with(
        ExitCode::value, [&] { e.randomize("mass", range); }, "mass", "pendulum", what);
  };
  refuse({2, 1, false}, "begins above its end");
  refuse({nan, 1, false}, "not finite");
  refuse({1, inf, false}, "not finite");
  refuse({0, 1, false}, "expected 0.001 to");
  refuse({1, 1e7, false}, "expected 0.001 to");
  expect_error_with(
      ExitCode::value,
      [&] {
        e.randomize("gravity", {-1, 2, true});
      },
      "gravity", "logarithm");
  EXPECT_TRUE(same_bits(e.parameter_values("mass"), before));
  // What is drawn has no value of its own.
  expect_error_with(
      ExitCode::value, [&] { e.set_parameter("mass", 1); }, "mass", "drawn", "0.5..2:log");
  const std::vector<float> ones(kInstances, 1.0f);
  expect_error_with(
      ExitCode::value, [&] { e.set_parameter("mass", ones); }, "mass", "drawn");
  expect_error_with(
      ExitCode::value, [&] { e.parameter("mass"); }, "mass", "drawn");
}

TEST_F(Randomized, WhatSetsTheSizesIsRefused) {
  Environments e = batch(1, 0, ResetMode::kSameStep, "mdp");
  expect_error_with(
      ExitCode::value,
      [&] {
        e.randomize("n_states", {2, 3, false});
      },
      "n_states", "sizes");
}

TEST(ParameterRange, IsReadAndWrittenAsText) {
  const DrawnRange plain = parse_range("x", "0.05..0.3"), log = parse_range("x", " -1e-3 .. 2:log");
  EXPECT_EQ(plain.low, 0.05);
  EXPECT_EQ(plain.high, 0.3);
  EXPECT_FALSE(plain.logarithmic);
  EXPECT_EQ(log.low, -1e-3);
  EXPECT_EQ(log.high, 2);
  EXPECT_TRUE(log.logarithmic);
  EXPECT_EQ(range_text(plain), "0.05..0.3");
  EXPECT_EQ(range_text(log), "-0.001..2:log");
  for (const char* bad :
       {"", "1", "1..", "..2", "1..2:ln", "1..2:", "1..x", "a..b", "1-2"}) {
    expect_error_with(
        ExitCode::value, [&] { parse_range("mass", bad); }, "'mass'", bad, "LOW..HIGH");
  }
}

}  // namespace
}  // namespace gallop::testing
