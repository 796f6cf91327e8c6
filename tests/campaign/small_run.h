#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gallop/host/files/file_system.h>
#include <gallop/host/runtime/backend.h>
#include <gallop/host/training/run_options.h>

namespace gallop::campaign {

// A run of some milliseconds with all that a run has: checkpoints, evaluations, logs, a result.
RunOptions small_options(const std::string& environment, const std::string& algorithm,
                         const std::vector<std::string>& assignments = {});

struct RunOutcome {
  std::string bits, checkpoint, rows;  // of the learnt state, the last checkpoint, metrics.csv
  std::vector<std::string> warnings;
  bool operator==(const RunOutcome& other) const {
    return bits == other.bits && checkpoint == other.checkpoint && rows == other.rows;
  }
};

// Begins the run in the folder `path`, or goes on with the one that is there, as the program does;
// throws what that throws.
RunOutcome train(const RunOptions& options, const std::string& path,
                 const std::shared_ptr<FileSystem>& files, Backend& backend);

// The names of the columns, and of each row all that does not tell the time.
std::string rows_of(const std::string& path, const std::shared_ptr<FileSystem>& files);

}  // namespace gallop::campaign
