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
#include <algorithm>
#include <cmath>

#include <gallop/host/files/checked_tensor.h>
#include <gallop/host/learning/minibatches.h>
#include <gallop/host/learning/option_rows.h>
#include <gallop/host/learning/trust_region.h>

namespace gallop {
namespace {

constexpr auto kOptions = rows(
    on_policy_rows({.n_envs = 64, .n_steps = 64, .gamma = 0.99, .gae_lambda = 0.97}),
    value_fit_rows({.learning_rate = 0.003, .epochs = 5, .minibatch = 256}),
    real_row("delta", 0.01, {.min = 1e-12, .max = 10, .unit = "nats"},
             "mean KL(old || new) that the penalty is adapted to"),
    real_row("beta", 1, {.min = 1e-4, .max = 1e4}, "initial weight of the KL divergence"),
    boolean_row("adapt", true, "beta follows the measured KL; off for a fixed penalty"),
    real_row("learning_rate", 0.003, {.min = 0, .max = 10}, "step of the policy's Adam"),
    integer_row("epochs", 10, {.min = 1, .max = 1000}, "passes over the samples of an iteration"),
    integer_row("minibatch", 512, {.min = 1, .max = 1 << 28, .unit = "samples"},
                "samples of one step of the policy"));

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

 private:
  void load_state(const TensorFile& file) override {
    TrustRegionAlgorithm::load_state(file);
    beta_ = finite_number(file, "beta", kLeastBeta, kGreatestBeta);
    minibatches_.load_passes(file, "policy_shuffles", context_.options.integer("epochs"));
  }

  // Orders of the policy's minibatches; those of the value fit are drawn from 0 on.
  static constexpr std::uint64_t kPolicyShuffles = std::uint64_t(1) << 40;

  void step_policy(Metrics& metrics) override {
    const Options& options = context_.options;
    const double norm = region_.prepare();
    TrainedParameters& policy = learner_.policy().parameters();
    policy.set_learning_rate(options.real("learning_rate"));
    for (long epoch = 0; epoch < options.integer("epochs"); epoch++) {
      minibatches_.pass([&](const Samples& samples, long) { step(samples); });
    }
    const double last_norm = policy.last_norm();
    if (!std::isfinite(last_norm)) region_.restore();
    require_finite(last_norm, "the norm of the policy's gradient");
    const TrustRegion::Candidate after = region_.measure();
    report_step(after, norm, metrics);
    metrics.emplace_back("beta", beta_);
    if (options.flag("adapt")) adapt(after.kl, options.real("delta"));
  }

  void step(const Samples& samples) {
    PolicyGradientRequest r = learner_.policy().gradient_request(samples);
    r.loss = PolicyLoss::kPenalizedSurrogate;
    r.kl_penalty = float(beta_);
    const StepOptions limited = {.max_norm = context_.options.real("max_gradient_norm")};
    context_.backend.policy_step({r, learner_.policy().parameters().step_request(limited)});
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
