#pragma once

#include "host/learning/baseline.h"

namespace gallop {

// Options of a step along the policy gradient; rows for an algorithm's table. The limit of the
// gradient's norm is the option max_gradient_norm of the value fit.
#define GALLOP_POLICY_STEP_OPTIONS(step, learning_rate)                                          \
  {"step",     OptionType::choice,                                                               \
   step,       -kUnbounded,                                                                      \
   kUnbounded, "plain,adam,rmsprop",                                                             \
   "",         "plain: theta + learning_rate g; adam, rmsprop: scaled by running moments of g"}, \
  {                                                                                              \
    "learning_rate", OptionType::real, learning_rate, 0, 1e6, nullptr, "",                       \
        "of the policy's step; 0 for what suits the step: plain 0.3, adam 0.01, rmsprop 0.003"   \
  }

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

// The option learning_rate, or what suits the option step where that is 0.
double step_learning_rate(const Options& options);

// One step of any network by the name that option `step` has.
double take_step(TrainedParameters& parameters, const std::string& step, double learning_rate,
                 double max_norm);

}  // namespace gallop
