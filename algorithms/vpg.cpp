// Vanilla policy gradient, the lecture's Algorithm 1, with a value network as baseline:
//
//   collect trajectories under the current policy;
//   advantage A[t] from the old baseline: GAE(gamma, lambda), where lambda = 1 is R[t] - b(s[t]);
//   refit the baseline by minimising |b(s[t]) - R[t]|^2 over the samples;
//   one step of Adam along g = mean of grad log pi(a[t] | s[t]) A[t].
//
// The baseline is refitted after the advantage: fitting it first would bias the gradient (Schulman
// et al., arXiv:1506.02438v6, section 5). Source: the lecture on policy optimisation by Schulman
// and Abbeel, "Vanilla" policy gradient; defaults after spinning-up's VPG.
#include <algorithm>

#include "host/checkpoint/tensor_file.h"
#include "host/learning/on_policy.h"

namespace gallop {
namespace {

constexpr OptionSpec kOptions[] = {
    GALLOP_ON_POLICY_OPTIONS("64", "64", "0.99", "0.97"),
    {"learning_rate", OptionType::real, "0.01", 0, 10, nullptr, "", "step of the policy's Adam"},
    {"value_learning_rate", OptionType::real, "0.003", 0, 10, nullptr, "",
     "step of the value network's Adam"},
    {"value_epochs", OptionType::integer, "10", 1, 1000, nullptr, "",
     "passes over the samples in a fit of the baseline"},
    {"value_minibatch", OptionType::integer, "512", 1, 1 << 28, nullptr, "samples",
     "samples of one step of the fit"},
    {"entropy_coefficient", OptionType::real, "0", 0, 10, nullptr, "",
     "weight of an entropy bonus"},
    {"max_gradient_norm", OptionType::real, "0", 0, 1e9, nullptr, "",
     "gradients are scaled down to this norm; 0 for no limit"},
};

class Vpg : public Algorithm {
 public:
  explicit Vpg(const AlgorithmContext& context)
      : context_(context),
        learner_(context),
        minibatch_(
            std::min(long(context.options.integer("value_minibatch")), learner_.n_samples())),
        order_(context.backend, learner_.n_samples()) {}

  Metrics iterate() override {
    learner_.collect();
    learner_.estimate_advantages();
    Metrics metrics = learner_.episode_metrics();
    learner_.targets_from_returns();
    refit_baseline(metrics);
    update_policy(metrics);
    learner_.update_normalizer();
    return metrics;
  }

  std::uint64_t steps() const override { return learner_.steps(); }
  std::uint64_t steps_per_iteration() const override { return std::uint64_t(learner_.n_samples()); }
  PolicyView policy() const override { return learner_.policy(); }

  void save(TensorFile& file) const override {
    learner_.save(file);
    file.put_scalar<std::uint64_t>("shuffles", shuffles_);
  }
  void load(const TensorFile& file) override {
    learner_.load(file);
    shuffles_ = file.get_scalar<std::uint64_t>("shuffles");
  }

 private:
  void refit_baseline(Metrics& metrics) {
    const Options& options = context_.options;
    double loss = 0;
    for (int epoch = 0; epoch < int(options.integer("value_epochs")); epoch++) {
      context_.backend.shuffle(context_.seed, shuffles_++, learner_.n_samples(), order_.data());
      for (long first = 0; first < learner_.n_samples(); first += minibatch_) {
        const long count = std::min(minibatch_, learner_.n_samples() - first);
        TrainedParameters& value = learner_.value_parameters();
        context_.backend.value_gradient(
            learner_.value_request(learner_.samples(order_.data() + first, count)),
            value.gradient());
        require_finite(
            value.adam_step(options.real("value_learning_rate"), options.real("max_gradient_norm")),
            "the norm of the value network's gradient");
        loss = value.statistics()[0] / double(count) / 2;
      }
    }
    metrics.emplace_back("value_loss", loss);
  }

  void update_policy(Metrics& metrics) {
    const Options& options = context_.options;
    PolicyGradientRequest r =
        learner_.policy_request(learner_.samples(nullptr, learner_.n_samples()));
    r.loss = PolicyLoss::kLikelihoodRatio;
    r.entropy_coefficient = float(options.real("entropy_coefficient"));
    TrainedParameters& policy = learner_.policy_parameters();
    context_.backend.policy_gradient(r, policy.gradient());
    const double norm =
        policy.adam_step(options.real("learning_rate"), options.real("max_gradient_norm"));
    require_finite(norm, "the norm of the policy's gradient");
    const std::vector<float> sums = policy.statistics();
    const double n = double(learner_.n_samples());
    metrics.emplace_back("policy_loss", sums[kStatSurrogate] / n);
    metrics.emplace_back("entropy", sums[kStatEntropy] / n);
    metrics.emplace_back("gradient_norm", norm);
  }

  AlgorithmContext context_;
  OnPolicyLearner learner_;
  long minibatch_;
  DeviceArray<std::uint32_t> order_;
  std::uint64_t shuffles_ = 0;  // random orders drawn so far
};

}  // namespace
}  // namespace gallop

GALLOP_ALGORITHM(Vpg)

const gallop::AlgorithmDescriptor& gallop_algorithm_Vpg() {
  static constexpr gallop::AlgorithmDescriptor kDescriptor = {
      "vpg",
      "vanilla_policy_gradient",
      "vanilla policy gradient with a value network as baseline",
      "the lecture's Algorithm 1; arXiv:1506.02438v6",
      gallop::kOptions,
      [](const gallop::AlgorithmContext& context) -> std::unique_ptr<gallop::Algorithm> {
        return std::make_unique<gallop::Vpg>(context);
      }};
  return kDescriptor;
}
