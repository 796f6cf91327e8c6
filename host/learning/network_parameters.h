#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/runtime/backend.h"

namespace gallop {

class TensorFile;

// Parameters of a network on a device with the state of their Adam optimiser.
class TrainedParameters {
 public:
  TrainedParameters() = default;
  // `initial` [D]. The gradient has room for `n_statistics` sums behind it.
  TrainedParameters(Backend& backend, const std::vector<float>& initial, int n_statistics);

  long size() const { return size_; }
  const float* data() const { return values_.data(); }
  float* mutable_data() { return values_.data(); }
  float* gradient() { return gradient_.data(); }
  std::vector<float> values() const { return values_.download(); }
  // The sums behind the gradient of the last request.
  std::vector<float> statistics() const;

  // One step of Adam on the gradient, whose norm is limited to `max_norm` (0: no limit). Returns
  // the norm before. A gradient that is not finite, or whose square would not be, leaves everything
  // as it was and returns a norm that is not finite.
  double adam_step(double learning_rate, double max_norm, double beta1 = 0.9, double beta2 = 0.999,
                   double epsilon = 1e-8);

  // theta - learning_rate * gradient, limited and refused in the same way.
  double plain_step(double learning_rate, double max_norm);
  // RMSProp (Tieleman and Hinton 2012): v = decay v + (1 - decay) g^2,
  // theta - learning_rate g / (sqrt(v) + epsilon). The moments of Adam without momentum and
  // corrections.
  double rmsprop_step(double learning_rate, double max_norm, double decay, double epsilon);

  // Copies parameters and moments, and gives the last copy back, bit for bit.
  void remember();
  void restore();

  void save(TensorFile& file, const std::string& prefix) const;
  void load(const TensorFile& file, const std::string& prefix);

 private:
  // Norm of the gradient and the factor that limits it; no factor where the step is refused.
  struct Limited {
    double norm;
    std::optional<double> scale;
  };
  Limited limited(double max_norm) const;
  AdamRequest moments_request() const;

  Backend* backend_ = nullptr;
  long size_ = 0;
  DeviceArray<float> values_, gradient_, first_moment_, second_moment_;
  double power1_ = 1.0, power2_ = 1.0;  // beta^t, by repeated multiplication
  DeviceArray<float> kept_;             // [3 D] once there is a copy
  double kept_power1_ = 1.0, kept_power2_ = 1.0;
};

// Initial parameters: each unit's weights are normals scaled to the norm `hidden_gain`, for the
// last layer `output_gain`; biases are 0 (the "normc" of OpenAI's baselines). Tables are 0. Random
// numbers: purpose kRandomInitialise, id `stream`.
std::vector<float> initial_parameters(const NetworkShape& shape, std::uint64_t seed,
                                      std::uint32_t stream, double hidden_gain, double output_gain);

// A network of `hidden` units between inputs and outputs; a table for index observations.
NetworkShape network_shape(bool index_observation, int inputs, const std::vector<long>& hidden,
                           const std::string& activation, int outputs);

}  // namespace gallop
