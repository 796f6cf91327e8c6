// gallop list and --help: short where all is shown, complete where one thing is.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include <gallop/host/laboratory/problem.h>
#include <gallop/host/learning/test_function.h>
#include <gallop/host/registry/registry.h>
#include <gallop/host/studies/measured_study.h>
#include <gallop/host/training/run_options.h>
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

std::string output(const Words& words) {
  const ProgramResult result = run_program(words);
  EXPECT_EQ(result.code, 0) << words[0] << ": " << result.err;
  return result.out;
}

void expect_says(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "no '" << part << "' in:\n" << text;
}

// Lines of a text, none of them wider than a terminal.
int lines_of(const std::string& text) {
  std::stringstream stream(text);
  int n = 0;
  for (std::string line; std::getline(stream, line); n++) EXPECT_LE(line.size(), 80u) << line;
  return n;
}

TEST(List, FitsAScreenAndNamesEverythingThatIsRegistered) {
  const std::string text = output({"list"});
  EXPECT_LE(lines_of(text), 24);
  std::stringstream stream(text);
  Words words;
  for (std::string word; stream >> word;) words.push_back(word);
  const auto expect_word = [&](const std::string& name) {
    EXPECT_NE(std::find(words.begin(), words.end(), name), words.end()) << name;
  };
  for (const EnvironmentEntry* entry : all_environments()) expect_word(spec_of(*entry).name);
  for (const std::string& name : unbuilt_environments()) expect_word(name);
  for (const AlgorithmDescriptor* algorithm : all_algorithms()) expect_word(algorithm->name);
  for (const std::string& study : study_names()) expect_word(study);
  for (const LaboratoryDescriptor& problem : laboratory_problems()) expect_word(problem.name);
  for (const TestFunctionDescriptor& function : test_functions()) expect_word(function.name);
  expect_says(text, "gallop list NAME");
}

TEST(List, DescribesTetris) {
  const std::string text = output({"list", "tetris"});
  EXPECT_LE(lines_of(text), 40);
  for (const char* part : {"dellacherie", "dt10", "hole_depth", "--controller"}) {
    expect_says(text, part);
  }
  expect_says(output({"list"}), "tetris");
}

TEST(List, DescribesOneEnvironment) {
  for (const EnvironmentEntry* entry : all_environments()) {
    const EnvironmentSpec& spec = spec_of(*entry);
    const std::string text = output({"list", spec.name});
    EXPECT_LE(lines_of(text), 300) << spec.name;  // a humanoid has 235 parameters and observations
    expect_says(text, "environment " + std::string(spec.name));
    const int shown = spec.n_parameters > 50 ? 3 : spec.n_parameters;  // matrices are cut
    for (int k = 0; k < shown; k++) expect_says(text, flag_of(spec.parameters[k].name) + " ");
  }
  const std::string text = output({"list", "CARTPOLE-V1"});
  for (const char* part : {"CartPole-v1", "500 steps", "475", "theta_dot", "2 choices", "ppo, ",
                           "--gravity 9.8", "m/s^2"}) {
    expect_says(text, part);
  }
  // One line for each matrix.
  EXPECT_EQ(output({"list", "lqr"}).find("--a-07"), std::string::npos);
  expect_says(output({"list", "lqr"}), "63 more");
}

TEST(List, DescribesOneAlgorithmStudyOrProblem) {
  for (const AlgorithmDescriptor* algorithm : all_algorithms()) {
    const std::string text = output({"list", algorithm->name});
    lines_of(text);
    for (const OptionSpec& row : algorithm->options) {
      expect_says(text, "\n  " + flag_of(row.name) + " ");
    }
  }
  const std::string text = output({"list", "TRPO"});
  for (const char* part : {"algorithm trpo", "arXiv:1502.05477v5", "--delta 0.01", "1e-12 to 10",
                           "nats", "up to 15", "auto, fused, cublas"}) {
    expect_says(text, part);
  }
  for (const std::string& study : study_names()) {
    expect_says(output({"list", study}), "gallop study " + study);
  }
  expect_says(output({"list", "cigar"}), "gallop optimize cigar");
  expect_says(output({"list", "bandit_step"}), "gallop estimators bandit_step");
  // Both an environment and a problem.
  const std::string both = output({"list", "bandit"});
  expect_says(both, "environment bandit");
  expect_says(both, "problem bandit");
  const ProgramResult unknown = run_program({"list", "cartpoel"});
  EXPECT_EQ(unknown.code, 2);
  expect_says(unknown.err, "'cartpole'");
}

TEST(List, AsJson) {
  const json all = json::parse(output({"list", "--json"}));
  EXPECT_EQ(all["environments"].size(), all_environments().size());
  EXPECT_EQ(all["algorithms"].size(), all_algorithms().size());
  EXPECT_EQ(all["studies"].size(), study_names().size());
  EXPECT_EQ(all["problems"].size(), laboratory_problems().size());
  EXPECT_EQ(all["functions"].size(), test_functions().size());
  EXPECT_EQ(all["options"].back()["name"], "checkpoint_seconds");
  const json one = json::parse(output({"list", "PPO", "--json"}));
  EXPECT_EQ(one.size(), 1u);
  EXPECT_EQ(one["algorithms"][0]["name"], "ppo");
  EXPECT_EQ(one["algorithms"][0]["options"].size(),
            all_algorithms()[0]->options.size() > 0 ? find_algorithm("ppo").options.size() : 0);
}

TEST(Help, IsPrintedForEveryCommand) {
  for (const char* command : {"train", "eval", "render", "study", "trace", "estimators", "optimize",
                              "list", "differences", "graph", "tetris", "export"}) {
    const std::string text = output({command, "--help"});
    lines_of(text);
    expect_says(text, std::string("usage: gallop ") + command);
    expect_says(text, "--help ");
    EXPECT_EQ(text, output({"help", command})) << command;
    EXPECT_EQ(text, output({command, "-h"})) << command;
    EXPECT_EQ(text, output({command, "--HELP"})) << command;
    EXPECT_EQ(text.find("see 'gallop list'"), std::string::npos) << command;
  }
  expect_says(output({"--help"}), "gallop train");
  EXPECT_EQ(output({"--help"}), output({"help"}));
  EXPECT_EQ(run_program({}).code, 2);
  for (const char* version : {"--version", "version", "-V"}) {
    expect_says(output({version}), "gallop ");
  }
}

// The texts of the table stand there, and the values are those that a run would take.
TEST(Help, OfTrainShowsTheValuesOfTheTask) {
  const std::string plain = output({"train", "--help"});
  for (const OptionSpec& row : run_rows()) expect_says(plain, "\n  " + flag_of(row.name) + " ");
  expect_says(plain, "of everything random");
  expect_says(plain, "--n-envs 64 ");
  for (const char* algorithm : {"ppo", "trpo"}) {
    const RunOptions options("pendulum", algorithm);
    const std::string text = output({"train", "pendulum", "--algorithm", algorithm, "--help"});
    lines_of(text);
    expect_says(text, std::string("configs/") + algorithm + "/pendulum.toml");
    int others = 0;
    for (const OptionSpec& row : options.values().rows()) {
      expect_says(text, "\n  " + flag_of(row.name) + " " + options.values().value_text(row.name));
      others += options.values().origin(row.name).starts_with("configs/") ? 1 : 0;
    }
    EXPECT_GT(others, 3) << "the test shows nothing where settings and defaults agree";
  }
  // What else is given counts too.
  expect_says(output({"train", "pendulum", "--gamma", "0.5", "--set", "n_envs=3", "--help"}),
              "--gamma 0.5 ");
  expect_says(output({"help", "train", "pendulum", "--set", "n_envs=3"}), "--n-envs 3 ");
  EXPECT_EQ(run_program({"train", "pendulim", "--help"}).code, 2);
}

}  // namespace
}  // namespace gallop::testing
