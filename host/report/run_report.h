#pragma once

#include <optional>
#include <string>

#include <gallop/host/training/train.h>

namespace gallop {

// How a run came to its end, for its report.
struct RunEnd {
  std::optional<TrainResult> result;  // none where an error ended it
  std::string error = {};             // its message
  Provenance provenance = {};         // of the part of the run that came to it
};

// Writes report.html of a run folder from its metrics and its end: that it was interrupted, or what
// went wrong, stands above everything else. `training` is the run's; its policy plays the replay of
// a finished one. Memory and page do not grow with the length of the run.
void write_run_report(const RunFolder& folder, const RunOptions& options, const RunEnd& end,
                      const Training& training, Backend& backend);

// Training::run. Where it does not come to its end, stopped on request or by an Error, which is
// thrown on, it writes the report; after a finished one the caller does, when the result is safe.
TrainResult run_with_report(Training& training, const RunOptions& options, const RunFolder& folder,
                            bool resumed, const TrainCallbacks& callbacks, Backend& backend,
                            const Provenance& provenance);

// What the report says of an end above its figures; empty where the run did all that it was to do.
std::string run_notice(const RunOptions& options, const RunEnd& end, std::uint64_t steps);

}  // namespace gallop
