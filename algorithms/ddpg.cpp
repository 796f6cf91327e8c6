// Deep deterministic policy gradient: Lillicrap et al., "Continuous control with deep reinforcement
// learning", arXiv:1509.02971v6, algorithm 1. The lecture's "DDPG": SVG(0) with a deterministic
// policy, a replay buffer and target networks.
//
//   y = r + gamma (1 - d) Q'(s', mu'(s'))
//   J(Q)  = mean of (Q(s, a) - y)^2 / 2
//   J(mu) = -mean of Q(s, mu(s))
//   Q' <- Q' + tau (Q - Q'),  mu' <- mu' + tau (mu - mu')
//
// d is 1 where an episode terminated: one that a time limit cut off goes on in the targets. Actions
// are explored with normal noise, or with an Ornstein-Uhlenbeck process (noise = ou) as in the
// paper.
//
// Deviations: the Q network has the action among its inputs, not in its second layer, and no weight
// decay; networks, learning rates and batches are those in use since; each unit's first weights
// have a norm of 1, nearly 0 in the output layer.
//
// Source: arXiv:1509.02971v6.
//
// Verified: the gradient with the exact Q of a linear-quadratic problem, and against differences
// (tests/learning/q_policy_gradient_test.cpp), the process against its stationary variance
// (tests/learning/off_policy_parts_test.cpp), learning on pendulum
// (tests/training/off_policy_test.cpp).
#include <gallop/host/learning/off_policy.h>
#include <gallop/host/learning/off_policy_options.h>

namespace gallop {
namespace {

constexpr auto kOptions =
    rows(off_policy_rows({.learning_rate = 1e-3, .value_learning_rate = 1e-3}), tau_row(0.005),
         exploration_rows(0.1));

class Ddpg : public OffPolicyAlgorithm {
 public:
  explicit Ddpg(const AlgorithmContext& context)
      : OffPolicyAlgorithm(context, {.head = Head::kSquashedDeterministic,
                                     .n_critics = 1,
                                     .has_targets = true,
                                     .has_target_policy = true,
                                     .has_temperature = false}) {}

 protected:
  void update(bool) override {
    learner_.draw();
    learner_.find_targets(0, 0);
    learner_.fit_critics();          // eq. 4
    learner_.improve_policy(false);  // eq. 6
    learner_.average_targets();
  }
};

}  // namespace
}  // namespace gallop

GALLOP_ALGORITHM(Ddpg)

const gallop::AlgorithmDescriptor& gallop_algorithm_Ddpg() {
  static constexpr gallop::AlgorithmDescriptor kDescriptor = {
      "ddpg",
      "deep_deterministic_policy_gradient",
      "deep deterministic policy gradient: off-policy, with replay and target networks",
      "arXiv:1509.02971v6",
      gallop::kOptions,
      [](const gallop::AlgorithmContext& context) -> std::unique_ptr<gallop::Algorithm> {
        return std::make_unique<gallop::Ddpg>(context);
      },
      &gallop::why_no_bounded_policy};
  return kDescriptor;
}
