#include <gallop/host/learning/model_based.h>

#include <fmt/format.h>

#include <exception>

#include <gallop/host/error.h>
#include <gallop/host/files/tensor_file.h>
#include <gallop/host/learning/policy_gradient_step.h>

namespace gallop {
namespace {

constexpr std::uint64_t kFirstDraw = std::uint64_t(1) << 41;

const AlgorithmContext& served(const char* name, const AlgorithmContext& context) {
  const EnvironmentSpec& spec = spec_of(context.environment);
  if (const char* const why = continuous_refusal(spec)) {
    throw value_error(fmt::format("{} cannot learn {}: {}", name, spec.name, why));
  }
  if (context.options.text("policy") == "own") {
    throw value_error(
        fmt::format("policy is own, of which {} learns nothing; expected network", name));
  }
  return context;
}

}  // namespace

const char* continuous_refusal(const EnvironmentSpec& spec) {
  if (spec.action_kind == SpaceKind::kDiscrete) {
    return "its actions are discrete and have no derivative; expected continuous ones. ppo, trpo, "
           "npg, a2c, vpg and the black-box algorithms (es, cem, cma_es) take discrete actions";
  }
  if (spec.observation_kind == SpaceKind::kDiscrete) {
    return "its observations are numbers of states and have no derivative; expected real "
           "components";
  }
  return nullptr;
}

ModelBasedAlgorithm::ModelBasedAlgorithm(const char* name, const AlgorithmContext& context,
                                         bool has_model, bool has_value)
    : OnPolicyAlgorithm(served(name, context)) {
  if (context.plays_only) return;
  const double held_out = has_model ? context.options.real("model_held_out") : 0.0;
  store_ = std::make_unique<TransitionStore>(context, learner_.environments(), learner_.rollout(),
                                             held_out);
  if (has_model) model_ = std::make_unique<DynamicsModel>(context, *store_);
  if (has_value) value_fit_ = std::make_unique<ValueFit>(context, learner_);
  shuffled_ = DeviceArray<std::uint32_t>(context.backend, std::size_t(store_->capacity()));
}

ModelPaths ModelBasedAlgorithm::make_paths(int n_steps, long n) const {
  return ModelPaths(context_, learner_.policy(), *model_, n_steps, n);
}

Metrics ModelBasedAlgorithm::collect() {
  learner_.collect();
  store_->add(learner_.rollout());
  order_.clear();
  return learner_.rollout().episode_metrics();
}

void ModelBasedAlgorithm::fit_value(Metrics& metrics) {
  learner_.estimate_advantages();
  metrics.emplace_back("value_loss", value_fit_->run());
}

void ModelBasedAlgorithm::fit_model(Metrics& metrics) {
  const ModelFit fit = model_->fit(*store_);
  metrics.emplace_back("model_loss", fit.loss);
  metrics.emplace_back("model_held_out_loss", fit.held_out_loss);
  metrics.emplace_back("model_epochs", fit.epochs);
}

std::vector<std::uint32_t> ModelBasedAlgorithm::draw(long first, long n) {
  if (order_.empty()) {
    const std::vector<std::uint32_t> numbers = store_->learned();
    if (numbers.empty()) {
      throw value_error(
          "no transition is left to learn from; expected a smaller model_held_out or longer "
          "rollouts");
    }
    const std::size_t count = numbers.size();
    context_.backend.shuffle(
        {context_.seed, kFirstDraw + learner_.iterations(), long(count), shuffled_.data()});
    order_.resize(count);
    shuffled_.download(order_.data(), count);
    for (std::uint32_t& at : order_) at = numbers[at];
  }
  std::vector<std::uint32_t> drawn(static_cast<std::size_t>(n));
  const std::size_t count = order_.size();
  for (std::size_t i = 0; i < drawn.size(); i++) {
    drawn[i] = order_[(std::size_t(first) + i) % count];
  }
  return drawn;
}

double ModelBasedAlgorithm::step_policy() {
  const Options& options = context_.options;
  const double norm = take_step(learner_.policy().parameters(), options.text("step"),
                                step_learning_rate(options), options.real("max_gradient_norm"));
  require_finite(norm, "the norm of the policy's gradient");
  return norm;
}

void ModelBasedAlgorithm::save(TensorFile& file) const {
  OnPolicyAlgorithm::save(file);
  if (store_ == nullptr) return;
  store_->save(file);
  if (model_ != nullptr) model_->save(file);
  if (value_fit_ != nullptr) value_fit_->save(file);
}

void ModelBasedAlgorithm::load_state(const TensorFile& file) {
  OnPolicyAlgorithm::load_state(file);
  if (store_ == nullptr) return;
  store_->load(file, learner_.iterations());
  if (model_ != nullptr) model_->load(file);
  if (value_fit_ != nullptr) value_fit_->load(file);
  order_.clear();
}

ModelBasedAlgorithm::Guard::Guard(ModelBasedAlgorithm& algorithm)
    : networks_(algorithm.learner_),
      algorithm_(algorithm),
      exceptions_(std::uncaught_exceptions()) {
  if (algorithm.model_ != nullptr) algorithm.model_->remember();
}

ModelBasedAlgorithm::Guard::~Guard() {
  if (algorithm_.model_ == nullptr || std::uncaught_exceptions() == exceptions_) return;
  try {
    algorithm_.model_->restore();
  } catch (...) {
    // A device that fails keeps nothing; the exception that is on its way says more.
  }
}

}  // namespace gallop
