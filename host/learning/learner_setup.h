// What learners of any kind do first.
#pragma once

#include <gallop/host/learning/algorithm.h>
#include <gallop/host/runtime/environments.h>

namespace gallop {

// Throws a checkpoint error where the checkpoint that is loaded next has another size [size] for a
// tensor; `options` says of which options that follows.
void require_size(const AlgorithmContext& context, const char* name, std::uint64_t size,
                  const char* options);

// By the options n_envs and mode.
EnvironmentOptions environment_options(const AlgorithmContext& context);

// Whether instances that meet a number which is not finite begin anew.
bool resets_nonfinite(const Options& options);

// Throws a checkpoint error unless the tensors "steps" and "environments/episode" can be of
// instances that have taken rollouts of `rollout_steps` steps each; returns the former.
std::uint64_t checked_steps(const TensorFile& file, const Environments& environments,
                            std::uint64_t rollout_steps);

// Runs `collect`, and adds the steps that instances took in it to `steps`, whatever their
// observations were, also where it throws.
template <class Collect>
void count_steps(const Environments& environments, std::uint64_t& steps, const Collect& collect) {
  const std::uint32_t before = environments.time();
  const auto taken = [&] {
    return std::uint64_t(environments.time() - before) * std::uint64_t(environments.n_envs());
  };
  try {
    collect();
  } catch (...) {
    steps += taken();
    throw;
  }
  steps += taken();
}

}  // namespace gallop
