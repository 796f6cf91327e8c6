// Learning under parameters that every episode draws: the same bits for any number of threads and
// through interruptions, and how values and ranges take each other's place.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <gallop/host/error.h>
#include "tests/host/expect_error.h"
#include "tests/host/temporary_folder.h"
#include "tests/training/learner.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using nlohmann::json;
using test::expect_error_with;
using test::put_file;
using test::TemporaryFolder;
using Words = std::vector<std::string>;

const std::string kPendulum = "randomize=mass=0.5..2:log,length=0.8..1.2";

class EveryRandomizedAlgorithm : public ::testing::TestWithParam<const AlgorithmDescriptor*> {};
INSTANTIATE_TEST_SUITE_P(Registry, EveryRandomizedAlgorithm, ::testing::ValuesIn(all_algorithms()),
                         [](const auto& info) { return std::string(info.param->name); });

TEST_P(EveryRandomizedAlgorithm, LearnsUnderDrawnParametersWithTheSameBits) {
  const std::string task = task_of(*GetParam()), name = GetParam()->name;
  const std::string ranges =
      task == "pendulum" ? kPendulum : "randomize=mass_pole=0.05..0.3,half_length=0.3..0.8";
  if (name == "trpo_vine") {
    expect_error_with(
        ExitCode::value, [&] { Learner(task, name, 1, {ranges}); }, "randomize", "branches");
    return;
  }
  Learner one(task, name, 1, {ranges}), three(task, name, 3, {ranges}), plain(task, name, 1);
  for (Learner* learner : {&one, &three, &plain}) learner->run(2);
  const TensorFile halfway = one.saved();
  EXPECT_TRUE(differences(halfway, three.saved()).empty());
  EXPECT_FALSE(differences(halfway, plain.saved()).empty());
  // What goes on from a checkpoint draws what the other would have drawn.
  Learner resumed(task, name, 2, {ranges});
  resumed.algorithm->load(halfway);
  one.run(2);
  resumed.run(2);
  EXPECT_TRUE(differences(one.saved(), resumed.saved()).empty());
}

TEST(RandomizedRun, InterruptedItEndsWithTheSameBits) {
  const TemporaryFolder folder;
  const auto run = [&](const std::string& to, const Words& more) {
    Words words = {"train",  "pendulum", "--out",     to,          "--steps",
                   "16k",    "--seed",   "3",         "--n-envs",  "16",
                   "--json", "--device", "cpu",       "--threads", "1",
                   "--set",  kPendulum,  "--n-steps", "64",        "--eval-episodes",
                   "10"};
    words.insert(words.end(), more.begin(), more.end());
    return run_program(words);
  };
  const ProgramResult whole = run(folder / "whole", {});
  ASSERT_EQ(whole.code, 0) << whole.err;
  ASSERT_EQ(run(folder / "part", {"--time-limit", "1e-9"}).code, 0);
  for (int part = 0; part < 3; part++) {
    ASSERT_EQ(run_program({"train", "--resume", folder / "part", "--time-limit", "1e-9"}).code, 0);
  }
  const ProgramResult end =
      run_program({"train", "--resume", folder / "part", "--time-limit", "0", "--json"});
  ASSERT_EQ(end.code, 0) << end.err;
  const json a = json::parse(last_line(whole.out)), b = json::parse(last_line(end.out));
  EXPECT_EQ(a.at("bits"), b.at("bits"));
  EXPECT_EQ(a.at("eval_return_mean"), b.at("eval_return_mean"));
  // Other ranges are another run; the same ones may be given again.
  EXPECT_EQ(run_program({"train", "--resume", folder / "part", "--randomize", "mass=1..2"}).code,
            3);
  EXPECT_EQ(run_program({"train", "--resume", folder / "part", "--set", kPendulum}).code, 0);
  const auto evaluated = [&](const Words& more) {
    Words words = {"eval", folder / "part", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const ProgramResult result = run_program(words);
    EXPECT_EQ(result.code, 0) << result.err;
    return json::parse(last_line(result.out)).at("eval_return_mean").get<double>();
  };
  EXPECT_EQ(evaluated({}), a.at("eval_return_mean").get<double>());
  const double fixed = evaluated({"--randomize", "none"});
  EXPECT_NE(fixed, evaluated({}));
  EXPECT_EQ(fixed, evaluated({"--mass", "1", "--length", "1"}));
  EXPECT_EQ(evaluated({"--mass", "1"}), evaluated({"--set", "randomize.mass=none"}));
}

TEST(RandomizedOptions, OfAValueAndARangeTheLaterOneHolds) {
  const auto is_drawn = [](const RunOptions& o) { return !o.problem().ranges.empty(); };
  RunOptions o("pendulum", "ppo");
  o.apply_config("[parameters]\nmass = 3.0\n", "a.toml");
  o.apply_config("[randomize]\nmass = \"1..2\"\n", "b.toml");
  EXPECT_TRUE(is_drawn(o));
  EXPECT_EQ(o.values().real("parameters.mass"), 1.0);
  const RunOptions back = RunOptions::from_toml(o.to_toml(), "c.toml");
  EXPECT_EQ(back.to_toml(), o.to_toml());
  EXPECT_TRUE(is_drawn(back));
  o.set("mass", "2.5", "--mass");
  EXPECT_FALSE(is_drawn(o));
  EXPECT_EQ(o.problem().parameters[1], 2.5);
  expect_error_with(
      ExitCode::value, [&] { o.set("randomize", "mass=1..2", "--randomize"); }, "mass", "2.5",
      "1..2");
  EXPECT_FALSE(is_drawn(o));
  RunOptions both("pendulum", "ppo");
  expect_error_with(
      ExitCode::value,
      [&] {
        both.apply_config("[parameters]\nmass = 3.0\n[randomize]\nmass = \"1..2\"\n", "d.toml");
      },
      "mass", "1..2");
}

}  // namespace
}  // namespace gallop::testing
