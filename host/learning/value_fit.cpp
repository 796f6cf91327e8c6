#include "host/learning/value_fit.h"

#include <algorithm>

#include "host/checkpoint/tensor_file.h"

namespace gallop {

ValueFit::ValueFit(const AlgorithmContext& context, OnPolicyLearner& learner)
    : context_(context),
      learner_(learner),
      minibatch_(std::min(long(context.options.integer("value_minibatch")), learner.n_samples())),
      order_(context.backend, learner.n_samples()) {}

double ValueFit::run() {
  const Options& options = context_.options;
  TrainedParameters& value = learner_.value_parameters();
  double loss = 0;
  for (int epoch = 0; epoch < int(options.integer("value_epochs")); epoch++) {
    loss = 0;
    context_.backend.shuffle(context_.seed, shuffles_++, learner_.n_samples(), order_.data());
    for (long first = 0; first < learner_.n_samples(); first += minibatch_) {
      const long count = std::min(minibatch_, learner_.n_samples() - first);
      const Samples samples = learner_.samples(order_.data() + first, count);
      context_.backend.value_gradient(learner_.value_request(samples), value.gradient());
      require_finite(
          value.adam_step(options.real("value_learning_rate"), options.real("max_gradient_norm")),
          "the norm of the value network's gradient");
      loss += value.statistics()[0] / 2;
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
