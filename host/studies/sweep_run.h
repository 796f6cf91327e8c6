#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <gallop/host/studies/sweep.h>
#include <gallop/host/training/run_folder.h>

namespace gallop {

// A setting that was tried.
struct SweepSetting {
  std::int64_t number = 0, generation = 0;  // from 1
  std::vector<double> point = {};           // [axes] in [0, 1]
  std::vector<std::string> values = {};     // [axes]
  // Mean over the seeds of the evaluation return of the last policy, or where the run was given up
  // of its last mean return; NaN where one met a number that is not finite.
  double score;
  std::uint64_t steps = 0;                // of all its runs
  std::int64_t given_up = 0, failed = 0;  // of its runs
};

// What a sweep tells and asks of its caller; each may be empty, and is called from any thread.
struct SweepCallbacks {
  std::function<bool()> stop_requested;
  std::function<bool()> stop_overdue;  // see TrainCallbacks
  std::vector<std::string> command = {};
  // `finished` runs of `total`, and the best score so far, NaN for none.
  std::function<void(std::int64_t finished, std::int64_t total, double best)> progress;
  std::function<void(const std::string&)> warn;
};

// Throws a value error where a setting's learner cannot be made, or an option of the runs would
// keep a sweep from being gone on with (log_interval, time_limit, init_from, stop_return).
void check_sweep(const OptionSweep& sweep);

// Tries all settings, in generations: those of one are independent of each other, and run side by
// side on `threads` threads, one run a thread. The search learns from a generation, and the median
// rule compares with earlier ones, when all of it is done: equal bits for any number of threads.
// Runs are run folders below `folder`; those that are finished or given up there are taken as they
// are, begun ones go on from their newest checkpoint. Throws what Training throws, but for numbers
// that are not finite; an Error (interrupted) where a stop was requested, after checkpoints.
//
// Random numbers: the random search draws with purpose kRandomPerturbation, id the setting from 0,
// episode 0, step the axis; optimizers as they say.
std::vector<SweepSetting> run_sweep(const OptionSweep& sweep, const RunFolder& folder, int threads,
                                    const SweepCallbacks& callbacks);

// The best setting, by score, the earlier of equal ones; null where no score is a number.
const SweepSetting* best_of(const std::vector<SweepSetting>& settings);

}  // namespace gallop
