#pragma once

#include <gallop/host/learning/policy_model.h>
#include <gallop/host/learning/q_networks.h>
#include <gallop/host/learning/rollout_buffer.h>

namespace gallop {

// What off-policy actor-critics differ in besides their options.
struct OffPolicyDesign {
  Head head;
  int n_critics;
  bool has_targets;        // target networks of the critics
  bool has_target_policy;  // and of the policy, which then acts in the targets
  bool has_temperature;    // rewards for entropy
};

// The parts that off-policy actor-critics learn with, made for each other by one context:
// instances, a policy, Q networks, a replay buffer, and the operations of an update, in the order
// of their declaration. They may be recorded (Backend::run).
class OffPolicyLearner {
 public:
  // Throws a value error for options that exclude each other, for an environment that does not fit
  // (make_bounded_policy_shape), and, before it is taken, for more memory than there is.
  OffPolicyLearner(const AlgorithmContext& context, const OffPolicyDesign& design);

  Environments& environments() { return environments_; }
  PolicyModel& policy() { return policy_; }
  const PolicyModel& policy() const { return policy_; }
  QNetworks& critics() { return critics_; }
  const ReplayBuffer& replay() const { return replay_; }
  const RolloutBuffer& rollout() const { return rollout_; }

  // train_freq steps of each instance into the replay buffer: by uniformly random actions until
  // learning_starts, then by the policy with its exploration. Throws an Error (non_finite) as
  // RolloutBuffer::collect does.
  void collect();
  std::uint64_t steps() const { return steps_; }
  // Whether enough steps were taken for updates.
  bool may_learn() const { return replay_.size() > 0 && steps_ >= learning_starts_; }

  // The next batch.
  void draw() { replay_.draw(); }
  // Actions of the target policy, or of the policy where there is none, at the next observations,
  // with noise of this deviation and limit on them, and the targets of the critics.
  void find_targets(double smoothing, double smoothing_limit);
  // One step of each critic towards them.
  void fit_critics() { critics_.fit(replay_.batch(), target_.data()); }
  // One step of the policy along its gradient through the critics at its own actions: through the
  // first one alone, or the lower one of two.
  void improve_policy(bool lower_of_two);
  // One step of log alpha to the target of the entropy, from the samples of that gradient.
  void adapt_temperature();
  // Target networks go the part tau of their way.
  void average_targets();

  // alpha; 0 where there is none. Waits.
  double temperature() const;
  // Of the last fit of the critics and of the last policy gradient, as means over the batch; NaN
  // where an iteration had none. Wait.
  void add_metrics(Metrics& metrics, bool fitted, bool improved) const;
  // Before any number of updates, and after them: the latter throws an Error (non_finite) where the
  // gradient of one was not.
  void begin_updates();
  void end_updates();

  void remember();
  void restore();
  void save(TensorFile& file) const;
  void load(const TensorFile& file);

 private:
  void begin_temperature(const Options& options);
  void begin_process(const Options& options);
  void require_sizes(const AlgorithmContext& context) const;
  const float* log_alpha() const;  // of the device; null where there is none
  void act_with_process(const float* observation, float* action);

  Backend& backend_;
  OffPolicyDesign design_;
  bool plays_only_;
  std::uint64_t seed_, steps_ = 0, learning_starts_, rollout_steps_;
  double gamma_, tau_, reward_scale_, learning_rate_;
  Environments environments_;
  PolicyModel policy_;
  RolloutBuffer rollout_;
  ReplayBuffer replay_;
  QNetworks critics_;
  TargetParameters target_policy_;
  TrainedParameters log_alpha_;  // [1], none where alpha is given or there is none
  DeviceArray<float> given_log_alpha_;
  double target_entropy_ = 0;
  DeviceArray<float> output_, log_prob_, target_;  // [outputs, B], [B], [B]
  bool has_process_ = false;                       // exploration by an Ornstein-Uhlenbeck process
  double ou_theta_ = 0, ou_sigma_ = 0, ou_time_step_ = 0;
  DeviceArray<float> process_, acting_output_;  // [A, N], [outputs, N]
};

// The part that is the same for all: an algorithm says what one update is.
class OffPolicyAlgorithm : public Algorithm {
 public:
  OffPolicyAlgorithm(const AlgorithmContext& context, const OffPolicyDesign& design);

  Metrics iterate() override;
  std::uint64_t steps() const override { return learner_.steps(); }
  std::uint64_t steps_per_iteration() const override {
    return std::uint64_t(n_collections_) * std::uint64_t(learner_.rollout().n_samples());
  }
  PolicyView policy() const override { return learner_.policy().view(); }
  std::uint64_t nonfinite_instances() const override {
    return learner_.rollout().nonfinite_instances();
  }
  void save(TensorFile& file) const override;

 protected:
  void load_state(const TensorFile& file) override;
  // Operations of the learner and nothing else of the backend, the same for equal `improves`.
  virtual void update(bool improves) = 0;
  // Whether update number k, from 0 on, improves the policy too.
  virtual bool improves_policy(std::uint64_t) const { return true; }

  AlgorithmContext context_;
  OffPolicyLearner learner_;

 private:
  void run_updates();

  long n_collections_;  // of an iteration
  long gradient_steps_;
  std::uint64_t updates_ = 0;
  bool improved_ = false;                    // the policy, in this iteration
  std::unique_ptr<Recording> recording_[2];  // of updates that leave the policy, and improve it
};

}  // namespace gallop
