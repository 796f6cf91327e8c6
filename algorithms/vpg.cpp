// Vanilla policy gradient: the lecture's Algorithm 1.
//
//   collect trajectories under the current policy;
//   advantage A[t] = Q[t] - b(s[t]) with the old baseline b;
//   refit the baseline: argmin over b of |b(s[t]) - R[t]|^2, summed over the samples;
//   theta <- theta + alpha g,   g = mean over samples of grad log pi(u[t] | s[t]) A[t].
//
// `estimator` chooses Q: gae (GAE(gamma, lambda)), monte_carlo (the discounted rewards from t on:
// GPOMDP, the estimator with temporal structure) or n_step; `baseline` chooses b: none, the mean,
// a function of time, linear in features, or a network. `step` is Adam or plain gradient ascent.
// With gamma below 1 the estimator counts the states of a trajectory undiscounted, as most learners
// do; `discount_states` puts the factor gamma^t in front, which makes it the gradient of the
// discounted return.
//
// The advantage uses the old baseline and the refit follows: the other order would bias the
// gradient (Schulman et al., arXiv:1506.02438v6, section 5). Defaults after spinning-up's VPG.
//
// Slip: the reward-to-go slides have the baseline inside the sum over k; it is subtracted once,
// from the sum, as in Algorithm 1. The slides on discounting have exponents that count from the
// horizon (gamma^(H - t)); here they count from t.
//
// Source: the lecture on policy optimisation by Schulman and Abbeel, "Vanilla" policy gradient;
// Baxter and Bartlett, JAIR 15, 2001 (GPOMDP).
//
// Verified: gradients against exact ones of a decision process and a linear-quadratic system
// (tests/learning/exact_gradient_test.cpp), baselines against closed forms
// (tests/learning/baseline_test.cpp), learning on cartpole (tests/training/learning_test.cpp).
#include <gallop/host/learning/option_rows.h>
#include <gallop/host/learning/policy_gradient_step.h>

namespace gallop {
namespace {

constexpr auto kOptions = rows(
    on_policy_rows({.n_envs = 64, .n_steps = 64, .gamma = 0.99, .gae_lambda = 0.97}),
    policy_step_rows("adam"),
    baseline_rows("network", {.learning_rate = 0.003, .epochs = 10, .minibatch = 512}),
    choice_row("estimator", "gae", "gae,monte_carlo,n_step",
               "of the return that the baseline is subtracted from"),
    integer_row("n", 5, {.min = 1, .max = 1 << 20, .unit = "steps"}, "of the n-step estimator"),
    value_target_row(),
    boolean_row("discount_states", false,
                "the factor gamma^t of the gradient of the discounted return"),
    real_row("entropy_coefficient", 0, {.min = 0, .max = 10}, "weight of an entropy bonus"));

class Vpg : public BaselineAlgorithm {
 public:
  explicit Vpg(const AlgorithmContext& context) : BaselineAlgorithm(context) {
    if (context_.options.flag("discount_states")) learner_.track_ages();
  }

  Metrics iterate() override {
    const UpdateGuard guard(learner_);
    learner_.collect();
    Metrics metrics = learner_.rollout().episode_metrics();
    baseline_->evaluate();
    learner_.estimate_advantages(estimate());
    metrics.emplace_back("value_loss", baseline_->fit());
    step_along_policy_gradient(context_, learner_, 1.0, metrics);
    learner_.update_normalizer();
    return metrics;
  }

 private:
  AdvantageEstimate estimate() const {
    const Options& options = context_.options;
    const std::string& estimator = options.text("estimator");
    return {.lambda = estimator == "gae" ? options.real("gae_lambda") : 1.0,
            .n_step = estimator == "n_step" ? int(options.integer("n")) : 0,
            .target = value_target(options.text("value_target")),
            .discounts_by_age = options.flag("discount_states")};
  }
};

}  // namespace
}  // namespace gallop

GALLOP_ALGORITHM(Vpg)

const gallop::AlgorithmDescriptor& gallop_algorithm_Vpg() {
  static constexpr gallop::AlgorithmDescriptor kDescriptor = {
      "vpg",
      "vanilla_policy_gradient,gpomdp",
      "vanilla policy gradient with a choice of estimators and baselines",
      "the lecture's Algorithm 1; arXiv:1506.02438v6",
      gallop::kOptions,
      [](const gallop::AlgorithmContext& context) -> std::unique_ptr<gallop::Algorithm> {
        return std::make_unique<gallop::Vpg>(context);
      }};
  return kDescriptor;
}
