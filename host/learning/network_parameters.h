#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <gallop/host/runtime/backend.h>

namespace gallop {

class TensorFile;

// How a step follows from the gradient.
struct StepOptions {
  StepRule rule = StepRule::kAdam;
  double max_norm = 0;   // the gradient's norm is limited to this; 0: no limit
  double beta1 = 0.9;    // of Adam
  double beta2 = 0.999;  // of Adam; the decay of RMSProp
  double epsilon = 1e-8;
};

// Parameters of a network on a device with the state of their optimiser.
class TrainedParameters {
 public:
  TrainedParameters() = default;
  // `initial` [D]. The gradient has room for `n_statistics` sums behind it.
  TrainedParameters(Backend& backend, const std::vector<float>& initial, int n_statistics);

  long size() const { return size_; }
  const float* data() const { return values_.data(); }
  float* mutable_data() { return values_.data(); }
  float* gradient() const { return gradient_.data(); }
  std::vector<float> values() const { return values_.download(); }
  // The sums behind the gradient of the last request, and where they are in the backend's memory.
  std::vector<float> statistics() const;
  const float* statistics_data() const { return gradient_.data() + size_; }

  // Steps one after the other that do not wait: set_learning_rate, any number of `step`, then
  // `last_norm`. `step` may be recorded (Backend::run); it takes the learning rate that was set
  // last.
  void set_learning_rate(double learning_rate);
  void step(const StepOptions& options);
  // The step as a request, for operations that take it with others.
  StepRequest step_request(const StepOptions& options);
  // The norm of the last gradient before it was limited. Not finite where a gradient was not, or
  // its square would not be: that step and all after it left everything as it was. Waits; the next
  // step is taken again.
  double last_norm();

  // One such step at once; returns last_norm(). Adam, theta - learning_rate * gradient, and
  // RMSProp.
  double adam_step(double learning_rate, double max_norm);
  double plain_step(double learning_rate, double max_norm);
  double rmsprop_step(double learning_rate, double max_norm, double decay, double epsilon);

  // Copies parameters and moments, and gives the last copy back, bit for bit.
  void remember();
  void restore();

  void save(TensorFile& file, const std::string& prefix) const;
  void load(const TensorFile& file, const std::string& prefix);

 private:
  double step_now(double learning_rate, const StepOptions& options);

  Backend* backend_ = nullptr;
  long size_ = 0;
  DeviceArray<float> values_, gradient_, first_moment_, second_moment_;
  DeviceArray<StepState> state_;         // [1]
  std::optional<double> learning_rate_;  // in the state, as far as is known
  DeviceArray<float> kept_;              // [3 D] once there is a copy
  DeviceArray<StepState> kept_state_;    // [1]
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
