// The lecture's table of Tetris by the protocol of Szita and Lorincz: weights of Bertsekas and
// Tsitsiklis's features by the cross-entropy method without noise, with constant noise and with
// noise that decreases, each over several runs; Dellacherie's controller, which is played; and what
// others reported.
//
// A run: 22 weights from N(0, 100); each of 100 members plays one game a generation; the best ten
// make the next distribution, to whose variances the noise Z is added: 0, 4, or max(5 - t / 10, 0)
// in generation t. What it has learnt is its mean, which plays 30 games beside the learning.
//
// Source: Szita and Lorincz, Learning Tetris using the noisy cross-entropy method, Neural
// Computation 18, 2006; their protocol was repeated by Thiery and Scherrer, ICGA Journal 32, 2009.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gallop/host/learning/black_box.h>
#include <gallop/host/options/option.h>
#include <gallop/host/runtime/backend.h>
#include <gallop/host/tetris/controllers.h>
#include <gallop/host/tetris/games.h>
#include <gallop/host/training/run_folder.h>

namespace gallop {

// The options of the study, as a table: rows, runs, iterations, population, report_interval,
// report_games, dellacherie_games, max_pieces, seed.
std::span<const OptionSpec> tetris_table_rows();

constexpr const char* kTetrisSchedules[] = {"none", "constant", "linear"};
constexpr int kNumTetrisSchedules = 3;

// The mean over the games of a report, of the mean of a distribution.
struct TetrisReport {
  int schedule, run, iteration;
  double lines, standard_error;
  std::uint64_t scored;  // walls that the run has looked at so far, reports aside
};

// The study as far as it has come. It is a pure function of its options: what is saved at any time,
// in the middle of a game too, and loaded goes on to the same numbers.
class TetrisTable {
 public:
  // Backend and options outlive it. Throws a value error for options that do not fit each other.
  TetrisTable(Backend& backend, const Options& options);
  ~TetrisTable();

  bool is_done() const { return run_ >= n_runs(); }
  // A stretch of the games at hand, and what follows where they have ended: an update, a report,
  // the next run. Where the backend is asked to stop (host/runtime/stop.h) it throws the Error
  // (interrupted) between two games; what there is can be saved, and goes on to the same numbers.
  void advance();

  // "constant, run 2 of 3, iteration 17 of 80"
  std::string where() const;
  double part_done() const;
  const std::vector<TetrisReport>& reports() const { return reports_; }
  // Of the last iteration that was reported, of each run of a schedule.
  std::vector<TetrisReport> last_reports(int schedule) const;
  // Of Dellacherie's controller; without games before it is done.
  const TetrisScores& played() const { return played_; }
  // The controller that a run of a schedule has learnt: its mean.
  TetrisWeights learnt(int schedule, int run) const;

  void save(TensorFile& file) const;
  // Throws a checkpoint error that names the tensor which cannot have been there.
  void load(const TensorFile& file);

 private:
  enum class Phase : std::uint32_t { kMembers, kReport, kDellacherie };

  int n_runs() const;  // of all schedules, and one for Dellacherie's controller
  int schedule() const { return run_ / int(options_.integer("runs")); }
  void begin_run();
  void begin_games();
  void end_games();
  void end_report();
  std::uint32_t generation_id() const;
  // Of a checkpoint.
  void require_place(std::uint64_t run, std::uint64_t iteration, std::uint64_t phase) const;
  std::vector<TetrisReport> checked_reports(const TensorFile& file, std::uint64_t run) const;

  Backend& backend_;
  const Options& options_;
  Options method_;  // of the optimizer
  int run_ = 0;     // over all schedules
  int iteration_ = 0;
  Phase phase_ = Phase::kMembers;
  std::uint64_t scored_ = 0;
  std::unique_ptr<BlackBoxOptimizer> optimizer_;
  std::unique_ptr<TetrisMatch> match_;
  std::vector<TetrisReport> reports_;
  std::vector<double> learnt_;  // [runs that are done, 22]
  TetrisScores played_;
};

// Aligned columns; report.html, table.csv, reports.csv, and each learnt controller as a file.
std::string tetris_table_text(const TetrisTable& table, const Options& options);
void write_tetris_table(const RunFolder& folder, const TetrisTable& table, const Options& options);

}  // namespace gallop
