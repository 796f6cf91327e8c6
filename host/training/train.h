#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "host/runtime/backend.h"
#include "host/training/algorithm.h"
#include "host/training/evaluate.h"
#include "host/training/run_folder.h"
#include "host/training/run_options.h"

namespace gallop {

// What a run tells and asks of its caller; each may be empty.
struct TrainCallbacks {
  std::function<bool()> stop_requested;        // polled after each iteration
  std::function<bool()> checkpoint_requested;  // likewise
  std::function<void(std::uint64_t step, double mean_return, double seconds)> progress;
  std::function<void(const std::string&)> warn;
};

struct TrainResult {
  bool finished = false;             // false: stopped on request, a checkpoint written
  bool reached_stop_return = false;  // finished before its steps were done
  std::uint64_t steps = 0, iterations = 0;
  double train_seconds =
      0;  // first rollout to last update, logs, checkpoints and evaluations included
  Evaluation evaluation;  // of a finished run
  std::string bits;       // hash of learnt parameters and optimiser state
  std::string replay;     // of a finished run: its first evaluation episode, as HTML
};

// A training run: iterations of an algorithm with logs, checkpoints and evaluations in a run
// folder. Killed at any instant and resumed any number of times it ends with the bits of an
// uninterrupted run.
class Training {
 public:
  // Makes the learner; touches no file. Throws a value error where the options do not fit each
  // other, or would never end the run as they ask.
  Training(const RunOptions& options, Backend& backend);
  ~Training();

  // A new run in a new folder, or, where `resumed`, the continuation of the run in `folder` from
  // its newest good checkpoint, from step 0 where it has none. Call once. Throws an Error:
  // non_finite, io, checkpoint. Damaged checkpoints that were passed by are warned of.
  TrainResult run(const RunFolder& folder, bool resumed, const TrainCallbacks& callbacks);

  const Algorithm& algorithm() const { return *algorithm_; }

 private:
  struct Logs;

  void resume(const RunFolder& folder, const TrainCallbacks& callbacks);
  void checkpoint();
  bool checkpoint_is_due(const TrainCallbacks& callbacks);
  Metrics iterate();
  std::string bits() const;
  Evaluation evaluate() const;
  bool evaluation_is_due() const;
  bool ends_at(double mean_return) const;

  RunOptions options_;
  Backend& backend_;
  std::uint64_t total_steps_;
  std::uint64_t iterations_ = 0;
  double earlier_seconds_ = 0;  // of the sessions before this one
  double last_checkpoint_ = 0;
  std::unique_ptr<Algorithm> algorithm_;
  std::unique_ptr<Logs> logs_;
};

// The final object of a run, one line of JSON. `startup_seconds` of the session that ended it are
// those before its first rollout, NaN where nobody measured them.
std::string result_json(const RunOptions& options, const std::string& device, int threads,
                        const std::string& folder, const TrainResult& result,
                        double startup_seconds, double wall_seconds);

// Writes report.html of a run folder from its metrics and, where given, its result.
void write_report(const RunFolder& folder, const RunOptions& options,
                  const std::optional<TrainResult>& result, const std::string& device);

}  // namespace gallop
