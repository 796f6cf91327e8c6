#include "tests/cuda/trust_region_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "host/learning/trust_region.h"
#include "host/training/run_options.h"
#include "kernels/gradients/fisher.h"

namespace gallop::testing {
namespace {

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double sum_of_magnitudes(const std::vector<float>& values) {
  double sum = 0;
  for (const float x : values) sum += std::abs(double(x));
  return sum;
}

// The products of a learner's policy, without the conjugate gradient around them.
TrustRegionTime time_products(Backend& backend, OnPolicyLearner& learner, int burst,
                              int repetitions) {
  const long n = learner.policy_parameters().size();
  DeviceArray<float> units(backend, std::size_t(chunk_count(learner.n_samples())) *
                                        unit_floats(learner.policy_shape().network));
  DeviceArray<float> product(backend, n);
  FisherRequest r = {};
  r.policy = learner.policy();
  r.samples = learner.samples(nullptr, learner.n_samples());
  r.weight = 1.0f / float(learner.n_samples());
  r.vector = learner.policy_parameters().data();
  backend.fisher_prepare(r, units.data());
  r.units = units.data();
  std::unique_ptr<Recording> recording;
  const auto run = [&] {
    backend.run(
        "products",
        [&] {
          for (int k = 0; k < burst; k++) backend.fisher_product(r, product.data());
        },
        recording);
    float last;
    product.download(&last, 1);  // waits
  };
  TrustRegionTime time = {"fisher_product", "", learner.n_samples(), {}, 0};
  for (int k = 0; k < 3; k++) run();  // scratch, recording, warm-up
  for (int k = 0; k < repetitions; k++) time.seconds.push_back(seconds_of(run) / burst);
  time.checksum = sum_of_magnitudes(product.download());
  return time;
}

TrustRegionTime time_updates(Backend& backend, OnPolicyLearner& learner, int repetitions) {
  TrustRegion region(backend, learner);
  const std::vector<float> start = learner.policy_parameters().values();
  DeviceArray<float> kept(backend, start.size());
  kept.upload(start);
  const auto run = [&] {
    backend.copy(learner.policy_parameters().mutable_data(), kept.data(), long(start.size()));
    region.constrained_step({0.1, 10, 0.0}, {0.01, 0.8, 10});
  };
  TrustRegionTime time = {"trpo_update", "", learner.n_samples(), {}, 0};
  for (int k = 0; k < 3; k++) run();
  for (int k = 0; k < repetitions; k++) time.seconds.push_back(seconds_of(run));
  time.checksum = sum_of_magnitudes(learner.policy_parameters().values());
  return time;
}

}  // namespace

void bench_trust_region(Backend& backend, int n_envs, int n_steps, int burst, int repetitions,
                        const std::function<void(const TrustRegionTime&)>& report) {
  for (const char* environment : {"cartpole", "pendulum"}) {
    RunOptions options(environment, "trpo");
    options.set_assignment("n_envs=" + std::to_string(n_envs), "the benchmark");
    options.set_assignment("n_steps=" + std::to_string(n_steps), "the benchmark");
    options.set_assignment("hidden=64,64", "the benchmark");
    OnPolicyLearner learner(
        {backend, options.environment(), options.values(), options.seed(), options.configure()});
    learner.collect();
    learner.estimate_advantages();
    for (TrustRegionTime time : {time_products(backend, learner, burst, repetitions),
                                 time_updates(backend, learner, repetitions)}) {
      time.environment = environment;
      report(time);
    }
  }
}

std::string trust_region_header() {
  return "what,environment,samples,median_s,least_s,greatest_s,checksum,commit";
}

std::string trust_region_line(const TrustRegionTime& row, const std::string& commit) {
  std::vector<double> sorted = row.seconds;
  std::sort(sorted.begin(), sorted.end());
  return fmt::format("{},{},{},{:.4g},{:.4g},{:.4g},{:.9g},{}", row.what, row.environment,
                     row.samples, sorted[sorted.size() / 2], sorted.front(), sorted.back(),
                     row.checksum, commit);
}

}  // namespace gallop::testing
