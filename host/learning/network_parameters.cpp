#include <gallop/host/learning/network_parameters.h>

#include <fmt/format.h>

#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/files/checked_tensor.h>
#include <gallop/kernels/random/stream.h>

namespace gallop {
TrainedParameters::TrainedParameters(Backend& backend, const std::vector<float>& initial,
                                     int n_statistics)
    : backend_(&backend),
      size_(long(initial.size())),
      values_(backend, initial.size()),
      gradient_(backend, initial.size() + n_statistics),
      first_moment_(DeviceArray<float>::zeroed(backend, initial.size())),
      second_moment_(DeviceArray<float>::zeroed(backend, initial.size())),
      state_(backend, 1) {
  values_.upload(initial);
  const StepState fresh = {0.0, 1.0, 1.0, 0.0, 1.0, 0};
  state_.upload(&fresh, 1);
}

std::vector<float> TrainedParameters::statistics() const {
  std::vector<float> sums(gradient_.size() - size_);
  gradient_.download(sums.data(), sums.size(), size_);
  return sums;
}

void TrainedParameters::set_learning_rate(double learning_rate) {
  if (learning_rate_ == learning_rate) return;
  StepState* const state = state_.data();
  backend_->to_device(&state->learning_rate, &learning_rate, sizeof(double));
  learning_rate_ = learning_rate;
}

StepRequest TrainedParameters::step_request(const StepOptions& options) {
  return {options.rule,
          values_.data(),
          gradient_.data(),
          first_moment_.data(),
          second_moment_.data(),
          state_.data(),
          options.max_norm,
          options.beta1,
          options.beta2,
          float(options.epsilon),
          size_};
}

void TrainedParameters::step(const StepOptions& options) {
  backend_->optimizer_step(step_request(options));
}

double TrainedParameters::last_norm() {
  StepState state;
  state_.download(&state, 1);
  if (state.refused != 0) {
    const std::int32_t none = 0;
    backend_->to_device(&state_.data()->refused, &none, sizeof(none));
  }
  return state.norm;
}

double TrainedParameters::step_now(double learning_rate, const StepOptions& options) {
  set_learning_rate(learning_rate);
  step(options);
  return last_norm();
}

double TrainedParameters::adam_step(double learning_rate, double max_norm) {
  return step_now(learning_rate, {.max_norm = max_norm});
}

double TrainedParameters::plain_step(double learning_rate, double max_norm) {
  return step_now(learning_rate, {.rule = StepRule::kPlain, .max_norm = max_norm});
}

double TrainedParameters::rmsprop_step(double learning_rate, double max_norm, double decay,
                                       double epsilon) {
  return step_now(
      learning_rate,
      {.rule = StepRule::kRmsProp, .max_norm = max_norm, .beta2 = decay, .epsilon = epsilon});
}

void TrainedParameters::remember() {
  if (kept_.size() == 0) {
    kept_ = DeviceArray<float>(*backend_, 3 * std::size_t(size_));
    kept_state_ = DeviceArray<StepState>(*backend_, 1);
  }
  backend_->copy({kept_.data(), values_.data(), size_});
  backend_->copy({kept_.data() + size_, first_moment_.data(), size_});
  backend_->copy({kept_.data() + 2 * size_, second_moment_.data(), size_});
  backend_->copy_bytes(kept_state_.data(), state_.data(), sizeof(StepState));
}

void TrainedParameters::restore() {
  backend_->copy({values_.data(), kept_.data(), size_});
  backend_->copy({first_moment_.data(), kept_.data() + size_, size_});
  backend_->copy({second_moment_.data(), kept_.data() + 2 * size_, size_});
  backend_->copy_bytes(state_.data(), kept_state_.data(), sizeof(StepState));
  learning_rate_.reset();
}

void TrainedParameters::save(TensorFile& file, const std::string& prefix) const {
  const TensorShape shape = {std::uint64_t(size_)};
  file.put<float>(prefix + "/parameters", shape, values_.download());
  file.put<float>(prefix + "/adam_first_moment", shape, first_moment_.download());
  file.put<float>(prefix + "/adam_second_moment", shape, second_moment_.download());
  StepState state;
  state_.download(&state, 1);
  file.put_scalar<double>(prefix + "/adam_power1", state.power1);
  file.put_scalar<double>(prefix + "/adam_power2", state.power2);
}

void TrainedParameters::load(const TensorFile& file, const std::string& prefix) {
  const std::size_t n = std::size_t(size_);
  values_.upload(finite_floats(file, prefix + "/parameters", n));
  first_moment_.upload(finite_floats(file, prefix + "/adam_first_moment", n));
  second_moment_.upload(finite_floats(file, prefix + "/adam_second_moment", n, 0));
  const StepState state = {0.0,
                           finite_number(file, prefix + "/adam_power1", 0, 1),
                           finite_number(file, prefix + "/adam_power2", 0, 1),
                           0.0,
                           1.0,
                           0};
  state_.upload(&state, 1);
  learning_rate_.reset();
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
