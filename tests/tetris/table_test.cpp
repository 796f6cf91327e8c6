// The lecture's table, small: the same numbers for any threads, and from whatever was kept of it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <gallop/host/files/tensor_file.h>
#include <gallop/host/studies/tetris_table.h>
#include "tests/host/edited_tensors.h"
#include "tests/host/expect_error.h"
#include "tests/host/temporary_folder.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

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
  refuse(test::without_tensor(kept, "table/learnt"), "table/learnt");
  refuse(test::without_tensor(kept, "tetris/columns"), "tetris/columns");
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
