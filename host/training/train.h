#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <gallop/host/learning/algorithm.h>
#include <gallop/host/learning/evaluate.h>
#include <gallop/host/runtime/backend.h>
#include <gallop/host/training/best_checkpoint.h>
#include <gallop/host/training/run_folder.h>
#include <gallop/host/training/run_options.h>
#include <gallop/host/training/session.h>

namespace gallop {

struct LoadResult;

// What a run tells and asks of its caller; each may be empty.
struct TrainCallbacks {
  std::function<bool()> stop_requested;  // polled after each iteration
  // Looked at within an iteration, from any thread: a stop was requested so long ago that the
  // iteration is given up. The state that it began with is kept.
  std::function<bool()> stop_overdue;
  std::function<bool()> checkpoint_requested;  // likewise
  std::function<void(std::uint64_t step, double mean_return, double seconds)> progress;
  std::function<void(const std::string&)> warn;
};

struct TrainResult {
  // False: stopped on request, with a checkpoint of these steps, or none before the first of them.
  bool finished = false;
  bool reached_stop_return = false;  // finished before its steps were done
  bool reached_time_limit = false;   // stopped by the option time_limit, likewise with a checkpoint
  std::uint64_t steps = 0, iterations = 0;
  std::uint64_t nonfinite_instances = 0;  // that were reset (option `nonfinite`)
  double train_seconds =
      0;  // first rollout to last update, logs, checkpoints and evaluations included
  Evaluation evaluation;               // of a finished run
  std::optional<BestEvaluation> best;  // of those during training, where there were some
  std::string extended;  // each time that the run was given more steps; empty for none
  std::string bits;  // hash of learnt parameters and optimiser state; empty where it was given up
};

// A training run: iterations of an algorithm with logs, checkpoints and evaluations in a run
// folder. Killed at any instant and resumed any number of times it ends with the bits of an
// uninterrupted run.
class Training {
 public:
  // Makes the learner. Throws a value error where the options do not fit each other, or would never
  // end the run as they ask. Of a run that is `resumed` the checkpoint is compared with the options
  // before the learner takes memory: a checkpoint error where they differ. No other file is
  // touched.
  Training(const RunOptions& options, Backend& backend, const RunFolder* resumed = nullptr);
  ~Training();

  // A new run in a new folder, or, where `resumed`, the continuation of the run in `folder` from
  // its newest good checkpoint, from step 0 where it has none. Call once. Throws an Error:
  // non_finite, io, checkpoint. Damaged checkpoints that were passed by are warned of. Where an
  // iteration was given up, the learner is of no more use.
  TrainResult run(const RunFolder& folder, bool resumed, const TrainCallbacks& callbacks);

  const Algorithm& algorithm() const { return *algorithm_; }
  // The bytes of what a new run begins with (option init_from), for its folder to keep.
  std::optional<std::string> initial() const;

 private:
  struct Logs;
  struct Kept;

  void find_checkpoint(const RunFolder& folder);
  void find_initial(const RunFolder* resumed);
  void take_totals(const TensorFile& checkpoint);
  const TensorFile* checkpoint_file() const;
  void resume(const RunFolder& folder, const TrainCallbacks& callbacks);
  void begin_logs(const RunFolder& folder, std::uint64_t step, const TrainCallbacks& callbacks);
  TensorFile state() const;
  void checkpoint();
  void save(std::uint64_t step, const TensorFile& file);
  void keep_state();
  TrainResult given_up(const TrainCallbacks& callbacks) const;
  bool time_is_up(double patience) const;
  bool row_is_due() const;
  TrainResult run_on(const TrainCallbacks& callbacks);
  bool checkpoint_is_due(const TrainCallbacks& callbacks);
  Metrics iterate();
  std::string bits() const;
  Evaluation evaluate() const;
  bool evaluation_is_due_at(std::uint64_t iterations) const;
  bool evaluation_is_due() const { return evaluation_is_due_at(iterations_); }
  bool ends_at(double mean_return) const;

  RunOptions options_;
  Backend& backend_;
  std::uint64_t total_steps_;
  std::uint64_t iterations_ = 0;
  double earlier_seconds_ = 0;                                   // of the sessions before this one
  double begin_ = 0, last_checkpoint_ = 0, last_iteration_ = 0;  // seconds
  std::optional<std::uint64_t> saved_step_;                      // of a checkpoint of this state
  std::string extended_;                                         // as in TrainResult
  bool is_extended_now_ = false;       // since the checkpoint that it goes on from
  std::unique_ptr<LoadResult> found_;  // of a resumed run, until it goes on
  std::unique_ptr<TensorFile> initial_;
  bool took_value_ = true;  // of that
  std::unique_ptr<Algorithm> algorithm_;
  std::unique_ptr<Logs> logs_;
  std::unique_ptr<BestCheckpoint> best_;
  std::unique_ptr<Kept> kept_;
  std::atomic<bool> may_give_up_{false};
  std::atomic<bool> has_iterated_{false};
};

// Gives a run the steps of `asked`, more than those of `stored`: in its config.toml, by rename; its
// earlier result is removed. Returns what to say of it. Throws an I/O error.
std::string extend_run(RunFolder& folder, const RunOptions& stored, const RunOptions& asked,
                       const Provenance& provenance);

// The final object of a run, one line of JSON. `startup_seconds` of the session that ended it are
// those before its first rollout, NaN where nobody measured them.
std::string result_json(const RunOptions& options, const Provenance& provenance,
                        const std::string& folder, const TrainResult& result,
                        double startup_seconds, double wall_seconds);

// The final object of a finished run, with the place where its folder is now; none where it is not
// finished, was finished with fewer steps in all than its options have now, or what stands there is
// no such object, which is warned of.
std::optional<std::string> finished_result(const RunFolder& folder, const RunOptions& options,
                                           const std::function<void(const std::string&)>& warn);

}  // namespace gallop
