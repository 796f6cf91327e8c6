#pragma once

#include <gallop/host/learning/policy_model.h>
#include <gallop/host/learning/transition_store.h>
#include <gallop/host/learning/value_model.h>

namespace gallop {

// A Q function of observation and action, learned from recorded transitions by one-step targets of
// the policy of now,
//
//   minimise the mean of (Q(s, u) - (r + gamma Q'(s', u')))^2 / 2,  u' = pi(s', v')
//
// where Q' follows Q slowly, and the gradient of a policy through it at the reparameterised action.
// Options value_hidden, activation, gamma, reward_scale, value_learning_rate, max_gradient_norm,
// tau and minibatch. Actions are seen within their bounds, all inputs normalised by running
// statistics.
//
// Random numbers: initial parameters by purpose kRandomInitialise, id 2; actions by kRandomAction,
// ids from 2^30 on, the number of the call as episode.
class ReplayedCritic {
 public:
  // The policy and the store outlive it.
  ReplayedCritic(const AlgorithmContext& context, const PolicyModel& policy,
                 const TransitionStore& store);

  long minibatch() const { return n_; }
  // Takes the last rollout of the store into the statistics of inputs.
  void update_statistics();
  // One step of Adam on the chosen transitions [minibatch], and Q' goes tau of the way to Q.
  // Returns the mean of (Q - target)^2 / 2. Throws an Error (non_finite). Waits.
  double learn(const std::vector<std::uint32_t>& chosen, std::uint32_t call);
  // Writes the gradient of minus the mean of Q(s, pi(s, v)) over the transitions that were chosen
  // last behind the policy's parameters.
  void differentiate(double entropy_coefficient, std::uint32_t call);

  const NetworkShape& shape() const { return shape_; }
  TrainedParameters& parameters() { return parameters_; }

  void remember() { parameters_.remember(); }
  void restore() { parameters_.restore(); }
  // Tensors under "critic/"; of at most `most` transitions.
  void save(TensorFile& file) const;
  void load(const TensorFile& file, std::uint64_t most);

 private:
  void act(const float* observation, float* input, std::uint32_t call, int draw);
  Samples samples(const float* observation, int rows, const float* target) const;

  Backend& backend_;
  std::uint64_t seed_;
  const PolicyModel& policy_;
  const TransitionStore& store_;
  double gamma_, reward_scale_, learning_rate_, max_norm_, tau_;
  long n_;
  int observation_rows_, action_rows_, outputs_, own_;
  NetworkShape shape_;
  TrainedParameters parameters_;
  ObservationNormalizer normalizer_;
  DeviceArray<float> target_parameters_;  // of Q'
  DeviceArray<std::uint32_t> chosen_, episode_;
  DeviceArray<std::int32_t> elapsed_;  // [2, n] 0, then 1
  DeviceArray<float> observation_, action_, output_, output_slope_, own_slope_;
  DeviceArray<float> input_, input_slope_;                        // [O + A, n]
  DeviceArray<float> reward_, continues_, value_, target_, one_;  // [n]
};

}  // namespace gallop
