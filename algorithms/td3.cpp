// Twin delayed deep deterministic policy gradient: Fujimoto et al., "Addressing function
// approximation error in actor-critic methods", arXiv:1802.09477v3, algorithm 1. DDPG with the
// lower of two Q networks in the targets, noise on the target policy's actions, and fewer updates
// of the policy.
//
//   a' = clip(mu'(s') + clip(eps, -c, c)),  eps ~ N(0, target_noise^2)
//   y  = r + gamma (1 - d) min(Q1', Q2')(s', a')
//   J(Q_i) = mean of (Q_i(s, a) - y)^2 / 2
//   J(mu)  = -mean of Q1(s, mu(s)), and the target networks, once in policy_delay updates
//
// d is 1 where an episode terminated: one that a time limit cut off goes on in the targets. The
// noises are in units of half the range of an action, to which the tanh of the policy is scaled.
//
// Deviations: each unit's first weights have a norm of 1, nearly 0 in the output layer.
//
// Source: arXiv:1802.09477v3.
//
// Verified: smoothed actions and targets against their definition
// (tests/learning/off_policy_parts_test.cpp), the gradient against differences
// (tests/learning/q_policy_gradient_test.cpp), learning on pendulum
// (tests/training/off_policy_test.cpp).
#include <gallop/host/learning/off_policy.h>
#include <gallop/host/learning/off_policy_options.h>

namespace gallop {
namespace {

constexpr auto kOptions =
    rows(off_policy_rows({.learning_rate = 1e-3, .value_learning_rate = 1e-3}), tau_row(0.005),
         exploration_rows(0.1),
         integer_row("policy_delay", 2, {.min = 1, .max = 1 << 20},
                     "updates of the Q networks for one of the policy and the target networks"),
         real_row("target_noise", 0.2, {.min = 0, .max = 10},
                  "deviation of the noise on the target policy's actions"),
         real_row("target_noise_clip", 0.5, {.min = 0, .max = 10}, "its limit"));

class Td3 : public OffPolicyAlgorithm {
 public:
  explicit Td3(const AlgorithmContext& context)
      : OffPolicyAlgorithm(context, {.head = Head::kSquashedDeterministic,
                                     .n_critics = 2,
                                     .has_targets = true,
                                     .has_target_policy = true,
                                     .has_temperature = false}) {}

 protected:
  bool improves_policy(std::uint64_t k) const override {
    return (k + 1) % std::uint64_t(context_.options.integer("policy_delay")) == 0;
  }
  void update(bool improves) override {
    const Options& options = context_.options;
    learner_.draw();
    learner_.find_targets(options.real("target_noise"), options.real("target_noise_clip"));
    learner_.fit_critics();
    if (!improves) return;
    learner_.improve_policy(false);
    learner_.average_targets();
  }
};

}  // namespace
}  // namespace gallop

GALLOP_ALGORITHM(Td3)

const gallop::AlgorithmDescriptor& gallop_algorithm_Td3() {
  static constexpr gallop::AlgorithmDescriptor kDescriptor = {
      "td3",
      "twin_delayed_ddpg",
      "twin delayed deterministic policy gradient: off-policy, with two Q networks",
      "arXiv:1802.09477v3",
      gallop::kOptions,
      [](const gallop::AlgorithmContext& context) -> std::unique_ptr<gallop::Algorithm> {
        return std::make_unique<gallop::Td3>(context);
      },
      &gallop::why_no_bounded_policy};
  return kDescriptor;
}
