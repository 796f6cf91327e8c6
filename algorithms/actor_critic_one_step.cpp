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
#include <gallop/host/learning/option_rows.h>
#include <gallop/host/learning/policy_gradient_step.h>

namespace gallop {
namespace {

constexpr auto kOptions =
    rows(on_policy_rows({.n_envs = 64, .n_steps = 64, .gamma = 0.99, .gae_lambda = 1}),
         policy_step_rows("adam"),
         baseline_rows("network", {.learning_rate = 0.003, .epochs = 10, .minibatch = 512}));

class ActorCriticOneStep : public BaselineAlgorithm {
 public:
  using BaselineAlgorithm::BaselineAlgorithm;

  Metrics iterate() override {
    return actor_critic_iteration(
        context_, learner_, *baseline_,
        {.lambda = context_.options.real("gae_lambda"), .target = ValueTarget::kTd});
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
