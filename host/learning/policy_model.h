#pragma once

#include <gallop/host/learning/algorithm.h>
#include <gallop/host/learning/network_parameters.h>
#include <gallop/host/learning/observation_normalizer.h>
#include <gallop/host/learning/own_policy.h>
#include <gallop/host/runtime/environments.h>

namespace gallop {

// The policy that fits the environments' spaces, by the options policy, hidden, activation and
// log_std.
PolicyShape make_policy_shape(const Environments& environments, const Options& options);

// Why an environment has no policy of bounded actions, or null.
const char* why_no_bounded_policy(const EnvironmentSpec& spec);

// The policy of bounded actions that fits the environments' spaces, by the options hidden and
// activation, with one of the two squashed heads. Throws a value error, which names the
// component, where actions are discrete or not bounded, or observations are states of a table.
PolicyShape make_bounded_policy_shape(const Environments& environments, const Options& options,
                                      Head head);

// Its parameters [D] at first: those of initial_parameters, nearly 0 in the last layer, and where
// the head has deviations `log_std`. Random numbers: purpose kRandomInitialise, id 0.
std::vector<float> initial_policy(const PolicyShape& shape, std::uint64_t seed, float log_std);

// A policy that is trained: its shape, its parameters with their optimiser's state, and the running
// statistics that normalise what it observes. All arrays are in the backend's memory.
class PolicyModel {
 public:
  // For the spaces of the environments, by the options of make_policy_shape, init_log_std and
  // normalize_observations. Random numbers: purpose kRandomInitialise, id 0.
  PolicyModel(const AlgorithmContext& context, const Environments& environments);
  // Of bounded actions: make_bounded_policy_shape; `noise` is the deviation that a squashed
  // deterministic head explores with, in units of half the range.
  PolicyModel(const AlgorithmContext& context, const Environments& environments, Head head,
              double noise);

  const PolicyShape& shape() const { return shape_; }
  PolicyView view() const {
    return {shape_, parameters_.data(), normalizer_.view(),
            part_.fixed.empty() ? nullptr : fixed_.data()};
  }
  TrainedParameters& parameters() { return parameters_; }
  const TrainedParameters& parameters() const { return parameters_; }
  Normalization normalization() const { return normalizer_.view(); }
  // Takes observations [T, O, N] into the statistics that normalise later ones.
  void update_normalizer(const float* observation, int n_steps, int n_envs) {
    normalizer_.update(observation, n_steps, n_envs);
  }

  // What asks for the gradient of a mean over the samples, behind the parameters; the loss is for
  // the caller to choose.
  PolicyGradientRequest gradient_request(const Samples& samples) const;

  // Tensors under "policy/" and "normalizer/".
  void save(TensorFile& file) const;
  // Whose statistics are of at most `most` observations.
  void load(const TensorFile& file, std::uint64_t most);

 private:
  std::vector<float> first_parameters(const AlgorithmContext& context) const;

  Arithmetic arithmetic_;
  PolicyShape shape_;
  LearntPart part_;
  DeviceArray<std::uint8_t> fixed_;  // [D], empty where everything is learnt
  TrainedParameters parameters_;
  ObservationNormalizer normalizer_;
};

}  // namespace gallop
