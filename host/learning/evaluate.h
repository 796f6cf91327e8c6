#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <gallop/host/runtime/environments.h>

namespace gallop {

// Of an episode that nothing ends.
constexpr long kMostEvaluationSteps = 100000;

struct Evaluation {
  std::vector<double> returns;  // of each episode
  std::vector<long> lengths;
  double mean = 0, std = 0;  // population standard deviation
  double mean_length = 0;
  long nonfinite = 0;  // episodes that were left out: they met a number that is not finite
};

// Runs one episode on each of `episodes` fresh instances; deterministic policies take the most
// probable action or the mean. Environments without a time limit are cut after `max_steps`, which
// throws a value error where an episode has not ended by then. An episode that meets a number which
// is not finite is left out and counted where `skips_nonfinite`; else, and where there is no other,
// that throws an Error (non_finite). Equal bits for any number of threads.
Evaluation evaluate_policy(Backend& backend, const EnvironmentEntry& environment,
                           const PolicyView& policy, int episodes, std::uint64_t seed,
                           bool deterministic, const std::function<void(Environments&)>& configure,
                           long max_steps = kMostEvaluationSteps, bool skips_nonfinite = false);

}  // namespace gallop
