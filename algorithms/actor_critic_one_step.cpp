// Actor-critic with a one-step critic and full rollouts for the policy, the variant on the
// lecture's slide "Actor-Critic with GAE":
//
//   phi_(i+1)   = argmin over phi of sum |r + V_phi_i(s') - V_phi(s)|^2 + lambda |phi - phi_i|^2
//   theta_(i+1) = theta_i + alpha 1/m sum_k sum_t grad log pi(u_t | s_t) (R_t - V_phi_i(s_t))
//
// where R_t is the discounted sum of rewards from t to the episode's end (V_phi_i stands in where
// the rollout cuts it), and the critic's target has the discount too: r + gamma V_phi_i(s'),
// nothing after a terminal state. This is the lecture's fitted V iteration; its lambda is the
// option `value_proximal`. The critic is a network or linear in features (option `baseline`).
//
// Slip: the slide writes "min" for "argmin", and its baseline V(s_t') stands inside the sum over
// t'; it is subtracted once, at s_t.
//
// Source: the lecture on policy optimisation by Schulman and Abbeel.
//
// Verified: fitted V iteration reaches the exact values of a decision process and the closed form
// solves the normal equations (tests/learning/baseline_test.cpp), learning on cartpole
// (tests/training/learning_test.cpp).
#include "host/learning/policy_gradient_step.h"

namespace gallop {
namespace {

constexpr OptionSpec kOptions[] = {
    GALLOP_ON_POLICY_OPTIONS("64", "64", "0.99", "1"),
    GALLOP_POLICY_STEP_OPTIONS("adam", "0"),
    GALLOP_BASELINE_OPTIONS("network", "0.003", "10", "512"),
};

class ActorCriticOneStep : public BaselineAlgorithm {
 public:
  using BaselineAlgorithm::BaselineAlgorithm;

  Metrics iterate() override {
    const UpdateGuard guard(learner_);
    learner_.collect();
    Metrics metrics = learner_.episode_metrics();
    baseline_->evaluate();
    learner_.estimate_targets(ValueTarget::kTd);
    learner_.advantages_by_gae(context_.options.real("gae_lambda"));
    learner_.finish_advantages();
    metrics.emplace_back("value_loss", baseline_->fit());
    step_along_policy_gradient(context_, learner_, 1.0, metrics);
    learner_.update_normalizer();
    return metrics;
  }
};

}  // namespace
}  // namespace gallop

GALLOP_ALGORITHM(ActorCriticOneStep)

const gallop::AlgorithmDescriptor& gallop_algorithm_ActorCriticOneStep() {
  static constexpr gallop::AlgorithmDescriptor kDescriptor = {
      "actor_critic_one_step",
      "",
      "actor-critic with a one-step critic and full rollouts for the policy",
      "the lecture's slide \"Actor-Critic with GAE\", its variant",
      gallop::kOptions,
      [](const gallop::AlgorithmContext& context) -> std::unique_ptr<gallop::Algorithm> {
        return std::make_unique<gallop::ActorCriticOneStep>(context);
      }};
  return kDescriptor;
}
