#pragma once

#include <gallop/host/learning/minibatches.h>

namespace gallop {

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
