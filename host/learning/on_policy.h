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
       "units",   "hidden layers of policy and value network"},                                \
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

// What on-policy algorithms share: instances, recorded rollouts, a policy, a value network,
// advantages.
class OnPolicyLearner {
 public:
  explicit OnPolicyLearner(const AlgorithmContext& context);

  // Runs the policy for n_steps. Throws an Error (non_finite) if an instance met such a number.
  void collect();
  // Advantages by GAE(gamma, lambda) with targets A + V; advantages are normalised if asked for.
  void estimate_advantages();
  // Targets of the value network become the discounted returns of the rollout.
  void targets_from_returns();
  // Takes the rollout into the statistics that normalise later observations.
  void update_normalizer();

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

  Backend& backend_;
  Environments environments_;
  int n_envs_, n_steps_;
  double gamma_, lambda_, reward_scale_;
  bool normalizes_advantages_;
  std::uint64_t steps_ = 0;
  PolicyShape policy_shape_;
  NetworkShape value_shape_;
  TrainedParameters policy_parameters_, value_parameters_;
  ObservationNormalizer normalizer_;
  Trajectory trajectory_;
  DeviceArray<float> observation_, action_, log_prob_, reward_, final_observation_, ended_return_;
  DeviceArray<float> value_, final_value_, advantage_, target_;
  DeviceArray<std::uint8_t> terminated_, truncated_;
  DeviceArray<std::int32_t> ended_length_;
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
  AlgorithmContext context_;
  OnPolicyLearner learner_;
};

// Throws an Error (non_finite) that names `what` unless the number is finite.
void require_finite(double value, const std::string& what);

}  // namespace gallop
