#include <gallop/host/learning/value_fit.h>

#include <gallop/host/files/tensor_file.h>

namespace gallop {

ValueFit::ValueFit(const AlgorithmContext& context, OnPolicyLearner& learner)
    : context_(context),
      learner_(learner),
      minibatches_(context, learner, context.options.integer("value_minibatch")),
      squares_(context.backend, std::size_t(minibatches_.count())),
      proximal_(context.options.has("value_proximal") ? context.options.real("value_proximal")
                                                      : 0.0) {
  if (proximal_ > 0)
    before_ = DeviceArray<float>(context.backend, learner.value().parameters().size());
}

// The gradient of proximal / 2 |phi - phi_i|^2.
void ValueFit::add_proximal(TrainedParameters& value) {
  const long n = value.size();
  context_.backend.add_scaled({value.gradient(), float(proximal_), value.data(), n});
  context_.backend.add_scaled({value.gradient(), float(-proximal_), before_.data(), n});
}

double ValueFit::run() {
  const Options& options = context_.options;
  Backend& backend = context_.backend;
  TrainedParameters& value = learner_.value().parameters();
  if (proximal_ > 0) backend.copy({before_.data(), value.data(), value.size()});
  value.set_learning_rate(options.real("value_learning_rate"));
  for (long epoch = 0; epoch < options.integer("value_epochs"); epoch++) {
    minibatches_.pass([&](const Samples& samples, long k) {
      const StepOptions limited = {.max_norm = options.real("max_gradient_norm")};
      if (proximal_ > 0) {
        backend.value_gradient(learner_.value_request(samples));
        add_proximal(value);
        value.step(limited);
      } else {
        backend.value_step({learner_.value_request(samples), value.step_request(limited)});
      }
      backend.copy({squares_.data() + k, value.statistics_data(), 1});
    });
  }
  require_finite(value.last_norm(), "the norm of the value network's gradient");
  double loss = 0;
  for (const float squares : squares_.download()) loss += double(squares) / 2;
  return loss / double(learner_.n_samples());
}

void ValueFit::save(TensorFile& file) const {
  file.put_scalar<std::uint64_t>("shuffles", minibatches_.passes());
}
void ValueFit::load(const TensorFile& file) {
  minibatches_.load_passes(file, "shuffles", context_.options.integer("value_epochs"));
}

}  // namespace gallop
