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
#include <gallop/host/learning/option_rows.h>
#include <gallop/host/learning/policy_gradient_step.h>

namespace gallop {
namespace {

constexpr auto kOptions =
    rows(on_policy_rows({.n_envs = 64, .n_steps = 64, .gamma = 0.99, .gae_lambda = 0.97}),
         policy_step_rows("adam"),
         baseline_rows("network", {.learning_rate = 0.003, .epochs = 10, .minibatch = 512}));

class ActorCritic : public BaselineAlgorithm {
 public:
  using BaselineAlgorithm::BaselineAlgorithm;

  Metrics iterate() override {
    return actor_critic_iteration(context_, learner_, *baseline_,
                                  {.lambda = context_.options.real("gae_lambda")});
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
