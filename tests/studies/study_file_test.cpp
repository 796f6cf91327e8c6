// Studies from their files: what they mean, and what is refused with which words.
#include <gtest/gtest.h>

#include <set>

#include <gallop/host/error.h>
#include <gallop/host/studies/study.h>

namespace gallop {
namespace {

using Texts = std::vector<std::string>;

const std::string kHead = "environment = \"cartpole\"\nalgorithm = \"trpo\"\nsteps = 1000\n";

void expect_refused(const std::string& toml, ExitCode code, const Texts& texts) {
  try {
    study_cells(parse_study(toml, "s.toml"));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << toml << "\n" << error.what();
    for (const std::string& text : texts) {
      EXPECT_NE(std::string(error.what()).find(text), std::string::npos)
          << "'" << text << "' is not said: " << error.what();
    }
    return;
  }
  ADD_FAILURE() << "accepted: " << toml;
}

TEST(StudyFile, AGridIsCrossedAndAVariantWithWhatItLeavesOpen) {
  const Study study = parse_study(kHead + R"(
seeds = 2
threshold = 475
variants = [
  {name = "No VF", gae_lambda = 1, value_learning_rate = 0},
  {name = "free", hidden = [8]},
]
[grid]
gamma = [0.9, 1]
gae_lambda = [0, 0.5, 1.0]
[options]
n_envs = 4
gravity = 5.0
)",
                                  "s.toml");
  ASSERT_EQ(study.axes.size(), 2u);
  EXPECT_EQ(study.axes[0].option, "gamma");  // in the order of the file
  const std::vector<StudyCell> cells = study_cells(study);
  ASSERT_EQ(cells.size(), 6u + 2u + 6u);
  EXPECT_EQ(cells[0].label, "gamma=0.9, gae_lambda=0");
  EXPECT_EQ(cells[1].label, "gamma=0.9, gae_lambda=0.5");
  EXPECT_EQ(cells[6].label, "No VF, gamma=0.9");
  EXPECT_EQ(cells[6].at, (std::vector<int>{0, -1}));
  EXPECT_EQ(cells[13].label, "free, gamma=1, gae_lambda=1");
  EXPECT_EQ(cells[6].options.values().real("gae_lambda"), 1.0);
  EXPECT_EQ(cells[6].options.values().real("gamma"), 0.9);
  EXPECT_EQ(cells[6].options.values().real("value_learning_rate"), 0.0);
  EXPECT_EQ(cells[1].options.values().real("gae_lambda"), 0.5);
  EXPECT_EQ(cells[13].options.values().integers("hidden"), (std::vector<std::int64_t>{8}));
  std::set<std::string> folders;
  for (const StudyCell& cell : cells) {
    EXPECT_EQ(cell.options.values().integer("n_envs"), 4);
    EXPECT_EQ(cell.options.values().real("parameters.gravity"), 5.0);
    EXPECT_EQ(cell.options.values().integer("steps"), 1000);
    folders.insert(cell.folder);
  }
  EXPECT_EQ(folders.size(), cells.size());
}

TEST(StudyFile, LayersAndAssignments) {
  Study study = parse_study(R"(
steps = 1000
options = {gamma = 0.5, n_steps = 8}
environments = [{name = "cartpole", gamma = 0.6, steps = 2000}, {name = "pendulum", threshold = 3}]
variants = [{name = "a", algorithm = "ppo"}, {name = "b", algorithm = "vpg", gamma = 0.7}]
)",
                            "s.toml");
  std::vector<StudyCell> cells = study_cells(study);
  ASSERT_EQ(cells.size(), 4u);
  EXPECT_EQ(cells[0].options.values().real("gamma"), 0.6);
  EXPECT_EQ(cells[0].options.values().integer("steps"), 2000);
  EXPECT_EQ(cells[1].options.values().real("gamma"), 0.7);
  EXPECT_EQ(cells[2].options.values().real("gamma"), 0.5);
  EXPECT_EQ(cells[2].options.values().integer("steps"), 1000);
  EXPECT_EQ(cells[2].folder, "runs/pendulum/a");
  EXPECT_EQ(study.environments[1].threshold, 3.0);
  study.assignments = {"gamma=0.8"};
  set_steps(study, 77);
  cells = study_cells(study);
  for (const StudyCell& cell : cells) {
    EXPECT_EQ(cell.options.values().real("gamma"), 0.8);
    EXPECT_EQ(cell.options.values().integer("steps"), 77);
  }
}

TEST(StudyFile, ALinearPolicyHasNoHiddenLayers) {
  const std::vector<StudyCell> cells = study_cells(
      parse_study(kHead + "options = {hidden = []}\nvariants = [{name = \"linear\"}]\n", "s.toml"));
  EXPECT_TRUE(cells[0].options.values().integers("hidden").empty());
}

TEST(StudyFile, IsReadBackFromItsText) {
  std::vector<std::string> texts;
  for (const std::string& name : shipped_studies())
    texts.push_back(std::string(shipped_study(name)));
  texts.push_back(R"(
title = "Ein \"Titel\" mit ä"
steps = 5
score = "evaluation"
x_axis = "iterations"
set = ["gamma=0.5"]
environments = [{name = "cartpole", threshold = 1.5, parameters = {gravity = 5.0}}]
variants = [{name = "a, b", algorithm = "ppo", hidden = [4, 4]}]
[curves_at]
gamma = 0.9
[grid]
n_envs = [1, 2]
gamma = [0.9]
)");
  texts.back().insert(0, "algorithm = \"ppo\"\n");
  for (const std::string& text : texts) {
    const Study study = parse_study(text, "s.toml");
    const std::string written = study_toml(study);
    const Study again = parse_study(written, "written.toml");
    EXPECT_EQ(study_toml(again), written);
    const std::vector<StudyCell> a = study_cells(study), b = study_cells(again);
    ASSERT_EQ(a.size(), b.size());
    ASSERT_FALSE(a.empty());
    for (std::size_t k = 0; k < a.size(); k++) {
      EXPECT_EQ(a[k].label, b[k].label);
      EXPECT_EQ(a[k].options.to_toml(), b[k].options.to_toml());
    }
  }
  EXPECT_GE(shipped_studies().size(), 2u);
}

TEST(StudyFile, UnknownNamesAreUsageErrors) {
  const ExitCode usage = ExitCode::usage;
  expect_refused(kHead + "seds = 3\nvariants = [{name = \"a\"}]\n", usage,
                 {"s.toml:4", "seds", "seeds"});
  expect_refused(kHead + "variants = [{name = \"a\", gama = 0.5}]\n", usage,
                 {"s.toml:4", "gama", "gamma"});
  expect_refused(kHead + "variants = [{name = \"a\"}]\n[options]\nn_env = 3\n", usage,
                 {"s.toml:6", "n_env", "n_envs"});
  expect_refused(kHead + "[grid]\ngama = [0.5]\n", usage, {"s.toml:5", "gama", "gamma"});
  expect_refused(kHead + "[[variants]]\nname = \"a\"\nalgorithm = \"trop\"\n", usage,
                 {"s.toml:4", "trop", "trpo"});
  expect_refused("environment = \"cartpoel\"\nsteps = 5\nalgorithm = \"ppo\"\n[grid]\ngamma = [0]",
                 usage, {"s.toml:1", "cartpoel", "cartpole"});
  try {
    shipped_study("gea");
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), usage);
    EXPECT_NE(std::string(error.what()).find("'gae'"), std::string::npos) << error.what();
  }
}

TEST(StudyFile, WrongValuesNameFileAndKey) {
  const ExitCode value = ExitCode::value;
  const std::string one = "variants = [{name = \"a\"}]\n";
  expect_refused(kHead, value, {"s.toml", "variants", "grid"});
  expect_refused("environment = \"cartpole\"\nsteps = 5\n[grid]\ngamma = [0.5]\n", value,
                 {"algorithm"});
  expect_refused("steps = 5\nvariants = [{name = \"a\", algorithm = \"ppo\"}]\n", value,
                 {"environment"});
  expect_refused(kHead + "environments = [{name = \"cartpole\"}]\n" + one, value, {"both"});
  expect_refused("environment = \"cartpole\"\n" + one, value, {"s.toml", "steps"});
  expect_refused(kHead + "seeds = 0\n" + one, value, {"s.toml:4", "seeds", "[1, 1000]"});
  expect_refused(kHead + "seeds = 1.5\n" + one, value, {"s.toml:4", "seeds", "whole"});
  expect_refused(kHead + "seeds = \"two\"\n" + one, value, {"s.toml:4", "seeds", "string"});
  expect_refused(kHead + "score = \"fianl\"\n" + one, value, {"s.toml:4", "fianl", "final"});
  expect_refused(kHead + "x_axis = \"time\"\n" + one, value, {"s.toml:4", "x_axis", "seconds"});
  expect_refused(kHead + "variants = []\n", value, {"s.toml:4", "variants", "0 tables"});
  expect_refused(kHead + "variants = 3\n", value, {"s.toml:4", "variants"});
  expect_refused(kHead + "variants = [{algorithm = \"ppo\"}]\n", value, {"s.toml:4", "name"});
  expect_refused(kHead + "variants = [{name = \"A b\"}, {name = \"a-B\"}]\n", value,
                 {"s.toml:4", "A b", "another name"});
  expect_refused(kHead + "variants = [{name = \"a\", seed = 3}]\n", value, {"s.toml:4", "seed"});
  expect_refused(kHead + "variants = [{name = \"a\", gamma = 1.5}]\n", value,
                 {"s.toml:4", "gamma", "[0, 1]"});
  expect_refused(kHead + "[grid]\n", value, {"s.toml:4", "grid", "0 options"});
  expect_refused(kHead + "[grid]\ngamma = []\n", value, {"s.toml:5", "gamma", "0 values"});
  expect_refused(kHead + "[grid]\ngamma = 0.5\n", value, {"s.toml:5", "gamma", "array"});
  expect_refused(kHead + "[grid]\ngamma = [0.5, 0.50]\n", value, {"s.toml:5", "0.5 twice"});
  expect_refused(kHead + "[grid]\nseed = [1]\n", value, {"s.toml:5", "seed"});
  expect_refused(kHead + "[grid]\ngamma = [1]\nn_envs = [1]\nn_steps = [1]\n", value,
                 {"s.toml:4", "3 options"});
  expect_refused(kHead + "curves_at = {gamma = 0.4}\n[grid]\ngamma = [0.5]\n", value,
                 {"s.toml:4", "curves_at", "gamma = 0.4"});
  expect_refused(kHead + "variants = [{name = \"a\"}\n", value, {"s.toml", "malformed"});
  std::string grid = kHead + "seeds = 1000\n[grid]\n";
  for (const char* name : {"n_envs", "n_steps"}) {
    grid += std::string(name) + " = [";
    for (int i = 1; i <= 64; i++) grid += std::to_string(i) + ", ";
    grid += "]\n";
  }
  expect_refused(grid, value, {"4096000 runs", "100000"});
}

}  // namespace
}  // namespace gallop
