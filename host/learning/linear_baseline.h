#pragma once

#include <gallop/host/learning/baseline.h>

namespace gallop {

// b(s) = w^T phi(s) with the features of kernels/baselines/linear.h, fitted in closed form with the
// proximal term: (Phi^T Phi + lambda I) w = Phi^T y + lambda w_i, lambda the option value_proximal.
// Where that is 0, a ridge of 1e-5 I, raised tenfold up to five times until the matrix can be
// factorised (as in rllab).
class LinearBaseline : public Baseline {
 public:
  LinearBaseline(const AlgorithmContext& context, OnPolicyLearner& learner);
  void evaluate() override;
  double fit() override;
  void save(TensorFile& file) const override;
  void load(const TensorFile& file) override;

  const std::vector<float>& weights() const { return host_weight_; }

 private:
  void evaluate_at(const float* observation, int interval, float added_age, long count,
                   float* value);

  Backend& backend_;
  OnPolicyLearner& learner_;
  double proximal_;
  int n_features_;
  std::vector<float> host_weight_;
  DeviceArray<float> weight_, feature_;
  DeviceArray<double> product_;
};

}  // namespace gallop
