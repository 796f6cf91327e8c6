// What the program does when it is told to stop, when its checkpoints are damaged, when its disk is
// full, and when it is resumed with other flags.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <list>

#include "tests/host/temporary_folder.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using test::file_text;
using test::put_file;
using test::TemporaryFolder;

constexpr long kStepsPerIteration = 1024;

// A run that takes about half a second, in iterations of a few milliseconds.
std::vector<std::string> arguments(const std::string& run, long iterations = 200) {
  return {"train",
          "cartpole",
          "--seed",
          "5",
          "--steps",
          std::to_string(kStepsPerIteration * iterations),
          "--set",
          "n_envs=32",
          "--set",
          "n_steps=32",
          "--set",
          "hidden=16,16",
          "--checkpoint-interval",
          "1",
          "--eval-episodes",
          "10",
          "--threads",
          "1",
          "--device",
          "cpu",
          "--out",
          run,
          "--json"};
}

std::vector<std::string> resume(const std::string& run, std::vector<std::string> more = {}) {
  std::vector<std::string> words = {"train", "--resume", run, "--device", "cpu", "--json"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

class SignalsAndResume : public ::testing::Test {
 protected:
  const std::string& path(const std::string& name) { return paths_.emplace_back(folder_ / name); }

  // Starts a run and sends a signal once it has written `checkpoints` checkpoints.
  ProgramResult stopped_by(int signal, const std::string& run) {
    Program program(arguments(run));
    EXPECT_TRUE(program.wait_until([&] { return checkpoints_in(run).size() == 2; }));
    program.send(signal);
    return program.wait();
  }

  std::string expected_bytes() {
    const std::string run = path("whole");
    const ProgramResult result = run_program(arguments(run));
    EXPECT_EQ(result.code, 0) << result.err;
    return newest_checkpoint(run);
  }

  void expect_same_end(const std::string& run, const std::string& expected) {
    EXPECT_EQ(newest_checkpoint(run), expected);
    expect_complete_metrics(run, kStepsPerIteration, 200 * kStepsPerIteration);
  }

  TemporaryFolder folder_;
  std::list<std::string> paths_;
};

TEST_F(SignalsAndResume, SigintAndSigtermLeaveACheckpointAndTheirOwnCode) {
  const std::string expected = expected_bytes();
  for (const auto& [signal, code] : {std::pair(SIGINT, 130), std::pair(SIGTERM, 143)}) {
    const std::string run = path("run" + std::to_string(signal));
    const ProgramResult stopped = stopped_by(signal, run);
    EXPECT_EQ(stopped.code, code) << stopped.err;
    EXPECT_EQ(stopped.out, "");
    EXPECT_NE(stopped.err.find("--resume " + run), std::string::npos) << stopped.err;
    // So does the report, until the run is finished.
    EXPECT_NE(file_text(run + "/report.html").find("This run was interrupted after "),
              std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(run + "/result.json"));
    EXPECT_TRUE(std::filesystem::exists(run + "/report.html"));
    const ProgramResult finished = run_program(resume(run));
    EXPECT_EQ(finished.code, 0) << finished.err;
    expect_same_end(run, expected);
  }
}

TEST_F(SignalsAndResume, Sigusr1WritesACheckpointAndGoesOn) {
  const std::string run = path("run");
  std::vector<std::string> words = arguments(run, 600);
  for (std::string& word : words) {
    if (word == "--checkpoint-interval") word = "--eval-interval";  // no checkpoint of its own
  }
  Program program(words);
  ASSERT_TRUE(program.wait_until([&] {
    return std::filesystem::exists(run + "/metrics.csv") &&
           std::filesystem::file_size(run + "/metrics.csv") > 500;
  }));
  EXPECT_TRUE(checkpoints_in(run).empty());
  program.send(SIGUSR1);
  EXPECT_TRUE(program.wait_until([&] { return checkpoints_in(run).size() == 1; }));
  EXPECT_EQ(program.wait().code, 0);
}

// Whatever the interval between checkpoints, one is written on leaving and one at the end.
TEST_F(SignalsAndResume, TheLastCheckpointDoesNotWaitForItsTime) {
  const auto seldom = [&](const std::string& run) {
    std::vector<std::string> words = arguments(run);
    *(std::find(words.begin(), words.end(), "--checkpoint-interval") + 1) = "1000000";
    return words;
  };
  const std::string whole = path("seldom"), run = path("stopped");
  ASSERT_EQ(run_program(seldom(whole)).code, 0);
  ASSERT_EQ(checkpoints_in(whole).size(), 1u);
  Program program(seldom(run));
  ASSERT_TRUE(program.wait_until([&] {
    return std::filesystem::exists(run + "/metrics.csv") &&
           std::filesystem::file_size(run + "/metrics.csv") > 1000;
  }));
  program.send(SIGTERM);
  EXPECT_EQ(program.wait().code, 143);
  ASSERT_EQ(checkpoints_in(run).size(), 1u);
  EXPECT_NE(checkpoints_in(run), checkpoints_in(whole)) << "stopped in the middle";
  EXPECT_EQ(run_program(resume(run)).code, 0);
  EXPECT_EQ(newest_checkpoint(run), newest_checkpoint(whole));
}

TEST_F(SignalsAndResume, AFinishedRunPrintsItsObjectAgain) {
  const std::string run = path("run");
  const ProgramResult first = run_program(arguments(run, 5));
  ASSERT_EQ(first.code, 0) << first.err;
  const std::string checkpoint = newest_checkpoint(run);
  const ProgramResult again = run_program(resume(run));
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(last_line(again.out), last_line(first.out));
  // Flags may be repeated with equal values; threads and device may differ.
  std::vector<std::string> same = arguments(run, 5);
  for (std::string& word : same) {
    if (word == "--out") word = "--resume";
  }
  EXPECT_EQ(last_line(run_program(same).out), last_line(first.out));
  EXPECT_EQ(run_program(resume(run, {"--threads", "2"})).code, 0);
  EXPECT_EQ(newest_checkpoint(run), checkpoint);
}

TEST_F(SignalsAndResume, OtherFlagsAreRefusedAndChangeNothing) {
  const std::string run = path("run");
  ASSERT_EQ(stopped_by(SIGINT, run).code, 130);
  const std::string before = newest_checkpoint(run);
  const std::vector<std::pair<std::vector<std::string>, std::string>> different = {
      {{"--seed", "6"}, "seed"},
      {{"--steps", "1000"}, "steps"},
      {{"--set", "gamma=0.5"}, "gamma"},
      {{"--set", "gravity=9.9"}, "gravity"},
      {{"--algorithm", "vpg"}, "algorithm"},
      {{"pendulum"}, "environment"},
      {{"--checkpoint-interval", "3"}, "checkpoint_interval"}};
  for (const auto& [flags, name] : different) {
    const ProgramResult refused = run_program(resume(run, flags));
    EXPECT_EQ(refused.code, 3) << name;
    EXPECT_NE(refused.err.find(name), std::string::npos) << refused.err;
  }
  EXPECT_EQ(run_program(resume(run, {"--out", path("other")})).code, 2);
  EXPECT_EQ(newest_checkpoint(run), before);
  const ProgramResult missing = run_program(resume(path("nothing")));
  EXPECT_EQ(missing.code, 3);
  EXPECT_NE(missing.err.find("not a run folder"), std::string::npos) << missing.err;
}

// The run keeps the file that describes its problem: what becomes of the file is not its affair,
// and another one is refused.
TEST_F(SignalsAndResume, AProblemFileIsPartOfTheRun) {
  const std::string file = path("problem.mdp"), run = path("run");
  const std::string problem = "states 1\nactions 2\nhorizon 5\nstart 1\nstep 0 0 1 1\n";
  put_file(file, problem + "step 0 1 2 1\n");
  const ProgramResult first = run_program({"train", "mdp", "--device", "cpu", "--steps", "5000",
                                           "--set", "file=" + file, "--out", run, "--json"});
  ASSERT_EQ(first.code, 0) << first.err;
  std::filesystem::remove(run + "/result.json");  // as if it was killed just before the end
  const std::string other = path("other.mdp");
  put_file(other, problem + "step 0 1 3 1\n");
  for (const bool in_folder : {false, true}) {
    if (in_folder)
      std::filesystem::copy_file(other, run + "/problem.mdp",
                                 std::filesystem::copy_options::overwrite_existing);
    const ProgramResult refused =
        run_program(in_folder ? resume(run) : resume(run, {"--set", "file=" + other}));
    EXPECT_EQ(refused.code, 4);
    EXPECT_NE(refused.err.find("describes its problem"), std::string::npos) << refused.err;
  }
  // A run without a copy, as earlier versions left it: the file is not opened, unless the command
  // names it.
  std::filesystem::remove(run + "/problem.mdp");
  const ProgramResult bare = run_program(resume(run));
  EXPECT_EQ(bare.code, 3);
  EXPECT_NE(bare.err.find("cp " + file + " " + run + "/problem.mdp"), std::string::npos)
      << bare.err;
  std::filesystem::rename(file, path("moved.mdp"));
  EXPECT_EQ(run_program(resume(run, {"--set", "file=" + path("moved.mdp")})).code, 0);
  EXPECT_EQ(run_program({"eval", run, "--device", "cpu"}).code, 0) << "the copy is there now";
}

TEST_F(SignalsAndResume, ADamagedCheckpointIsPassedByWithAWarning) {
  const std::string expected = expected_bytes();
  const std::string run = path("run");
  ASSERT_EQ(stopped_by(SIGINT, run).code, 130);
  const std::vector<std::string> names = checkpoints_in(run);
  ASSERT_EQ(names.size(), 2u);
  const std::string newest = run + "/checkpoints/" + names.back();
  std::string bytes = file_text(newest);
  bytes[bytes.size() - 10] ^= 1;
  put_file(newest, bytes);
  const ProgramResult resumed = run_program(resume(run));
  EXPECT_EQ(resumed.code, 0) << resumed.err;
  EXPECT_NE(resumed.err.find("warning"), std::string::npos) << resumed.err;
  EXPECT_NE(resumed.err.find(names.back()), std::string::npos) << resumed.err;
  expect_same_end(run, expected);
}

TEST_F(SignalsAndResume, WithoutAGoodCheckpointTheRunSaysSo) {
  const std::string run = path("run");
  ASSERT_EQ(stopped_by(SIGINT, run).code, 130);
  for (const std::string& name : checkpoints_in(run)) {
    const std::string file = run + "/checkpoints/" + name;
    put_file(file, file_text(file).substr(0, 1000));
  }
  for (const std::vector<std::string>& words :
       {resume(run), std::vector<std::string>{"eval", run, "--device", "cpu"}}) {
    const ProgramResult result = run_program(words);
    EXPECT_EQ(result.code, 4) << result.err;
    for (const std::string& name : checkpoints_in(run)) {
      EXPECT_NE(result.err.find(name), std::string::npos) << result.err;
    }
  }
  EXPECT_EQ(checkpoints_in(run).size(), 2u) << "what is damaged is not deleted";
}

TEST_F(SignalsAndResume, AFullDiskIsAnIoErrorAndLosesNoEarlierCheckpoint) {
  const std::string expected = expected_bytes();
  const std::string run = path("run");
  ASSERT_EQ(stopped_by(SIGINT, run).code, 130);
  const std::vector<std::string> names = checkpoints_in(run);
  const std::string before = newest_checkpoint(run);
  ProgramOptions full;
  full.file_size_limit = 4096;  // less than a checkpoint takes
  const ProgramResult result = run_program(resume(run), full);
  EXPECT_EQ(result.code, 5) << result.err;
  EXPECT_NE(result.err.find("cannot write"), std::string::npos) << result.err;
  EXPECT_EQ(checkpoints_in(run), names);
  EXPECT_EQ(newest_checkpoint(run), before);
  for (const std::string& name : test::names_in(run + "/checkpoints")) {
    EXPECT_EQ(name.find("tmp"), std::string::npos) << "a temporary file stayed";
  }
  EXPECT_EQ(run_program(resume(run)).code, 0);
  expect_same_end(run, expected);

  // From the first byte on: no run folder appears.
  full.file_size_limit = 1;
  const std::string fresh = path("fresh");
  EXPECT_EQ(run_program(arguments(fresh, 2), full).code, 5);
  EXPECT_FALSE(std::filesystem::exists(fresh));
}

TEST_F(SignalsAndResume, ARunHasOneWriter) {
  const std::string run = path("run");
  Program program(arguments(run, 2000));
  ASSERT_TRUE(program.wait_until([&] { return !checkpoints_in(run).empty(); }));
  const ProgramResult second = run_program(resume(run));
  EXPECT_EQ(second.code, 3);
  EXPECT_NE(second.err.find("another process"), std::string::npos) << second.err;
  EXPECT_TRUE(program.running());
}

TEST_F(SignalsAndResume, ARunThatWasKilledBeforeItsFirstCheckpointBeginsAgain) {
  const std::string run = path("run");
  ASSERT_EQ(run_program(arguments(run, 10)).code, 0);
  const std::string expected = newest_checkpoint(run);
  const std::string bare = path("bare");
  std::filesystem::create_directory(bare);
  std::filesystem::copy(run + "/config.toml", bare + "/config.toml");
  EXPECT_EQ(run_program(resume(bare)).code, 0);
  EXPECT_EQ(newest_checkpoint(bare), expected);
  expect_complete_metrics(bare, kStepsPerIteration, 10 * kStepsPerIteration);
}

}  // namespace
}  // namespace gallop::testing
