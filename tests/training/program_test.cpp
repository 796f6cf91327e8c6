// The program's commands: their output, and an exit code and a message of its own for every kind of
// bad input.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include <gallop/host/registry/registry.h>
#include "tests/host/temporary_folder.h"
#include "tests/training/learner.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using nlohmann::json;
using test::put_file;
using test::TemporaryFolder;
using Words = std::vector<std::string>;

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::stringstream stream(text);
  for (std::string line; std::getline(stream, line);) all.push_back(line);
  return all;
}

// The command fails with that code, says all of the texts, and makes nothing.
void expect_refused(const Words& words, int code, const Words& texts,
                    const ProgramOptions& options = {}) {
  const ProgramResult result = run_program(words, options);
  std::string command = "gallop";
  for (const std::string& word : words) command += " " + word;
  EXPECT_EQ(result.code, code) << command << "\n" << result.err << " signal " << result.signal;
  for (const std::string& text : texts) {
    EXPECT_NE(result.err.find(text), std::string::npos)
        << "'" << text << "' is not said by: " << command << "\n"
        << result.err;
  }
  EXPECT_EQ(result.out, "") << command;
  EXPECT_NE(result.err, "") << command;
}

TEST(BadInput, UnknownNamesOfferTheNearest) {
  expect_refused({"trian"}, 2, {"trian", "train"});
  expect_refused({"train"}, 2, {"environment", "gallop list"});
  expect_refused({"train", "cartpoel"}, 2, {"cartpoel", "cartpole"});
  expect_refused({"train", "cartpole", "--algorithm", "pppo"}, 2, {"pppo", "ppo"});
  expect_refused({"train", "cartpole", "--set", "learnin_rate=1"}, 2, {"learning_rate"});
  expect_refused({"train", "cartpole", "--set", "gravty=1"}, 2, {"gravty", "gravity"});
  expect_refused({"train", "cartpole", "--sed", "1"}, 2, {"--sed", "--seed"});
  expect_refused({"train", "cartpole", "more"}, 2, {"more"});
  expect_refused({"train", "cartpole", "--set", "gamma"}, 2, {"gamma", "key=value"});
  expect_refused({"trace", "cartpoel", "--actions", "1"}, 2, {"cartpole"});
  expect_refused({"trace", "cartpole"}, 2, {"--actions"});
  expect_refused({"list", "--jsn"}, 2, {"--json"});
  expect_refused({"eval"}, 2, {"run"});
}

TEST(BadInput, ValuesOutOfRange) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  const auto refused = [&](const Words& flags, const Words& texts) {
    Words words = {"train", "cartpole", "--out", out};
    words.insert(words.end(), flags.begin(), flags.end());
    expect_refused(words, 3, texts);
    EXPECT_FALSE(std::filesystem::exists(out)) << flags.back();
  };
  refused({"--set", "gamma=1.5"}, {"gamma", "1.5", "[0, 1]"});
  refused({"--set", "gamma=nan"}, {"gamma", "nan"});
  refused({"--set", "gamma="}, {"gamma"});
  refused({"--set", "learning_rate=abc"}, {"learning_rate", "abc"});
  refused({"--set", "gravity=1e9"}, {"gravity", "1e+09", "1000"});
  refused({"--set", "hidden=0"}, {"hidden", "8192"});
  refused({"--set", "hidden=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"}, {"17 hidden layers"});
  refused({"--set", "activation=sine"}, {"activation", "tanh", "relu"});
  refused({"--set", "n_envs=0"}, {"n_envs"});
  refused({"--set", "n_envs=16777216", "--set", "n_steps=1048576"}, {"16777216", "1048576"});
  refused({"--steps", "0"}, {"steps", "0"});
  refused({"--steps", "-5"}, {"steps"});
  refused({"--steps", "1e30"}, {"steps"});
  refused({"--seed", "-1"}, {"seed"});
  refused({"--seed", "99999999999999999999"}, {"seed"});
  refused({"--seed", "9007199254740993"}, {"seed", "9007199254740992"});
  refused({"--set", "n_envs=16777217"}, {"n_envs", "[1, 16777216]"});
  refused({"--set", "hidden=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16"}, {"at most 15"});
  refused({"--threads", "5000"}, {"threads", "4096"});
  for (const char* device : {"gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", "cuda:4294967296"}) {
    refused({"--device", device}, {"device", "cuda:N"});
  }
  refused({"--mode", "loose"}, {"mode", "strict"});
  refused({"--eval-episodes", "0"}, {"--eval-episodes"});
  expect_refused({"train", "mdp", "--device", "cpu", "--out", out, "--set", "n_states=64"}, 3,
                 {"64 states", "file"});
  expect_refused({"eval", folder.path(), "--episodes", "0"}, 3, {"episodes"});
}

TEST(BadInput, ConfigurationFiles) {
  const TemporaryFolder folder;
  const auto refused = [&](const std::string& text, int code, const Words& texts) {
    const std::string file = folder / "run.toml";
    put_file(file, text);
    expect_refused({"train", "cartpole", "--config", file, "--out", folder / "run"}, code, texts);
    EXPECT_FALSE(std::filesystem::exists(folder / "run"));
  };
  refused("gamma = 0.9\nsteps = [1, \n gamma = ", 3, {"run.toml:3"});
  refused("gamma = 0.9\ngama = 0.5\n", 2, {"gama", "run.toml:2", "gamma"});
  refused("gamma = 2.0\n", 3, {"gamma", "run.toml:1", "[0, 1]"});
  refused("gamma = \"much\"\n", 3, {"gamma", "run.toml:1"});
  refused("algorithm = \"nothing\"\n", 2, {"algorithm", "nothing"});
  refused("gamma = 0.9\ngamma = 0.8\n", 3, {"run.toml:2"});
  refused(std::string("gamma = 0.9\n\0", 13), 3, {"run.toml"});
  refused("[parameters]\ngravty = 1\n", 2, {"gravty", "gravity"});
  refused("gravity = 1\n[parameters]\ngravity = 2\n", 3, {"twice", "run.toml:1", "run.toml:3"});
  refused("environment = 'pendulum'\n", 3, {"run.toml", "pendulum", "cartpole"});
  refused(std::string("\xff\xfeg\0=\0001\0", 8), 3, {"UTF-16", "UTF-8"});
  put_file(folder / "vpg.toml", "algorithm = \"vpg\"\n");
  expect_refused({"train", "cartpole", "--algorithm", "ppo", "--config", folder / "vpg.toml"}, 3,
                 {"algorithm", "vpg", "ppo"});
  expect_refused({"train", "cartpole", "--config", folder / "none.toml"}, 5, {"none.toml"});
  expect_refused({"train", "cartpole", "--config", folder.path()}, 5, {folder.path()});
}

// What decides all other options is refused as a file's would be, never taken and dropped.
TEST(BadInput, AssignmentsOfAnotherEnvironmentOrAlgorithm) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  for (const auto& [assignment, other] :
       {std::pair<const char*, const char*>{"environment=pendulum", "pendulum"},
        {"Environment=pendulum", "pendulum"},
        {"algorithm=vpg", "vpg"},
        {"ALGORITHM=vpg", "vpg"}}) {
    expect_refused({"train", "cartpole", "--out", out, "--set", assignment}, 3, {other});
    expect_refused({"trace", "cartpole", "--actions", "1", "--set", assignment}, 3, {other});
    expect_refused({"study", "methods", "--out", out, "--set", assignment}, 3, {"--set"});
  }
  expect_refused({"train", "cartpole", "--out", out, "--set", "environment=nowhere"}, 2,
                 {"nowhere"});
  for (const char* assignment : {"seed=5", "threads=2", "device=cpu"}) {
    expect_refused({"study", "methods", "--out", out, "--set", assignment}, 3,
                   {"--set", "--seeds"});
  }
  EXPECT_FALSE(std::filesystem::exists(out));
  // By another of its names it is the same.
  const ProgramResult same = run_program({"train", "cartpole", "--set", "environment=CartPole-v1",
                                          "--set", "algorithm=proximal_policy_optimization",
                                          "--steps", "1", "--device", "cpu", "--out", out});
  EXPECT_EQ(same.code, 0) << same.err;
}

TEST(BadInput, EmptyIntervals) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  expect_refused({"train", "mountain_car", "--out", out, "--set", "reset_low=0.5"}, 3,
                 {"reset_low", "0.5", "reset_high", "-0.4"});
  expect_refused({"train", "mountain_car", "--out", out, "--set", "max_position=-2"}, 3,
                 {"min_position", "max_position"});
  expect_refused({"trace", "mountain_car", "--actions", "1", "--set", "reset_high=-0.7"}, 3,
                 {"reset_low", "reset_high"});
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST(BadInput, ProcessorsDevicesAndFolders) {
  const TemporaryFolder folder;
  ProgramOptions isa;
  isa.environment = {{"GALLOP_ISA", "nonsense"}};
  expect_refused({"list"}, 3, {"GALLOP_ISA", "nonsense", "expected v"}, isa);
  ProgramOptions no_gpu;
  no_gpu.environment = {{"CUDA_VISIBLE_DEVICES", ""}};
  expect_refused({"train", "cartpole", "--device", "cuda", "--out", folder / "run"}, 7, {"CUDA"},
                 no_gpu);
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
  expect_refused({"train", "cartpole", "--device", "cpu", "--out", "/proc/none/run"}, 5, {"/proc"});
  expect_refused({"train", "cartpole", "--device", "cpu", "--out", folder.path()}, 3,
                 {"exists already", "--resume"});
  expect_refused({"train", "mdp", "--device", "cpu", "--set", "file=" + folder / "none"}, 5,
                 {"none"});
  expect_refused({"eval", folder.path()}, 3, {"not a run folder"});
  expect_refused({"eval", folder / "none"}, 3, {"not a run folder"});
  ProgramOptions full;
  full.out_path = "/dev/full";
  EXPECT_EQ(run_program({"list"}, full).code, 5);
}

TEST(BadInput, Traces) {
  expect_refused({"trace", "cartpole", "--state", "1,2", "--actions", "1"}, 3, {"2 components"});
  expect_refused({"trace", "cartpole", "--state", "1,2,3,x", "--actions", "1"}, 3, {"1,2,3,x"});
  expect_refused({"trace", "cartpole", "--state", "nan,0,0,0", "--actions", "1"}, 3, {"finite"});
  expect_refused({"trace", "cartpole", "--state", "1;2;3;4", "--actions", "1"}, 3, {"comma"});
  expect_refused({"trace", "cartpole", "--actions", "2"}, 3, {"action 0 is 2"});
  expect_refused({"trace", "cartpole", "--actions", "0.5"}, 3, {"action 0 is 0.5"});
  expect_refused({"trace", "cartpole", "--actions", "1;;1"}, 3, {"action 1"});
  expect_refused({"trace", "cartpole", "--actions", ""}, 3, {"--actions"});
  expect_refused({"trace", "pendulum", "--actions", "1,2"}, 3, {"2 components"});
  expect_refused({"trace", "cartpole", "--actions", "1", "--precision", "half"}, 3, {"half"});
  expect_refused({"trace", "cartpole", "--actions", "1", "--set", "gravity=1e9"}, 3, {"gravity"});
}

TEST(NotFinite, ATraceEndsAfterTheStepThatMetIt) {
  ProgramResult result = run_program({"trace", "bandit", "--actions", "1e200;0"});
  EXPECT_EQ(result.code, 8);
  EXPECT_EQ(lines(result.out).size(), 1u);
  EXPECT_NE(result.err.find("the reward of bandit is -inf after step 1"), std::string::npos)
      << result.err;
  // An articulated body that has blown up, though every number of it is still finite.
  result =
      run_program({"trace", "swimmer", "--state", "0,0,0,0,0,1e12,0,0,0,0", "--actions", "0,0"});
  EXPECT_EQ(result.code, 8) << result.out;
}

// Rewards whose squares a float cannot hold, while every gradient is finite.
TEST(NotFinite, AValueLossRefusesTheStep) {
  const test::TemporaryFolder folder;
  const ProgramResult result =
      run_program({"train",   "lqr",          "--algorithm", "ppo",
                   "--set",   "a=20",         "--set",       "sigma_w=0",
                   "--set",   "n_envs=16",    "--set",       "n_steps=16",
                   "--set",   "minibatch=64", "--set",       "normalize_advantages=true",
                   "--steps", "256",          "--device",    "cpu",
                   "--out",   folder / "run"});
  EXPECT_EQ(result.code, 8) << result.out;
  EXPECT_NE(result.err.find("the value network's loss is nan"), std::string::npos) << result.err;
  const std::string report = test::file_text(folder / "run/report.html");
  EXPECT_NE(report.find("An error ended this run at 256 of 256 steps"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder / "run/result.json"));
}

TEST(NotFinite, AnEvaluationIsNoResult) {
  const test::TemporaryFolder folder;
  // Two steps of training stay finite, the hundred of an evaluation do not.
  const ProgramResult result = run_program(
      {"train", "lqr", "--set", "n_envs=4", "--set", "n_steps=2", "--set", "a=1000", "--steps",
       "16", "--eval-episodes", "2", "--device", "cpu", "--json", "--out", folder / "run"});
  EXPECT_EQ(result.code, 8) << result.out;
  EXPECT_EQ(result.out, "");
  EXPECT_NE(result.err.find("evaluation"), std::string::npos) << result.err;
  EXPECT_FALSE(std::filesystem::exists(folder / "run/result.json"));
}

TEST(Trace, PrintsOneObjectAStepWithSeventeenDigits) {
  const ProgramResult result = run_program(
      {"trace", "CartPole-v1", "--state", "0.01,-0.02,0.03,0.04", "--actions", "1;0;1"});
  ASSERT_EQ(result.code, 0) << result.err;
  ASSERT_EQ(lines(result.out).size(), 3u);
  // Gymnasium 1.4.0's step in double, written out.
  double x = 0.01, v = -0.02, a = 0.03, w = 0.04;
  const int actions[] = {1, 0, 1};
  for (int t = 0; t < 3; t++) {
    const double force = actions[t] == 1 ? 10 : -10,
                 temp = (force + 0.05 * w * w * std::sin(a)) / 1.1;
    const double a_acc = (9.8 * std::sin(a) - std::cos(a) * temp) /
                         (0.5 * (4.0 / 3.0 - 0.1 * std::cos(a) * std::cos(a) / 1.1));
    const double x_acc = temp - 0.05 * a_acc * std::cos(a) / 1.1;
    x += 0.02 * v;
    v += 0.02 * x_acc;
    a += 0.02 * w;
    w += 0.02 * a_acc;
    const json object = json::parse(lines(result.out)[t]);
    const double expected[] = {x, v, a, w};
    for (int k = 0; k < 4; k++) {
      EXPECT_NEAR(object["state"][k].get<double>(), expected[k], 1e-12) << t << " " << k;
      EXPECT_EQ(object["state"][k], object["observation"][k]);
    }
    EXPECT_EQ(object["reward"], 1.0);
    EXPECT_EQ(object["terminated"], false);
    EXPECT_EQ(object["truncated"], false);
    EXPECT_EQ(object.size(), 5u);
  }
  EXPECT_NE(result.out.find("0.030799999999999998"), std::string::npos) << "17 digits";
}

TEST(Trace, FloatTerminationTruncationAndProblemFiles) {
  const ProgramResult single = run_program({"trace", "cartpole", "--state", "0.01,-0.02,0.03,0.04",
                                            "--actions", "1", "--precision", "float"});
  ASSERT_EQ(single.code, 0) << single.err;
  const double x = json::parse(single.out)["state"][0];
  EXPECT_EQ(x, double(float(x)));
  EXPECT_NEAR(x, 0.0096, 1e-8);
  const ProgramResult fell = run_program(
      {"trace", "cartpole", "--state", "2.41,1,0,0", "--actions", "1", "--elapsed", "499"});
  EXPECT_EQ(json::parse(fell.out)["terminated"], true);
  EXPECT_EQ(json::parse(fell.out)["truncated"], true);
  const TemporaryFolder folder;
  put_file(folder / "two.mdp",
           "states 2\nactions 1\nhorizon 2\nstart 0 1\nstep 0 0 3 0 1\nstep 1 0 5 1 0\n");
  const ProgramResult mdp =
      run_program({"trace", "mdp", "--set", "file=" + folder / "two.mdp", "--actions", "0;0"});
  ASSERT_EQ(mdp.code, 0) << mdp.err;
  const json first = json::parse(lines(mdp.out)[0]), second = json::parse(lines(mdp.out)[1]);
  EXPECT_EQ(first["reward"], 5.0);
  EXPECT_EQ(first["state"], json({0.0}));
  EXPECT_EQ(second["reward"], 3.0);
  EXPECT_EQ(first["truncated"], false);
  EXPECT_EQ(second["truncated"], true);
}

TEST(Train, TheLastLineIsTheObjectAndNothingElseIsSaidOffATerminal) {
  const TemporaryFolder folder;
  const std::string run = folder / "deep/er/run";
  const ProgramResult result =
      run_program({"train", "pendulum", "--algorithm", "vpg", "--seed", "3", "--steps", "3000",
                   "--device", "cpu", "--out", run, "--json", "--eval-episodes", "7"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  const json object = json::parse(last_line(result.out));
  EXPECT_EQ(object["environment"], "pendulum");
  EXPECT_EQ(object["algorithm"], "vpg");
  EXPECT_EQ(object["seed"], 3);
  EXPECT_EQ(object["device"], "cpu");
  EXPECT_GE(object["steps"].get<long>(), 3000);
  EXPECT_EQ(object["eval_episodes"], 7);
  EXPECT_LT(object["eval_return_mean"].get<double>(), 0);
  EXPECT_GE(object["eval_return_std"].get<double>(), 0);
  EXPECT_GT(object["train_seconds"].get<double>(), 0);
  EXPECT_GE(object["wall_seconds"].get<double>(), object["train_seconds"].get<double>());
  EXPECT_EQ(object["bits"].get<std::string>().size(), 16u);
  for (const char* name : {"config.toml", "metrics.csv", "metrics.jsonl", "report.html",
                           "result.json", "checkpoints"}) {
    EXPECT_TRUE(std::filesystem::exists(run + "/" + name)) << name;
  }
  const ProgramResult eval = run_program({"eval", run, "--json", "--device", "cpu"});
  ASSERT_EQ(eval.code, 0) << eval.err;
  EXPECT_EQ(json::parse(eval.out)["eval_return_mean"], object["eval_return_mean"]);
  EXPECT_EQ(json::parse(eval.out)["eval_return_std"], object["eval_return_std"]);
  // The resolved configuration is one that the program takes back, with the same bits.
  const ProgramResult again =
      run_program({"train", "pendulum", "--algorithm", "vpg", "--config", run + "/config.toml",
                   "--out", folder / "again", "--json"});
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(json::parse(last_line(again.out))["bits"], object["bits"]);
}

TEST(Train, TheSameSeedGivesTheSameBitsOnAnyNumberOfThreads) {
  const TemporaryFolder folder;
  for (const AlgorithmDescriptor* algorithm : all_algorithms()) {
    const char* const why = algorithm->refusal != nullptr
                                ? algorithm->refusal(spec_of(find_environment("acrobot")))
                                : nullptr;
    if (why != nullptr) {
      const ProgramResult refused = run_program(
          {"train", "acrobot", "--algorithm", algorithm->name, "--out", folder / "none"});
      EXPECT_EQ(refused.code, 3) << refused.err;
      EXPECT_NE(refused.err.find(why), std::string::npos) << refused.err;
    }
    // Those that replay take long for so many steps; tests/training/off_policy_test.cpp has shorter
    // ones.
    if (Options(algorithm->options).has("buffer_size")) continue;
    const std::string task = task_of(*algorithm, "acrobot");
    std::string bits;
    int number = 0;
    for (const char* threads : {"1", "2", "3", "8"}) {
      const ProgramResult result =
          run_program({"train", task, "--algorithm", algorithm->name, "--steps", "9000",
                       "--threads", threads, "--device", "cpu", "--json", "--out",
                       folder / (std::string(algorithm->name) + std::to_string(number++))});
      ASSERT_EQ(result.code, 0) << result.err;
      const std::string got = json::parse(last_line(result.out))["bits"];
      if (bits.empty()) bits = got;
      EXPECT_EQ(got, bits) << algorithm->name << " with " << threads << " threads";
    }
    const ProgramResult other = run_program(
        {"train", task, "--algorithm", algorithm->name, "--steps", "9000", "--seed", "2",
         "--device", "cpu", "--json", "--out", folder / (std::string(algorithm->name) + "other")});
    EXPECT_NE(json::parse(last_line(other.out))["bits"], bits) << "another seed";
  }
}

}  // namespace
}  // namespace gallop::testing
