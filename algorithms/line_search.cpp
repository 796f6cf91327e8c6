// Policy gradient with a line search along it under common random numbers, the lecture's
// "step-sizing": simple but expensive.
//
//   g = the gradient of algorithm vpg;   d = g / |g|
//   theta <- theta + alpha d,   alpha in {alpha_0, alpha_0 / 2, alpha_0 / 4, ...}
//
// The first alpha is taken at which the mean return U of `search_episodes` episodes satisfies
// Armijo's rule U(theta + alpha d) >= U(theta) + c alpha dU/dalpha, with dU/dalpha = g^T d
// estimated from the rollout. Every candidate, theta included, plays the same scenarios: initial
// states and noise come from the counters of the random generator, not from the order of calls (Ng
// and Jordan, "PEGASUS", UAI 2000). Each iteration has fresh scenarios, so that none is overfitted.
// Where no candidate passes, the parameters stay as they were, bit for bit. alpha_0 is the option
// initial_step; the next search starts at twice the step that was taken, and at a quarter of where
// this one started if none was, within a thousandth of initial_step and initial_step.
//
// The episodes of the search count as environment steps of the run.
//
// Source: the lecture on policy optimisation by Schulman and Abbeel; Ng and Jordan, UAI 2000;
// Armijo, Pacific J. Math. 16, 1966.
//
// Verified: the returns of candidates under common random numbers and the acceptance rule
// (tests/learning/line_search_test.cpp), learning on cartpole (tests/training/learning_test.cpp).
#include <algorithm>
#include <cmath>

#include "host/checkpoint/tensor_file.h"
#include "host/learning/policy_gradient_step.h"
#include "host/training/evaluate.h"

namespace gallop {
namespace {

constexpr OptionSpec kOptions[] = {
    GALLOP_ON_POLICY_OPTIONS("64", "64", "0.99", "0.97"),
    GALLOP_BASELINE_OPTIONS("network", "0.003", "10", "512"),
    {"value_target", OptionType::choice, "monte_carlo", -kUnbounded, kUnbounded,
     GALLOP_VALUE_TARGET_CHOICES, "", "what the baseline is fitted to"},
    {"initial_step", OptionType::real, "1", 1e-12, 1e6, nullptr, "",
     "alpha_0, length of the first step tried in the first iteration"},
    {"search_episodes", OptionType::integer, "32", 1, 1 << 20, nullptr, "episodes",
     "scenarios that every candidate plays"},
    {"backtracks", OptionType::integer, "8", 1, 100, nullptr, "",
     "candidates that are tried, each half as far as the last"},
    {"armijo", OptionType::real, "0.0001", 0, 1, nullptr, "",
     "c, the part of the predicted gain that a step must reach"},
};

// Scenarios of the search share no random number with training or with the final evaluation.
constexpr std::uint64_t kSearchSeeds = std::uint64_t(1) << 55;

class LineSearch : public BaselineAlgorithm {
 public:
  explicit LineSearch(const AlgorithmContext& context)
      : BaselineAlgorithm(context),
        old_(context.backend, learner_.policy_parameters().size()),
        step_(context.options.real("initial_step")) {}

  Metrics iterate() override {
    const UpdateGuard guard(learner_);
    learner_.collect();
    Metrics metrics = learner_.episode_metrics();
    baseline_->evaluate();
    learner_.estimate_targets(value_target(context_.options.text("value_target")));
    learner_.advantages_by_gae(context_.options.real("gae_lambda"));
    learner_.finish_advantages();
    metrics.emplace_back("value_loss", baseline_->fit());
    find_policy_gradient(context_, learner_, metrics);
    search(metrics);
    searches_++;
    learner_.update_normalizer();
    return metrics;
  }

  void save(TensorFile& file) const override {
    BaselineAlgorithm::save(file);
    file.put_scalar<std::uint64_t>("searches", searches_);
    file.put_scalar<double>("search_step", step_);
  }
  void load(const TensorFile& file) override {
    BaselineAlgorithm::load(file);
    searches_ = file.get_scalar<std::uint64_t>("searches");
    step_ = file.get_scalar<double>("search_step");
  }

 private:
  // Mean return of the search's episodes under the policy as it is; the same scenarios each time.
  double score() {
    const std::uint64_t run = context_.seed * 0x9e3779b97f4a7c15u;  // keeps the runs' seeds apart
    const std::uint64_t seed = kSearchSeeds + (run + searches_) % kSearchSeeds;
    const Evaluation e = evaluate_policy(context_.backend, context_.environment, learner_.policy(),
                                         int(context_.options.integer("search_episodes")), seed,
                                         false, context_.configure);
    for (const long length : e.lengths) learner_.add_steps(std::uint64_t(length));
    mean_length_ = e.mean_length;
    return e.mean;
  }

  // dU/dalpha along d: the gradient is a mean over samples of normalised advantages of scaled
  // rewards, U a mean over episodes of rewards.
  double slope(double norm) const {
    const double per_reward =
        context_.options.flag("normalize_advantages") ? learner_.advantage_std() : 1.0;
    return norm * mean_length_ * per_reward / learner_.reward_scale();
  }

  void search(Metrics& metrics) {
    Backend& backend = context_.backend;
    TrainedParameters& policy = learner_.policy_parameters();
    const long n = policy.size();
    const double norm = backend.norm(policy.gradient(), n);
    require_finite(norm, "the norm of the policy's gradient");
    backend.copy(old_.data(), policy.data(), n);
    const double before = score();
    const double rise = context_.options.real("armijo") * slope(norm);
    double taken = 0, after = before, alpha = step_;
    for (int k = 0; k < int(context_.options.integer("backtracks")) && norm > 0; k++, alpha /= 2) {
      backend.copy(policy.mutable_data(), old_.data(), n);
      backend.add_scaled(policy.mutable_data(), float(-alpha / norm), policy.gradient(), n);
      const double tried = score();
      if (tried > before && tried >= before + rise * alpha) {
        taken = alpha;
        after = tried;
        break;
      }
    }
    if (taken == 0) backend.copy(policy.mutable_data(), old_.data(), n);
    const double initial = context_.options.real("initial_step");
    step_ = std::clamp(taken > 0 ? 2 * taken : step_ / 4, initial * 1e-3, initial);
    metrics.emplace_back("gradient_norm", norm);
    metrics.emplace_back("search_return", after);
    metrics.emplace_back("step_scale", taken);
  }

  DeviceArray<float> old_;
  double step_;
  double mean_length_ = 0;      // of the episodes of the last score
  std::uint64_t searches_ = 0;  // done so far
};

}  // namespace
}  // namespace gallop

GALLOP_ALGORITHM(LineSearch)

const gallop::AlgorithmDescriptor& gallop_algorithm_LineSearch() {
  static constexpr gallop::AlgorithmDescriptor kDescriptor = {
      "vpg_line_search",
      "line_search",
      "vanilla policy gradient with a line search under common random numbers",
      "the lecture's step-sizing; Ng and Jordan, UAI 2000",
      gallop::kOptions,
      [](const gallop::AlgorithmContext& context) -> std::unique_ptr<gallop::Algorithm> {
        return std::make_unique<gallop::LineSearch>(context);
      }};
  return kDescriptor;
}
