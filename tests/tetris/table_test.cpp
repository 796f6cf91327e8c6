// The lecture's table, small: the same numbers for any threads, and from whatever was kept of it.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <set>

#include <nlohmann/json.hpp>

#include <gallop/host/files/tensor_file.h>
#include <gallop/host/runtime/stop.h>
#include <gallop/host/studies/tetris_table.h>
#include "tests/host/edited_tensors.h"
#include "tests/host/expect_error.h"
#include "tests/host/temporary_folder.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using Words = std::vector<std::string>;

// Of a test on a machine that others use too; on a free one it takes a tenth of a second.
constexpr int kPatience = 5;  // seconds

Options small() {
  Options options(tetris_table_rows());
  for (const char* assignment :
       {"rows=8", "runs=2", "iterations=3", "population=20", "report_interval=2", "report_games=3",
        "dellacherie_games=2", "max_pieces=300"}) {
    options.set_assignment(assignment, "test");
  }
  return options;
}

TEST(TetrisTable, HasItsRunsAndReports) {
  const Options options = small();
  const auto backend = make_cpu_backend(2);
  TetrisTable table(*backend, options);
  while (!table.is_done()) table.advance();
  // Iterations 2 and 3 of two runs of three schedules.
  ASSERT_EQ(table.reports().size(), 12u);
  for (int s = 0; s < kNumTetrisSchedules; s++) {
    ASSERT_EQ(table.last_reports(s).size(), 2u);
    EXPECT_EQ(table.learnt(s, 1).weights.size(), 22u);
    EXPECT_NO_THROW(tetris_controller(table.learnt(s, 0)));
  }
  EXPECT_EQ(table.played().lines.size(), 2u);
  EXPECT_GT(table.played().lines[0], 10u);
  // The first distribution is that of any schedule, the next ones are not.
  EXPECT_NE(table.learnt(0, 0).weights, table.learnt(1, 0).weights);
  EXPECT_NE(table.learnt(0, 0).weights, table.learnt(0, 1).weights);
  EXPECT_NE(tetris_table_text(table, options).find("constant noise"), std::string::npos);
}

// What is learnt is a controller that does better than one at random.
TEST(TetrisTable, Learns) {
  Options options = small();
  for (const char* assignment : {"rows=10", "runs=1", "iterations=6", "population=60",
                                 "report_interval=6", "report_games=20", "max_pieces=0"}) {
    options.set_assignment(assignment, "test");
  }
  const auto backend = make_cpu_backend(2);
  TetrisTable table(*backend, options);
  while (!table.is_done()) table.advance();
  for (int s = 0; s < kNumTetrisSchedules; s++) {
    EXPECT_GT(table.last_reports(s)[0].lines, 5) << kTetrisSchedules[s];
  }
}

TEST(TetrisTable, GoesOnFromAnyMomentToTheSameNumbers) {
  Options options = small();
  // Games that take more than one stretch.
  options.set_assignment("rows=20", "test");
  options.set_assignment("max_pieces=9000", "test");
  const auto one = make_cpu_backend(1), three = make_cpu_backend(3);
  TetrisTable whole(*one, options);
  while (!whole.is_done()) whole.advance();
  auto table = std::make_unique<TetrisTable>(*three, options);
  while (!table->is_done()) {
    table->advance();
    TensorFile kept;
    table->save(kept);
    table = std::make_unique<TetrisTable>(*three, options);
    table->load(kept);
  }
  ASSERT_EQ(table->reports().size(), whole.reports().size());
  for (std::size_t k = 0; k < whole.reports().size(); k++) {
    EXPECT_EQ(table->reports()[k].lines, whole.reports()[k].lines) << k;
    EXPECT_EQ(table->reports()[k].scored, whole.reports()[k].scored) << k;
    EXPECT_EQ(table->reports()[k].iteration, whole.reports()[k].iteration) << k;
  }
  EXPECT_EQ(table->learnt(2, 1).weights, whole.learnt(2, 1).weights);
  EXPECT_EQ(table->played().lines, whole.played().lines);
}

TEST(TetrisTable, RefusesWhatItNeverKept) {
  const Options options = small();
  const auto backend = make_cpu_backend(1);
  TetrisTable table(*backend, options);
  table.advance();
  TensorFile kept;
  table.save(kept);
  const auto refuse = [&](const TensorFile& file, const char* text) {
    TetrisTable other(*backend, options);
    test::expect_error_with(
        ExitCode::checkpoint, [&] { other.load(file); }, text);
  };
  refuse(test::with_element<std::uint64_t>(kept, "table/run", 0, 8), "table/run");
  refuse(test::with_element<std::uint64_t>(kept, "table/phase", 0, 2), "table/phase");
  refuse(test::with_element<std::uint64_t>(kept, "table/iteration", 0, 4), "table/iteration");
  // Members of an iteration beyond the last, and a report that is not due.
  refuse(test::with_element<std::uint64_t>(kept, "table/iteration", 0, 3), "table/iteration");
  refuse(test::with_element<std::uint64_t>(kept, "table/phase", 0, 1), "table/iteration");
  refuse(test::with_element<std::uint64_t>(kept, "table/scored", 0, ~std::uint64_t(0)),
         "table/scored");
  refuse(test::without_tensor(kept, "table/learnt"), "table/learnt");
  refuse(test::without_tensor(kept, "tetris/columns"), "tetris/columns");
}

TEST(TetrisTable, RefusesReportsThatNobodyMade) {
  const Options options = small();
  const auto backend = make_cpu_backend(2);
  TetrisTable table(*backend, options);
  while (!table.is_done()) table.advance();
  TensorFile kept;
  table.save(kept);
  const auto refuse = [&](const char* tensor, std::size_t at, auto value) {
    TetrisTable other(*backend, options);
    test::expect_error_with(
        ExitCode::checkpoint, [&] { other.load(test::with_element(kept, tensor, at, value)); },
        tensor);
  };
  for (const double schedule : {3.0, 1e9, 0.5}) refuse("table/reports", 0, schedule);
  for (const double run : {2.0, 1e200}) refuse("table/reports", 1, run);
  for (const double iteration : {0.0, 4.0, 1.5}) refuse("table/reports", 2, iteration);
  refuse("table/played", 1, ~std::uint64_t(0));
  TetrisTable other(*backend, options);
  EXPECT_NO_THROW(other.load(kept));
}

// Left between two games, at any of them, it goes on to the same numbers.
TEST(TetrisTable, StopsBetweenTwoGamesAndLosesNothing) {
  Options options = small();
  for (const char* assignment : {"rows=20", "runs=1", "iterations=2", "dellacherie_games=3"}) {
    options.set_assignment(assignment, "test");
  }
  options.set_assignment("max_pieces=2000", "test");
  const auto backend = make_cpu_backend(2);
  TetrisTable whole(*backend, options), table(*backend, options);
  while (!whole.is_done()) whole.advance();
  int left = 0, looks = 0;
  while (!table.is_done()) {
    std::atomic<int> looked{0};
    const int most = looks++ % 3;
    const StopScope scope(*backend, [&] { return looked++ >= most; });
    try {
      table.advance();
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ExitCode::interrupted) << error.what();
      left++;
      TensorFile kept;
      table.save(kept);
      ASSERT_NO_THROW(table.load(kept));
    }
    ASSERT_LT(looks, 10000);
  }
  EXPECT_GT(left, 3);
  EXPECT_EQ(table.learnt(2, 0).weights, whole.learnt(2, 0).weights);
  EXPECT_EQ(table.played().lines, whole.played().lines);
}

Words small_table(const std::string& folder, const Words& more = {}) {
  Words words = {"tetris", "--rows",
                 "6",      "--runs",
                 "1",      "--iterations",
                 "2",      "--population",
                 "20",     "--report-games",
                 "2",      "--max-pieces",
                 "50",     "--dellacherie-games",
                 "2",      "--out",
                 folder};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST(TetrisTable, ACheckpointOfAnotherTableIsRefused) {
  const test::TemporaryFolder folder;
  ASSERT_EQ(run_program(small_table(folder / "a")).code, 0);
  ASSERT_EQ(run_program(small_table(folder / "b", {"--seed", "2"})).code, 0);
  ASSERT_EQ(run_program({"train", "cartpole", "--steps", "1", "--out", folder / "run"}).code, 0);
  const std::string checkpoints = folder / "a/checkpoints";
  std::filesystem::remove_all(checkpoints);
  std::filesystem::copy(folder / "b/checkpoints", checkpoints);
  const ProgramResult other = run_program({"tetris", "--resume", folder / "a"});
  EXPECT_EQ(other.code, 4);
  EXPECT_NE(other.err.find("'seed' is '2' in the checkpoint, '1' in"), std::string::npos)
      << other.err;
  std::filesystem::remove_all(checkpoints);
  std::filesystem::copy(folder / "run/checkpoints", checkpoints);
  const ProgramResult run = run_program({"tetris", "--resume", folder / "a"});
  EXPECT_EQ(run.code, 4);
  EXPECT_NE(run.err.find("is not one of a table of tetris"), std::string::npos) << run.err;
}

TEST(TetrisTable, FoldersOfOtherCommandsAreToldApart) {
  const test::TemporaryFolder folder;
  ASSERT_EQ(run_program(small_table(folder / "table")).code, 0);
  ASSERT_EQ(run_program({"train", "cartpole", "--steps", "1", "--out", folder / "run"}).code, 0);
  struct Case {
    Words words;
    const char* answer;
  };
  for (const Case& c :
       {Case{{"train", "--resume", folder / "table"}, "gallop tetris --resume"},
        Case{{"eval", folder / "table"}, "gallop tetris --resume"},
        Case{{"differences", folder / "table"}, "gallop tetris --resume"},
        Case{{"render", folder / "table", "--out", folder / "x.gif"}, "gallop tetris --resume"},
        Case{{"study", "methods", "--resume", "--out", folder / "table"}, "gallop tetris --resume"},
        Case{{"study", "methods", "--resume", "--out", folder / "run"}, "gallop train --resume"},
        Case{{"tetris", "--resume", folder / "run"}, "gallop train --resume"}}) {
    const ProgramResult result = run_program(c.words);
    EXPECT_EQ(result.code, 3) << c.words[0] << result.err;
    EXPECT_NE(result.err.find(c.answer), std::string::npos) << c.words[0] << result.err;
  }
}

TEST(TetrisTable, NothingIsSaidOffATerminalUnlessAskedFor) {
  const test::TemporaryFolder folder;
  EXPECT_EQ(run_program(small_table(folder / "a")).err, "");
  EXPECT_EQ(run_program(small_table(folder / "b", {"--quiet"})).err, "");
  const ProgramResult lines = run_program(small_table(folder / "c", {"--progress", "line"}));
  EXPECT_NE(lines.err.find("linear noise, run 1, iteration 2"), std::string::npos) << lines.err;
  const auto session = nlohmann::json::parse(test::file_text(folder / "a/sessions.jsonl"));
  EXPECT_EQ(session["command"][1], "tetris");
}

// What cannot begin leaves no folder, and what is stopped in the middle of long games goes on.
TEST(TetrisTable, IsStoppedWithinASecond) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "a";
  ProgramOptions narrow;
  narrow.memory_limit = 200l << 20;
  const ProgramResult none = run_program(small_table(path, {"--threads", "4096"}), narrow);
  EXPECT_EQ(none.code, 5) << none.err;
  EXPECT_FALSE(std::filesystem::exists(path)) << none.err;
  Program program({"tetris", "--rows", "20", "--runs", "1", "--iterations", "1", "--population",
                   "20", "--dellacherie-games", "20000", "--out", path, "--progress", "line"});
  ASSERT_TRUE(program.wait_until([&] { return std::filesystem::exists(path + "/config.toml"); }));
  sleep_seconds(2);
  program.send(SIGTERM);
  const auto asked = std::chrono::steady_clock::now();
  const ProgramResult stopped = program.wait();
  EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds(kPatience));
  EXPECT_EQ(stopped.code, 143) << stopped.err;
  EXPECT_NE(stopped.err.find("gallop tetris --resume"), std::string::npos) << stopped.err;
  // What the killed left is removed by the next one.
  test::put_file(path + "/table.csv.tmp.999999", "x");
  test::put_file(path + "/none_1.toml.tmp.999999", "x");
  Program again({"tetris", "--resume", path});
  again.wait_until([&] { return test::names_in(path).size() < 4; });
  again.send(SIGTERM);
  EXPECT_EQ(again.wait().code, 143);
  EXPECT_EQ(test::names_in(path),
            (std::set<std::string>{"checkpoints", "config.toml", "sessions.jsonl"}));
}

TEST(TetrisTable, IsOneCommandWhoseResultStands) {
  const test::TemporaryFolder folder;
  const std::vector<std::string> options = {"--rows",
                                            "8",
                                            "--runs",
                                            "1",
                                            "--iterations",
                                            "2",
                                            "--population",
                                            "20",
                                            "--report-interval",
                                            "2",
                                            "--report-games",
                                            "3",
                                            "--dellacherie-games",
                                            "2",
                                            "--max-pieces",
                                            "200",
                                            "--json"};
  std::vector<std::string> arguments = {"tetris", "--out", folder / "a"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  const ProgramResult r = run_program(arguments);
  ASSERT_EQ(r.code, 0) << r.err;
  const auto json = nlohmann::json::parse(last_line(r.out));
  EXPECT_EQ(json["lines"]["constant"].size(), 1u);
  for (const char* file : {"report.html", "table.csv", "reports.csv", "linear_1.toml"}) {
    EXPECT_FALSE(test::file_text((folder / "a") + "/" + file).empty()) << file;
  }
  const ProgramResult learnt =
      run_program({"eval", "tetris", "--controller", (folder / "a") + "/none_1.toml", "--games",
                   "2", "--rows", "8", "--json"});
  EXPECT_EQ(learnt.code, 0) << learnt.err;
  const ProgramResult again = run_program({"tetris", "--resume", folder / "a", "--json"});
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(nlohmann::json::parse(last_line(again.out))["lines"], json["lines"]);
  const ProgramResult other =
      run_program({"tetris", "--resume", folder / "a", "--runs", "2", "--json"});
  EXPECT_EQ(other.code, 3);
  EXPECT_NE(other.err.find("runs is 1"), std::string::npos) << other.err;
}

}  // namespace
}  // namespace gallop::testing
