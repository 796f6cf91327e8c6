// One rollout, run on any backend, and everything that it leaves behind.
#pragma once

#include <gallop/host/runtime/environments.h>
#include "tests/cuda/subject.h"

namespace gallop::testing {

struct RolloutCase {
  std::string environment = "CartPole";  // the C++ struct's name
  int n_envs = 70, n_steps = 40;
  int n_rollouts = 2;  // one after the other, into the same arrays
  std::uint64_t seed = 7;
  int time_limit = -1;
  ResetMode mode = ResetMode::kSameStep;
  ActionSource source = ActionSource::kPolicy;
  std::vector<int> hidden;  // widths of hidden layers
  Activation activation = Activation::kTanh;
  Head head = Head::kCategorical;
  bool deterministic = false, normalized = false, stored = true, clip = true;
  bool parameters_per_instance = false;
  std::vector<std::uint32_t> ids;  // or those from 1000 on
  bool states = false;             // recorded, by kernels of their own
  int final_interval = 1;          // steps that share a row of final observations
  float weight_scale = 1.0f;
  Arithmetic arithmetic = Arithmetic::kStrict;

  std::string label() const;
};

// Every array of the trajectory and the state of the batch after it.
struct RolloutResult {
  std::vector<float> observation, action, log_prob, reward, final_observation, ended_return, state;
  std::vector<float> first_return, states;
  std::vector<std::uint8_t> terminated, truncated;
  std::vector<std::int32_t> ended_length, first_length;
  NonFinite nonfinite;
};

EnvironmentOptions options_of(const RolloutCase& rollout);

// The rollouts of the case, into arrays that were poisoned once.
RolloutResult run_rollout(Backend& backend, const RolloutCase& rollout);

void expect_same(const RolloutResult& expected, const RolloutResult& actual);

const EnvironmentEntry& entry_of_type(const std::string& type);
const EnvironmentSpec& spec_of_type(const std::string& type);

// A policy network of the case for this environment, and parameters for it.
PolicyShape shape_of(const RolloutCase& rollout, const Environments& environments);
std::vector<float> parameters_of(const PolicyShape& shape, std::uint32_t seed, float scale);

}  // namespace gallop::testing
