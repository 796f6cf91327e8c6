// A policy as a file of its own, without the learner that made it: what a program keeps of a run to
// act by, in the safetensors format of checkpoints, with their digest of the whole file.
//
//   parameters f32 [D], widths i32 [layers + 1], mean and inverse_std f32 [O], limit f32 []
//   action_low, action_high, observation_low, observation_high f64   where the environment is known
//   steps u64 []
//   texts: gallop.policy (the format, "1"), network, activation, head, n_actions, environment,
//   algorithm, config, problem, observation_names and action_names, a line each
#pragma once

#include <string>

#include <gallop/host/export/portable_policy.h>
#include <gallop/host/files/tensor_file.h>

namespace gallop {

// Throws a value error for numbers that are not finite.
TensorFile to_policy_file(const PortablePolicy& policy);

// Whether the tensors are those of such a file, of any version.
bool is_policy_file(const TensorFile& file);

// Throws a checkpoint error that begins with `origin` for what no policy of this program is.
PortablePolicy from_policy_file(const TensorFile& file, const std::string& origin);

}  // namespace gallop
