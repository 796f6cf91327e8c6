#include "bench/rollout_sides.h"

#include <gallop_isas.h>

#include <gallop/host/error.h>
#include <gallop/host/learning/network_parameters.h>
#include <gallop/host/registry/registry.h>

#define GALLOP_DECLARE_BASELINE(isa) \
  extern "C" const gallop::Baselines* gallop_baselines_isa_##isa();
GALLOP_FOR_EACH_ISA(GALLOP_DECLARE_BASELINE)

namespace gallop {
namespace {

const Baselines* (*const kBaselines[kNumIsas])() = GALLOP_ISA_FUNCTIONS(gallop_baselines);

EnvironmentOptions options_of(int n_envs, Arithmetic arithmetic = Arithmetic::kStrict) {
  EnvironmentOptions options;
  options.n_envs = n_envs;
  options.seed = kBenchSeed;
  options.arithmetic = arithmetic;
  return options;
}

std::vector<long> hidden_layers(const std::string& policy) {
  if (policy == "64-64") return {64, 64};
  if (policy == "256-256") return {256, 256};
  return {};
}

}  // namespace

bool BenchPolicy::fits(const EnvironmentSpec& spec, const std::string& name) {
  return spec.observation_kind == SpaceKind::kBox || hidden_layers(name).empty();
}

BenchPolicy::BenchPolicy(const Environments& environments, const std::string& name)
    : random(name == "random") {
  if (random) return;
  const EnvironmentSpec& spec = environments.spec();
  shape.n_actions = environments.action_size();
  shape.head = spec.action_kind == SpaceKind::kDiscrete ? Head::kCategorical : Head::kGaussian;
  shape.network =
      network_shape(spec.observation_kind == SpaceKind::kDiscrete, environments.observation_size(),
                    hidden_layers(name), "tanh", shape.n_actions);
  parameters = initial_parameters(shape.network, kBenchSeed, 0, 1.0, 0.1);
  if (shape.head == Head::kGaussian) parameters.insert(parameters.end(), shape.n_actions, -0.5f);
}

double BenchPolicy::flops() const {
  double flops = 0;
  for (int l = 0; !random && shape.network.kind == NetworkKind::kMlp && l < shape.network.n_layers;
       l++) {
    flops += 2.0 * shape.network.width[l] * shape.network.width[l + 1];
  }
  return flops;
}

BenchTrajectory::BenchTrajectory(Backend& backend, int n_steps, int n_envs, int observation_rows,
                                 int action_rows, bool has_policy, bool recorded)
    : observation_rows_(observation_rows), action_rows_(action_rows) {
  view_.n_steps = n_steps;
  view_.n_envs = n_envs;
  if (!recorded) return;
  const std::size_t row = std::size_t(n_envs), all = row * n_steps;
  observation_ = DeviceArray<float>(backend, (all + row) * observation_rows);
  action_ = DeviceArray<float>(backend, all * action_rows);
  log_prob_ = DeviceArray<float>(backend, has_policy ? all : 0);
  reward_ = DeviceArray<float>(backend, all);
  terminated_ = DeviceArray<std::uint8_t>(backend, all);
  truncated_ = DeviceArray<std::uint8_t>(backend, all);
  view_.observation = observation_.data();
  view_.action = action_.data();
  view_.log_prob = log_prob_.data();
  view_.reward = reward_.data();
  view_.terminated = terminated_.data();
  view_.truncated = truncated_.data();
}

double BenchTrajectory::bytes_per_step() const {
  if (view_.observation == nullptr) return 0;
  const int floats = observation_rows_ + action_rows_ + 1 + (view_.log_prob != nullptr ? 1 : 0);
  return 4.0 * floats + 2.0;
}

void BenchTrajectory::add_to(Checksum& sum) const {
  sum.add(observation_);
  sum.add(action_);
  sum.add(log_prob_);
  sum.add(reward_);
  sum.add(terminated_);
  sum.add(truncated_);
}

OurRollout::OurRollout(Backend& backend, const EnvironmentEntry& entry, const std::string& policy,
                       int n_envs, int n_steps, bool stored, Arithmetic arithmetic)
    : environments_(backend, entry, options_of(n_envs, arithmetic)),
      policy_(environments_, policy),
      trajectory_(backend, n_steps, n_envs, environments_.observation_rows(),
                  environments_.action_rows(), !policy_.random, stored),
      parameters_(backend, policy_.parameters.size()),
      done_(backend, 1) {
  parameters_.upload(policy_.parameters);
  environments_.reset();
}

PolicyView OurRollout::view() const {
  PolicyView view = {};
  view.shape = policy_.shape;
  view.parameters = parameters_.data();
  return view;
}

void OurRollout::run() {
  environments_.rollout(policy_.random ? ActionSource::kUniform : ActionSource::kPolicy, view(),
                        false, trajectory_.view());
  float done;
  done_.download(&done, 1);  // waits for the device
}

std::string OurRollout::checksum() const {
  Checksum sum;
  trajectory_.add_to(sum);
  sum.add(environments_.get_state());
  return sum.text();
}

bool BaselineRollout::knows(const EnvironmentSpec& spec) {
  return kBaselines[int(processor_isa())]()->instance_bytes(spec.name) > 0;
}

BaselineRollout::BaselineRollout(Backend& cpu, const EnvironmentEntry& entry,
                                 const std::string& policy, bool with_eigen, int n_envs,
                                 int n_steps, bool stored)
    : baselines_(*kBaselines[int(processor_isa())]()),
      environment_(spec_of(entry).name),
      with_eigen_(with_eigen),
      shapes_(cpu, entry, options_of(1)),
      policy_(shapes_, policy),
      trajectory_(cpu, n_steps, n_envs, shapes_.observation_rows(), shapes_.action_rows(),
                  !policy_.random, stored),
      instances_(std::size_t(n_envs) * baselines_.instance_bytes(environment_.c_str())) {
  request_.instances = instances_.data();
  request_.random = random_.get();
  request_.n_layers = policy_.random ? 0 : policy_.shape.network.n_layers;
  request_.width = policy_.shape.network.width;
  request_.parameters = policy_.parameters.data();
  request_.out = trajectory_.view();
  request_.total = total_.get();
  baselines_.reset(environment_.c_str(), request_);
}

void BaselineRollout::run() {
  (with_eigen_ ? baselines_.eigen_rollout : baselines_.scalar_rollout)(environment_.c_str(),
                                                                       request_);
}

}  // namespace gallop
