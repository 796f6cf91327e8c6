// Policy optimisation with a KL penalty in place of the constraint: Schulman et al.,
// arXiv:1707.06347v2, section 4 and eq. 8; the lecture's trust region with a fixed or adapted
// multiplier.
//
//   maximise   mean of rho A - beta KL(old || new)
//
// over some epochs of Adam on minibatches, from the policy that acted. Then, with the mean KL
// measured exactly over all samples,
//
//   beta <- 2 beta  if KL > 1.5 delta,    beta <- beta / 2  if KL < delta / 1.5
//
// unless `adapt` is off: then beta stays as it is. In the gradient the KL of a sample is its
// unbiased estimate (rho - 1) - log rho, whose slope by log pi is rho - 1 (0 at the policy that
// acted, as it must be). beta is kept within [1e-4, 1e4] and is part of the checkpoint. A step
// whose measured KL is not finite is refused and the parameters stay as they were.
//
// Source: arXiv:1707.06347v2, section 4.
//
// Verified: the loss's gradient against differences (tests/learning/gradient_test.cpp), the
// adaptation's rule (tests/training/algorithms_test.cpp), learning on cartpole
// (tests/training/learning_test.cpp).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/checkpoint/tensor_file.h"
#include "host/learning/minibatches.h"
#include "host/learning/trust_region.h"

namespace gallop {
namespace {

constexpr OptionSpec kOptions[] = {
    GALLOP_ON_POLICY_OPTIONS("64", "64", "0.99", "0.97"),
    GALLOP_VALUE_FIT_OPTIONS("0.003", "5", "256"),
    {"delta", OptionType::real, "0.01", 1e-12, 10, nullptr, "nats",
     "mean KL(old || new) that the penalty is adapted to"},
    {"beta", OptionType::real, "1", 1e-4, 1e4, nullptr, "", "initial weight of the KL divergence"},
    {"adapt", OptionType::boolean, "true", -kUnbounded, kUnbounded, nullptr, "",
     "beta follows the measured KL; off for a fixed penalty"},
    {"learning_rate", OptionType::real, "0.003", 0, 10, nullptr, "", "step of the policy's Adam"},
    {"epochs", OptionType::integer, "10", 1, 1000, nullptr, "",
     "passes over the samples of an iteration"},
    {"minibatch", OptionType::integer, "512", 1, 1 << 28, nullptr, "samples",
     "samples of one step of the policy"},
};

constexpr double kLeastBeta = 1e-4, kGreatestBeta = 1e4;

class Penalty : public TrustRegionAlgorithm {
 public:
  explicit Penalty(const AlgorithmContext& context)
      : TrustRegionAlgorithm(context),
        minibatches_(context, learner_, context.options.integer("minibatch"), kPolicyShuffles),
        beta_(context.options.real("beta")) {}

  void save(TensorFile& file) const override {
    TrustRegionAlgorithm::save(file);
    file.put_scalar<double>("beta", beta_);
    file.put_scalar<std::uint64_t>("policy_shuffles", minibatches_.passes());
  }
  void load(const TensorFile& file) override {
    TrustRegionAlgorithm::load(file);
    beta_ = file.get_scalar<double>("beta");
    minibatches_.set_passes(file.get_scalar<std::uint64_t>("policy_shuffles"));
  }

 private:
  // Orders of the policy's minibatches; those of the value fit are drawn from 0 on.
  static constexpr std::uint64_t kPolicyShuffles = std::uint64_t(1) << 40;

  void step_policy(Metrics& metrics) override {
    const Options& options = context_.options;
    const double norm = region_.prepare();
    TrainedParameters& policy = learner_.policy_parameters();
    policy.set_learning_rate(options.real("learning_rate"));
    for (long epoch = 0; epoch < options.integer("epochs"); epoch++) {
      minibatches_.pass(fmt::format("{}", beta_),
                        [&](const Samples& samples, long) { step(samples); });
    }
    const double last_norm = policy.last_norm();
    if (!std::isfinite(last_norm)) region_.restore();
    require_finite(last_norm, "the norm of the policy's gradient");
    const TrustRegion::Candidate after = region_.measure();
    if (!std::isfinite(after.kl)) region_.restore();
    require_finite(after.kl, "the KL divergence of the step");
    metrics.emplace_back("policy_loss", after.surrogate);
    metrics.emplace_back("kl", after.kl);
    metrics.emplace_back("entropy", after.entropy);
    metrics.emplace_back("gradient_norm", norm);
    metrics.emplace_back("beta", beta_);
    if (options.flag("adapt")) adapt(after.kl, options.real("delta"));
  }

  void step(const Samples& samples) {
    PolicyGradientRequest r = learner_.policy_request(samples);
    r.loss = PolicyLoss::kPenalizedSurrogate;
    r.kl_penalty = float(beta_);
    TrainedParameters& policy = learner_.policy_parameters();
    context_.backend.policy_gradient(r, policy.gradient());
    policy.step({.max_norm = context_.options.real("max_gradient_norm")});
  }

  void adapt(double kl, double delta) {
    if (kl > 1.5 * delta) beta_ *= 2;
    if (kl < delta / 1.5) beta_ /= 2;
    beta_ = std::clamp(beta_, kLeastBeta, kGreatestBeta);
  }

  Minibatches minibatches_;
  double beta_;
};

}  // namespace
}  // namespace gallop

GALLOP_ALGORITHM(Penalty)

const gallop::AlgorithmDescriptor& gallop_algorithm_Penalty() {
  static constexpr gallop::AlgorithmDescriptor kDescriptor = {
      "trpo_penalty",
      "penalty,ppo_kl,adaptive_kl",
      "surrogate with an adaptive or fixed KL penalty",
      "arXiv:1707.06347v2, section 4",
      gallop::kOptions,
      [](const gallop::AlgorithmContext& context) -> std::unique_ptr<gallop::Algorithm> {
        return std::make_unique<gallop::Penalty>(context);
      }};
  return kDescriptor;
}
