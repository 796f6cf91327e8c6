// REINFORCE over whole paths: Williams, Machine Learning 8, 1992; the lecture's likelihood ratio
// gradient before temporal structure is used.
//
//   g = 1/m sum_i (sum_t grad log pi(u_t | s_t)) (R_i - b),   R_i = sum_t gamma^t r_t
//
// over the m episodes that ended within the rollout, which begins with a reset of all instances so
// that every path is whole. `baseline` chooses b:
//
//   none                0
//   mean                the mean return of the other paths (leave-one-out)
//   optimal             E[|s|^2 R] / E[|s|^2],    s = sum_t grad log pi(u_t | s_t)
//   optimal_component   E[s_j^2 R] / E[s_j^2] for each component j
//
// The optimal ones are those of Greensmith, Bartlett and Baxter, JMLR 5, 2004; their expectations
// are taken over the other paths, so every choice leaves the gradient unbiased. An iteration in
// which fewer paths ended than the baseline needs (two; one without) is refused: parameters stay,
// the metric `refused` says so.
//
// Source: Williams 1992; Greensmith, Bartlett and Baxter 2004.
//
// Verified: against exact gradients and the definition by single paths
// (tests/learning/reinforce_test.cpp), learning on cartpole (tests/training/learning_test.cpp).
#include <gallop/host/learning/option_rows.h>
#include <gallop/host/learning/path_scores.h>
#include <gallop/host/learning/policy_gradient_step.h>

namespace gallop {
namespace {

constexpr auto kOptions =
    rows(on_policy_rows({.n_envs = 64, .n_steps = 500, .gamma = 1, .gae_lambda = 1}),
         policy_step_rows("adam"),
         choice_row("baseline", "mean", "none,mean,optimal,optimal_component",
                    "what is subtracted from the return of a path"),
         real_row("max_gradient_norm", 0, {.min = 0, .max = 1e9},
                  "gradients are scaled down to this norm; 0 for no limit"));

class Reinforce : public OnPolicyAlgorithm {
 public:
  explicit Reinforce(const AlgorithmContext& context)
      : OnPolicyAlgorithm(context), paths_(context.backend, learner_) {}

  Metrics iterate() override {
    const UpdateGuard guard(learner_);
    const Options& options = context_.options;
    learner_.collect_from_reset();
    Metrics metrics = learner_.rollout().episode_metrics();
    const long m = paths_.find();
    const std::string& baseline = options.text("baseline");
    const bool refused = m < (baseline == "none" ? 1 : 2);
    double norm = 0;
    if (!refused) {
      if (baseline == "optimal" || baseline == "optimal_component") {
        paths_.gradient_with_optimal_baseline(baseline == "optimal_component");
      } else {
        paths_.gradient_with_mean_baseline(baseline == "mean");
      }
      norm = take_step(learner_.policy().parameters(), options.text("step"),
                       step_learning_rate(options), options.real("max_gradient_norm"));
      require_finite(norm, "the norm of the policy's gradient");
    }
    metrics.emplace_back("paths", double(m));
    metrics.emplace_back("refused", refused ? 1.0 : 0.0);
    metrics.emplace_back("gradient_norm", norm);
    learner_.update_normalizer();
    return metrics;
  }

 private:
  PathScores paths_;
};

}  // namespace
}  // namespace gallop

GALLOP_ALGORITHM(Reinforce)

const gallop::AlgorithmDescriptor& gallop_algorithm_Reinforce() {
  static constexpr gallop::AlgorithmDescriptor kDescriptor = {
      "reinforce",
      "",
      "likelihood ratio gradient of whole paths, with optimal baselines",
      "Williams, Machine Learning 8, 1992; Greensmith et al., JMLR 5, 2004",
      gallop::kOptions,
      [](const gallop::AlgorithmContext& context) -> std::unique_ptr<gallop::Algorithm> {
        return std::make_unique<gallop::Reinforce>(context);
      }};
  return kDescriptor;
}
