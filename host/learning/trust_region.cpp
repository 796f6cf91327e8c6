#include "host/learning/trust_region.h"

#include "host/error.h"
#include "kernels/gradients/fisher.h"

namespace gallop {

TrustRegion::TrustRegion(Backend& backend, OnPolicyLearner& learner)
    : backend_(backend),
      learner_(learner),
      n_(learner.policy_parameters().size()),
      solver_(backend, n_),
      old_(backend, n_),
      ascent_(backend, n_),
      direction_(backend, n_),
      product_(backend, n_),
      units_(backend, std::size_t(chunk_count(learner.n_samples())) *
                          unit_floats(learner.policy_shape().network)) {
  if (!backend.has_trust_region()) {
    throw Error(ExitCode::cuda, "trust-region methods do not run on the " + backend.name() +
                                    " backend; use --device cpu");
  }
}

FisherRequest TrustRegion::fisher_request() const {
  FisherRequest r = {};
  r.policy = learner_.policy();
  r.policy.parameters = old_.data();
  r.samples = learner_.samples(nullptr, learner_.n_samples());
  r.weight = 1.0f / float(learner_.n_samples());
  return r;
}

double TrustRegion::prepare() {
  backend_.copy(old_.data(), learner_.policy_parameters().data(), n_);
  PolicyGradientRequest r =
      learner_.policy_request(learner_.samples(nullptr, learner_.n_samples()));
  r.loss = PolicyLoss::kSurrogate;
  backend_.policy_gradient(r, learner_.policy_parameters().gradient());
  const double norm = backend_.norm(learner_.policy_parameters().gradient(), n_);
  require_finite(norm, "the norm of the policy's gradient");
  backend_.copy(ascent_.data(), learner_.policy_parameters().gradient(), n_);
  backend_.add_scaled(ascent_.data(), -2.0f, learner_.policy_parameters().gradient(), n_);
  backend_.fisher_prepare(fisher_request(), units_.data());
  return norm;
}

double TrustRegion::natural_direction(double damping, int iterations, double tolerance) {
  FisherRequest r = fisher_request();
  r.units = units_.data();
  const auto multiply = [&](const float* vector, float* product) {
    r.vector = vector;
    backend_.fisher_product(r, product);
    backend_.add_scaled(product, float(damping), vector, n_);
  };
  last_solve_ = solver_.solve(multiply, ascent_.data(), direction_.data(), iterations, tolerance);
  multiply(direction_.data(), product_.data());
  const double curvature = backend_.dot(direction_.data(), product_.data(), n_);
  require_finite(curvature, "the curvature along the natural gradient");
  return curvature;
}

double TrustRegion::slope() const { return backend_.dot(ascent_.data(), direction_.data(), n_); }

TrustRegion::Candidate TrustRegion::measure() const {
  DivergenceRequest r = {};
  r.candidate = learner_.policy();
  r.samples = learner_.samples(nullptr, learner_.n_samples());
  r.old_units = units_.data();
  const NetworkShape& network = learner_.policy_shape().network;
  r.old_log_std = old_.data() + layer_offset(network, network.n_layers);
  double means[kDivergenceSums];
  backend_.policy_divergence(r, means);
  return {means[kSumSurrogate], means[kSumKl], means[kSumEntropy]};
}

TrustRegion::Candidate TrustRegion::try_step(double scale) {
  float* parameters = learner_.policy_parameters().mutable_data();
  backend_.copy(parameters, old_.data(), n_);
  backend_.add_scaled(parameters, float(scale), direction_.data(), n_);
  return measure();
}

void TrustRegion::restore() {
  backend_.copy(learner_.policy_parameters().mutable_data(), old_.data(), n_);
}

TrustRegionAlgorithm::TrustRegionAlgorithm(const AlgorithmContext& context)
    : OnPolicyAlgorithm(context),
      region_(context.backend, learner_),
      value_fit_(context, learner_) {}

Metrics TrustRegionAlgorithm::iterate() {
  learner_.collect();
  learner_.estimate_advantages();
  Metrics metrics = learner_.episode_metrics();
  step_policy(metrics);
  metrics.emplace_back("value_loss", value_fit_.run());
  learner_.update_normalizer();
  return metrics;
}

double TrustRegionAlgorithm::natural_direction() {
  const Options& options = context_.options;
  return region_.natural_direction(options.real("damping"), int(options.integer("cg_iterations")),
                                   options.real("cg_tolerance"));
}

void TrustRegionAlgorithm::save(TensorFile& file) const {
  OnPolicyAlgorithm::save(file);
  value_fit_.save(file);
}

void TrustRegionAlgorithm::load(const TensorFile& file) {
  OnPolicyAlgorithm::load(file);
  value_fit_.load(file);
}

}  // namespace gallop
