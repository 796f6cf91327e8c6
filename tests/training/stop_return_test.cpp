// Runs that end at a return: where, and with the same bits however often they are interrupted.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include <gallop/host/logging/metrics_log.h>
#include "tests/host/temporary_folder.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using nlohmann::json;
using test::TemporaryFolder;
using Words = std::vector<std::string>;

constexpr double kStop = 300;  // of 500

Words small_run(const std::string& out, const std::string& steps = "1000000",
                const std::string& eval_interval = "2") {
  Words words = {
      "train",   "cartpole", "--device",        "cpu",         "--json",          "--out", out,
      "--steps", steps,      "--eval-interval", eval_interval, "--eval-episodes", "20"};
  for (const char* option : {"n_envs=16", "hidden=8", "minibatch=128", "anneal=false"}) {
    words.insert(words.end(), {"--set", option});
  }
  return words;
}
Words with_stop(Words words, const std::string& value) {
  words.insert(words.end(), {"--stop-return", value});
  return words;
}

json result_of(const Words& words) {
  const ProgramResult result = run_program(words);
  EXPECT_EQ(result.code, 0) << result.err;
  return json::parse(last_line(result.out));
}

TEST(StopReturn, TheFirstEvaluationThatReachesItEndsTheRun) {
  const TemporaryFolder folder;
  const json result = result_of(with_stop(small_run(folder / "run"), "300"));
  EXPECT_TRUE(result.at("reached_stop_return"));
  EXPECT_GE(double(result.at("eval_return_mean")), kStop);
  EXPECT_GT(double(result.at("startup_seconds")), 0);
  EXPECT_LT(long(result.at("steps")), 1000000);
  const MetricsTable metrics = read_metrics_csv(folder / "run/metrics.csv");
  const std::vector<double> evaluations = metrics.column("eval_return");
  ASSERT_EQ(long(evaluations.size()), long(result.at("iterations")));
  ASSERT_GT(evaluations.size(), 2u) << "it was reached at once";
  EXPECT_EQ(evaluations.size() % 2, 0u);
  EXPECT_EQ(evaluations.back(), double(result.at("eval_return_mean")));
  for (std::size_t k = 0; k + 1 < evaluations.size(); k++) EXPECT_FALSE(evaluations[k] >= kStop);
}

TEST(StopReturn, AnInterruptedRunEndsAtTheSameIteration) {
  const TemporaryFolder folder;
  const std::string whole = folder / "whole", killed = folder / "killed";
  const json expected = result_of(with_stop(small_run(whole), "300"));
  // Killed after the last checkpoint, before the result.
  std::filesystem::copy(whole, killed, std::filesystem::copy_options::recursive);
  std::filesystem::remove(killed + "/result.json");
  const json resumed = result_of({"train", "--resume", killed, "--json"});
  // Killed before the first checkpoint.
  const std::string early = folder / "early";
  std::filesystem::copy(whole, early, std::filesystem::copy_options::recursive);
  std::filesystem::remove(early + "/result.json");
  std::filesystem::remove_all(early + "/checkpoints");
  std::filesystem::create_directory(early + "/checkpoints");
  const json again = result_of({"train", "--resume", early, "--json"});
  for (const json& other : {resumed, again}) {
    for (const char* name :
         {"bits", "steps", "iterations", "reached_stop_return", "eval_return_mean"}) {
      EXPECT_EQ(other.at(name), expected.at(name)) << name;
    }
  }
  expect_same_rows(killed, whole);
  expect_same_rows(early, whole);
}

TEST(StopReturn, OneThatIsNotReachedChangesNothing) {
  const TemporaryFolder folder;
  const json result = result_of(with_stop(small_run(folder / "run", "8192"), "499.5"));
  const json other = result_of(small_run(folder / "plain", "8192"));
  EXPECT_FALSE(result.at("reached_stop_return"));
  EXPECT_FALSE(other.at("reached_stop_return"));
  EXPECT_EQ(result.at("steps"), 8192);
  EXPECT_EQ(result.at("bits"), other.at("bits"));
}

// Every episode has the same return, at numbers of episodes whose parts do not add up to a whole.
TEST(StopReturn, AThresholdThatEveryEpisodeReachesHoldsExactly) {
  const TemporaryFolder folder;
  const std::string file = folder / "flat.mdp";
  test::put_file(file, "states 1\nactions 2\nhorizon 500\nstart 1\nstep 0 0 1 1\nstep 0 1 1 1\n");
  for (const std::string episodes : {"49", "60", "100"}) {
    const json result = result_of({"train",
                                   "mdp",
                                   "--json",
                                   "--device",
                                   "cpu",
                                   "--out",
                                   folder / episodes,
                                   "--set",
                                   "file=" + file,
                                   "--set",
                                   "n_envs=4",
                                   "--set",
                                   "n_steps=8",
                                   "--steps",
                                   "320",
                                   "--eval-interval",
                                   "1",
                                   "--eval-episodes",
                                   episodes,
                                   "--stop-return",
                                   "500"});
    EXPECT_TRUE(result.at("reached_stop_return")) << episodes;
    EXPECT_EQ(result.at("iterations"), 1) << episodes;
    EXPECT_EQ(double(result.at("eval_return_mean")), 500) << episodes;
    EXPECT_EQ(double(result.at("eval_return_std")), 0) << episodes;
  }
}

TEST(StopReturn, NeedsEvaluations) {
  const TemporaryFolder folder;
  const ProgramResult result =
      run_program(with_stop(small_run(folder / "run", "8192", "0"), "300"));
  EXPECT_EQ(result.code, 3);
  for (const char* text : {"stop_return is 300", "eval_interval is 0"}) {
    EXPECT_NE(result.err.find(text), std::string::npos) << result.err;
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
}

}  // namespace
}  // namespace gallop::testing
