// Proximal policy optimisation with the clipped surrogate.
//
//   maximise  mean of min(rho A, clip(rho, 1 - epsilon, 1 + epsilon) A),
//   rho = pi(u | s) / pi_old(u | s)
//
// Each iteration: N instances run T steps; then for some epochs the samples are visited in
// minibatches of a random order, and policy and value network take a step of Adam each. Advantages
// by GAE (arXiv:1506.02438v6, eq. 16). epsilon is the option clip. Deviations from the paper: the
// two networks share nothing, so the value loss needs no coefficient; learning rates fall linearly
// to zero.
//
// Source: Schulman, Wolski, Dhariwal, Radford and Klimov, arXiv:1707.06347v2, Algorithm 1 and
// eq. 7.
//
// Verified: the loss and its gradient against definition and differences
// (tests/learning/gradient_test.cpp), Adam against its recursion (tests/learning/adam_test.cpp),
// learning on cartpole (tests/training/learning_test.cpp).
#include "host/checkpoint/tensor_file.h"
#include "host/learning/minibatches.h"

namespace gallop {
namespace {

constexpr OptionSpec kOptions[] = {
    GALLOP_ON_POLICY_OPTIONS("64", "64", "0.99", "0.95"),
    {"learning_rate", OptionType::real, "0.001", 0, 10, nullptr, "",
     "initial step of the policy's Adam"},
    {"value_learning_rate", OptionType::real, "0.001", 0, 10, nullptr, "",
     "initial step of the value network's Adam"},
    {"anneal", OptionType::boolean, "true", -kUnbounded, kUnbounded, nullptr, "",
     "learning rates fall linearly to zero over the run"},
    {"epochs", OptionType::integer, "4", 1, 1000, nullptr, "",
     "passes over the samples of an iteration"},
    {"minibatch", OptionType::integer, "512", 1, 1 << 28, nullptr, "samples",
     "samples of one step"},
    {"clip", OptionType::real, "0.2", 0, 1, nullptr, "",
     "the ratio's range is 1 - clip to 1 + clip"},
    {"entropy_coefficient", OptionType::real, "0", 0, 10, nullptr, "",
     "weight of the entropy bonus"},
    {"max_gradient_norm", OptionType::real, "0.5", 0, 1e9, nullptr, "",
     "gradients are scaled down to this norm; 0 for no limit"},
};

class Ppo : public OnPolicyAlgorithm {
 public:
  explicit Ppo(const AlgorithmContext& context)
      : OnPolicyAlgorithm(context),
        minibatches_(context, learner_, context.options.integer("minibatch")) {}

  Metrics iterate() override {
    const UpdateGuard guard(learner_);
    learner_.collect();
    learner_.estimate_advantages();
    Metrics metrics = learner_.episode_metrics();
    update(metrics);
    learner_.update_normalizer();
    return metrics;
  }

  void save(TensorFile& file) const override {
    OnPolicyAlgorithm::save(file);
    file.put_scalar<std::uint64_t>("shuffles", minibatches_.passes());
  }
  void load(const TensorFile& file) override {
    OnPolicyAlgorithm::load(file);
    minibatches_.set_passes(file.get_scalar<std::uint64_t>("shuffles"));
  }

 private:
  void update(Metrics& metrics) {
    const Options& options = context_.options;
    const double left = rate_left();
    TrainedParameters& policy = learner_.policy_parameters();
    TrainedParameters& value = learner_.value_parameters();
    policy.set_learning_rate(left * options.real("learning_rate"));
    value.set_learning_rate(left * options.real("value_learning_rate"));
    for (long epoch = 0; epoch < options.integer("epochs"); epoch++) {
      minibatches_.pass("", [&](const Samples& samples, long) { step(samples); });
    }
    require_finite(policy.last_norm(), "the norm of the policy's gradient");
    require_finite(value.last_norm(), "the norm of the value network's gradient");
    report(minibatches_.size_of(minibatches_.count() - 1), metrics);
    metrics.emplace_back("learning_rate", left * options.real("learning_rate"));
  }

  void step(const Samples& samples) {
    PolicyGradientRequest r = learner_.policy_request(samples);
    r.loss = PolicyLoss::kClippedSurrogate;
    r.clip = float(context_.options.real("clip"));
    r.entropy_coefficient = float(context_.options.real("entropy_coefficient"));
    const StepOptions limited = {.max_norm = context_.options.real("max_gradient_norm")};
    context_.backend.policy_gradient(r, learner_.policy_parameters().gradient());
    learner_.policy_parameters().step(limited);
    context_.backend.value_gradient(learner_.value_request(samples),
                                    learner_.value_parameters().gradient());
    learner_.value_parameters().step(limited);
  }

  // Means over the last minibatch.
  void report(long count, Metrics& metrics) {
    const std::vector<float> policy = learner_.policy_parameters().statistics();
    const std::vector<float> value = learner_.value_parameters().statistics();
    const double n = double(count);
    require_finite(value[0], "the value network's loss");
    metrics.emplace_back("policy_loss", policy[kStatSurrogate] / n);
    metrics.emplace_back("value_loss", value[0] / n / 2);
    metrics.emplace_back("entropy", policy[kStatEntropy] / n);
    metrics.emplace_back("kl", policy[kStatKl] / n);
    metrics.emplace_back("clip_fraction", policy[kStatClipped] / n);
  }

  Minibatches minibatches_;
};

}  // namespace
}  // namespace gallop

GALLOP_ALGORITHM(Ppo)

const gallop::AlgorithmDescriptor& gallop_algorithm_Ppo() {
  static constexpr gallop::AlgorithmDescriptor kDescriptor = {
      "ppo",
      "proximal_policy_optimization",
      "proximal policy optimisation, clipped surrogate",
      "arXiv:1707.06347v2, Algorithm 1",
      gallop::kOptions,
      [](const gallop::AlgorithmContext& context) -> std::unique_ptr<gallop::Algorithm> {
        return std::make_unique<gallop::Ppo>(context);
      }};
  return kDescriptor;
}
