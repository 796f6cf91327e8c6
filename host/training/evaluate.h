#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "host/runtime/environments.h"

namespace gallop {

// Global ids of evaluation instances begin here, so that they share no random number with training.
constexpr std::uint32_t kEvaluationIds = std::uint32_t(1) << 31;

struct Evaluation {
  std::vector<double> returns;  // of each episode
  std::vector<long> lengths;
  double mean = 0, std = 0;  // population standard deviation
  double mean_length = 0;
};

// Runs one episode on each of `episodes` fresh instances; deterministic policies take the most
// probable action or the mean. Environments without a time limit are cut after `max_steps`, which
// throws a value error where an episode has not ended by then. Equal bits for any number of
// threads.
Evaluation evaluate_policy(Backend& backend, const EnvironmentEntry& environment,
                           const PolicyView& policy, int episodes, std::uint64_t seed,
                           bool deterministic, const std::function<void(Environments&)>& configure,
                           long max_steps = 100000);

}  // namespace gallop
