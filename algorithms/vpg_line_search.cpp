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

#include <gallop/host/files/checked_tensor.h>
#include <gallop/host/learning/evaluate.h>
#include <gallop/host/learning/option_rows.h>
#include <gallop/host/learning/policy_gradient_step.h>

namespace gallop {
namespace {

constexpr auto kOptions =
    rows(on_policy_rows({.n_envs = 64, .n_steps = 64, .gamma = 0.99, .gae_lambda = 0.97}),
         baseline_rows("network", {.learning_rate = 0.003, .epochs = 10, .minibatch = 512}),
         value_target_row(),
         real_row("initial_step", 1, {.min = 1e-12, .max = 1e6},
                  "alpha_0, length of the first step tried in the first iteration"),
         integer_row("search_episodes", 32, {.min = 1, .max = 1 << 20, .unit = "episodes"},
                     "scenarios that every candidate plays"),
         integer_row("backtracks", 8, {.min = 1, .max = 100},
                     "candidates that are tried, each half as far as the last"),
         real_row("armijo", 0.0001, {.min = 0, .max = 1},
                  "c, the part of the predicted gain that a step must reach"));

// Scenarios of the search share no random number with training or with the final evaluation.
constexpr std::uint64_t kSearchSeeds = std::uint64_t(1) << 55;
constexpr double kLeastPart = 1e-3;  // of the initial step

class LineSearch : public BaselineAlgorithm {
 public:
  explicit LineSearch(const AlgorithmContext& context)
      : BaselineAlgorithm(context),
        old_(context.backend, learner_.policy().parameters().size()),
        step_(context.options.real("initial_step")) {}

  Metrics iterate() override {
    const UpdateGuard guard(learner_);
    learner_.collect();
    Metrics metrics = learner_.rollout().episode_metrics();
    baseline_->evaluate();
    learner_.estimate_advantages({.lambda = context_.options.real("gae_lambda"),
                                  .target = value_target(context_.options.text("value_target"))});
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

 private:
  void load_state(const TensorFile& file) override {
    BaselineAlgorithm::load_state(file);
    searches_ =
        checked_count(file, "searches", learner_.iterations(), "searches, one an iteration");
    const double initial = context_.options.real("initial_step");
    step_ = finite_number(file, "search_step", initial * kLeastPart, initial);
  }

  // Mean return of the search's episodes under the policy as it is; the same scenarios each time.
  double score() {
    const std::uint64_t run = context_.seed * 0x9e3779b97f4a7c15u;  // keeps the runs' seeds apart
    const std::uint64_t seed = kSearchSeeds + (run + searches_) % kSearchSeeds;
    const Evaluation e = evaluate_policy(
        context_.backend, context_.environment, learner_.policy().view(),
        int(context_.options.integer("search_episodes")), seed, false, context_.configure,
        kMostEvaluationSteps, learner_.rollout().resets_nonfinite());
    for (const long length : e.lengths) learner_.add_steps(std::uint64_t(length));
    mean_length_ = e.mean_length;
    return e.mean;
  }

  // dU/dalpha along d: the gradient is a mean over samples of normalised advantages of scaled
  // rewards, U a mean over episodes of rewards.
  double slope(double norm) const {
    const double per_reward =
        context_.options.flag("normalize_advantages") ? learner_.advantages().std() : 1.0;
    return norm * mean_length_ * per_reward / learner_.advantages().reward_scale();
  }

  void search(Metrics& metrics) {
    Backend& backend = context_.backend;
    TrainedParameters& policy = learner_.policy().parameters();
    const long n = policy.size();
    const double length = norm(backend, policy.gradient(), n);
    require_finite(length, "the norm of the policy's gradient");
    backend.copy({old_.data(), policy.data(), n});
    const double before = score();
    const double rise = context_.options.real("armijo") * slope(length);
    double taken = 0, after = before, alpha = step_;
    for (int k = 0; k < int(context_.options.integer("backtracks")) && length > 0;
         k++, alpha /= 2) {
      backend.copy({policy.mutable_data(), old_.data(), n});
      backend.add_scaled({policy.mutable_data(), float(-alpha / length), policy.gradient(), n});
      const double tried = score();
      if (tried > before && tried >= before + rise * alpha) {
        taken = alpha;
        after = tried;
        break;
      }
    }
    if (taken == 0) backend.copy({policy.mutable_data(), old_.data(), n});
    const double initial = context_.options.real("initial_step");
    step_ = std::clamp(taken > 0 ? 2 * taken : step_ / 4, initial * kLeastPart, initial);
    metrics.emplace_back("gradient_norm", length);
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
