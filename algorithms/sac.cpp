// Soft actor-critic: Haarnoja et al., "Soft actor-critic algorithms and applications",
// arXiv:1812.05905v2, algorithm 1, off-policy with a stochastic policy that is paid for its
// entropy.
//
//   y = r + gamma (1 - d) (min(Q1', Q2')(s', a') - alpha log pi(a' | s')),  a' ~ pi(s')
//   J(Q_i) = mean of (Q_i(s, a) - y)^2 / 2
//   J(pi)  = mean of alpha log pi(a | s) - min(Q1, Q2)(s, a),  a = pi(s, eps)
//   J(log alpha) = -log alpha mean of log pi(a | s) + H
//   Q_i' <- Q_i' + tau (Q_i - Q_i')
//
// d is 1 where an episode terminated: one that a time limit cut off goes on in the targets. Actions
// are those of a normal behind a tanh, scaled to the bounds of the action; their density is in the
// units of the action, and the target H of the entropy in those of half the range, where it is
// minus the number of components unless it is given. log alpha is stepped along the derivative of
// -log alpha (...) in place of -alpha (...), as implementations do.
//
// Deviations: each unit's first weights have a norm of 1, nearly 0 in the output layer; log sigma
// is limited to [-5, 2].
//
// Source: arXiv:1812.05905v2; arXiv:1801.01290v2, appendix C for the bounds.
//
// Verified: the density against quadrature and its derivatives against differences
// (tests/learning/squashed_test.cpp), the gradient against differences
// (tests/learning/q_policy_gradient_test.cpp), learning on pendulum
// (tests/training/off_policy_test.cpp).
#include <gallop/host/learning/off_policy.h>
#include <gallop/host/learning/off_policy_options.h>

namespace gallop {
namespace {

constexpr auto kOptions = rows(
    off_policy_rows({}), tau_row(0.005),
    real_row("entropy_coefficient", 0, {.min = 0, .max = 1e6},
             "alpha, weight of the entropy; 0 for one that is learnt"),
    real_row("initial_entropy_coefficient", 1, {.min = 1e-9, .max = 1e6},
             "alpha at first where it is learnt"),
    real_row("target_entropy", 0, {.min = -1e6, .max = 1e6},
             "of the policy, of actions in units of half their range; 0 for minus the number of "
             "their components"));

class Sac : public OffPolicyAlgorithm {
 public:
  explicit Sac(const AlgorithmContext& context)
      : OffPolicyAlgorithm(context, {.head = Head::kSquashedGaussian,
                                     .n_critics = 2,
                                     .has_targets = true,
                                     .has_target_policy = false,
                                     .has_temperature = true}) {}

 protected:
  void update(bool) override {
    learner_.draw();
    learner_.find_targets(0, 0);    // eq. 6
    learner_.fit_critics();         // eq. 5
    learner_.improve_policy(true);  // eq. 10
    learner_.adapt_temperature();   // eq. 18
    learner_.average_targets();
  }
};

}  // namespace
}  // namespace gallop

GALLOP_ALGORITHM(Sac)

const gallop::AlgorithmDescriptor& gallop_algorithm_Sac() {
  static constexpr gallop::AlgorithmDescriptor kDescriptor = {
      "sac",
      "soft_actor_critic",
      "soft actor-critic: off-policy, with entropy and two Q networks",
      "arXiv:1812.05905v2",
      gallop::kOptions,
      [](const gallop::AlgorithmContext& context) -> std::unique_ptr<gallop::Algorithm> {
        return std::make_unique<gallop::Sac>(context);
      },
      &gallop::why_no_bounded_policy};
  return kDescriptor;
}
