#include "bench/rollout_suite.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/registry/registry.h>
#include "bench/peak.h"
#include "bench/rollout_sides.h"
#include "bench/turns.h"

namespace gallop {

const std::vector<std::string> kRolloutPolicies = {"random", "linear", "64-64", "256-256"};

namespace {

constexpr int kBaselineInstances = 2048;

// Long rollouts where steps are cheap, so that starting one does not show, and short ones where
// they are not. A device takes microseconds to start, and finishes millions of steps in one.
int steps_of(const EnvironmentSpec& spec, const std::string& policy, bool on_cpu, bool stored) {
  const int steps = policy == "256-256" ? 2 : policy == "64-64" || spec.long_steps ? 8 : 64;
  return on_cpu || stored || spec.long_steps ? steps : 8 * steps;
}
int instances_of(const EnvironmentSpec& spec, bool on_cpu) {
  if (!on_cpu) return 131072;
  return spec.long_steps ? 1024 : 8192;
}

void check(const RolloutSuite& suite) {
  for (const std::string& policy : suite.policies) {
    if (std::find(kRolloutPolicies.begin(), kRolloutPolicies.end(), policy) ==
        kRolloutPolicies.end()) {
      throw usage_error(
          fmt::format("unknown policy '{}'{}; expected random, linear, 64-64 or "
                      "256-256",
                      policy, did_you_mean(policy, kRolloutPolicies)));
    }
  }
  if (suite.threads < 0 || suite.threads > 1024) {
    throw value_error(fmt::format("--threads is {}; expected 0 to 1024", suite.threads));
  }
  if (suite.instances < 0 || suite.instances > (1 << 24)) {
    throw value_error(fmt::format("--instances is {}; expected 0 to {}", suite.instances, 1 << 24));
  }
  if (!(suite.seconds > 0 && suite.seconds <= 3600)) {
    throw value_error(fmt::format("--seconds is {}; expected above 0, up to 3600", suite.seconds));
  }
}

class RowMaker {
 public:
  RowMaker(const RolloutSuite& suite, const std::function<void(const BenchRow&)>& show)
      : suite_(suite),
        show_(show),
        threads_(suite.threads > 0 ? suite.threads : available_processors()),
        backend_(make_backend(suite.device, threads_, [](const std::string&) {})),
        cpu_(make_cpu_backend(1)),
        on_cpu_(backend_->name() == "cpu") {
    if (!on_cpu_) threads_ = 1;
    memory_rate_ = measure_memory_rate(*backend_, threads_, std::min(0.3, suite.seconds));
  }

  void make(const EnvironmentEntry& entry, const std::string& policy, bool stored) {
    const EnvironmentSpec& spec = spec_of(entry);
    const int n_envs = suite_.instances > 0 ? suite_.instances : instances_of(spec, on_cpu_);
    const int n_steps = steps_of(spec, policy, on_cpu_, stored);
    OurRollout ours(*backend_, entry, policy, n_envs, n_steps, stored, suite_.arithmetic);
    const bool fast = ours.is_fast();
    if (suite_.arithmetic == Arithmetic::kFast && !fast) return;
    ours.run();  // warm-up, and what the checksum is of
    BenchRow row;
    row.name = fmt::format("rollout/{}/{}{}{}", spec.name, policy, stored ? "/stored" : "",
                           fast ? "/fast" : "");
    row.mode = fast ? "fast" : "strict";
    row.scope = policy == "random" ? "S" : "S+P";
    row.environment = spec.name;
    row.policy = policy;
    row.shape = fmt::format("{}x{}", n_envs, n_steps);
    row.backend = on_cpu_ ? std::string("cpu-") + isa_name(processor_isa()) : backend_->name();
    row.threads = threads_;
    row.stored = stored;
    row.bytes_per_step = ours.bytes_per_step();
    row.flops_per_step = ours.policy().flops();
    row.checksum = ours.checksum();
    if (!on_cpu_ || !BaselineRollout::knows(spec)) {
      measure(row, ours, nullptr);
      return;
    }
    for (const bool with_eigen : {false, true}) {
      if (with_eigen && policy == "random") continue;  // nothing that Eigen would do
      row.baseline = with_eigen ? "eigen" : "scalar";
      BaselineRollout baseline(*cpu_, entry, policy, with_eigen, kBaselineInstances, n_steps,
                               stored);
      baseline.run();
      measure(row, ours, &baseline);
    }
  }

 private:
  void measure(BenchRow& row, OurRollout& ours, BaselineRollout* baseline) {
    Turns turns = {suite_.seconds, threads_, on_cpu_};
    turns.take(ours, baseline);
    row.per_second = turns.ours.median();
    row.spread = turns.ours.spread();
    row.baseline_per_second = turns.baseline.median();
    row.peak_fraction = peak_fraction(row, turns.fma.median());
    show_(row);
  }

  // NaN where neither products nor stores bound the row. A device's multiply-adds are not measured.
  double peak_fraction(const BenchRow& row, double fma_peak) const {
    const double compute = row.per_second * row.flops_per_step / fma_peak;
    const double memory = row.per_second * row.bytes_per_step / memory_rate_;
    const double fraction = std::fmax(compute, memory);
    return fraction > 0 ? fraction : std::nan("");
  }

  const RolloutSuite& suite_;
  const std::function<void(const BenchRow&)>& show_;
  int threads_;
  std::unique_ptr<Backend> backend_, cpu_;
  bool on_cpu_;
  double memory_rate_;
};

}  // namespace

void run_rollout_suite(const RolloutSuite& suite,
                       const std::function<void(const BenchRow&)>& show) {
  check(suite);
  std::vector<const EnvironmentEntry*> environments;
  for (const std::string& name : suite.environments) {
    environments.push_back(&find_environment(name));
  }
  if (environments.empty()) environments = all_environments();
  const std::vector<std::string>& policies =
      suite.policies.empty() ? kRolloutPolicies : suite.policies;
  RowMaker rows(suite, show);
  for (const EnvironmentEntry* entry : environments) {
    for (const std::string& policy : policies) {
      if (!BenchPolicy::fits(spec_of(*entry), policy)) continue;
      for (const bool stored : suite.stored) rows.make(*entry, policy, stored);
    }
  }
}

RolloutMeans our_means(const std::string& environment, const std::string& policy, int n_envs,
                       int n_steps) {
  const auto cpu = make_cpu_backend(1);
  EnvironmentOptions options;
  options.n_envs = n_envs;
  options.seed = kBenchSeed;
  Environments environments(*cpu, find_environment(environment), options);
  const BenchPolicy named(environments, policy);
  PolicyView view = {};
  view.shape = named.shape;
  view.parameters = named.parameters.data();
  const std::size_t all = std::size_t(n_envs) * n_steps;
  std::vector<float> reward(all), ended_return(all);
  std::vector<std::int32_t> ended_length(all);
  Trajectory out = {};
  out.n_steps = n_steps;
  out.n_envs = n_envs;
  out.reward = reward.data();
  out.ended_return = ended_return.data();
  out.ended_length = ended_length.data();
  environments.reset();
  environments.rollout(named.random ? ActionSource::kUniform : ActionSource::kPolicy, view, false,
                       out);
  RolloutMeans means;
  for (std::size_t k = 0; k < all; k++) {
    means.reward += double(reward[k]);
    if (ended_length[k] == 0) continue;  // no episode ended there
    means.episodes++;
    means.ended_return += double(ended_return[k]);
    means.ended_length += ended_length[k];
  }
  means.reward /= double(all);
  means.ended_return /= double(means.episodes);
  means.ended_length /= double(means.episodes);
  return means;
}

RolloutMeans baseline_means(const std::string& environment, const std::string& policy,
                            bool with_eigen, int n_envs, int n_steps) {
  const auto cpu = make_cpu_backend(1);
  BaselineRollout baseline(*cpu, find_environment(environment), policy, with_eigen, n_envs, n_steps,
                           false);
  baseline.run();
  const BaselineStatistics& total = baseline.total();
  const double episodes = double(total.episodes);
  return {total.reward / double(total.steps), total.ended_return / episodes,
          total.ended_length / episodes, total.episodes};
}

}  // namespace gallop
