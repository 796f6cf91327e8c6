// Killed with SIGKILL at random moments and resumed, any number of times: the final checkpoint is
// that of the uninterrupted run, byte for byte, and no checkpoint is ever torn.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include <gallop/host/files/checkpoint_store.h>
#include <gallop/host/registry/registry.h>
#include "tests/host/temporary_folder.h"
#include "tests/learning/kernel_sets.h"
#include "tests/training/learner.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using test::TemporaryFolder;

// Of each algorithm. What black-box algorithms do between iterations is written once for all.
int kills_of(const AlgorithmDescriptor& algorithm) { return is_black_box(algorithm) ? 8 : 52; }
constexpr long kStepsPerIteration = 32 * 32, kIterations = 80;

// The episodes of a line search and the branches of a vine count as steps: few of them an iteration
// leave room for many.
bool counts_other_steps(const std::string& algorithm) {
  return algorithm == "vpg_line_search" || algorithm == "trpo_vine";
}

std::vector<std::string> train_arguments(const std::string& algorithm, const std::string& run) {
  std::vector<std::string> words = {"train",
                                    task_of(find_algorithm(algorithm)),
                                    "--algorithm",
                                    algorithm,
                                    "--seed",
                                    "11",
                                    "--steps",
                                    std::to_string(kStepsPerIteration * kIterations),
                                    "--eval-episodes",
                                    "20",
                                    "--eval-interval",
                                    "7",
                                    "--checkpoint-interval",
                                    "1",
                                    "--threads",
                                    "1",
                                    "--device",
                                    "cpu",
                                    "--json",
                                    "--out",
                                    run};
  const Options known(find_algorithm(algorithm).options);
  for (const std::string option :
       {"n_envs=32", "n_steps=32", "hidden=16,16", "normalize_observations=true", "population=20",
        "buffer_size=2000", "learning_starts=2000", "batch_size=32"}) {
    // Generations of larger policies would be too few.
    if (option.starts_with("hidden") && !known.has("n_envs")) continue;
    if (known.has(option.substr(0, option.find('=')))) words.insert(words.end(), {"--set", option});
  }
  for (const std::string& option : small_models()) {
    if (option.starts_with("buffer_size")) continue;
    if (known.has(option.substr(0, option.find('=')))) words.insert(words.end(), {"--set", option});
  }
  if (counts_other_steps(algorithm)) {
    for (const std::string few :
         {"search_episodes=1", "backtracks=2", "vine_states=8", "branch_steps=4"}) {
      if (known.has(few.substr(0, few.find('=')))) words.insert(words.end(), {"--set", few});
    }
  }
  return words;
}

// Every checkpoint under its own name is good, at whatever instant the process was killed.
int count_good_checkpoints(const std::string& run) {
  int count = 0;
  for (const std::string& name : checkpoints_in(run)) {
    EXPECT_NO_THROW(read_checkpoint(run + "/checkpoints/" + name)) << "a torn checkpoint";
    count++;
  }
  return count;
}

class KillAndResume : public ::testing::TestWithParam<const AlgorithmDescriptor*> {};
INSTANTIATE_TEST_SUITE_P(Registry, KillAndResume, ::testing::ValuesIn(all_algorithms()),
                         [](const auto& info) { return std::string(info.param->name); });

TEST_P(KillAndResume, EndsWithTheBitsOfAnUninterruptedRun) {
  const TemporaryFolder folder;
  const std::string whole = folder / "whole";
  const ProgramResult uninterrupted = run_program(train_arguments(GetParam()->name, whole));
  ASSERT_EQ(uninterrupted.code, 0) << uninterrupted.err;
  const std::string expected = newest_checkpoint(whole);
  ASSERT_FALSE(expected.empty());
  if (!counts_other_steps(GetParam()->name) && !is_black_box(*GetParam())) {
    expect_complete_metrics(whole, kStepsPerIteration, kStepsPerIteration * kIterations);
  }

  Random random(81);
  const int n_kills = kills_of(*GetParam());
  int kills = 0, resumes = 0, from_checkpoint = 0, runs = 0;
  // On a busy machine a short run is often killed before its first checkpoint: more kills then.
  const auto is_enough = [&] {
    return kills >= 20 * n_kills || (kills >= n_kills && from_checkpoint >= n_kills / 2);
  };
  while (!is_enough()) {
    const std::string run = folder / ("run" + std::to_string(runs++));
    bool finished = false;
    while (!finished) {
      const bool started = std::filesystem::exists(run);
      std::vector<std::string> arguments = train_arguments(GetParam()->name, run);
      if (started) {
        arguments = {"train", "--resume", run, "--json"};
        resumes++;
        from_checkpoint += count_good_checkpoints(run) > 0 ? 1 : 0;
      }
      Program program(arguments);
      if (!is_enough()) {
        sleep_seconds(random.uniform(0, 1.1) * uninterrupted.seconds);
        kills += program.running() ? 1 : 0;
        program.send(SIGKILL);
      }
      const ProgramResult result = program.wait();
      finished = result.code == 0;
      ASSERT_TRUE(finished || result.signal == SIGKILL) << result.code << " " << result.err;
      ASSERT_EQ(result.err, "") << "a resumed run has nothing to complain of";
    }
    ASSERT_EQ(newest_checkpoint(run), expected) << "run " << runs << " after " << kills << " kills";
    count_good_checkpoints(run);
    expect_same_rows(run, whole);
    // Nothing is left behind: two checkpoints, no temporary file.
    EXPECT_LE(test::names_in(run + "/checkpoints").size(), 2u);
    std::filesystem::remove_all(run);
  }
  EXPECT_GE(from_checkpoint, n_kills / 2);
  std::printf("%s: %d kills over %d runs, %d of %d resumes from a checkpoint, run of %.2f s\n",
              GetParam()->name, kills, runs, from_checkpoint, resumes, uninterrupted.seconds);
}

}  // namespace
}  // namespace gallop::testing
