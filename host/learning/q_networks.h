#pragma once

#include <vector>

#include <gallop/host/learning/algorithm.h>
#include <gallop/host/learning/network_parameters.h>
#include <gallop/host/learning/replay_buffer.h>

namespace gallop {

// A network that learns, and behind it a slow copy of its parameters.
class TargetParameters {
 public:
  TargetParameters() = default;
  // A copy of `source`, which outlives it.
  TargetParameters(Backend& backend, const TrainedParameters& source);

  const float* data() const { return values_.data(); }
  // target += tau (source - target). May be recorded.
  void follow(const TrainedParameters& source, double tau);
  void remember();
  void restore();
  void save(TensorFile& file, const std::string& name) const;
  void load(const TensorFile& file, const std::string& name);

 private:
  Backend* backend_ = nullptr;
  DeviceArray<float> values_, kept_;
};

// The Q networks of an off-policy learner: one or two of observation and action, each with a target
// network where there are such. Hidden layers by the option value_hidden, where that is 0 those of
// the policy.
class QNetworks {
 public:
  QNetworks() = default;
  // Random numbers: purpose kRandomInitialise, ids 1 and 2.
  QNetworks(const AlgorithmContext& context, const PolicyShape& policy, int count,
            bool has_targets);

  // Of a learner of these options; throws a value error for widths that exclude each other.
  static NetworkShape shape_of(const PolicyShape& policy, const Options& options);

  int count() const { return int(networks_.size()); }
  const NetworkShape& shape() const { return shape_; }
  TrainedParameters& network(int k) { return networks_[k]; }
  const TrainedParameters& network(int k) const { return networks_[k]; }
  // What bootstraps: the target network, or the network where there is none.
  const float* target(int k) const {
    return targets_.empty() ? networks_[k].data() : targets_[k].data();
  }

  // Values [B] of the target networks at the next inputs of the batch, each into its own array.
  void evaluate_targets(const ReplayBatch& batch);
  const float* next_value(int k) const { return k < count() ? values_[k].data() : nullptr; }
  // Before the first step; a load or restore forgets it.
  void set_learning_rate();
  // One step of each network on the mean of (Q - target)^2 / 2 over the batch; target [B].
  void fit(const ReplayBatch& batch, const float* target);
  void follow(double tau);

  // Mean of (Q - target)^2 over the last batch of `count`, and whether all steps were taken. Wait.
  double last_error(long count) const;
  // Throws an Error (non_finite) where the gradient of a step since the last call was not.
  void require_finite_steps();

  void remember();
  void restore();
  // Tensors under "value/q1", "value/q2".
  void save(TensorFile& file) const;
  void load(const TensorFile& file);

 private:
  Backend* backend_ = nullptr;
  NetworkShape shape_ = {};
  double learning_rate_ = 0;
  std::vector<TrainedParameters> networks_;
  std::vector<TargetParameters> targets_;
  std::vector<DeviceArray<float>> values_;  // [B]
};

}  // namespace gallop
