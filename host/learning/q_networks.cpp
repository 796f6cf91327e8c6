#include <gallop/host/learning/q_networks.h>

#include <fmt/format.h>

#include <gallop/host/files/checked_tensor.h>
#include <gallop/host/learning/learner_setup.h>
#include <gallop/host/learning/value_model.h>

namespace gallop {
namespace {

constexpr double kHiddenGain = 1.0, kOutputGain = 0.1;
constexpr std::uint32_t kFirstStream = 1;

std::string name_of(int k) { return fmt::format("value/q{}", k + 1); }

}  // namespace

TargetParameters::TargetParameters(Backend& backend, const TrainedParameters& source)
    : backend_(&backend),
      values_(backend, std::size_t(source.size())),
      kept_(backend, std::size_t(source.size())) {
  follow(source, 1.0);
}

void TargetParameters::follow(const TrainedParameters& source, double tau) {
  backend_->polyak({values_.data(), source.data(), float(tau), source.size()});
}

void TargetParameters::remember() {
  backend_->copy({kept_.data(), values_.data(), long(values_.size())});
}

void TargetParameters::restore() {
  backend_->copy({values_.data(), kept_.data(), long(values_.size())});
}

void TargetParameters::save(TensorFile& file, const std::string& name) const {
  file.put<float>(name, {values_.size()}, values_.download());
}

void TargetParameters::load(const TensorFile& file, const std::string& name) {
  values_.upload(finite_floats(file, name, values_.size()));
}

NetworkShape QNetworks::shape_of(const PolicyShape& policy, const Options& options) {
  NetworkShape shape = make_value_shape(policy, options);
  shape.width[0] += policy.n_actions;
  return shape;
}

QNetworks::QNetworks(const AlgorithmContext& context, const PolicyShape& policy, int count,
                     bool has_targets)
    : backend_(&context.backend),
      shape_(shape_of(policy, context.options)),
      learning_rate_(context.options.real("value_learning_rate")) {
  for (int k = 0; k < count; k++) {
    networks_.emplace_back(*backend_,
                           initial_parameters(shape_, context.seed, kFirstStream + std::uint32_t(k),
                                              kHiddenGain, kOutputGain),
                           1);
    if (has_targets) targets_.emplace_back(*backend_, networks_[k]);
    values_.emplace_back(*backend_, std::size_t(context.options.integer("batch_size")));
  }
}

void QNetworks::evaluate_targets(const ReplayBatch& batch) {
  for (int k = 0; k < count(); k++) {
    backend_->values(
        {shape_, target(k), {}, 1, int(batch.count), batch.next_input, values_[k].data()});
  }
}

void QNetworks::set_learning_rate() {
  for (TrainedParameters& network : networks_) network.set_learning_rate(learning_rate_);
}

void QNetworks::fit(const ReplayBatch& batch, const float* target) {
  for (TrainedParameters& network : networks_) {
    ValueGradientRequest r = {};
    r.shape = shape_;
    r.parameters = network.data();
    r.samples.n_envs = int(batch.count);
    r.samples.observation_rows = shape_.width[0];
    r.samples.observation = batch.input;
    r.samples.target = target;
    r.samples.count = batch.count;
    r.weight = 1.0f / float(batch.count);
    r.gradient = network.gradient();
    backend_->value_step({r, network.step_request({})});
  }
}

void QNetworks::follow(double tau) {
  for (std::size_t k = 0; k < targets_.size(); k++) targets_[k].follow(networks_[k], tau);
}

double QNetworks::last_error(long count) const {
  double sum = 0;
  for (const TrainedParameters& network : networks_) sum += double(network.statistics()[0]);
  return sum / double(networks_.size()) / double(count);
}

void QNetworks::require_finite_steps() {
  for (TrainedParameters& network : networks_) {
    require_finite(network.last_norm(), "the norm of a Q network's gradient");
  }
}

void QNetworks::remember() {
  for (TrainedParameters& network : networks_) network.remember();
  for (TargetParameters& target : targets_) target.remember();
}

void QNetworks::restore() {
  for (TrainedParameters& network : networks_) network.restore();
  for (TargetParameters& target : targets_) target.restore();
}

void QNetworks::save(TensorFile& file) const {
  for (int k = 0; k < count(); k++) {
    networks_[k].save(file, name_of(k));
    if (!targets_.empty()) targets_[k].save(file, name_of(k) + "/target");
  }
}

void QNetworks::load(const TensorFile& file) {
  for (int k = 0; k < count(); k++) {
    networks_[k].load(file, name_of(k));
    if (!targets_.empty()) targets_[k].load(file, name_of(k) + "/target");
  }
}

}  // namespace gallop
