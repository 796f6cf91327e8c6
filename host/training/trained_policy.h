#pragma once

#include <functional>
#include <memory>
#include <string>

#include "host/training/algorithm.h"
#include "host/training/run_folder.h"
#include "host/training/run_options.h"

namespace gallop {

// A learner as a checkpoint has it, with the options of the run that wrote it.
struct TrainedPolicy {
  std::unique_ptr<const RunOptions> options;
  std::string checkpoint;  // path
  std::unique_ptr<Algorithm> algorithm;
};

// From a run's newest good checkpoint; damaged ones that were passed by are warned of. Throws a
// checkpoint error where there is none.
TrainedPolicy load_policy(Backend& backend, const RunFolder& folder,
                          const std::function<void(const std::string&)>& warn);

// From one checkpoint file, which tells the options too. Throws a checkpoint error for what is
// none, or where a file that describes its problem has changed.
TrainedPolicy load_policy_file(Backend& backend, const std::string& path);

}  // namespace gallop
