// Checkpoints whose form is right and whose digest holds, with numbers that no run writes: refused
// with the tensor's name by all that reads them.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <limits>

#include <gallop/host/files/checkpoint_store.h>
#include "tests/host/edited_tensors.h"
#include "tests/host/temporary_folder.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using test::TemporaryFolder;
using test::with_element;
using Words = std::vector<std::string>;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

// A short run with two checkpoints, of which tests change the newest.
class HostileValues : public ::testing::Test {
 protected:
  void make(const std::string& environment, const Words& more = {}) {
    Words words = {"train",   environment,  "--out",  folder_ / "run",
                   "--steps", "2048",       "--set",  "n_envs=16",
                   "--set",   "n_steps=32", "--set",  "checkpoint_interval=1",
                   "--set",   "hidden=8",   "--seed", "3"};
    words.insert(words.end(), more.begin(), more.end());
    const ProgramResult result = run_program(words);
    ASSERT_EQ(result.code, 0) << result.err;
    std::filesystem::remove(folder_ / "run/result.json");
    step_ = *CheckpointStore::step_in(checkpoints_in(folder_ / "run").back());
    good_ = read_checkpoint(path());
  }
  std::string path() const {
    return folder_ / "run/checkpoints/" + CheckpointStore::file_name(step_);
  }
  void put(const TensorFile& file) {
    CheckpointStore(folder_ / "run/checkpoints").save(step_, file);
  }
  void expect_code(const Words& words, int code, const Words& texts) {
    const ProgramResult result = run_program(words);
    EXPECT_EQ(result.code, code) << words[0] << ": " << result.err;
    for (const std::string& text : texts) {
      EXPECT_NE(result.err.find(text), std::string::npos) << text << " is not in: " << result.err;
    }
  }
  void expect_all(int code, const Words& texts) {
    expect_code({"eval", folder_ / "run", "--episodes", "4"}, code, texts);
    expect_code({"train", "--resume", folder_ / "run"}, code, texts);
    expect_code({"render", folder_ / "run", "--out", folder_ / "x.gif"}, code, texts);
    expect_code({"render", folder_ / "run", "--policy", path(), "--out", folder_ / "x.gif"}, code,
                texts);
  }
  // With element `at` of a tensor changed nothing takes the checkpoint; with all as it was it does.
  template <class T>
  void refuse(const std::string& tensor, std::size_t at, T value) {
    SCOPED_TRACE(tensor);
    put(with_element<T>(good_, tensor, at, value));
    expect_all(4, {"'" + tensor + "'"});
  }

  TemporaryFolder folder_;
  std::uint64_t step_ = 0;
  // The same in the text that names its options: `from` becomes `to`.
  TensorFile with_option(const std::string& from, const std::string& to) {
    TensorFile file = good_;
    std::string text = file.text("options");
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from << " is not in " << text;
    if (at != std::string::npos) text.replace(at, from.size(), to);
    file.set_text("options", text);
    return file;
  }
  void edit_config(const std::string& from, const std::string& to) {
    std::string text = test::file_text(folder_ / "run/config.toml");
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from << " is not in " << text;
    test::put_file(folder_ / "run/config.toml", text.replace(at, from.size(), to));
  }

  TensorFile good_;
};

TEST_F(HostileValues, AStateThatOthersAreReadBy) {
  make("mdp");
  for (const float state : {20.0f, 3.0f, 1e9f, -1.0f, 0.5f, 1e30f, kNan}) {
    refuse("environments/state", 5, state);
  }
  put(good_);
  expect_code({"eval", folder_ / "run", "--episodes", "4"}, 0, {});
  expect_code({"train", "--resume", folder_ / "run"}, 0, {});
}

TEST_F(HostileValues, WhatABatchCannotBeIn) {
  make("cartpole");
  refuse("environments/state", 16, kNan);
  refuse("environments/elapsed", 3, std::int32_t(-1));
  refuse("environments/elapsed", 3, std::int32_t(500));
  refuse("environments/ended", 3, std::uint8_t(1));
  refuse("environments/episode_return", 3, kNan);
  refuse("environments/nonfinite", 3, std::uint32_t(1000000));
  refuse("environments/parameters", 1, -1.0f);
  put(good_);
  expect_code({"train", "--resume", folder_ / "run"}, 0, {});
}

TEST_F(HostileValues, NetworksMomentsAndStatistics) {
  make("pendulum", {"--set", "normalize_observations=true"});
  for (const char* network : {"policy", "value"}) {
    const std::string name = network;
    for (const float bad : {kNan, kInf, -kInf}) refuse(name + "/parameters", 2, bad);
    refuse(name + "/adam_first_moment", 2, kNan);
    for (const float bad : {kNan, kInf, -1e-9f}) refuse(name + "/adam_second_moment", 2, bad);
    for (const double bad : {2.0, -0.5, double(kNan)}) refuse(name + "/adam_power1", 0, bad);
    refuse(name + "/adam_power2", 0, double(kInf));
  }
  for (const double bad : {double(kNan), 1e300}) refuse("normalizer/mean", 1, bad);
  for (const double bad : {double(kNan), -1.0}) refuse("normalizer/sum_of_squares", 1, bad);
  for (const double bad : {double(kNan), -1.0, 0.5, 1e6, double(kInf)}) {
    refuse("normalizer/count", 0, bad);
  }
  put(good_);
  expect_code({"eval", folder_ / "run", "--episodes", "4"}, 0, {});
}

// What a learner that only plays does not read is looked at all the same.
TEST_F(HostileValues, WhatPopulationsKeep) {
  ASSERT_EQ(run_program({"train", "cartpole", "--algorithm", "cma_es", "--steps", "20000", "--out",
                         folder_ / "run"})
                .code,
            0);
  std::filesystem::remove(folder_ / "run/result.json");
  step_ = *CheckpointStore::step_in(checkpoints_in(folder_ / "run").back());
  good_ = read_checkpoint(path());
  const double kNone = double(kNan);
  for (const double bad : {kNone, double(kInf)}) {
    for (const char* name : {"optimizer/mean", "optimizer/path_c", "optimizer/path_sigma",
                             "optimizer/covariance", "optimizer/axes", "optimizer/eigenvectors"}) {
      refuse(name, 1, bad);
    }
    refuse("optimizer/sigma", 0, bad);
  }
  refuse("policy/parameters", 1, kNan);
  put(with_element(good_, "optimizer/covariance", 0, -1.0));
  expect_code({"train", "--resume", folder_ / "run"}, 4, {"'optimizer/covariance'"});
  put(good_);
  expect_code({"eval", folder_ / "run", "--episodes", "4"}, 0, {});
}

// Two evaluations of 2^63 episodes are none, in whole numbers that wrap.
TEST_F(HostileValues, CountsOfPopulationsDoNotWrap) {
  ASSERT_EQ(run_program({"train", "cartpole", "--algorithm", "finite_differences", "--set",
                         "episodes=2", "--steps", "20000", "--out", folder_ / "run"})
                .code,
            0);
  std::filesystem::remove(folder_ / "run/result.json");
  step_ = *CheckpointStore::step_in(checkpoints_in(folder_ / "run").back());
  good_ = read_checkpoint(path());
  put(with_element(good_, "optimizer/evaluations", 0, std::uint64_t(1) << 63));
  expect_code({"train", "--resume", folder_ / "run"}, 4, {"'optimizer/evaluations'"});
  put(good_);
  expect_code({"train", "--resume", folder_ / "run"}, 0, {});
}

TEST_F(HostileValues, CountersThatContradictEachOtherOrTheFilesName) {
  make("cartpole");
  for (const std::uint64_t steps : {0ul, 2047ul, 4096ul, 1ul << 62}) refuse("steps", 0, steps);
  for (const std::uint32_t time : {0u, 1u, 127u, 129u, 256u, 1u << 31}) {
    SCOPED_TRACE(time);
    put(with_element(good_, "environments/time", 0, time));
    expect_all(4, {"tensor '"});
  }
  refuse("environments/episode", 2, 0xffffffffu);
  refuse("shuffles", 0, std::uint64_t(1) << 40);
  put(with_element(good_, "iterations", 0, std::uint64_t(5)));
  expect_code({"train", "--resume", folder_ / "run"}, 4, {"'iterations'", "5"});
  // The checkpoint of another step.
  const std::string other = folder_ / "run/checkpoints/" + CheckpointStore::file_name(4096);
  CheckpointStore(folder_ / "run/checkpoints").save(4096, good_);
  expect_code({"eval", folder_ / "run"}, 4, {"'steps'", "2048", "4096"});
  expect_code({"train", "--resume", folder_ / "run"}, 4, {"'steps'", "2048", "4096"});
  expect_code({"render", "cartpole", "--policy", other, "--out", folder_ / "x.gif"}, 4,
              {"'steps'", "2048", "4096"});
}

TEST_F(HostileValues, WhatAlgorithmsKeepBesides) {
  make("cartpole", {"--algorithm", "trpo_dual"});
  for (const double bad : {double(kNan), -1.0}) refuse("lambda", 0, bad);
  refuse("shuffles", 0, std::uint64_t(1) << 40);
}
TEST_F(HostileValues, WhatAPenaltyKeeps) {
  make("cartpole", {"--algorithm", "trpo_penalty"});
  for (const double bad : {double(kNan), 0.0, 1e9}) refuse("beta", 0, bad);
  refuse("policy_shuffles", 0, std::uint64_t(1) << 40);
}
TEST_F(HostileValues, WhatALineSearchKeeps) {
  make("cartpole", {"--algorithm", "vpg_line_search", "--set", "baseline=linear"});
  for (const double bad : {double(kNan), 0.0, -1.0, 1e9}) refuse("search_step", 0, bad);
  refuse("searches", 0, std::uint64_t(99));
  refuse("baseline/weights", 1, kNan);
}
TEST_F(HostileValues, WhatABaselineOfTheMeanKeeps) {
  make("cartpole", {"--algorithm", "vpg", "--set", "baseline=mean"});
  for (const double bad : {double(kNan), double(kInf), 1e300}) refuse("baseline/mean", 0, bad);
}
TEST_F(HostileValues, WhatABaselineOfTimeKeeps) {
  make("cartpole", {"--algorithm", "vpg", "--set", "baseline=time"});
  refuse("baseline/table", 7, kNan);
  for (const float bad : {kNan, -1.0f, 0.5f, 1e6f}) refuse("ages", 2, bad);
}

// eval and render compare as resume does.
TEST_F(HostileValues, AConfigurationThatIsNotTheCheckpoints) {
  make("cartpole", {"--set", "activation=relu"});
  const std::string config = test::file_text(folder_ / "run/config.toml");
  const Words run = {"eval", folder_ / "run", "--episodes", "4"};
  expect_code(run, 0, {});
  struct Edit {
    const char *from, *to, *name;
  };
  for (const Edit& edit :
       {Edit{"activation = \"relu\"", "activation = \"tanh\"", "activation"},
        Edit{"gravity = 9.8", "gravity = 9.7", "gravity"}, Edit{"seed = 3", "seed = 4", "seed"},
        Edit{"gamma = 0.9", "gamma = 0.8", "gamma"},
        Edit{"reset_bound = 0.05", "reset_bound = 0.5", "reset_bound"}}) {
    SCOPED_TRACE(edit.name);
    edit_config(edit.from, edit.to);
    expect_code(run, 4, {edit.name, "config.toml"});
    expect_code({"train", "--resume", folder_ / "run"}, 4, {edit.name, "config.toml"});
    expect_code({"render", folder_ / "run", "--out", folder_ / "x.gif"}, 4, {edit.name});
    test::put_file(folder_ / "run/config.toml", config);
  }
  expect_code(run, 0, {});
}

TEST_F(HostileValues, APolicyOfAnotherEnvironment) {
  make("bandit");
  expect_code({"render", "bandit_step", "--policy", path(), "--out", folder_ / "x.gif"}, 4,
              {"bandit_step", "environment bandit,"});
  expect_code({"render", "bandit_step", "--policy", folder_ / "run", "--out", folder_ / "x.gif"}, 4,
              {"bandit_step", "environment bandit,"});
  // Another run's checkpoint among its own.
  const std::string config = test::file_text(folder_ / "run/config.toml");
  edit_config("\"bandit\"", "\"bandit_step\"");
  for (const char* command : {"eval", "train", "render"}) {
    Words words = {command, folder_ / "run"};
    if (words[0] == "train") words.insert(words.begin() + 1, "--resume");
    if (words[0] == "render") words.insert(words.end(), {"--out", folder_ / "x.gif"});
    expect_code(words, 4, {"environment", "'bandit'", "'bandit_step'"});
  }
}

// Written by a program that had no such option: it did what is the default now.
TEST_F(HostileValues, AnOptionThatTheCheckpointDoesNotKnowHasItsDefault) {
  make("cartpole", {"--set", "activation=relu"});
  put(with_option("eval_interval=0\n", ""));
  expect_code({"eval", folder_ / "run", "--episodes", "4"}, 0, {});
  expect_code({"train", "--resume", folder_ / "run"}, 0, {});
  std::filesystem::remove(folder_ / "run/result.json");
  // A checkpoint alone, without a configuration beside it, has nothing that it could contradict.
  put(with_option("activation=relu\n", ""));
  expect_code({"eval", folder_ / "run"}, 4, {"activation"});
  expect_code({"train", "--resume", folder_ / "run"}, 4, {"activation"});
  expect_code({"render", folder_ / "run", "--out", folder_ / "x.gif"}, 4, {"activation"});
  put(with_option("activation=relu\n", "activation=relu\nfrobnication=7\n"));
  expect_all(4, {"frobnication", "7"});
  put(with_option("gamma=", "gamma=\x1b[31m"));
  const ProgramResult result = run_program({"eval", folder_ / "run"});
  EXPECT_EQ(result.code, 4);
  EXPECT_EQ(result.err.find('\x1b'), std::string::npos)
      << "an escape sequence reaches the terminal";
}

// Kilobytes that one of the program's children had at most.
long most_memory() {
  rusage usage = {};
  getrusage(RUSAGE_CHILDREN, &usage);
  return usage.ru_maxrss;
}

// The configuration and the checkpoint agree on sizes that the checkpoint does not have.
TEST_F(HostileValues, SizesAreComparedBeforeMemoryIsTaken) {
  make("cartpole");
  const std::string config = test::file_text(folder_ / "run/config.toml");
  const long before = most_memory();
  ASSERT_LT(before, 400000) << "the test itself takes too much to see";
  struct Size {
    const char *config, *big_config, *option, *big_option, *tensor;
  };
  for (const Size& size :
       {Size{"n_envs = 16", "n_envs = 16777216", "n_envs=16\n", "n_envs=16777216\n",
             "environments/elapsed"},
        Size{"hidden = [8]", "hidden = [8192, 8192, 8192, 8192]", "hidden=8\n",
             "hidden=8192,8192,8192,8192\n", "policy/parameters"},
        Size{"value_hidden = [0]", "value_hidden = [8192, 8192, 8192]", "value_hidden=0\n",
             "value_hidden=8192,8192,8192\n", "value/parameters"}}) {
    SCOPED_TRACE(size.tensor);
    edit_config(size.config, size.big_config);
    put(with_option(size.option, size.big_option));
    expect_all(4, {std::string("'") + size.tensor + "'"});
    test::put_file(folder_ / "run/config.toml", config);
  }
  // Rollouts are no part of a checkpoint, and of no use to an evaluation.
  edit_config("n_steps = 32", "n_steps = 1048576");
  TensorFile file = with_option("n_steps=32\n", "n_steps=1048576\n");
  file = with_element(file, "environments/time", 0, 1u << 20);
  file = with_element(file, "steps", 0, std::uint64_t(16) << 20);
  file = with_element(file, "shuffles", 0, std::uint64_t(4));
  CheckpointStore(folder_ / "run/checkpoints").save(16 << 20, file);
  expect_code({"eval", folder_ / "run", "--episodes", "4"}, 0, {});
  expect_code({"render", folder_ / "run", "--out", folder_ / "x.gif"}, 0, {});
  EXPECT_LT(most_memory(), before + 150000);
}

}  // namespace
}  // namespace gallop::testing
