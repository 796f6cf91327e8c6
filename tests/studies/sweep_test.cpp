// Searches over several options: their files, the median rule, and that neither threads nor kills
// change what they find.
#include <gtest/gtest.h>
#include <signal.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include <gallop/host/studies/median_rule.h>
#include <gallop/host/studies/sweep.h>
#include <gallop/host/studies/sweep_search.h>
#include "tests/host/expect_error.h"
#include "tests/host/temporary_folder.h"
#include "tests/learning/kernel_sets.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using nlohmann::json;
using test::expect_error;
using test::file_text;
using test::put_file;
using test::TemporaryFolder;
using Words = std::vector<std::string>;

constexpr const char* kSmall = R"(
title = "Small <sweep>"
environment = "cartpole"
steps = 4096
settings = 24
generation = 8
[options]
n_envs = 16
n_steps = 16
hidden = [8]
eval_episodes = 5
[sweep]
learning_rate = {low = 1e-5, high = 1e-1, scale = "log"}
epochs = {low = 1, high = 6}
gae_lambda = {values = [0.0, 0.9, 1.0]}
activation = {values = ["tanh", "relu"]}
)";

std::string with_search(const std::string& search, const std::string& more = "") {
  std::string text = kSmall;
  return text.insert(text.find("steps ="), "search = \"" + search + "\"\n") + more;
}

Words study_words(const std::string& file, const std::string& out, const std::string& threads) {
  return {"study", file, "--out", out, "--threads", threads, "--json"};
}

TEST(MedianRule, GivesUpWhatIsBelowTheMedianOfEarlierRuns) {
  MedianRule rule;
  for (const double mean : {1.0, 2.0, 3.0, 4.0}) rule.add({mean, 10 * mean});
  EXPECT_FALSE(rule.gives_up(0, -100)) << "four runs make no median";
  rule.add({5.0});
  EXPECT_TRUE(rule.gives_up(0, 2.9));
  EXPECT_FALSE(rule.gives_up(0, 3.0));
  EXPECT_FALSE(rule.gives_up(1, -100)) << "one of them was over by then";
  rule.add({6.0});
  EXPECT_TRUE(rule.gives_up(0, 3.4)) << "between 3 and 4";
  EXPECT_FALSE(rule.gives_up(0, 3.5));
  rule.add({std::nan("")});
  EXPECT_FALSE(rule.gives_up(0, 3.5)) << "a mean that is none does not count";
}

TEST(MedianRule, ARunIsJudgedAtMarksByItsBestReturn) {
  MedianRule rule;
  for (int k = 0; k < 5; k++) rule.add(MedianRule::Means(MedianRule::kMarks, 10.0));
  WatchedRun good(&rule, 2000), poor(&rule, 2000), late(&rule, 2000), free(nullptr, 2000);
  for (std::uint64_t step = 50; step <= 2000; step += 50) {
    good.update(step, step == 50 ? 11 : 0);
    poor.update(step, step < 500 ? 10 : 9);
    late.update(step, step < 100 ? std::nan("") : 9.5);
    free.update(step, 1);
  }
  EXPECT_FALSE(good.is_given_up());
  EXPECT_FALSE(poor.is_given_up()) << "its best is not below the median";
  EXPECT_TRUE(late.is_given_up());
  EXPECT_EQ(late.step(), 100u);
  EXPECT_EQ(late.last_return(), 9.5);
  EXPECT_FALSE(free.is_given_up());
  EXPECT_EQ(free.means().size(), std::size_t(MedianRule::kMarks));
  // Not at its last step: then it is done.
  MedianRule last;
  MedianRule::Means means(MedianRule::kMarks, std::nan(""));
  means.back() = 100;
  for (int k = 0; k < 5; k++) last.add(means);
  WatchedRun done(&last, 2000);
  for (std::uint64_t step = 100; step <= 2000; step += 100) done.update(step, 1);
  EXPECT_FALSE(done.is_given_up());
}

TEST(SweepFile, ComesBackFromItsTextAndSpansItsAxes) {
  const OptionSweep sweep = parse_sweep(kSmall, "small");
  EXPECT_EQ(sweep_toml(parse_sweep(sweep_toml(sweep), "again")), sweep_toml(sweep));
  ASSERT_EQ(sweep.axes.size(), 4u);
  EXPECT_EQ(sweep.axes[0].option, "learning_rate") << "in the order of the file";
  const RunOptions low = sweep_options(sweep, std::vector<double>(4, 0.0));
  const RunOptions middle = sweep_options(sweep, std::vector<double>(4, 0.5));
  const RunOptions high = sweep_options(sweep, std::vector<double>(4, 1.0));
  EXPECT_EQ(low.values().real("learning_rate"), 1e-5);
  EXPECT_EQ(middle.values().real("learning_rate"), 1e-3);
  EXPECT_EQ(high.values().real("learning_rate"), 1e-1);
  EXPECT_EQ(low.values().integer("epochs"), 1);
  EXPECT_EQ(high.values().integer("epochs"), 6);
  EXPECT_EQ(middle.values().real("gae_lambda"), 0.9);
  EXPECT_EQ(high.values().text("activation"), "relu");
  // Each whole number has an equal part.
  std::map<std::int64_t, int> counts;
  for (int k = 0; k < 600; k++) {
    const double u = (k + 0.5) / 600;
    counts[sweep_options(sweep, std::vector<double>{0, u, 0, 0}).values().integer("epochs")]++;
  }
  ASSERT_EQ(counts.size(), 6u);
  for (const auto& [epochs, count] : counts) EXPECT_EQ(count, 100) << epochs;
  for (const double u : {0.0, 0.25, 1.0}) {
    const RunOptions at = sweep_options(sweep, std::vector<double>(4, u));
    EXPECT_NEAR(place_of(sweep.axes[0], at.values().value_text("learning_rate")), u, 1e-5);
  }
}

TEST(SweepFile, WhatIsWrongIsNamed) {
  const auto refused = [](const std::string& from, const std::string& to, ExitCode code,
                          const std::string& what) {
    std::string text = kSmall;
    text.replace(text.find(from), from.size(), to);
    const std::string said = expect_error(code, [&] {
      const OptionSweep sweep = parse_sweep(text, "file");
      sweep_options(sweep, std::vector<double>(sweep.axes.size(), 0.5));
      make_search(sweep, *make_cpu_backend(1));
    });
    EXPECT_NE(said.find(what), std::string::npos) << said;
  };
  refused("low = 1, high = 6", "low = 6, high = 1", ExitCode::value, "low < high");
  refused("low = 1e-5", "low = -1.0", ExitCode::value, "0 < low < high");
  refused("low = 1, high = 6", "low = 1", ExitCode::value, "no 'high' of 'epochs'");
  refused("{low = 1, high = 6}", "3", ExitCode::value, "'epochs' in [sweep]");
  refused("epochs", "epoks", ExitCode::usage, "epoks");
  refused("epochs", "seed", ExitCode::value, "'seed' cannot be searched");
  refused("steps = 4096", "", ExitCode::value, "no 'steps'");
  refused("settings = 24", "", ExitCode::value, "no 'settings'");
  refused("settings", "setings", ExitCode::usage, "setings");
  refused("{values = [\"tanh\", \"relu\"]}", "{low = 0, high = 1}", ExitCode::value,
          "not an interval");
  refused("generation = 8", "search = \"gradient\"", ExitCode::usage, "gradient");
  refused("[options]", "[search_options]\nsigma = 0.2\n[options]", ExitCode::value,
          "the search is random");
}

// Columns of study.csv that say what a search has done, without the steps of runs.
std::set<std::string> column_of(const std::string& csv, int column) {
  std::set<std::string> cells;
  std::istringstream lines(csv);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream row(line);
    std::string cell;
    for (int k = 0; k <= column; k++) std::getline(row, cell, ',');
    cells.insert(cell);
  }
  return cells;
}

class Sweeps : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Searches, Sweeps, ::testing::Values("random", "cma_es", "cem", "es"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(Sweeps, FindTheSameOnAnyNumberOfThreadsAndAfterKills) {
  const TemporaryFolder folder;
  const std::string file = folder / "sweep.toml", whole = folder / "whole",
                    other = folder / "other", killed = folder / "killed";
  const bool is_cem = std::string_view(GetParam()) == "cem";  // of 8 members no two are the elite
  put_file(file, with_search(GetParam()));
  if (is_cem) {
    std::string text = with_search(GetParam());
    const std::size_t at = text.find("[sweep]");
    put_file(file, text.insert(at, "[search_options]\nelite_fraction = 0.5\n"));
  }
  const ProgramResult first = run_program(study_words(file, whole, "1"));
  ASSERT_EQ(first.code, 0) << first.err;
  const std::string csv = file_text(whole + "/study.csv");
  const json found = json::parse(last_line(first.out));
  ASSERT_GE(found.at("settings").size(), 24u);
  EXPECT_GE(column_of(csv, 2).size(), 20u) << "learning rates differ";
  EXPECT_EQ(column_of(csv, 5).size(), 2u) << "both activations";
  ASSERT_EQ(run_program(study_words(file, other, "3")).code, 0);
  EXPECT_EQ(file_text(other + "/study.csv"), csv);
  EXPECT_EQ(file_text(other + "/study.json"), file_text(whole + "/study.json"));
  EXPECT_EQ(file_text(other + "/report.html"), file_text(whole + "/report.html"));

  Random random(3);
  bool finished = false;
  int kills = 0;
  while (!finished) {
    Words words = study_words(file, killed, "2");
    if (std::filesystem::exists(killed)) words.emplace_back("--resume");
    Program program(words);
    if (kills < 5) {
      sleep_seconds(random.uniform(0.2, 0.7) * first.seconds);
      kills += program.running() ? 1 : 0;
      program.send(SIGKILL);
    }
    finished = program.wait().code == 0;
  }
  EXPECT_EQ(file_text(killed + "/study.csv"), csv) << "after " << kills << " kills";
  // It knows the best of what it tried.
  double best = -1;
  for (const json& setting : found.at("settings")) {
    best = std::max(best, setting.at("score").get<double>());
  }
  EXPECT_EQ(found.at("best").at("score"), best);
}

TEST(SweepRuns, TheMedianRuleSavesStepsAndNoneIsGivenUpWithoutIt) {
  const TemporaryFolder folder;
  const std::string with_rule = folder / "with", without = folder / "without";
  put_file(folder / "with.toml", kSmall);
  std::string text = kSmall;
  put_file(folder / "without.toml", text.insert(text.find("steps ="), "early_stop = \"none\"\n"));
  const auto steps_of = [&](const std::string& file, const std::string& out) {
    const ProgramResult result = run_program(study_words(file, out, "1"));
    EXPECT_EQ(result.code, 0) << result.err;
    long steps = 0, given_up = 0;
    const json found = json::parse(last_line(result.out));
    for (const json& setting : found.at("settings")) {
      steps += setting.at("steps").get<long>();
      given_up += setting.at("given_up").get<long>();
    }
    return std::pair(steps, given_up);
  };
  const auto ruled = steps_of(folder / "with.toml", with_rule);
  const auto all = steps_of(folder / "without.toml", without);
  EXPECT_EQ(all.first, 24 * 4096);
  EXPECT_EQ(all.second, 0);
  EXPECT_GT(ruled.second, 0);
  EXPECT_LT(ruled.first, all.first);
}

TEST(SweepRuns, MoreSettingsMayBeAskedForAndNothingElse) {
  const TemporaryFolder folder;
  const std::string file = folder / "sweep.toml", run = folder / "run", whole = folder / "whole";
  std::string more = kSmall;
  more.replace(more.find("settings = 24"), 13, "settings = 40");
  put_file(file, kSmall);
  ASSERT_EQ(run_program(study_words(file, run, "2")).code, 0);
  EXPECT_EQ(run_program(study_words(file, run, "2")).code, 3) << "it is there";
  put_file(file, more);
  Words words = study_words(file, run, "2");
  words.emplace_back("--resume");
  ASSERT_EQ(run_program(words).code, 0);
  ASSERT_EQ(run_program(study_words(file, whole, "1")).code, 0);
  EXPECT_EQ(file_text(run + "/study.csv"), file_text(whole + "/study.csv"));
  put_file(file, kSmall);
  EXPECT_NE(run_program(words).err.find("may only be more"), std::string::npos);
  words.insert(words.end(), {"--set", "gamma=0.5"});
  put_file(file, more);
  EXPECT_NE(run_program(words).err.find("is another one"), std::string::npos);
  Words cuda = study_words(file, folder / "cuda", "1");
  cuda.insert(cuda.end(), {"--device", "cuda"});
  EXPECT_EQ(run_program(cuda).code, 3);
  for (const char* option : {"log_interval=2", "time_limit=3", "stop_return=3", "init_from=x"}) {
    Words set = study_words(file, folder / "set", "1");
    set.insert(set.end(), {"--set", option});
    EXPECT_EQ(run_program(set).code, 3) << option;
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "set"));
}

TEST(SweepRuns, ThePageHasALineForEachSetting) {
  const TemporaryFolder folder;
  const std::string file = folder / "sweep.toml", run = folder / "run";
  put_file(file, kSmall);
  ASSERT_EQ(run_program(study_words(file, run, "2")).code, 0);
  const std::string html = file_text(run + "/report.html");
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = html.find("<path class=\"run ", at)) != std::string::npos; at++) {
    lines++;
  }
  EXPECT_EQ(lines, 24u);
  for (const char* part :
       {"Small &lt;sweep&gt;", "learning_rate, log", "best so far", "given up"}) {
    EXPECT_NE(html.find(part), std::string::npos) << part;
  }
}

}  // namespace
}  // namespace gallop::testing
