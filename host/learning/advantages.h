#pragma once

#include <gallop/host/learning/rollout_buffer.h>

namespace gallop {

// What a value function is fitted to.
enum class ValueTarget {
  kTd,          // r + gamma V(s'), V before the fit
  kMonteCarlo,  // discounted rewards to the episode's end, V where the rollout cuts it
  kLambda       // A + V with A by GAE(gamma, lambda) of the options: the lambda-return
};
ValueTarget value_target(const std::string& choice);

// How advantages are estimated from a rollout and values of its states.
struct AdvantageEstimate {
  // Of GAE(gamma, lambda): 0 for one step, 1 for Monte Carlo.
  double lambda;
  // Where not 0, returns of so many steps less values in place of GAE.
  int n_step = 0;
  ValueTarget target = ValueTarget::kLambda;
  // The factor gamma^t of the gradient of the discounted return; needs ages.
  bool discounts_by_age = false;
};

// Values of a rollout's states, and the advantages and targets that follow from them, in the
// backend's memory: element t belongs to transition t. Options gamma, gae_lambda, reward_scale and
// normalize_advantages. The arithmetic: kernels/estimators.
class Advantages {
 public:
  Advantages(Backend& backend, const RolloutBuffer& rollout, const Options& options);

  // For whoever estimates values: [T + 1, N], and [T, N] of the final observations of episodes that
  // were truncated and not terminated. 0 from the beginning.
  float* value() const { return value_.data(); }
  float* final_value() const { return final_value_.data(); }
  float* advantage() const { return advantage_.data(); }  // [T, N]
  float* target() const { return target_.data(); }        // [T, N]

  // Targets and advantages from rewards and values, advantages normalised where that is asked for
  // and there is more than one; what is masked carries none. Throws an Error (non_finite) where an
  // advantage is not finite. Waits.
  void estimate(const RolloutBuffer& rollout, const AdvantageEstimate& how);

  // Standard deviation of the advantages before they were normalised, 1 of a single one.
  double std() const { return std_; }
  double gamma() const { return gamma_; }
  double lambda() const { return lambda_; }
  double reward_scale() const { return reward_scale_; }
  // The factor of rewards from now on, in place of the option's.
  void set_reward_scale(double scale) { reward_scale_ = scale; }

 private:
  template <class Request>
  Request request(const RolloutBuffer& rollout) const;
  template <class Request>
  Request advantage_request(const RolloutBuffer& rollout, float* target) const;
  void by_gae(const RolloutBuffer& rollout, double lambda, float* target);
  void by_n_step(const RolloutBuffer& rollout, int n, float* target);
  void targets_by_returns(const RolloutBuffer& rollout);
  void normalize(const RolloutBuffer& rollout);
  Moments moments_of_learned(const RolloutBuffer& rollout) const;
  void still_masked(const RolloutBuffer& rollout);

  Backend* backend_;
  double gamma_, lambda_, reward_scale_;
  bool normalizes_;
  double std_ = 1.0;
  DeviceArray<float> value_, final_value_, advantage_, target_;
};

}  // namespace gallop
