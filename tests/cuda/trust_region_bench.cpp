#include "tests/cuda/trust_region_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include <gallop/algorithms/trpo.h>
#include <gallop/host/training/run_options.h>

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

std::string path_text(FisherPath path) { return path == FisherPath::kFused ? "fused" : "cublas"; }

FisherRequest request_of(OnPolicyLearner& learner) {
  FisherRequest r = {};
  r.policy = learner.policy().view();
  r.samples = learner.all_samples();
  r.weight = 1.0f / float(learner.n_samples());
  r.vector = learner.policy().parameters().data();
  return r;
}

// The products of a learner's policy, without the conjugate gradient around them.
TrustRegionTime time_products(Backend& backend, OnPolicyLearner& learner, FisherPath path,
                              int burst, int repetitions) {
  const PolicyShape& shape = learner.policy().shape();
  FisherProducts fisher(backend, shape, learner.n_samples(), path);
  DeviceArray<float> product(backend, std::size_t(learner.policy().parameters().size()));
  FisherRequest r = request_of(learner);
  r.product = product.data();
  fisher.prepare(r);
  std::unique_ptr<Recording> recording;
  const auto run = [&] {
    backend.run(
        [&] {
          for (int k = 0; k < burst; k++) fisher.product(r);
        },
        recording);
    float last;
    product.download(&last, 1);  // waits
  };
  TrustRegionTime time = {"fisher_product", "", "", path_text(path), learner.n_samples(), {}, 0, 0};
  time.mode = path == FisherPath::kFused ? "strict" : "fast";
  for (int k = 0; k < 3; k++) run();  // scratch, recording, warm-up
  for (int k = 0; k < repetitions; k++) time.seconds.push_back(seconds_of(run) / burst);
  const bool by_passes = path == FisherPath::kMatrices || sensitivity_count(shape) == 0;
  time.multiply_adds =
      product_multiply_adds(shape.network, by_passes) * double(learner.n_samples());
  time.checksum = sum_of_magnitudes(product.download());
  return time;
}

TrustRegionTime time_updates(Backend& backend, OnPolicyLearner& learner, FisherPath path,
                             int repetitions) {
  TrustRegion region(backend, learner, {.path = path});
  const std::vector<float> start = learner.policy().parameters().values();
  DeviceArray<float> kept(backend, start.size());
  kept.upload(start);
  const auto restore = [&] {
    backend.copy({learner.policy().parameters().mutable_data(), kept.data(), long(start.size())});
  };
  const auto run = [&] {
    restore();
    trpo_step(backend, region, {0.1, 10, 0.0}, {0.01, 0.8, 10});
  };
  TrustRegionTime time = {"trpo_update", "", "strict", "fused", learner.n_samples(), {}, 0, 0};
  for (int k = 0; k < 3; k++) run();
  for (int k = 0; k < repetitions; k++) time.seconds.push_back(seconds_of(run));
  if (path == FisherPath::kFaster) {
    time.mode = "fast";
    time.path = path_text(region.path() == FisherPath::kMatrices ? FisherPath::kMatrices
                                                                 : FisherPath::kFused);
  }
  time.checksum = sum_of_magnitudes(learner.policy().parameters().values());
  restore();  // each row begins with the same policy
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
    const auto show = [&](TrustRegionTime time) {
      time.environment = environment;
      report(time);
    };
    show(time_products(backend, learner, FisherPath::kFused, burst, repetitions));
    show(time_updates(backend, learner, FisherPath::kFused, repetitions));
    show(time_products(backend, learner, FisherPath::kMatrices, burst, repetitions));
    show(time_updates(backend, learner, FisherPath::kFaster, repetitions));
  }
}

std::string trust_region_header() {
  return "what,environment,mode,path,samples,median_s,least_s,greatest_s,part_of_bound,checksum,"
         "commit";
}

std::string trust_region_line(const TrustRegionTime& row, double multiply_adds_per_second,
                              const std::string& commit) {
  std::vector<double> sorted = row.seconds;
  std::sort(sorted.begin(), sorted.end());
  const double median = sorted[sorted.size() / 2];
  std::string part;  // empty of an update, and where the device is not known
  if (row.multiply_adds > 0 && multiply_adds_per_second > 0) {
    part = fmt::format("{:.3f}", row.multiply_adds / multiply_adds_per_second / median);
  }
  return fmt::format("{},{},{},{},{},{:.4g},{:.4g},{:.4g},{},{:.9g},{}", row.what, row.environment,
                     row.mode, row.path, row.samples, median, sorted.front(), sorted.back(), part,
                     row.checksum, commit);
}

}  // namespace gallop::testing
