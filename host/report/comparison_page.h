#pragma once

#include <string>
#include <vector>

#include <gallop/host/training/run_folder.h>
#include <gallop/host/training/run_options.h>

namespace gallop {

// A run as it is compared with others: finished, interrupted, or still being written.
struct ComparedRun {
  std::string label;  // in the legend; of its own
  RunOptions options;
  std::string environment = {}, algorithm = {};
  std::uint64_t seed = 0, steps = 0;  // steps of the last row of its log
  bool finished = false;
  double seconds, mean, std, best;  // NaN where there is no such number yet
};

// Throws a value error where the folder is no run's, an I/O error.
ComparedRun compared_run(const RunFolder& folder, const std::string& label);

// Labels for paths: the shortest ends of them that tell all apart.
std::vector<std::string> labels_of(const std::vector<std::string>& paths);

// One HTML page (render_report): a chart for each metric with a line for each run, a table of their
// results, and the options in which they differ. Folders and runs are in the same order.
std::string comparison_page(const std::vector<const RunFolder*>& folders,
                            const std::vector<ComparedRun>& runs);

}  // namespace gallop
