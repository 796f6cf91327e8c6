#include "bench/fisher_suite.h"

#include <fmt/format.h>

#include <algorithm>

#include <gallop/host/error.h>
#include <gallop/host/options/nearest.h>
#include <gallop/host/registry/registry.h>
#include "bench/fisher_sides.h"
#include "bench/turns.h"

namespace gallop {
namespace {

constexpr long kMostSamples = 1L << 24;

void check(const FisherSuite& suite) {
  const std::vector<std::string> known = {"64-64", "256-256"};
  for (const std::string& policy : suite.policies) {
    if (std::find(known.begin(), known.end(), policy) != known.end()) continue;
    throw usage_error(fmt::format("unknown policy '{}'{}; expected 64-64 or 256-256", policy,
                                  did_you_mean(policy, known)));
  }
  for (const std::string& environment : suite.environments) {
    const EnvironmentSpec& spec = spec_of(find_environment(environment));
    if (spec.observation_kind != SpaceKind::kBox) {
      throw usage_error(fmt::format(
          "{} has integer observations, which networks do not read; name another environment",
          spec.name));
    }
  }
  if (suite.threads < 0 || suite.threads > 1024) {
    throw value_error(fmt::format("--threads is {}; expected 0 to 1024", suite.threads));
  }
  if (suite.samples < 1 || suite.samples > kMostSamples) {
    throw value_error(
        fmt::format("--samples is {}; expected 1 to {}", suite.samples, kMostSamples));
  }
  if (!(suite.seconds > 0 && suite.seconds <= 3600)) {
    throw value_error(fmt::format("--seconds is {}; expected above 0, up to 3600", suite.seconds));
  }
}

}  // namespace

void run_fisher_suite(const FisherSuite& suite, const std::function<void(const BenchRow&)>& show) {
  check(suite);
  const auto threads = suite.threads > 0 ? suite.threads : available_processors();
  const auto backend = make_backend(suite.device, threads, [](const std::string&) {});
  const bool on_cpu = backend->name() == "cpu";
  for (const std::string& environment : suite.environments) {
    for (const std::string& policy : suite.policies) {
      const EnvironmentEntry& entry = find_environment(environment);
      OurFisher ours(*backend, entry, policy, suite.samples);
      EigenFisher eigen(ours);
      ours.run();  // warm-up, and what the checksum is of
      eigen.run();
      Checksum sum;
      sum.add(ours.product());
      BenchRow row;
      row.name = fmt::format("fisher/{}/{}", spec_of(entry).name, policy);
      row.scope = "FVP";
      row.environment = spec_of(entry).name;
      row.policy = policy;
      row.backend = on_cpu ? std::string("cpu-") + isa_name(processor_isa()) : backend->name();
      row.threads = on_cpu ? threads : 1;
      row.stored = true;
      row.flops_per_step = fisher_flops(ours.policy().shape);
      row.checksum = sum.text();
      row.difference = greatest_difference(ours.product(), eigen.product());
      if (!(row.difference < kFisherTolerance)) {
        throw internal_error(fmt::format(
            "Fisher-vector products of {} differ from Eigen's by {:.2g} of their greatest element; "
            "expected below {:.0e}",
            row.name, row.difference, kFisherTolerance));
      }
      Turns turns = {suite.seconds, row.threads, on_cpu};
      turns.take(ours, &eigen);
      row.per_second = turns.ours.median();
      row.spread = turns.ours.spread();
      row.baseline = "eigen";
      row.baseline_per_second = turns.baseline.median();
      row.peak_fraction =
          on_cpu ? row.per_second * row.flops_per_step / turns.fma.median() : __builtin_nan("");
      show(row);
    }
  }
}

}  // namespace gallop
