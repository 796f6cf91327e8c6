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
#include "host/learning/on_policy.h"
#include "host/learning/value_fit.h"

namespace gallop {
namespace {

constexpr OptionSpec kOptions[] = {
    GALLOP_ON_POLICY_OPTIONS("64", "64", "0.99", "0.97"),
    {"learning_rate", OptionType::real, "0.01", 0, 10, nullptr, "", "step of the policy's Adam"},
    GALLOP_VALUE_FIT_OPTIONS("0.003", "10", "512"),
    {"entropy_coefficient", OptionType::real, "0", 0, 10, nullptr, "",
     "weight of an entropy bonus"},
};

class Vpg : public OnPolicyAlgorithm {
 public:
  explicit Vpg(const AlgorithmContext& context)
      : OnPolicyAlgorithm(context), value_fit_(context, learner_) {}

  Metrics iterate() override {
    learner_.collect();
    learner_.estimate_advantages();
    Metrics metrics = learner_.episode_metrics();
    learner_.targets_from_returns();
    metrics.emplace_back("value_loss", value_fit_.run());
    update_policy(metrics);
    learner_.update_normalizer();
    return metrics;
  }

  void save(TensorFile& file) const override {
    OnPolicyAlgorithm::save(file);
    value_fit_.save(file);
  }
  void load(const TensorFile& file) override {
    OnPolicyAlgorithm::load(file);
    value_fit_.load(file);
  }

 private:
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

  ValueFit value_fit_;
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
