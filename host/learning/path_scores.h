#pragma once

#include <vector>

#include <gallop/host/learning/on_policy.h>

namespace gallop {

// The whole paths of a learner's rollout, which began with a reset, and policy gradients over them.
class PathScores {
 public:
  PathScores(Backend& backend, OnPolicyLearner& learner);

  // Finds the episodes that ended within the rollout; returns their number m. Throws an Error
  // (non_finite) that names the instance of a return that is not finite.
  long find();

  // Behind the policy's parameters: -1/m sum_e s_e (R_e - b_e), where b_e is the mean return of the
  // other paths (m >= 2), or 0 (m >= 1).
  void gradient_with_mean_baseline(bool subtract_mean);
  // The same with the variance-minimising baseline of the other paths
  // (kernels/baselines/optimal.h), one for each component of the gradient or one for all; m >= 2.
  void gradient_with_optimal_baseline(bool per_component);

  const std::vector<float>& returns() const { return returns_; }  // [m]

 private:
  void score_paths();

  Backend& backend_;
  OnPolicyLearner& learner_;
  std::vector<float> returns_;      // [m]
  std::vector<long> first_;         // [m] where a path's samples begin in `order`
  std::vector<std::uint32_t> ids_;  // samples of whole paths, path by path
  DeviceArray<float> path_return_, score_, paths_, squared_norm_;
  DeviceArray<std::uint8_t> complete_;
  DeviceArray<std::uint32_t> order_;
};

}  // namespace gallop
