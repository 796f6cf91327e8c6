// Synchronous advantage actor-critic, the device form of A3C: Mnih et al., "Asynchronous methods
// for deep reinforcement learning", arXiv:1602.01783v2, section 4. The instances of a batch stand
// in for the asynchronous workers; all of them step, then one update is made.
//
//   A[t] = sum_(i < k) gamma^i r[t + i] + gamma^k V(s[t + k]) - V(s[t])
//   g    = mean of grad log pi(u[t] | s[t]) A[t] + beta grad H(pi(. | s[t]))
//
// k reaches from t to the end of the rollout of n_steps, or of the episode; the value network takes
// one step on (V - (A + V))^2 / 2. Both by RMSProp with learning rates that fall linearly to zero
// and limited gradients. Defaults after OpenAI's baselines, but for the
// learning rates: batches are larger here than 16 instances. Deviations: the two networks share
// nothing, so the value loss needs no coefficient, and each gradient is limited by itself.
//
// Source: arXiv:1602.01783v2.
//
// Verified: n-step returns against their definition (tests/learning/n_step_test.cpp), RMSProp
// against its recursion (tests/learning/trained_parameters_test.cpp), learning on cartpole
// (tests/training/learning_test.cpp).
#include <algorithm>

#include <gallop/host/learning/option_rows.h>
#include <gallop/host/learning/policy_gradient_step.h>

namespace gallop {
namespace {

constexpr auto kOptions = rows(
    on_policy_rows({.n_envs = 64, .n_steps = 5, .gamma = 0.99, .gae_lambda = 1}),
    policy_step_rows("rmsprop"),
    real_row("value_learning_rate", 0.003, {.min = 0, .max = 10}, "of the value network's step"),
    boolean_row("anneal", true, "learning rates fall linearly to zero over the run"),
    real_row("entropy_coefficient", 0.01, {.min = 0, .max = 10},
             "beta, weight of the entropy bonus"),
    real_row("max_gradient_norm", 0.5, {.min = 0, .max = 1e9},
             "gradients are scaled down to this norm; 0 for no limit"));

class A2c : public OnPolicyAlgorithm {
 public:
  using OnPolicyAlgorithm::OnPolicyAlgorithm;

  Metrics iterate() override {
    const UpdateGuard guard(learner_);
    const Options& options = context_.options;
    learner_.collect();
    Metrics metrics = learner_.rollout().episode_metrics();
    learner_.estimate_advantages();
    const double left = rate_left();
    const Samples samples = learner_.all_samples();
    TrainedParameters& value = learner_.value().parameters();
    context_.backend.value_gradient(learner_.value_request(samples));
    const double squares = value.statistics()[0];
    require_finite(squares, "the value network's loss");
    step_along_policy_gradient(context_, learner_, left, metrics);
    require_finite(
        take_step(value, options.text("step"), left * options.real("value_learning_rate"),
                  options.real("max_gradient_norm")),
        "the norm of the value network's gradient");
    metrics.emplace_back("value_loss", squares / double(learner_.n_samples()) / 2);
    metrics.emplace_back("learning_rate", left * step_learning_rate(options));
    learner_.update_normalizer();
    return metrics;
  }
};

}  // namespace
}  // namespace gallop

GALLOP_ALGORITHM(A2c)

const gallop::AlgorithmDescriptor& gallop_algorithm_A2c() {
  static constexpr gallop::AlgorithmDescriptor kDescriptor = {
      "a2c",
      "advantage_actor_critic,a3c",
      "synchronous advantage actor-critic with n-step returns",
      "arXiv:1602.01783v2",
      gallop::kOptions,
      [](const gallop::AlgorithmContext& context) -> std::unique_ptr<gallop::Algorithm> {
        return std::make_unique<gallop::A2c>(context);
      }};
  return kDescriptor;
}
