#include "host/learning/network_parameters.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "host/checkpoint/tensor_file.h"
#include "host/error.h"
#include "kernels/random/stream.h"

namespace gallop {
namespace {

// The square of a greater gradient may pass the range of float: infinity would then stay in the
// second moment, and its parameter where it is, for ever.
constexpr double kGreatestNorm = 1e18;

}  // namespace

TrainedParameters::TrainedParameters(Backend& backend, const std::vector<float>& initial,
                                     int n_statistics)
    : backend_(&backend),
      size_(long(initial.size())),
      values_(backend, initial.size()),
      gradient_(backend, initial.size() + n_statistics),
      first_moment_(DeviceArray<float>::zeroed(backend, initial.size())),
      second_moment_(DeviceArray<float>::zeroed(backend, initial.size())) {
  values_.upload(initial);
}

std::vector<float> TrainedParameters::statistics() const {
  std::vector<float> sums(gradient_.size() - size_);
  gradient_.download(sums.data(), sums.size(), size_);
  return sums;
}

TrainedParameters::Limited TrainedParameters::limited(double max_norm) const {
  const double norm = backend_->norm(gradient_.data(), size_);
  if (!std::isfinite(norm)) return {norm, std::nullopt};
  const double scale = max_norm > 0 && norm > max_norm ? max_norm / norm : 1.0;
  if (norm * scale > kGreatestNorm) return {std::numeric_limits<double>::infinity(), std::nullopt};
  return {norm, scale};
}

AdamRequest TrainedParameters::moments_request() const {
  AdamRequest r = {};
  r.parameters = values_.data();
  r.gradient = gradient_.data();
  r.first_moment = first_moment_.data();
  r.second_moment = second_moment_.data();
  r.correction1 = r.correction2 = 1.0f;
  r.end = size_;
  return r;
}

double TrainedParameters::adam_step(double learning_rate, double max_norm, double beta1,
                                    double beta2, double epsilon) {
  const Limited step = limited(max_norm);
  if (!step.scale) return step.norm;
  // The betas as the kernel has them: 1 - 0.999f is 1.3e-5 less than 0.001.
  power1_ *= double(float(beta1));
  power2_ *= double(float(beta2));
  AdamRequest r = moments_request();
  r.learning_rate = float(learning_rate);
  r.beta1 = float(beta1);
  r.beta2 = float(beta2);
  r.epsilon = float(epsilon);
  r.correction1 = float(1.0 - power1_);
  r.correction2 = float(1.0 - power2_);
  r.gradient_scale = float(*step.scale);
  backend_->adam(r);
  return step.norm;
}

double TrainedParameters::rmsprop_step(double learning_rate, double max_norm, double decay,
                                       double epsilon) {
  const Limited step = limited(max_norm);
  if (!step.scale) return step.norm;
  AdamRequest r = moments_request();
  r.learning_rate = float(learning_rate);
  r.beta2 = float(decay);
  r.epsilon = float(epsilon);
  r.gradient_scale = float(*step.scale);
  backend_->adam(r);
  return step.norm;
}

double TrainedParameters::plain_step(double learning_rate, double max_norm) {
  const Limited step = limited(max_norm);
  if (!step.scale) return step.norm;
  backend_->add_scaled(values_.data(), float(-learning_rate * *step.scale), gradient_.data(),
                       size_);
  return step.norm;
}

void TrainedParameters::remember() {
  if (kept_.size() == 0) kept_ = DeviceArray<float>(*backend_, 3 * std::size_t(size_));
  backend_->copy(kept_.data(), values_.data(), size_);
  backend_->copy(kept_.data() + size_, first_moment_.data(), size_);
  backend_->copy(kept_.data() + 2 * size_, second_moment_.data(), size_);
  kept_power1_ = power1_;
  kept_power2_ = power2_;
}

void TrainedParameters::restore() {
  backend_->copy(values_.data(), kept_.data(), size_);
  backend_->copy(first_moment_.data(), kept_.data() + size_, size_);
  backend_->copy(second_moment_.data(), kept_.data() + 2 * size_, size_);
  power1_ = kept_power1_;
  power2_ = kept_power2_;
}

void TrainedParameters::save(TensorFile& file, const std::string& prefix) const {
  const TensorShape shape = {std::uint64_t(size_)};
  file.put<float>(prefix + "/parameters", shape, values_.download());
  file.put<float>(prefix + "/adam_first_moment", shape, first_moment_.download());
  file.put<float>(prefix + "/adam_second_moment", shape, second_moment_.download());
  file.put_scalar<double>(prefix + "/adam_power1", power1_);
  file.put_scalar<double>(prefix + "/adam_power2", power2_);
}

void TrainedParameters::load(const TensorFile& file, const std::string& prefix) {
  const TensorShape shape = {std::uint64_t(size_)};
  std::vector<float> values(size_);
  const auto get = [&](const char* name, DeviceArray<float>& to) {
    file.get<float>(prefix + name, shape, values);
    to.upload(values);
  };
  get("/parameters", values_);
  get("/adam_first_moment", first_moment_);
  get("/adam_second_moment", second_moment_);
  power1_ = file.get_scalar<double>(prefix + "/adam_power1");
  power2_ = file.get_scalar<double>(prefix + "/adam_power2");
}

std::vector<float> initial_parameters(const NetworkShape& shape, std::uint64_t seed,
                                      std::uint32_t stream, double hidden_gain,
                                      double output_gain) {
  std::vector<float> values(layer_offset(shape, shape.n_layers), 0.0f);
  if (shape.kind == NetworkKind::kTabular) return values;
  for (int l = 0; l < shape.n_layers; l++) {
    const int n_in = shape.width[l], n_out = shape.width[l + 1];
    const double gain = l + 1 < shape.n_layers ? hidden_gain : output_gain;
    float* weight = values.data() + layer_offset(shape, l);
    Rng<float> rng(seed, kRandomInitialise, stream, std::uint32_t(l), 0u);
    for (int i = 0; i < n_in * n_out; i++) weight[i] = rng.normal();
    for (int j = 0; j < n_out; j++) {
      double squares = 0;
      for (int k = 0; k < n_in; k++) {
        squares += double(weight[k * n_out + j]) * double(weight[k * n_out + j]);
      }
      const double scale = gain / std::sqrt(squares);
      for (int k = 0; k < n_in; k++) weight[k * n_out + j] = float(weight[k * n_out + j] * scale);
    }
  }
  return values;
}

NetworkShape network_shape(bool index_observation, int inputs, const std::vector<long>& hidden,
                           const std::string& activation, int outputs) {
  NetworkShape shape = {};
  if (outputs > kMaxOutputs) {
    throw value_error(
        fmt::format("a network of {} outputs; expected at most {}", outputs, kMaxOutputs));
  }
  if (index_observation) {
    shape.kind = NetworkKind::kTabular;
    shape.n_layers = 1;
    shape.width[0] = inputs;
    shape.width[1] = outputs;
    return shape;
  }
  if (hidden.size() + 1 > kMaxLayers) {
    throw value_error(
        fmt::format("{} hidden layers; expected at most {}", hidden.size(), kMaxLayers - 1));
  }
  shape.kind = NetworkKind::kMlp;
  shape.hidden = activation == "relu" ? Activation::kRelu : Activation::kTanh;
  shape.n_layers = int(hidden.size()) + 1;
  shape.width[0] = inputs;
  for (std::size_t l = 0; l < hidden.size(); l++) shape.width[l + 1] = int(hidden[l]);
  shape.width[shape.n_layers] = outputs;
  return shape;
}

}  // namespace gallop
