#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gallop/host/runtime/backend.h>
#include <gallop/host/studies/study.h>
#include <gallop/host/training/run_folder.h>

namespace gallop {

// What a study tells and asks of its caller; each may be empty.
struct StudyCallbacks {
  std::function<bool()> stop_requested;
  std::function<bool()> stop_overdue;  // see TrainCallbacks
  std::function<bool()> checkpoint_requested;
  std::vector<std::string> command = {};  // that the sessions of the runs tell of
  // `finished` runs of `total`, and what part of the present one is done.
  std::function<void(std::int64_t finished, std::int64_t total, const std::string& label,
                     std::int64_t seed, double part)>
      progress;
  std::function<void(const std::string&)> warn;
};

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

// One finished run of a study, as its folder tells it.
struct StudyRun {
  std::size_t cell;  // index
  std::int64_t seed;
  // [iterations], or of a long run [stretches of so many iterations]. A return is NaN where no
  // episode ended.
  std::vector<double> x, seconds, returns;
  std::vector<double> episodes;  // that each return is a mean of; may be empty
  std::uint64_t iterations_each = 1;
  std::uint64_t steps = 0, iterations = 0;
  double final_return = kNoNumber;        // training, mean over the last tenth of the iterations
  double average_return = kNoNumber;      // training, mean over all iterations
  double evaluation_return = kNoNumber;   // of the last policy, most probable actions
  double steps_to_threshold = kNoNumber;  // the first iteration that reached it
  double iterations_to_threshold = kNoNumber;  // its number, from 1
  std::string bits;
  std::string failure;  // not empty where it met a number that is not finite; no scores then

  double score(const std::string& name) const {
    return name == "average"      ? average_return
           : name == "evaluation" ? evaluation_return
                                  : final_return;
  }
};

// The folder of a run in that of its study.
std::string study_run_path(const RunFolder& folder, const StudyCell& cell, std::int64_t seed);

// Makes the learner of every cell once, and notes how many parameters its policy has. Throws a
// value error where its options do not fit each other.
void check_cells(std::vector<StudyCell>& cells, Backend& backend);

// Runs every cell of the study with seeds 1 to study.seeds, one after the other, each in its own
// run folder below `folder`. Runs that are finished there are taken as they are, begun ones go on
// from their newest checkpoint. Throws what Training throws; a run that meets a number which is not
// finite is kept with its failure, and the study goes on. Throws an Error (interrupted) where a
// stop was requested, after a checkpoint.
std::vector<StudyRun> run_cells(const Study& study, const std::vector<StudyCell>& cells,
                                const RunFolder& folder, Backend& backend,
                                const StudyCallbacks& callbacks);

// Mean and standard error of the finite ones of some numbers.
struct StudyMean {
  double mean = kNoNumber;
  double standard_error = kNoNumber;  // needs two numbers
  std::int64_t n = 0;
};
StudyMean mean_of(const std::vector<double>& values);

}  // namespace gallop
