#pragma once

#include <gallop/host/learning/dynamics_model.h>

namespace gallop {

// Predictions of several steps, each from the one before, along recorded actions, and the gradient
// of their squared errors by the parameters of a model's member. Steps behind a cut, where an
// episode or a rollout ended, do not count.
class DynamicsModel::Sequences {
 public:
  // For at most `most` sequences of `steps` steps at a time; the model outlives this.
  Sequences(Backend& backend, const DynamicsModel& model, long steps, long most);

  // Writes the gradient of the mean over n sequences, which begin at the chosen transitions, of
  // sum over steps of |error|^2 / (2 steps) behind the member's parameters. Returns the sum of
  // |error|^2 / steps over the sequences. Waits.
  double gradient(const TransitionStore& store, int member, const std::uint32_t* chosen, long n);

 private:
  void predict(const TransitionStore& store, int member, const std::uint32_t* chosen, long n);
  void sweep(int member, long n);
  double squares(long n) const;

  Backend& backend_;
  const DynamicsModel& model_;
  long steps_;
  // [steps, rows, n] and the like; O + A rows of inputs, O + 1 of outputs.
  DeviceArray<float> input_, output_slope_, state_slope_, reward_slope_;
  DeviceArray<float> predicted_, adjoint_;  // [steps + 1, O, n]
  DeviceArray<float> output_, input_slope_, carried_;
  DeviceArray<float> next_, reward_, predicted_reward_, cut_, alive_;  // of one step
};

}  // namespace gallop
