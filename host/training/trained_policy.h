#pragma once

#include <functional>
#include <memory>
#include <string>

#include <gallop/host/files/checkpoint_store.h>
#include <gallop/host/learning/algorithm.h>
#include <gallop/host/training/run_folder.h>
#include <gallop/host/training/run_options.h>

namespace gallop {

// A learner as a checkpoint has it, with the options of the run that wrote it.
struct TrainedPolicy {
  std::unique_ptr<const RunOptions> options;
  std::string checkpoint;  // path
  std::unique_ptr<Algorithm> algorithm;
};

// Throws a checkpoint error that names the options which differ between those of the run, from the
// file `config`, and those that the checkpoint was written with.
void require_options(const LoadedCheckpoint& checkpoint, const RunOptions& options,
                     const std::string& config);

// Throws a checkpoint error that names file and tensor where the algorithm cannot have been in such
// a state, or not at that step.
void load_checkpoint(Algorithm& algorithm, const LoadedCheckpoint& checkpoint);

// From a run's newest good checkpoint; damaged ones that were passed by are warned of. Throws a
// checkpoint error where there is none, or it does not belong to the run's configuration.
TrainedPolicy load_policy(Backend& backend, const RunFolder& folder,
                          const std::function<void(const std::string&)>& warn);

// The same with all that it goes on learning from.
TrainedPolicy load_learner(Backend& backend, const RunFolder& folder,
                           const std::function<void(const std::string&)>& warn);

// From one checkpoint file, which tells the options too. Throws a checkpoint error for what is
// none, or where a file that describes its problem has changed.
TrainedPolicy load_policy_file(Backend& backend, const std::string& path);

}  // namespace gallop
