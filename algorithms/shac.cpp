// Short-horizon actor-critic: derivatives through the simulator over a window of h steps, and those
// of a critic behind it.
//
//   J = mean over instances of  sum over i < h of gamma^i r[i]  +  gamma^h V'(s[h])
//   theta <- theta + alpha grad J / h          by backpropagation through time (see bptt)
//   V: fitted to the TD(lambda) returns of V', which is  V' <- a V' + (1 - a) V  after the fit
//
// A window goes on where the last one ended; the critic stands for all that comes after it, so that
// adjoints are carried through h steps only. An episode that ends within a window ends its sum:
// with V' of its last observation where it was truncated, with nothing where it terminated; the
// next episode's discount begins anew.
//
// Deviations: actions are those of a Gaussian, which the environment clips, and not squashed by
// tanh; the critic's Adam has its usual moments; batches of the critic's fit follow one random
// order an epoch.
//
// Source: Xu, Makoviychuk, Narang, Ramos, Matusik, Garg and Macklin, "Accelerated policy learning
// with parallel differentiable simulation", arXiv:2204.07137v1, eq. 5 to 8.
//
// Verified: the gradient with a value behind the window against exact ones of the scalar
// linear-quadratic system (tests/learning/pathwise_test.cpp), resumed runs and threads
// (tests/training/algorithms_test.cpp).
#include <gallop/host/files/checked_tensor.h>
#include <gallop/host/learning/option_rows.h>
#include <gallop/host/learning/pathwise.h>
#include <gallop/host/learning/value_fit.h>
#include <gallop/host/learning/value_slopes.h>

namespace gallop {
namespace {

constexpr auto kOptions =
    rows(on_policy_rows({.n_envs = 64, .n_steps = 32, .gamma = 0.99, .gae_lambda = 0.95}),
         real_row("learning_rate", 2e-3, {.min = 0, .max = 10}, "of the policy's Adam"),
         real_row("beta1", 0.7, {.min = 0, .max = 0.999999},
                  "decay of the first moment of the policy's Adam"),
         real_row("beta2", 0.95, {.min = 0, .max = 0.999999}, "decay of its second moment"),
         boolean_row("anneal", true, "the policy's learning rate falls to 0 over the run"),
         real_row("max_policy_norm", 1, {.min = 0, .max = 1e9},
                  "the policy's gradient is scaled down to this norm; 0 for no limit"),
         value_fit_rows({.learning_rate = 2e-3, .epochs = 16, .minibatch = 512}),
         real_row("target_decay", 0.2, {.min = 0, .max = 1},
                  "a of the target network: what of it stays in an iteration"),
         pathwise_rows());

class Shac : public OnPolicyAlgorithm {
 public:
  explicit Shac(const AlgorithmContext& context)
      : OnPolicyAlgorithm(context),
        gradient_(context, learner_.environments(), learner_.policy(), learner_.rollout()),
        value_fit_(context, learner_),
        tail_(context.backend, learner_.environments(), learner_.rollout()),
        target_(context.backend, std::size_t(learner_.value().parameters().size())) {
    target_.upload(learner_.value().parameters().values());
  }

  Metrics iterate() override {
    const UpdateGuard guard(learner_);
    learner_.collect();
    Metrics metrics = learner_.rollout().episode_metrics();
    evaluate_by_target();
    learner_.estimate_advantages({.lambda = learner_.advantages().lambda()});
    tail_.find(learner_.value(), target_.data(), learner_.policy().normalization(),
               learner_.rollout());
    gradient_.find(learner_.environments(), learner_.rollout(), learner_.policy(),
                   -1.0 / double(learner_.n_samples()), tail_.data());
    metrics.emplace_back("gradient_norm", step_policy());
    metrics.emplace_back("value_loss", value_fit_.run());
    follow_value();
    metrics.emplace_back("pathwise_megabytes", gradient_.megabytes());
    learner_.update_normalizer();
    return metrics;
  }

  void save(TensorFile& file) const override {
    OnPolicyAlgorithm::save(file);
    value_fit_.save(file);
    file.put<float>("value/target_parameters", {std::uint64_t(target_.size())}, target_.download());
  }

 protected:
  void load_state(const TensorFile& file) override {
    OnPolicyAlgorithm::load_state(file);
    value_fit_.load(file);
    target_.upload(finite_floats(file, "value/target_parameters", target_.size()));
  }

 private:
  // Values of all states, and of the last observations of truncated episodes, by the target
  // network.
  void evaluate_by_target() {
    for (ValuesRequest& r : learner_.values_requests()) {
      r.parameters = target_.data();
      context_.backend.values(r);
    }
  }

  double step_policy() {
    const Options& options = context_.options;
    TrainedParameters& policy = learner_.policy().parameters();
    policy.set_learning_rate(rate_left() * options.real("learning_rate"));
    policy.step({.max_norm = options.real("max_policy_norm"),
                 .beta1 = options.real("beta1"),
                 .beta2 = options.real("beta2")});
    const double norm = policy.last_norm();
    require_finite(norm, "the norm of the policy's gradient");
    return norm;
  }

  // V' <- a V' + (1 - a) V.
  void follow_value() {
    const float rest = float(1.0 - context_.options.real("target_decay"));
    context_.backend.polyak(
        {target_.data(), learner_.value().parameters().data(), rest, long(target_.size())});
  }

  PathwiseGradient gradient_;
  ValueFit value_fit_;
  ValueSlopes tail_;
  DeviceArray<float> target_;  // [value's D]
};

}  // namespace
}  // namespace gallop

GALLOP_ALGORITHM(Shac)

const gallop::AlgorithmDescriptor& gallop_algorithm_Shac() {
  static constexpr gallop::AlgorithmDescriptor kDescriptor = {
      "shac",
      "short_horizon_actor_critic",
      "short-horizon actor-critic: gradients through the simulator and a critic behind them",
      "arXiv:2204.07137v1",
      gallop::kOptions,
      [](const gallop::AlgorithmContext& context) -> std::unique_ptr<gallop::Algorithm> {
        return std::make_unique<gallop::Shac>(context);
      },
      &gallop::why_not_smooth};
  return kDescriptor;
}
