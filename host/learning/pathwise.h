#pragma once

#include <gallop/host/learning/policy_model.h>
#include <gallop/host/learning/rollout_buffer.h>

namespace gallop {

// Of algorithms that learn by derivatives through the environment.
constexpr auto pathwise_rows() {
  return rows(
      choice_row("derivatives", "exact", "exact,differences",
                 "of steps: exact ones, of smooth environments alone; or central differences of "
                 "two steps for every component of state and action, of any environment with "
                 "continuous actions"),
      real_row("difference_step", 0.004, {.min = 1e-6, .max = 1},
               "half the way between the two steps of derivatives = differences"),
      integer_row("state_interval", 1, {.min = 1, .max = 1 << 20, .unit = "steps"},
                  "states are recorded where every so many steps begin, and those between are "
                  "replayed: less memory, the same bits"),
      real_row("max_adjoint", 0, {.min = 0, .max = 1e9},
               "adjoints of states are shortened to this length on their way back through time; 0 "
               "for no limit"));
}

// Why there are no exact derivatives of steps of this environment, or null.
const char* why_not_smooth(const EnvironmentSpec& spec);

// The gradient of what a recorded rollout earned, by the parameters of the policy that acted, along
// the very paths that it took: with the noise of policy, dynamics and initial states fixed,
//
//   lambda[t] = R_s + f_s' lambda[t + 1] + pi_s' (R_u + f_u' lambda[t + 1])
//   gradient  = sum over t of pi_theta' (R_u + f_u' lambda[t + 1])
//
// backwards from the end of each path (kernels/rollout/adjoint.h). By the options gamma,
// reward_scale and those of pathwise_rows. All arrays are in the backend's memory: those that
// depend on T are the slopes of each step's outputs, and the states, of which every
// state_interval-th is recorded, and state_interval are replayed at a time.
class PathwiseGradient {
 public:
  // For rollouts of `rollout`, whose states are recorded from now on. Throws a value error where
  // the environment is not smooth and exact derivatives are asked for, where its actions are
  // discrete, and where the policy's observations are states of a table.
  PathwiseGradient(const AlgorithmContext& context, const Environments& environments,
                   const PolicyModel& policy, RolloutBuffer& rollout);

  // `weight` times that gradient, of the last rollout, behind the parameters of the policy. Call it
  // before environments or parameters change. `tail` [T, O, N] is the derivative of a value of the
  // observation that a path ended with, discounted as a reward of the step after it would be;
  // null for none. Throws an Error (non_finite) that names instance and step where an adjoint is
  // not finite or beyond what can be squared. Waits.
  void find(const Environments& environments, const RolloutBuffer& rollout, PolicyModel& policy,
            double weight, const float* tail = nullptr);

  // [T, outputs, N] derivatives of the return by the outputs of the policy's network, of the last
  // rollout that was looked at.
  const float* output_slope() const { return output_slope_.data(); }
  double megabytes() const { return megabytes_; }  // that all this takes, recorded states included

 private:
  // What stands where steps are replayed, or taken for differences.
  struct Instances {
    DeviceArray<float> state, episode_return;
    DeviceArray<std::uint32_t> episode, nonfinite, nonfinite_any;
    DeviceArray<std::int32_t> elapsed;
    DeviceArray<std::uint8_t> ended;

    Instances() = default;
    Instances(Backend& backend, std::size_t rows, std::size_t stride);
    InstanceArrays arrays() const;
  };

  // Where a step began.
  struct Place {
    const float* state;  // [S, stride]
    long stride;
    const float* action;  // [A, N]
  };

  AdjointRequest adjoint_request(const Trajectory& t, int step, const float* tail);
  void sweep_part(const Environments& environments, const RolloutBuffer& rollout,
                  const PolicyModel& policy, int first, const float* tail);
  void replay(const Environments& environments, const RolloutBuffer& rollout, int first, int count);
  void sweep(const Environments& environments, const RolloutBuffer& rollout,
             const PolicyModel& policy, int step, const Place& at, const float* tail);
  void pull_back_by_differences(const Environments& environments, const Place& at,
                                const AdjointRequest& adjoint);
  void require_no_explosion(const Environments& environments) const;

  Backend* backend_;
  bool by_differences_;
  double step_;
  int interval_, n_steps_;
  long n_, stride_, n_state_, n_observation_, n_action_, n_output_, n_own_;
  std::unique_ptr<Recording> recording_;
  float reward_scale_, limit_;
  double megabytes_;
  DeviceArray<float> discount_, reward_adjoint_, state_adjoint_, observation_adjoint_,
      action_adjoint_, output_slope_, own_slope_;
  DeviceArray<std::uint32_t> episode_, exploded_, exploded_any_;
  DeviceArray<std::int32_t> elapsed_;
  DeviceArray<float> replayed_;  // [state_interval, S, stride] states of replayed steps
  Instances replay_;
  // For differences: two copies of the instances, actions, what they gave, the new adjoints, and 1.
  Instances moved_;
  DeviceArray<float> moved_action_, moved_state_, moved_observation_, moved_reward_, new_adjoint_,
      ones_;
};

}  // namespace gallop
