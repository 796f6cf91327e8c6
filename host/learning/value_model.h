#pragma once

#include <gallop/host/learning/policy_model.h>

namespace gallop {

// The value network beside a policy: hidden layers by the option value_hidden, where that is 0
// those of the policy. Throws a value error for widths that exclude each other.
NetworkShape make_value_shape(const PolicyShape& policy, const Options& options);

// A network that estimates values of observations, which it sees normalised as the policy does.
class ValueModel {
 public:
  // Random numbers: purpose kRandomInitialise, id 1.
  ValueModel(const AlgorithmContext& context, const Environments& environments,
             const PolicyShape& policy);

  const NetworkShape& shape() const { return shape_; }
  TrainedParameters& parameters() { return parameters_; }
  const TrainedParameters& parameters() const { return parameters_; }

  // What asks for the values of observations [rows, O, N], into [rows, N].
  ValuesRequest values_request(const Normalization& normalization, int n_rows, int n_envs,
                               const float* observation, float* value) const;
  // What asks for the gradient of the mean of (V - target)^2 / 2 over the samples, behind the
  // parameters.
  ValueGradientRequest gradient_request(const Normalization& normalization,
                                        const Samples& samples) const;

  // Tensors under "value/".
  void save(TensorFile& file) const { parameters_.save(file, "value"); }
  void load(const TensorFile& file) { parameters_.load(file, "value"); }

 private:
  Arithmetic arithmetic_;
  NetworkShape shape_;
  TrainedParameters parameters_;
};

}  // namespace gallop
