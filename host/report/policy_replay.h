#pragma once

#include <string>

#include <gallop/host/runtime/backend.h>
#include <gallop/host/training/run_options.h>

namespace gallop {

// An evaluation episode of a policy under the run's options and seed, most probable actions, as
// part of a page (host/report/player.h). Empty where it meets a number that is not finite before
// its first step.
std::string policy_replay(Backend& backend, const RunOptions& options, const PolicyView& policy);

}  // namespace gallop
