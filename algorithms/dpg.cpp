// Deterministic policy gradient: Silver et al., "Deterministic policy gradient algorithms", ICML
// 2014, the off-policy actor-critic OPDAC-Q of section 4.2: a behaviour policy explores, the Q
// function is learnt by Q-learning with the policy's own actions, and the policy follows its
// gradient.
//
//   delta = r + gamma (1 - d) Q(s', mu(s')) - Q(s, a)
//   w     <- w + alpha_w mean of delta grad_w Q(s, a)                   eq. 17
//   theta <- theta + alpha_theta mean of grad_theta mu(s) grad_a Q(s, a)|_(a = mu(s))  eq. 18
//
// d is 1 where an episode terminated: one that a time limit cut off goes on in the targets.
//
// Deviations: the critic is a plain Q network in place of one that is linear in compatible features
// (theorem 3), which are as many as the parameters of the policy; both steps are Adam's; and
// transitions are learnt from in batches drawn from the last buffer_size ones, as neighbours in
// time are alike. What DDPG adds, target networks, is left out.
//
// Source: Silver et al. 2014, PMLR 32.
//
// Verified: the gradient with the exact Q of a linear-quadratic problem, where the compatible
// critic is exact, and against differences (tests/learning/q_policy_gradient_test.cpp), threads,
// kills and resumes (tests/training/algorithms_test.cpp).
#include <gallop/host/learning/off_policy.h>
#include <gallop/host/learning/off_policy_options.h>

namespace gallop {
namespace {

constexpr auto kOptions = rows(
    off_policy_rows({.buffer_size = 10000, .learning_rate = 3e-4, .value_learning_rate = 1e-3}),
    exploration_rows(0.1));

class Dpg : public OffPolicyAlgorithm {
 public:
  explicit Dpg(const AlgorithmContext& context)
      : OffPolicyAlgorithm(context, {.head = Head::kSquashedDeterministic,
                                     .n_critics = 1,
                                     .has_targets = false,
                                     .has_target_policy = false,
                                     .has_temperature = false}) {}

 protected:
  void update(bool) override {
    learner_.draw();
    learner_.find_targets(0, 0);
    learner_.fit_critics();
    learner_.improve_policy(false);
  }
};

}  // namespace
}  // namespace gallop

GALLOP_ALGORITHM(Dpg)

const gallop::AlgorithmDescriptor& gallop_algorithm_Dpg() {
  static constexpr gallop::AlgorithmDescriptor kDescriptor = {
      "dpg",
      "deterministic_policy_gradient",
      "deterministic policy gradient: off-policy actor-critic without target networks",
      "Silver et al. 2014",
      gallop::kOptions,
      [](const gallop::AlgorithmContext& context) -> std::unique_ptr<gallop::Algorithm> {
        return std::make_unique<gallop::Dpg>(context);
      },
      &gallop::why_no_bounded_policy};
  return kDescriptor;
}
