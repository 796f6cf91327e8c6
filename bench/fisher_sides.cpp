#include "bench/fisher_sides.h"

#include <gallop_isas.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/kernels/random/stream.h>

#define GALLOP_DECLARE_BASELINE(isa) \
  extern "C" const gallop::FisherBaseline* gallop_fisher_baseline_isa_##isa();
GALLOP_FOR_EACH_ISA(GALLOP_DECLARE_BASELINE)

namespace gallop {
namespace {

const FisherBaseline* (*const kBaselines[kNumIsas])() =
    GALLOP_ISA_FUNCTIONS(gallop_fisher_baseline);

constexpr int kInstances = 500;
constexpr std::uint32_t kVectorStream = 7;

int steps_for(long samples) { return int((samples + kInstances - 1) / kInstances); }

EnvironmentOptions options_of() {
  EnvironmentOptions options;
  options.n_envs = kInstances;
  options.seed = kBenchSeed;
  return options;
}

}  // namespace

OurFisher::OurFisher(Backend& backend, const EnvironmentEntry& entry, const std::string& policy,
                     long samples)
    : backend_(backend),
      environments_(backend, entry, options_of()),
      policy_(environments_, policy),
      count_(samples),
      trajectory_(backend, steps_for(samples), kInstances, environments_.observation_rows(),
                  environments_.action_rows(), true, true),
      parameters_(backend, policy_.parameters.size()),
      vector_(backend, policy_.parameters.size()),
      product_(backend, policy_.parameters.size()),
      units_(backend, std::size_t(chunk_count(samples)) * unit_floats(policy_.shape)) {
  parameters_.upload(policy_.parameters);
  host_vector_.resize(policy_.parameters.size());
  Rng<float> rng(kBenchSeed, kRandomInitialise, kVectorStream, 0u, 0u);
  for (float& x : host_vector_) x = rng.normal();
  vector_.upload(host_vector_);
  environments_.reset();
  environments_.rollout(ActionSource::kPolicy, request().policy, false, trajectory_.view());
  backend_.fisher_prepare(request());
}

FisherRequest OurFisher::request() const {
  FisherRequest r = {};
  r.policy.shape = policy_.shape;
  r.policy.parameters = parameters_.data();
  r.samples.n_envs = kInstances;
  r.samples.observation_rows = environments_.observation_rows();
  r.samples.action_rows = environments_.action_rows();
  r.samples.observation = trajectory_.view().observation;
  r.samples.count = count_;
  r.weight = 1.0f / float(count_);
  r.vector = vector_.data();
  r.units = units_.data();
  r.unit_stride = unit_floats(policy_.shape);
  r.product = product_.data();
  return r;
}

void OurFisher::run() {
  backend_.fisher_product(request());
  float done;
  product_.download(&done, 1);  // waits for the device
}

std::vector<float> OurFisher::observations() const {
  const std::vector<float> recorded = trajectory_.observations();  // [T + 1, O, N]
  const int rows = environments_.observation_rows();
  std::vector<float> by_sample(std::size_t(count_) * rows);
  for (long s = 0; s < count_; s++) {
    for (int k = 0; k < rows; k++) {
      by_sample[s * rows + k] = recorded[(s / kInstances * rows + k) * kInstances + s % kInstances];
    }
  }
  return by_sample;
}

EigenFisher::EigenFisher(const OurFisher& ours)
    : baseline_(*kBaselines[int(processor_isa())]()),
      count_(ours.work()),
      vector_(ours.vector()),
      product_(vector_.size()),
      fisher_(nullptr, baseline_.destroy) {
  const std::vector<float> observations = ours.observations();
  const BenchPolicy& policy = ours.policy();
  FisherBaselineRequest r = {};
  r.n_layers = policy.shape.network.n_layers;
  r.width = policy.shape.network.width;
  r.categorical = policy.shape.head == Head::kCategorical;
  r.parameters = policy.parameters.data();
  r.observation = observations.data();
  r.count = long(count_);
  fisher_.reset(baseline_.create(r));
}

double fisher_flops(const PolicyShape& shape) {
  return 2 * product_multiply_adds(shape.network, sensitivity_count(shape) == 0);
}

double greatest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, magnitude = 0;
  for (std::size_t i = 0; i < a.size(); i++) {
    difference = std::fmax(difference, std::fabs(double(a[i]) - double(b[i])));
    magnitude = std::fmax(magnitude, std::fmax(std::fabs(a[i]), std::fabs(b[i])));
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return __builtin_inf();
  }
  return magnitude > 0 ? difference / magnitude : __builtin_inf();
}

}  // namespace gallop
