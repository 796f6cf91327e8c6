// Single steps of a batch, run on any backend, and everything that they leave behind.
#pragma once

#include <gallop/host/runtime/environments.h>
#include "tests/cuda/subject.h"

namespace gallop::testing {

struct StepCase {
  std::string environment = "CartPole";  // the C++ struct's name
  int n_envs = 130, n_steps = 12;
  std::uint64_t seed = 99;
  int time_limit = 4;
  ResetMode mode = ResetMode::kSameStep;
  bool has_impossible_actions = false;  // some, of a discrete space
};

// What reset and each step gave, one after the other, and the state after the last.
struct StepResult {
  std::vector<float> observation, final_observation, reward, ended_return, state;
  std::vector<float> first_return, terms;
  std::vector<std::uint8_t> terminated, truncated;
  std::vector<std::int32_t> ended_length, first_length;
  std::vector<std::uint32_t> nonfinite;  // when each instance first met such a number
};

// Random actions, beyond their bounds where they are numbers. Now and then some instances begin
// again; where resets are disabled, some of those that ended do.
StepResult run_steps(Backend& backend, const StepCase& c);

}  // namespace gallop::testing
