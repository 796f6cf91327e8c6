#include <gallop/host/learning/policy_gradient_step.h>

namespace gallop {

void find_policy_gradient(const AlgorithmContext& context, OnPolicyLearner& learner,
                          Metrics& metrics) {
  PolicyGradientRequest r = learner.policy().gradient_request(learner.all_samples());
  r.loss = PolicyLoss::kLikelihoodRatio;
  if (context.options.has("entropy_coefficient")) {
    r.entropy_coefficient = float(context.options.real("entropy_coefficient"));
  }
  TrainedParameters& policy = learner.policy().parameters();
  context.backend.policy_gradient(r);
  const std::vector<float> sums = policy.statistics();
  const double n = double(learner.n_samples());
  metrics.emplace_back("policy_loss", sums[kStatSurrogate] / n);
  metrics.emplace_back("entropy", sums[kStatEntropy] / n);
}

Metrics actor_critic_iteration(const AlgorithmContext& context, OnPolicyLearner& learner,
                               Baseline& critic, const AdvantageEstimate& estimate) {
  const UpdateGuard guard(learner);
  learner.collect();
  Metrics metrics = learner.rollout().episode_metrics();
  critic.evaluate();
  learner.estimate_advantages(estimate);
  metrics.emplace_back("value_loss", critic.fit());
  step_along_policy_gradient(context, learner, 1.0, metrics);
  learner.update_normalizer();
  return metrics;
}

double step_learning_rate(const Options& options) {
  const double rate = options.real("learning_rate");
  if (rate > 0) return rate;
  const std::string& step = options.text("step");
  return step == "plain" ? 0.3 : step == "adam" ? 0.01 : 0.003;
}

double take_step(TrainedParameters& parameters, const std::string& step, double learning_rate,
                 double max_norm) {
  if (step == "plain") return parameters.plain_step(learning_rate, max_norm);
  if (step == "rmsprop") {
    return parameters.rmsprop_step(learning_rate, max_norm, kRmsPropDecay, kRmsPropEpsilon);
  }
  return parameters.adam_step(learning_rate, max_norm);
}

void step_along_policy_gradient(const AlgorithmContext& context, OnPolicyLearner& learner,
                                double rate, Metrics& metrics) {
  const Options& options = context.options;
  find_policy_gradient(context, learner, metrics);
  const double norm =
      take_step(learner.policy().parameters(), options.text("step"),
                rate * step_learning_rate(options), options.real("max_gradient_norm"));
  require_finite(norm, "the norm of the policy's gradient");
  metrics.emplace_back("gradient_norm", norm);
}

}  // namespace gallop
