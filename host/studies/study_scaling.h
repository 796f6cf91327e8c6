// How long a setting takes to its threshold by the number of threads: iterations to the threshold,
// which do not depend on threads, times measured seconds of an iteration.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <gallop/host/studies/study_result.h>

namespace gallop {

// Iterations that are timed, of which the least time counts, behind one that is not.
constexpr int kTimedIterations = 3;

// One setting of an environment with a threshold. `seconds` [threads] of an iteration from the last
// checkpoint of its first run that reached the threshold, where episodes are as long as they
// became.
struct StudyScaling {
  std::size_t cell;      // index
  StudyMean iterations;  // to the threshold, over the runs that reached it
  std::int64_t seeds = 0;
  std::vector<double> seconds;
};

// For every setting of which a run reached the threshold of its environment, with each number of
// threads of the study, on this machine's processor. The iterations of every number of threads end
// with the same bits: throws an internal error where they do not. Throws an Error (interrupted)
// where `stop_requested` says so. Nothing of the runs is changed.
std::vector<StudyScaling> measure_scaling(const StudyResult& result, const RunFolder& folder,
                                          const StudyCallbacks& callbacks);

// One line a setting and number of threads: environment, variant, threads, iterations, seconds an
// iteration, seconds to the threshold.
std::string scaling_csv(const StudyResult& result, const std::vector<StudyScaling>& scaling);

// A figure for each environment and a table, as HTML; empty where nothing was measured.
std::string scaling_html(const StudyResult& result, const std::vector<StudyScaling>& scaling);

}  // namespace gallop
