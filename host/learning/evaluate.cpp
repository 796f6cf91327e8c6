#include <gallop/host/learning/evaluate.h>

#include <fmt/format.h>

#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/learning/sample_mean.h>

namespace gallop {
namespace {

constexpr int kStretch = 64;  // steps between two looks at who has ended

[[noreturn]] void refuse_nonfinite(const EnvironmentSpec& spec, std::uint32_t episode,
                                   std::uint32_t step) {
  throw Error(ExitCode::non_finite,
              fmt::format("instance {} of {} gave an observation or reward that is not finite at "
                          "step {} of an evaluation",
                          episode, spec.name, step));
}

void summarise(Evaluation& evaluation) {
  const SampleMean returns = sample_mean(evaluation.returns);
  evaluation.mean = returns.mean;
  evaluation.std = std::sqrt(returns.sum_of_squares / double(returns.count));
  const std::vector<double> lengths(evaluation.lengths.begin(), evaluation.lengths.end());
  evaluation.mean_length = sample_mean(lengths).mean;
}

}  // namespace

Evaluation evaluate_policy(Backend& backend, const EnvironmentEntry& environment,
                           const PolicyView& policy, int episodes, std::uint64_t seed,
                           bool deterministic, const std::function<void(Environments&)>& configure,
                           long max_steps, bool skips_nonfinite) {
  EnvironmentOptions options;
  options.n_envs = episodes;
  options.seed = seed;
  options.id_offset = kEvaluationIds;
  Environments environments(backend, environment, options);
  configure(environments);
  environments.reset();

  const std::size_t n = std::size_t(episodes);
  const auto first_return = DeviceArray<float>::zeroed(backend, n);
  const auto first_length = DeviceArray<std::int32_t>::zeroed(backend, n);
  Trajectory out = {};
  out.n_steps = kStretch;
  out.n_envs = episodes;
  out.first_return = first_return.data();
  out.first_length = first_length.data();

  std::vector<std::int32_t> lengths(n, 0);
  std::vector<std::uint32_t> met(n, 0);  // steps at which episodes met a number that is not finite
  const auto is_open = [&](std::size_t k) { return lengths[k] == 0 && met[k] == 0; };
  std::size_t n_open = n;
  for (long t = 0; n_open > 0; t += kStretch) {
    if (t >= max_steps) {
      throw value_error(
          fmt::format("{} of {} evaluation episodes of {} had not ended after {} steps; "
                      "give it a time limit",
                      n_open, n, environments.spec().name, t));
    }
    environments.rollout(ActionSource::kPolicy, policy, deterministic, out);
    const NonFinite bad = environments.first_nonfinite();
    if (bad.found && !skips_nonfinite) {
      refuse_nonfinite(environments.spec(), bad.instance - kEvaluationIds, bad.time);
    }
    if (bad.found) met = environments.nonfinite_times();
    lengths = first_length.download();
    n_open = 0;
    for (std::size_t k = 0; k < n; k++) n_open += is_open(k) ? 1 : 0;
  }
  Evaluation evaluation;
  const std::vector<float> returns = first_return.download();
  for (std::size_t k = 0; k < n; k++) {
    const bool is_whole = lengths[k] != 0 && (met[k] == 0 || long(met[k]) > long(lengths[k]));
    if (is_whole && !std::isfinite(returns[k]) && !skips_nonfinite) {
      throw Error(ExitCode::non_finite,
                  fmt::format("the return of evaluation episode {} of {} is {}", k,
                              environments.spec().name, returns[k]));
    }
    if (!is_whole || !std::isfinite(returns[k])) {
      evaluation.nonfinite++;
      continue;
    }
    evaluation.returns.push_back(double(returns[k]));
    evaluation.lengths.push_back(lengths[k]);
  }
  if (evaluation.returns.empty()) {
    throw Error(ExitCode::non_finite,
                fmt::format("all {} evaluation episodes of {} met a number that is not finite", n,
                            environments.spec().name));
  }
  summarise(evaluation);
  return evaluation;
}

}  // namespace gallop
