// The command `gallop study`: files, figures, interruption, refusals.
#include <gtest/gtest.h>

#include <signal.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include <gallop/host/logging/metrics_log.h>
#include "tests/host/temporary_folder.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using nlohmann::json;
using test::file_text;
using test::put_file;
using test::TemporaryFolder;
using Words = std::vector<std::string>;

constexpr const char* kTiny = R"(
title = "Tiny <study>"
environment = "cartpole"
threshold = 20
seeds = 2
steps = 2048
variants = [
  {name = "natural", algorithm = "npg"},
  {name = "clipped", algorithm = "ppo"},
]
[options]
n_envs = 16
n_steps = 32
hidden = [8]
eval_episodes = 5
)";

constexpr const char* kGrid = R"(
environment = "cartpole"
algorithm = "trpo"
steps = 512
curves_at = {gamma = 0.9}
variants = [{name = "No VF", gae_lambda = 1, value_learning_rate = 0}]
[grid]
gamma = [0.5, 0.9]
gae_lambda = [0.0, 0.5, 1.0]
[options]
n_envs = 8
n_steps = 32
hidden = []
eval_episodes = 2
)";

Words study(const std::string& file, const std::string& out, const Words& more = {}) {
  Words words = {"study", file, "--out", out, "--threads", "1"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) n++;
  return n;
}

void expect_says(const std::string& text, const Words& parts) {
  for (const std::string& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << "no '" << part << "' in:\n" << text;
}

void expect_refused(const Words& words, int code, const Words& parts) {
  const ProgramResult result = run_program(words);
  EXPECT_EQ(result.code, code) << result.err;
  EXPECT_EQ(result.out, "");
  expect_says(result.err, parts);
}

// The numbers of the files are those of the runs' own logs.
void expect_true_numbers(const std::string& out, const json& one) {
  double sum = 0;
  for (const char* seed : {"/seed-1", "/seed-2"}) {
    const std::string run = out + "/" + one["folder"].get<std::string>() + seed;
    const MetricsTable metrics = read_metrics_csv(run + "/metrics.csv");
    ASSERT_EQ(metrics.steps.size(), 4u) << run;
    sum += metrics.column("return").back();  // the last tenth of four iterations is the last one
  }
  EXPECT_DOUBLE_EQ(one["final_return"]["mean"].get<double>(), sum / 2);
}

TEST(StudyProgram, VariantsOverSeedsLeaveTableNumbersAndFigures) {
  const TemporaryFolder folder;
  const std::string file = folder / "tiny.toml", out = folder / "out";
  put_file(file, kTiny);
  const ProgramResult result = run_program(study(file, out));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.err, "");  // silent off a terminal
  expect_says(result.out, {"variant", "final return", "steps to threshold", "natural", "clipped",
                           " ± ", "/2)", "4 runs", "report.html"});

  const json numbers = json::parse(file_text(out + "/study.json"));
  EXPECT_EQ(numbers["runs"], 4);
  ASSERT_EQ(numbers["variants"].size(), 2u);
  for (const json& one : numbers["variants"]) {
    EXPECT_EQ(one["final_return"]["n"], 2);
    EXPECT_GT(one["final_return"]["standard_error"].get<double>(), 0);
    expect_true_numbers(out, one);
  }
  const std::string csv = file_text(out + "/study.csv");
  EXPECT_EQ(count(csv, "\n"), 5u) << csv;
  expect_says(csv, {"cartpole,natural,npg,1,2048,4,", "cartpole,clipped,ppo,2,2048,4,"});

  const std::string html = file_text(out + "/report.html");
  expect_says(html,
              {"<h1>Tiny &lt;study&gt;</h1>", "Learning curves on cartpole", ">environment steps<",
               "return, sum of rewards an episode", "class=\"band c0\"", "class=\"band c1\"",
               "class=\"mark c1\"", ">natural</text>", ">clipped</text>", "threshold 20", "<td>",
               "standard error"});
  // One replay, of the best setting's best run.
  EXPECT_EQ(count(html, "application/json\">"), 1u);
  const bool natural = numbers["variants"][0]["final_return"]["mean"].get<double>() >
                       numbers["variants"][1]["final_return"]["mean"].get<double>();
  expect_says(html, {std::string("An evaluation episode: ") + (natural ? "natural" : "clipped") +
                     " on cartpole, seed "});

  // Finished, it is repeated from its runs, and may grow.
  const ProgramResult again = run_program(study(file, out, {"--resume", "--json"}));
  ASSERT_EQ(again.code, 0) << again.err;
  const json printed = json::parse(last_line(again.out));
  EXPECT_EQ(printed["folder"], out);
  EXPECT_EQ(printed["variants"], numbers["variants"]);
  const auto written = std::filesystem::last_write_time(out +
                                                        "/runs/cartpole/natural/seed-1/"
                                                        "result.json");
  ASSERT_EQ(run_program(study(file, out, {"--resume", "--seeds", "3"})).code, 0);
  const std::string grown = file_text(out + "/study.csv");
  EXPECT_EQ(count(grown, "\n"), 7u);
  EXPECT_EQ(written, std::filesystem::last_write_time(out + "/runs/cartpole/natural/seed-1/"
                                                            "result.json"));
}

// Methods of two families on two environments: options count where an algorithm has them, variants
// and grid stay where they belong, curves have two axes, and iterations are timed by threads.
constexpr const char* kFamilies = R"(
seeds = 2
steps = 4096
x_axis = ["steps", "seconds"]
threads = [1, 2]
algorithm = "es"
grid_on = ["pendulum"]
environments = [{name = "cartpole", threshold = 12}, {name = "pendulum", steps = 8000}]
variants = [
  {name = "TRPO", algorithm = "trpo", on = "cartpole"},
  {name = "CEM", algorithm = "cem", population = 20},
]
[grid]
population = [4, 8]
hidden = [[], [3]]
[options]
n_envs = 16
n_steps = 32
eval_episodes = 2
)";

TEST(StudyProgram, FamiliesOfMethodsShareAStudy) {
  const TemporaryFolder folder;
  put_file(folder / "families.toml", kFamilies);
  const std::string out = folder / "out";
  const ProgramResult result = run_program(study(folder / "families.toml", out));
  ASSERT_EQ(result.code, 0) << result.err;
  expect_says(result.out, {"return at equal time", "TRPO", "CEM", "population=8, hidden=3"});
  const json numbers = json::parse(file_text(out + "/study.json"));
  std::set<std::string> places;
  for (const json& one : numbers["variants"]) {
    places.insert(one["environment"].get<std::string>() + " " + one["label"].get<std::string>());
    if (one["label"] == "population=4, hidden=3") {
      EXPECT_EQ(one["parameters"], 3 * 3 + 3 + 3 + 1);
    }
  }
  EXPECT_EQ(places,
            (std::set<std::string>{
                "cartpole TRPO", "cartpole CEM", "pendulum CEM, hidden=", "pendulum CEM, hidden=3",
                "pendulum population=4, hidden=", "pendulum population=4, hidden=3",
                "pendulum population=8, hidden=", "pendulum population=8, hidden=3"}));
  const std::string html = file_text(out + "/report.html");
  expect_says(html, {"Learning curves on cartpole over steps", "over seconds",
                     "return at equal time", "Time to a return of 12 on cartpole by threads",
                     "(16 parameters)", "s an iteration, 2 threads"});
  std::istringstream csv(file_text(out + "/scaling.csv"));
  std::string line;
  std::getline(csv, line);
  EXPECT_EQ(line,
            "environment,variant,threads,iterations,seconds_an_iteration,seconds_to_threshold");
  int lines = 0;
  while (std::getline(csv, line)) {
    lines++;
    std::istringstream fields(line);
    std::vector<std::string> field(6);
    for (std::string& f : field) std::getline(fields, f, ',');
    EXPECT_EQ(field[0], "cartpole");
    EXPECT_NEAR(std::stod(field[3]) * std::stod(field[4]), std::stod(field[5]),
                1e-9 * std::stod(field[5]));
    EXPECT_GT(std::stod(field[4]), 0);
  }
  EXPECT_EQ(lines, 4) << "two methods with two numbers of threads";

  expect_refused(study(folder / "families.toml", folder / "no", {"--set", "populaton=8"}), 2,
                 {"populaton", "--set"});
  put_file(folder / "nowhere.toml",
           "environment = \"cartpole\"\nsteps = 9\nvariants = [{name = \"a\", algorithm = "
           "\"ppo\", on = [\"cartpol\"]}]\n");
  expect_refused(study(folder / "nowhere.toml", folder / "no"), 3,
                 {"cartpol", "'a'", "did you mean"});
}

// The shipped one, short: every method on every robot, and its figures.
TEST(StudyProgram, EvolutionRunsShort) {
  const TemporaryFolder folder;
  const std::string out = folder / "out";
  const ProgramResult result =
      run_program(study("evolution", out,
                        {"--seeds", "1", "--steps", "1000", "--set", "n_envs=8", "--set",
                         "n_steps=32", "--set", "eval_episodes=1", "--set", "value_epochs=1"}));
  ASSERT_EQ(result.code, 0) << result.err;
  const json numbers = json::parse(file_text(out + "/study.json"));
  EXPECT_EQ(numbers["runs"], 27);
  expect_says(file_text(out + "/report.html"),
              {"Learning curves on humanoid over steps", "Learning curves on swimmer over seconds",
               "(4610 parameters)"});
  EXPECT_EQ(count(file_text(out + "/scaling.csv"), "\n"), 1u) << "nobody came to 6000";
}

// A setting whose one iteration is longer than all the steps: a line all the same, and why it is
// flat.
TEST(StudyProgram, AnIterationLongerThanTheRunIsToldAndDrawn) {
  const TemporaryFolder folder;
  put_file(folder / "tiny.toml", kTiny);
  const std::string out = folder / "out";
  const ProgramResult result =
      run_program(study(folder / "tiny.toml", out, {"--steps", "100", "--set", "n_steps=64"}));
  ASSERT_EQ(result.code, 0) << result.err;
  const std::string remark =
      "natural on cartpole: 100 steps were asked for and one iteration takes 1024";
  expect_says(result.out, {remark});
  const std::string html = file_text(out + "/report.html");
  expect_says(html, {remark, "class=\"line c0 d0\" d=\"M66.0 "});
  EXPECT_EQ(html.find("class=\"dot"), std::string::npos);
}

TEST(StudyProgram, AGridHasAHeatMapAndCurvesOfItsSlice) {
  const TemporaryFolder folder;
  put_file(folder / "grid.toml", kGrid);
  const std::string out = folder / "out";
  const ProgramResult result = run_program(study(folder / "grid.toml", out));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(count(file_text(out + "/study.csv"), "\n"), 1u + 6u + 2u);
  expect_says(file_text(out + "/study.csv"),
              {"environment,variant,gamma,gae_lambda,algorithm",
               "cartpole,grid,0.5,0,trpo,1,512,2,", "cartpole,No VF,0.9,1,trpo,1,512,2,"});
  const std::string html = file_text(out + "/report.html");
  expect_says(html, {"Final return on cartpole", ">gamma<", ">gae_lambda<", ">No VF</text>",
                     "class=\"best\"", "Learning curves on cartpole at gamma = 0.9",
                     ">gae_lambda=0.5</text>"});
  EXPECT_EQ(count(html, "class=\"cell\""), 8u);
  EXPECT_EQ(count(html, "class=\"legend\""), 2 * 4u);  // for wide and for narrow screens
}

TEST(StudyProgram, KilledAndResumedItEndsWithTheSameBytes) {
  const TemporaryFolder folder;
  const std::string file = folder / "tiny.toml", whole = folder / "whole", part = folder / "part";
  put_file(file, kTiny);
  const Words more = {"--steps", "65536", "--set", "checkpoint_interval=3"};
  ASSERT_EQ(run_program(study(file, whole, more)).code, 0);
  const std::string second = part + "/runs/cartpole/natural/seed-2";
  Words resume = more;
  resume.push_back("--resume");
  {
    Program program(study(file, part, more));
    ASSERT_TRUE(program.wait_until([&] { return checkpoints_in(second).size() > 1; }));
    program.send(SIGKILL);
    EXPECT_EQ(program.wait().signal, SIGKILL);
  }
  EXPECT_FALSE(std::filesystem::exists(part + "/study.csv"));
  {
    Program program(study(file, part, resume));
    ASSERT_TRUE(program.wait_until(
        [&] { return !checkpoints_in(part + "/runs/cartpole/clipped/seed-1").empty(); }));
    program.send(SIGINT);
    const ProgramResult stopped = program.wait();
    EXPECT_EQ(stopped.code, 130) << stopped.err;
    expect_says(stopped.err, {"--resume", part});
  }
  EXPECT_FALSE(std::filesystem::exists(part + "/study.csv"));
  const ProgramResult last = run_program(study(file, part, resume));
  ASSERT_EQ(last.code, 0) << last.err;
  for (const char* name : {"/study.csv", "/study.json", "/config.toml"})
    EXPECT_EQ(file_text(part + name), file_text(whole + name)) << name;
}

TEST(StudyProgram, ARunThatIsNotFiniteIsShown) {
  const TemporaryFolder folder;
  put_file(folder / "s.toml", R"(
environment = "lqr"
seeds = 1
steps = 512
variants = [
  {name = "sound", algorithm = "npg"},
  {name = "wild", algorithm = "npg", a = 100000.0},
]
[options]
n_envs = 8
n_steps = 32
hidden = [8]
)");
  const ProgramResult result = run_program(study(folder / "s.toml", folder / "out"));
  ASSERT_EQ(result.code, 0) << result.err;
  expect_says(result.err, {"warning", "wild, seed 1"});
  expect_says(result.out, {"not finite", "0/1", "1/1"});
  const json numbers = json::parse(file_text(folder / "out/study.json"));
  EXPECT_EQ(numbers["variants"][1]["failed"], 1);
  EXPECT_TRUE(numbers["variants"][1]["final_return"]["mean"].is_null());
}

TEST(StudyProgram, RefusesWhatDoesNotFit) {
  const TemporaryFolder folder;
  const std::string file = folder / "tiny.toml", out = folder / "out";
  put_file(file, kTiny);
  expect_refused({"study"}, 2, {"gae", "methods"});
  expect_refused({"study", "gea", "--out", out}, 2, {"gea", "'gae'"});
  expect_refused({"study", "methods", "--sed", "3", "--out", out}, 2, {"--sed", "--seeds"});
  expect_refused({"study", folder / "none.toml", "--out", out}, 5, {"none.toml"});
  expect_refused(study(file, out, {"--seeds", "0"}), 3, {"seeds"});
  expect_refused(study(file, out, {"--set", "gama=1"}), 2, {"gama", "gamma"});
  expect_refused(study(file, out, {"--set", "n_envs=16777216", "--set", "n_steps=1048576"}), 3,
                 {"natural", "16777216"});
  expect_refused(study(file, out, {"--resume"}), 3, {out, "resume"});
  put_file(folder / "bad.toml", "seeds = [1,\n");
  expect_refused(study(folder / "bad.toml", out), 3, {"bad.toml", "malformed"});
  EXPECT_FALSE(std::filesystem::exists(out));

  ASSERT_EQ(run_program(study(file, out, {"--steps", "512"})).code, 0);
  expect_refused(study(file, out, {"--steps", "512"}), 3, {out, "--resume", "--out"});
  expect_refused(study(file, out, {"--resume"}), 3, {"steps = 512", "steps = 2048"});
  expect_refused(study(file, out, {"--resume", "--steps", "512", "--seeds", "1"}), 3, {"2 seeds"});
  expect_refused(study(file, out, {"--resume", "--steps", "512", "--set", "gamma=0.5"}), 3,
                 {"gamma=0.5"});
}

// Whatever stands in a title: the folder's text reads back, the study goes on, and nothing of it
// reaches a terminal as it is.
TEST(StudyCommand, TextsMayHoldAnything) {
  const TemporaryFolder folder;
  std::string text = kTiny;
  text.replace(text.find("\"Tiny <study>\""), 14,
               R"("two\nlines \u001b[31m \t \" \\ \u007f \u0001 \r end")");
  text.replace(text.find("\"natural\""), 9, R"("nat\nural \u001b[2J")");
  text.replace(text.find("seeds = 2"), 9, "seeds = 1");
  text.replace(text.find("steps = 2048"), 12, "steps = 512");
  put_file(folder / "s.toml", text);
  ASSERT_EQ(run_program(study(folder / "s.toml", folder / "out")).code, 0);
  const ProgramResult again =
      run_program(study(folder / "s.toml", folder / "out", {"--resume", "--progress", "line"}));
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ((again.out + again.err).find('\x1b'), std::string::npos) << again.out;
}

}  // namespace
}  // namespace gallop::testing
