#pragma once

#include <gallop/host/learning/baseline.h>

namespace gallop {

constexpr double kRmsPropDecay = 0.99, kRmsPropEpsilon = 1e-5;

// Puts the gradient of the likelihood-ratio loss -mean log pi(u | s) A - entropy_coefficient H over
// the learner's rollout behind its policy's parameters, and adds policy_loss and entropy to the
// metrics. The option entropy_coefficient counts as 0 where the algorithm has none.
void find_policy_gradient(const AlgorithmContext& context, OnPolicyLearner& learner,
                          Metrics& metrics);

// That, and one step with learning_rate * `rate`. Adds gradient_norm. Throws an Error (non_finite)
// with the parameters unchanged where the norm is not finite.
void step_along_policy_gradient(const AlgorithmContext& context, OnPolicyLearner& learner,
                                double rate, Metrics& metrics);

// One iteration of an actor with a critic, whose updates both use the critic of before: collects,
// evaluates, estimates advantages and targets, fits the critic to the targets, and steps the
// policy.
Metrics actor_critic_iteration(const AlgorithmContext& context, OnPolicyLearner& learner,
                               Baseline& critic, const AdvantageEstimate& estimate);

// The option learning_rate, or what suits the option step where that is 0.
double step_learning_rate(const Options& options);

// One step of any network by the name that option `step` has.
double take_step(TrainedParameters& parameters, const std::string& step, double learning_rate,
                 double max_norm);

}  // namespace gallop
