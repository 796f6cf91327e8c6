#pragma once

#include <gallop/host/learning/baseline.h>

namespace gallop {

// b_t = the mean target of the last rollout's samples that are t steps into their episode. Steps
// that fewer than four samples reach have the value of the last step that more reach (as in
// modular_rl). Needs an environment with a time limit; a value error names one without.
class TimeBaseline : public Baseline {
 public:
  TimeBaseline(const AlgorithmContext& context, OnPolicyLearner& learner);
  void evaluate() override;
  double fit() override;
  void save(TensorFile& file) const override;
  void load(const TensorFile& file) override;

 private:
  // sum[t] of `target` over the samples of age t.
  std::vector<float> sums_by_age(const float* target);

  Backend& backend_;
  OnPolicyLearner& learner_;
  int size_;  // ages 0 .. time limit
  NetworkShape shape_;
  DeviceArray<float> table_, zero_, ones_, sums_;
};

}  // namespace gallop
