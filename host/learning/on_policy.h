#pragma once

#include "host/learning/network_parameters.h"
#include "host/learning/observation_normalizer.h"
#include "host/runtime/environments.h"
#include "host/training/algorithm.h"

namespace gallop {

// Options that every on-policy learner has; an algorithm's table begins with these rows. The
// defaults are given as text, so that each algorithm states its own.
#define GALLOP_ON_POLICY_OPTIONS(n_envs, n_steps, gamma, lambda)                               \
  {"n_envs", OptionType::integer,                                                              \
   n_envs,   1,                                                                                \
   1 << 24,  nullptr,                                                                          \
   "",       "instances that run side by side"},                                               \
      {"n_steps", OptionType::integer,  n_steps, 1, 1 << 20, nullptr,                          \
       "steps",   "length of a rollout"},                                                      \
      {"gamma", OptionType::real, gamma, 0, 1, nullptr, "", "discount of rewards"},            \
      {"gae_lambda",                                                                           \
       OptionType::real,                                                                       \
       lambda,                                                                                 \
       0,                                                                                      \
       1,                                                                                      \
       nullptr,                                                                                \
       "",                                                                                     \
       "lambda of generalised advantage estimation; 1 is Monte Carlo"},                        \
      {"hidden",  OptionType::integers,                                                        \
       "64,64",   1,                                                                           \
       kMaxWidth, nullptr,                                                                     \
       "units",   "hidden layers of the policy; none for a linear one"},                       \
      {"value_hidden",                                                                         \
       OptionType::integers,                                                                   \
       "0",                                                                                    \
       0,                                                                                      \
       kMaxWidth,                                                                              \
       nullptr,                                                                                \
       "units",                                                                                \
       "hidden layers of the value network; 0 for those of the policy"},                       \
      {"activation", OptionType::choice, "tanh", -kUnbounded,                                  \
       kUnbounded,   "tanh,relu",        "",     "of the hidden layers"},                      \
      {"log_std",   OptionType::choice,                                                        \
       "parameter", -kUnbounded,                                                               \
       kUnbounded,  "parameter,network",                                                       \
       "",          "where the log standard deviation of continuous actions comes from"},      \
      {"init_log_std",                                                                         \
       OptionType::real,                                                                       \
       "0",                                                                                    \
       kMinLogStd,                                                                             \
       kMaxLogStd,                                                                             \
       nullptr,                                                                                \
       "",                                                                                     \
       "initial log standard deviation of continuous actions"},                                \
      {"reward_scale",                                                                         \
       OptionType::real,                                                                       \
       "1",                                                                                    \
       1e-9,                                                                                   \
       1e9,                                                                                    \
       nullptr,                                                                                \
       "",                                                                                     \
       "factor of rewards in learning; reported returns are unscaled"},                        \
      {"normalize_observations",                                                               \
       OptionType::boolean,                                                                    \
       "false",                                                                                \
       -kUnbounded,                                                                            \
       kUnbounded,                                                                             \
       nullptr,                                                                                \
       "",                                                                                     \
       "running normalisation to mean 0 and deviation 1"},                                     \
  {                                                                                            \
    "normalize_advantages", OptionType::boolean, "true", -kUnbounded, kUnbounded, nullptr, "", \
        "advantages of a batch to mean 0 and deviation 1"                                      \
  }

// What a rollout left in the backend's memory; element t belongs to transition t.
struct RolloutArrays {
  int n_steps, n_envs;             // T, N
  const float* observation;        // [T + 1, O, N]
  const float* reward;             // [T, N]
  const std::uint8_t* terminated;  // [T, N]
  const std::uint8_t* truncated;   // [T, N]
  const float* final_observation;  // [T, O, N]
  const float* age;    // [T + 1, N] steps since the episode began; null unless they are tracked
  float* value;        // [T + 1, N]
  float* final_value;  // [T, N] read where truncated and not terminated
  float* advantage;    // [T, N]
  float* target;       // [T, N]
};

// What the value function is fitted to.
enum class ValueTarget {
  kTd,          // r + gamma V(s'), V before the fit
  kMonteCarlo,  // discounted rewards to the episode's end, V where the rollout cuts it
  kLambda       // A + V with A by GAE(gamma, lambda): the lambda-return
};
#define GALLOP_VALUE_TARGET_CHOICES "td,monte_carlo,lambda"
ValueTarget value_target(const std::string& choice);

// What on-policy algorithms share: instances, recorded rollouts, a policy, a value network,
// advantages.
class OnPolicyLearner {
 public:
  explicit OnPolicyLearner(const AlgorithmContext& context);

  // Runs the policy for n_steps. Throws an Error (non_finite) if an instance met such a number.
  void collect();
  // The same from the beginning of new episodes.
  void collect_from_reset();

  // Values of the network at all recorded states, and at the final observations of cut episodes.
  void evaluate_values();
  // Targets from the rewards and values that there are. Advantages are overwritten where the target
  // is kTd.
  void estimate_targets(ValueTarget target);
  // Advantages from the rewards and values that there are: GAE(gamma, lambda) with 0 for one step
  // and 1 for Monte Carlo, or n-step returns less values.
  void advantages_by_gae(double lambda);
  void advantages_by_n_step(int n);
  // Factor gamma^t of the gradient of the discounted return; needs ages.
  void discount_advantages_by_age();
  // Throws an Error (non_finite) where an advantage is not finite; normalises if asked for.
  void finish_advantages();
  // All of that for GAE: values of the network, targets A + V, advantages.
  void estimate_advantages();
  // Standard deviation of the advantages before they were normalised.
  double advantage_std() const { return advantage_std_; }
  // Takes the rollout into the statistics that normalise later observations.
  void update_normalizer();

  // Ages are computed with every rollout from now on, and saved.
  void track_ages();
  RolloutArrays arrays() const;
  int time_limit() const { return environments_.time_limit(); }
  int observation_size() const { return environments_.observation_size(); }
  bool has_index_observations() const;
  double gamma() const { return gamma_; }
  double reward_scale() const { return reward_scale_; }
  // Steps that were taken outside of rollouts count too.
  void add_steps(std::uint64_t steps) { steps_ += steps; }

  long n_samples() const { return long(n_steps_) * n_envs_; }
  std::uint64_t steps() const { return steps_; }
  // Samples in the order given (device memory), or as recorded where it is null.
  Samples samples(const std::uint32_t* order, long count) const;
  PolicyGradientRequest policy_request(const Samples& samples) const;
  ValueGradientRequest value_request(const Samples& samples) const;
  PolicyView policy() const;
  const PolicyShape& policy_shape() const { return policy_shape_; }
  TrainedParameters& policy_parameters() { return policy_parameters_; }
  TrainedParameters& value_parameters() { return value_parameters_; }
  // Mean return and length of the episodes that ended in the last rollout, and their number.
  Metrics episode_metrics() const;

  void save(TensorFile& file) const;
  void load(const TensorFile& file);

 private:
  void allocate_rollout(Backend& backend);
  void run();
  void targets_from_returns();
  std::vector<float> last_ages() const;
  template <class Request>
  Request estimator_request(float* target) const;
  GaeRequest gae_request(double lambda, float* target) const;
  NStepRequest n_step_request(int n, float* target) const;

  Backend& backend_;
  Environments environments_;
  int n_envs_, n_steps_;
  double gamma_, lambda_, reward_scale_;
  bool normalizes_advantages_, tracks_ages_ = false;
  double advantage_std_ = 1.0;
  std::uint64_t steps_ = 0;
  PolicyShape policy_shape_;
  NetworkShape value_shape_;
  TrainedParameters policy_parameters_, value_parameters_;
  ObservationNormalizer normalizer_;
  Trajectory trajectory_;
  DeviceArray<float> observation_, action_, log_prob_, reward_, final_observation_, ended_return_;
  DeviceArray<float> value_, final_value_, advantage_, target_, age_;
  DeviceArray<std::uint8_t> terminated_, truncated_;
  DeviceArray<std::int32_t> ended_length_;
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
      : context_(context), learner_(context) {}

  std::uint64_t steps() const override { return learner_.steps(); }
  std::uint64_t steps_per_iteration() const override { return std::uint64_t(learner_.n_samples()); }
  PolicyView policy() const override { return learner_.policy(); }
  void save(TensorFile& file) const override { learner_.save(file); }
  void load(const TensorFile& file) override { learner_.load(file); }

 protected:
  // What is left of learning rates in this iteration, after its rollout: 1 to 0 over the run where
  // the option `anneal` is on.
  double rate_left() const;

  AlgorithmContext context_;
  OnPolicyLearner learner_;
};

// Throws an Error (non_finite) that names `what` unless the number is finite.
void require_finite(double value, const std::string& what);

}  // namespace gallop
