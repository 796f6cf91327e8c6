#pragma once

#include <vector>

#include <gallop/host/learning/dynamics_model.h>
#include <gallop/host/learning/policy_model.h>
#include <gallop/host/learning/value_model.h>

namespace gallop {

// Paths of T steps of n instances, imagined in a learned model or recorded, and the gradient of a
// policy through them: backpropagation through time, with the derivatives of the model.
//
// Random numbers of imagined paths: purposes kRandomAction and kRandomModel, ids from 2^30 on, the
// number of the call as episode.
class ModelPaths {
 public:
  // The policy and the model outlive it. Throws a value error where memory is short.
  ModelPaths(const AlgorithmContext& context, const PolicyModel& policy, const DynamicsModel& model,
             int n_steps, long n);

  int n_steps() const { return n_steps_; }
  long n() const { return n_; }

  // From the states of chosen transitions [n] on, under the policy, in a member of the model with
  // its noise.
  void imagine(const TransitionStore& store, const std::vector<std::uint32_t>& chosen, int member,
               std::uint32_t episode);
  // The recorded steps from chosen transitions [n] on. The noise of model and policy is what made
  // of their predictions what was recorded, so that derivatives are those at recorded states and
  // actions.
  void recall(const TransitionStore& store, const std::vector<std::uint32_t>& chosen);
  // Of recalled steps, what they count: as given [T, n] (nothing for 1), or, for paths of one step,
  // min(pi / pi of the time, most).
  void weigh(const std::vector<float>& weights);
  void weigh_by_importance(const TransitionStore& store, float most);

  struct Sweep {
    int member = 0;
    double gamma = 1;
    double reward_scale = 1;
    // Steps of a window, behind which the value's slopes stand for what follows; 0: all of them.
    int window = 0;
    const ValueModel* value = nullptr;  // none: 0 stands there
    double max_adjoint = 0;             // norms of adjoints are limited to this; 0 for no limit
    double entropy_coefficient = 0;
  };
  // Writes the gradient of what is minimised behind the policy's parameters: of minus the mean over
  // the n paths of sum over t of gamma^t reward_scale r[t], and gamma^T V. Along recalled paths the
  // discount of what follows a step counts from that step, so that its states count undiscounted.
  // Throws an Error (non_finite) that names step and instance where an adjoint explodes. Waits.
  void differentiate(const Sweep& sweep);

  // Of the last sweep: the greatest over the steps, but for the first, of the root mean square of
  // the adjoints; 0 for paths of one step.
  double greatest_adjoint() const { return greatest_adjoint_; }
  // Of imagined paths: the mean over them of the sum of rewards. Waits.
  double mean_return() const;

 private:
  void evaluate_policy(int step, int rows);
  void find_tails(const Sweep& sweep);
  void sweep_step(const Sweep& sweep, int t);
  void add_up();
  void check_adjoints();
  Samples samples(const float* observation, int rows, long count) const;
  void choose(const std::vector<std::uint32_t>& chosen);

  Backend& backend_;
  std::uint64_t seed_;
  const PolicyModel& policy_;
  const DynamicsModel& model_;
  Arithmetic arithmetic_;
  int n_steps_;
  long n_;
  int observation_rows_, action_rows_, outputs_, own_;
  const float *low_ = nullptr, *high_ = nullptr;
  bool is_recalled_ = false, is_weighed_ = false;
  double greatest_adjoint_ = 0;
  DeviceArray<std::uint32_t> chosen_, episode_;
  DeviceArray<std::int32_t> elapsed_;            // [T, n]
  DeviceArray<float> observation_, adjoint_;     // [T + 1, O, n]
  DeviceArray<float> input_;                     // [T, O + A, n]
  DeviceArray<float> action_, output_;           // [T, A, n], [T, outputs, n]
  DeviceArray<float> output_slope_, own_slope_;  // [T, outputs, n], [T, own, n]
  DeviceArray<float> next_, tail_;               // [T, O, n]
  DeviceArray<float> reward_, reward_slope_, continues_, cut_, weight_, tail_slope_;  // [T, n]
  DeviceArray<float> model_output_, model_slope_, input_slope_, state_slope_, by_policy_;
  DeviceArray<float> log_prob_;  // [n]
};

}  // namespace gallop
