#pragma once

#include "host/learning/minibatches.h"

namespace gallop {

// Options of a fit of the value network; rows for an algorithm's table.
#define GALLOP_VALUE_FIT_OPTIONS(learning_rate, epochs, minibatch)       \
  {"value_learning_rate",                                                \
   OptionType::real,                                                     \
   learning_rate,                                                        \
   0,                                                                    \
   10,                                                                   \
   nullptr,                                                              \
   "",                                                                   \
   "step of the value network's Adam"},                                  \
      {"value_epochs",                                                   \
       OptionType::integer,                                              \
       epochs,                                                           \
       1,                                                                \
       1000,                                                             \
       nullptr,                                                          \
       "",                                                               \
       "passes over the samples in a fit of the value network"},         \
      {"value_minibatch", OptionType::integer,                           \
       minibatch,         1,                                             \
       1 << 28,           nullptr,                                       \
       "samples",         "samples of one step of the fit"},             \
  {                                                                      \
    "max_gradient_norm", OptionType::real, "0", 0, 1e9, nullptr, "",     \
        "gradients of Adam are scaled down to this norm; 0 for no limit" \
  }

// Regression of the value network on the learner's targets: Adam on minibatches in random order, so
// that the lecture's argmin over phi of mean (V_phi(s) - target)^2 / 2 + lambda / 2 |phi - phi_i|^2
// is approached from the last iteration's phi_i; lambda is the option value_proximal of algorithms
// that have it.
class ValueFit {
 public:
  ValueFit(const AlgorithmContext& context, OnPolicyLearner& learner);

  // Returns the mean loss (V - target)^2 / 2 over the last pass, as it went. Throws an Error
  // (non_finite).
  double run();

  void save(TensorFile& file) const;
  void load(const TensorFile& file);

 private:
  void add_proximal(TrainedParameters& value);

  AlgorithmContext context_;
  OnPolicyLearner& learner_;
  Minibatches minibatches_;
  DeviceArray<float> squares_;  // of the minibatches of the last pass: sums of (V - target)^2
  double proximal_;
  DeviceArray<float> before_;  // phi_i, where there is a proximal term
};

}  // namespace gallop
