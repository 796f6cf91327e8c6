#include "host/learning/value_fit.h"

#include <algorithm>

#include "host/checkpoint/tensor_file.h"

namespace gallop {

ValueFit::ValueFit(const AlgorithmContext& context, OnPolicyLearner& learner)
    : context_(context),
      learner_(learner),
      minibatch_(std::min(long(context.options.integer("value_minibatch")), learner.n_samples())),
      order_(context.backend, learner.n_samples()),
      proximal_(context.options.has("value_proximal") ? context.options.real("value_proximal")
                                                      : 0.0) {
  if (proximal_ > 0)
    before_ = DeviceArray<float>(context.backend, learner.value_parameters().size());
}

// The gradient of proximal / 2 |phi - phi_i|^2.
void ValueFit::add_proximal(TrainedParameters& value) {
  const long n = value.size();
  context_.backend.add_scaled(value.gradient(), float(proximal_), value.data(), n);
  context_.backend.add_scaled(value.gradient(), float(-proximal_), before_.data(), n);
}

double ValueFit::run() {
  const Options& options = context_.options;
  TrainedParameters& value = learner_.value_parameters();
  double loss = 0;
  if (proximal_ > 0) context_.backend.copy(before_.data(), value.data(), value.size());
  for (int epoch = 0; epoch < int(options.integer("value_epochs")); epoch++) {
    loss = 0;
    context_.backend.shuffle(context_.seed, shuffles_++, learner_.n_samples(), order_.data());
    for (long first = 0; first < learner_.n_samples(); first += minibatch_) {
      const long count = std::min(minibatch_, learner_.n_samples() - first);
      const Samples samples = learner_.samples(order_.data() + first, count);
      context_.backend.value_gradient(learner_.value_request(samples), value.gradient());
      const double squares = value.statistics()[0];
      if (proximal_ > 0) add_proximal(value);
      require_finite(
          value.adam_step(options.real("value_learning_rate"), options.real("max_gradient_norm")),
          "the norm of the value network's gradient");
      loss += squares / 2;
    }
  }
  return loss / double(learner_.n_samples());
}

void ValueFit::save(TensorFile& file) const {
  file.put_scalar<std::uint64_t>("shuffles", shuffles_);
}
void ValueFit::load(const TensorFile& file) {
  shuffles_ = file.get_scalar<std::uint64_t>("shuffles");
}

}  // namespace gallop
