// Actor-critic with generalised advantage estimation, as on the lecture's slide "Actor-Critic with
// GAE":
//
//   phi_(i+1)   = argmin over phi of sum |Q_i(s, u) - V_phi(s)|^2 + kappa |phi - phi_i|^2
//   theta_(i+1) = theta_i + alpha 1/m sum_k sum_t grad log pi(u | s) (Q_i(s, u) - V_phi_i(s))
//
// with Q_i = A + V_phi_i and A by GAE(gamma, lambda). Both updates use the critic phi_i of before.
// The critic is a network, fitted by Adam from phi_i, or linear in features, fitted in closed form
// (option `baseline`); kappa is `value_proximal`. The sums over m rollouts of H steps are means
// over the samples here; the factor H is in alpha.
//
// Slip: the slide writes "min" for "argmin". Its Q needs V^(pi, gamma), the discounted value, which
// is what is fitted here.
//
// Source: the lecture on policy optimisation by Schulman and Abbeel; arXiv:1506.02438v6.
//
// Verified: the closed form against normal equations (tests/learning/baseline_test.cpp), the
// advantages against a golden sequence (tests/learning/gae_test.cpp), learning on cartpole
// (tests/training/learning_test.cpp).
#include "host/learning/policy_gradient_step.h"

namespace gallop {
namespace {

constexpr OptionSpec kOptions[] = {
    GALLOP_ON_POLICY_OPTIONS("64", "64", "0.99", "0.97"),
    GALLOP_POLICY_STEP_OPTIONS("adam", "0"),
    GALLOP_BASELINE_OPTIONS("network", "0.003", "10", "512"),
};

class ActorCritic : public BaselineAlgorithm {
 public:
  using BaselineAlgorithm::BaselineAlgorithm;

  Metrics iterate() override {
    const UpdateGuard guard(learner_);
    learner_.collect();
    Metrics metrics = learner_.episode_metrics();
    baseline_->evaluate();
    learner_.estimate_targets(ValueTarget::kLambda);
    learner_.finish_advantages();
    metrics.emplace_back("value_loss", baseline_->fit());
    step_along_policy_gradient(context_, learner_, 1.0, metrics);
    learner_.update_normalizer();
    return metrics;
  }
};

}  // namespace
}  // namespace gallop

GALLOP_ALGORITHM(ActorCritic)

const gallop::AlgorithmDescriptor& gallop_algorithm_ActorCritic() {
  static constexpr gallop::AlgorithmDescriptor kDescriptor = {
      "actor_critic",
      "actor_critic_gae",
      "actor-critic with GAE and a proximal fit of the critic",
      "the lecture's slide \"Actor-Critic with GAE\"; arXiv:1506.02438v6",
      gallop::kOptions,
      [](const gallop::AlgorithmContext& context) -> std::unique_ptr<gallop::Algorithm> {
        return std::make_unique<gallop::ActorCritic>(context);
      }};
  return kDescriptor;
}
