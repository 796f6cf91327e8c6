#include "host/training/evaluate.h"

#include <fmt/format.h>

#include <cmath>

#include "host/error.h"

namespace gallop {
namespace {

constexpr int kStretch = 64;  // steps between two looks at who has ended

void refuse_nonfinite(const Environments& environments) {
  const NonFinite bad = environments.first_nonfinite();
  if (!bad.found) return;
  throw Error(ExitCode::non_finite,
              fmt::format("instance {} of {} gave an observation or reward that is not finite at "
                          "step {} of an evaluation",
                          bad.instance - kEvaluationIds, environments.spec().name, bad.time));
}

void summarise(Evaluation& evaluation) {
  const double n = double(evaluation.returns.size());
  for (std::size_t i = 0; i < evaluation.returns.size(); i++) {
    evaluation.mean += evaluation.returns[i] / n;
    evaluation.mean_length += double(evaluation.lengths[i]) / n;
  }
  double squares = 0;
  for (const double r : evaluation.returns) {
    squares += (r - evaluation.mean) * (r - evaluation.mean);
  }
  evaluation.std = std::sqrt(squares / n);
}

}  // namespace

Evaluation evaluate_policy(Backend& backend, const EnvironmentEntry& environment,
                           const PolicyView& policy, int episodes, std::uint64_t seed,
                           bool deterministic, const std::function<void(Environments&)>& configure,
                           long max_steps) {
  EnvironmentOptions options;
  options.n_envs = episodes;
  options.seed = seed;
  options.id_offset = kEvaluationIds;
  Environments environments(backend, environment, options);
  configure(environments);
  environments.reset();

  const std::size_t n = std::size_t(episodes), samples = n * kStretch;
  DeviceArray<std::uint8_t> terminated(backend, samples), truncated(backend, samples);
  // Read whole, and written where an episode ended.
  const auto ended_return = DeviceArray<float>::zeroed(backend, samples);
  const auto ended_length = DeviceArray<std::int32_t>::zeroed(backend, samples);
  Trajectory out = {};
  out.n_steps = kStretch;
  out.n_envs = episodes;
  out.terminated = terminated.data();
  out.truncated = truncated.data();
  out.ended_return = ended_return.data();
  out.ended_length = ended_length.data();

  Evaluation evaluation;
  evaluation.returns.assign(n, 0.0);
  evaluation.lengths.assign(n, 0);
  std::size_t ended = 0;
  for (long t = 0; ended < n; t += kStretch) {
    if (t >= max_steps) {
      throw value_error(
          fmt::format("{} of {} evaluation episodes of {} had not ended after {} steps; "
                      "give it a time limit",
                      n - ended, n, environments.spec().name, t));
    }
    environments.rollout(ActionSource::kPolicy, policy, deterministic, out);
    refuse_nonfinite(environments);
    const std::vector<std::uint8_t> term = terminated.download(), trunc = truncated.download();
    const std::vector<float> returns = ended_return.download();
    const std::vector<std::int32_t> lengths = ended_length.download();
    for (std::size_t k = 0; k < samples; k++) {
      if ((term[k] | trunc[k]) == 0 || evaluation.lengths[k % n] != 0) continue;
      if (!std::isfinite(returns[k])) {
        throw Error(ExitCode::non_finite,
                    fmt::format("the return of evaluation episode {} of {} is {}", k % n,
                                environments.spec().name, returns[k]));
      }
      evaluation.returns[k % n] = double(returns[k]);
      evaluation.lengths[k % n] = lengths[k];
      ended++;
    }
  }
  summarise(evaluation);
  return evaluation;
}

}  // namespace gallop
