// Long work stops within a second of a signal, wherever in it the signal comes, and keeps its last
// good state.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/host/temporary_folder.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using test::TemporaryFolder;
using Words = std::vector<std::string>;

constexpr double kSoon = 2.5;  // seconds; a second, and what a busy machine adds

Words hopper(const std::string& run, const Words& more) {
  Words words = {"train", "hopper", "--device", "cpu", "--threads", "1", "--json", "--out", run};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// Sends the signal when the process has worked for so long; returns how long it went on.
double seconds_to_stop(Program& program, int signal, double after, ProgramResult& result) {
  sleep_seconds(after);
  EXPECT_TRUE(program.running());
  program.send(signal);
  const double before = after;
  result = program.wait();
  return result.seconds - before;
}

TEST(Stopping, TheLastEvaluationOfATrainingStops) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const TemporaryFolder folder;
    const std::string run = folder / "run";
    Program program(hopper(run, {"--steps", "1", "--eval-episodes", "100000"}));
    ASSERT_TRUE(program.wait_until([&] { return checkpoints_in(run).size() == 1; }));
    ProgramResult result;
    EXPECT_LT(seconds_to_stop(program, signal, 1, result), kSoon + 1);
    EXPECT_EQ(result.code, 128 + signal) << result.err;
    EXPECT_NE(result.err.find("stopping"), std::string::npos) << result.err;
    EXPECT_NE(result.err.find("--resume " + run), std::string::npos) << result.err;
    EXPECT_FALSE(std::filesystem::exists(run + "/result.json"));
  }
}

// An iteration of a minute is given up; the state that it began with is kept, and the run goes on
// to the bits of one that nobody stopped.
TEST(Stopping, AnIterationThatTakesLongIsGivenUp) {
  // An iteration of half a million steps: seconds on any processor, far beyond the patience.
  const TemporaryFolder folder;
  const Words small = {"--set",
                       "n_envs=64",
                       "--set",
                       "n_steps=8192",
                       "--steps",
                       "100000000",
                       "--checkpoint-interval",
                       "1000",
                       "--eval-episodes",
                       "2"};
  const std::string run = folder / "run";
  Program program(hopper(run, small));
  ASSERT_TRUE(program.wait_until([&] {
    return std::filesystem::exists(run + "/metrics.csv") &&
           std::filesystem::file_size(run + "/metrics.csv") > 0;
  }));
  sleep_seconds(0.2);
  const auto before = std::filesystem::file_size(run + "/metrics.csv");
  program.send(SIGTERM);
  const ProgramResult result = program.wait();
  EXPECT_EQ(result.code, 143) << result.err;
  EXPECT_EQ(checkpoints_in(run).size(), 1u) << "of the iteration before";
  EXPECT_EQ(std::filesystem::file_size(run + "/metrics.csv"), before);
}

TEST(Stopping, AnEvaluationStops) {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  ASSERT_EQ(run_program(hopper(run, {"--steps", "1", "--eval-episodes", "1"})).code, 0);
  Program program({"eval", run, "--episodes", "200000", "--threads", "1", "--device", "cpu"});
  ProgramResult result;
  EXPECT_LT(seconds_to_stop(program, SIGTERM, 1, result), kSoon);
  EXPECT_EQ(result.code, 143) << result.err;
  EXPECT_EQ(result.out, "");
}

TEST(Stopping, CommandsThatKeepNothingStop) {
  const TemporaryFolder folder;
  Program program({"estimators", "lqr", "--samples", "100000000", "--out", folder / "estimators"});
  ProgramResult result;
  EXPECT_LT(seconds_to_stop(program, SIGINT, 0.3, result), kSoon);
  EXPECT_EQ(result.code, 130) << result.err;
  EXPECT_NE(result.err.find("stopped"), std::string::npos) << result.err;
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

// Between looks operations are split otherwise than without them: the same bits.
TEST(Stopping, LooksChangeNoBit) {
  const TemporaryFolder folder;
  std::string bits;
  for (const char* threads : {"1", "2", "5"}) {
    const ProgramResult result =
        run_program({"train", "hopper", "--device", "cpu", "--threads", threads, "--json", "--out",
                     folder / threads, "--set", "n_envs=700", "--set", "n_steps=40", "--steps",
                     "28000", "--eval-episodes", "130"});
    ASSERT_EQ(result.code, 0) << result.err;
    const auto object = nlohmann::json::parse(last_line(result.out));
    const std::string now = object["bits"].get<std::string>() + object["eval_return_mean"].dump();
    if (bits.empty()) bits = now;
    EXPECT_EQ(now, bits) << threads;
  }
}

}  // namespace
}  // namespace gallop::testing
