#pragma once

#include <string>

#include <gallop/host/files/tensor_file.h>
#include <gallop/host/training/run_folder.h>
#include <gallop/host/training/run_options.h>

namespace gallop {

// What a run with the option init_from begins with: "policy/parameters", "normalizer/...", and
// "value/parameters" where there are some; the text "source" says where they are from. Read from
// the newest good checkpoint of a run's folder, or from one checkpoint file. Throws a value error
// that lists the options by which that policy is another kind of function than this run's (hidden,
// activation, log_std, policy), or where it is neither; a checkpoint error for a damaged file.
TensorFile read_initial_policy(const RunOptions& options);

// The copy that a run's folder keeps of it. Throws a value error where there is none.
TensorFile kept_initial_policy(const RunFolder& folder);
// The bytes of that copy.
std::string initial_policy_bytes(const TensorFile& initial);

// Of a learner that began with it, as it saves itself: whether the value network's parameters were
// taken. Throws a value error where the policy's or its statistics were not, which the algorithm
// then cannot do.
bool took_value(const TensorFile& initial, const TensorFile& learner, const char* algorithm);

}  // namespace gallop
