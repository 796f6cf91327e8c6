#pragma once

#include <array>

#include <gallop/host/learning/advantages.h>
#include <gallop/host/learning/policy_model.h>
#include <gallop/host/learning/rollout_buffer.h>
#include <gallop/host/learning/value_model.h>

namespace gallop {

// A rollout with its values, advantages and targets in the backend's memory; element t belongs to
// transition t.
struct RolloutArrays {
  int n_steps, n_envs;             // T, N
  const float* observation;        // [T + 1, O, N]
  const float* reward;             // [T, N]
  const std::uint8_t* terminated;  // [T, N]
  const std::uint8_t* truncated;   // [T, N]
  const float* final_observation;  // [ceil(T / final_interval), O, N]: Trajectory
  int final_interval;
  const float* age;    // [T + 1, N] steps since the episode began; null unless they are tracked
  float* value;        // [T + 1, N]
  float* final_value;  // [T, N] read where truncated and not terminated
  float* advantage;    // [T, N]
  float* target;       // [T, N]
};

// The parts that on-policy algorithms learn with, made for each other by one context: instances, a
// policy, a value network, a rollout, and advantages.
class OnPolicyLearner {
 public:
  explicit OnPolicyLearner(const AlgorithmContext& context);

  Environments& environments() { return environments_; }
  const Environments& environments() const { return environments_; }
  PolicyModel& policy() { return policy_; }
  const PolicyModel& policy() const { return policy_; }
  ValueModel& value() { return value_; }
  RolloutBuffer& rollout() { return rollout_; }
  const ValueModel& value() const { return value_; }
  const RolloutBuffer& rollout() const { return rollout_; }
  const Advantages& advantages() const { return advantages_; }

  // Runs the policy for n_steps (RolloutBuffer::collect).
  void collect();
  // The same from the beginning of new episodes.
  void collect_from_reset();
  void track_ages() { rollout_.track_ages(); }
  void track_states() { rollout_.track_states(environments_); }
  // Values of the network at all recorded states, and at the final observations of cut episodes.
  void evaluate_values();
  // What asks for them: of all states, then of the final observations.
  std::array<ValuesRequest, 2> values_requests() const;
  // Targets and advantages from the values that there are (Advantages::estimate).
  void estimate_advantages(const AdvantageEstimate& how) { advantages_.estimate(rollout_, how); }
  // Both by the value network, GAE(gamma, lambda) of the options and its lambda-returns.
  void estimate_advantages();
  // The factor of the rewards of later estimates, in place of the option reward_scale.
  void set_reward_scale(double scale) { advantages_.set_reward_scale(scale); }
  // Takes the rollout into the statistics that normalise later observations.
  void update_normalizer();

  long n_samples() const { return rollout_.n_samples(); }
  // Samples in the order given (device memory), or as recorded where it is null.
  Samples samples(const std::uint32_t* order, long count) const;
  Samples all_samples() const { return samples(nullptr, n_samples()); }
  // All of that as baselines see it.
  RolloutArrays arrays() const;
  // With `clip` above 0 values move no further than that from those that advantages were estimated
  // by, in as far as the loss would gain (ValueGradientRequest).
  ValueGradientRequest value_request(const Samples& samples, double clip = 0) const {
    ValueGradientRequest r = value_.gradient_request(policy_.normalization(), samples);
    if (clip > 0) {
      r.before = advantages_.value();
      r.clip = float(clip);
    }
    return r;
  }

  std::uint64_t steps() const { return steps_; }
  // Steps that were taken outside of rollouts count too.
  void add_steps(std::uint64_t steps) { steps_ += steps; }
  std::uint64_t iterations() const { return environments_.time() / rollout_steps_; }  // rollouts

  void save(TensorFile& file) const;
  void load(const TensorFile& file);

 private:
  template <class Collect>
  void count_steps(const Collect& collect);

  Backend& backend_;
  std::uint64_t rollout_steps_;  // of the option n_steps, also where this learner only plays
  bool plays_only_;
  Environments environments_;
  PolicyModel policy_;
  ValueModel value_;
  RolloutBuffer rollout_;
  Advantages advantages_;
  std::uint64_t steps_ = 0;
};

// Stands at the head of an iteration: where an exception leaves it, both networks get back the
// parameters and moments that they had there, whichever steps had been taken by then.
class UpdateGuard {
 public:
  explicit UpdateGuard(OnPolicyLearner& learner);
  ~UpdateGuard();
  UpdateGuard(const UpdateGuard&) = delete;
  UpdateGuard& operator=(const UpdateGuard&) = delete;

 private:
  OnPolicyLearner& learner_;
  int exceptions_;  // that were on their way before
};

// The part of an on-policy algorithm that is the same for all: an algorithm adds iterate() and the
// state that it has besides.
class OnPolicyAlgorithm : public Algorithm {
 public:
  explicit OnPolicyAlgorithm(const AlgorithmContext& context)
      : context_(context), learner_(context) {
    context_.checkpoint = nullptr;
  }

  std::uint64_t steps() const override { return learner_.steps(); }
  std::uint64_t steps_per_iteration() const override { return std::uint64_t(learner_.n_samples()); }
  PolicyView policy() const override { return learner_.policy().view(); }
  std::uint64_t nonfinite_instances() const override {
    return learner_.rollout().nonfinite_instances();
  }
  void save(TensorFile& file) const override { learner_.save(file); }

 protected:
  void load_state(const TensorFile& file) override { learner_.load(file); }

  // What is left of learning rates in this iteration, after its rollout: 1 to 0 over the run where
  // the option `anneal` is on.
  double rate_left() const;

  AlgorithmContext context_;
  OnPolicyLearner learner_;
};

}  // namespace gallop
