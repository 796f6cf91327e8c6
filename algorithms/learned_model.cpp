// Policy optimisation through a learned model: dynamics and reward are fitted to the rollouts of
// the policy, and the policy climbs the gradient of its return in the model, by backpropagation
// through time.
//
//   s[t + 1] = s[t] + f(s[t], u[t]) + sigma w[t],  r[t] = R(s[t], u[t]),  u[t] = pi(s[t], v[t])
//   maximise over theta the mean of sum over t < H of gamma^t r[t] (+ gamma^H V(s[H]))
//
//   lambda[t] = r_s + pi_s' (r_u + f_u' lambda[t + 1]) + lambda[t + 1] + f_s' lambda[t + 1]
//   gradient  = sum over t of pi_theta' (r_u + f_u' lambda[t + 1])
//
// Each iteration: the policy runs for n_steps; an ensemble of networks is fitted to all transitions
// that are kept (host/learning/dynamics_model.h); then `updates` times `paths` paths of `horizon`
// steps begin at states of recorded transitions, with noise v and w of their own, and the policy
// takes a step along the gradient through them, through one member of the ensemble after the other.
// With value_tail the value network, fitted to the lambda-returns of the rollout, stands for what
// follows the horizon. Beyond the action space's bounds, to which the environment limits actions, a
// derivative by the action counts only where it leads back.
//
// Deviations: terminal states are not modelled, paths go through them; sigma is one number for each
// component of the observation.
//
// Slip: the lecture's recursion of ds/dtheta has df/ds in both terms; the second one is df/du.
//
// Source: the lecture on policy optimisation by Schulman and Abbeel, pathwise derivatives with f
// and R learned from rollouts; ensembles as in Kurutach, Clavera, Duan, Tamar and Abbeel,
// arXiv:1802.10592v2.
//
// Verified: least squares recovers a linear system with errors that fall as 1 / sqrt(N), gradients
// through exact and learned models against the exact one of a linear-quadratic system
// (tests/learning/dynamics_model_test.cpp), the fit's gradients against differences
// (tests/learning/value_gradients_test.cpp).
#include <gallop/host/learning/model_based.h>
#include <gallop/host/learning/policy_gradient_step.h>

namespace gallop {
namespace {

constexpr auto kOptions = rows(
    collecting_rows({.n_envs = 16, .n_steps = 200, .gamma = 0.99, .gae_lambda = 0.95}),
    policy_step_rows("adam"), value_fit_rows({.learning_rate = 0.003, .epochs = 10}),
    model_rows(20, 3),
    integer_row("horizon", 20, {.min = 1, .max = 10000, .unit = "steps"},
                "length of paths in the model"),
    integer_row("paths", 256, {.min = 1, .max = 1 << 24}, "paths of one step of the policy"),
    integer_row("updates", 40, {.min = 1, .max = 1 << 20}, "steps of the policy in an iteration"),
    boolean_row("value_tail", true, "the value network stands for what follows the horizon"),
    real_row("max_adjoint", 0, {.min = 0, .max = 1e9},
             "norms of adjoints are limited to this in the sweep; 0 for no limit"),
    real_row("entropy_coefficient", 0, {.min = 0, .max = 10}, "weight of an entropy bonus"));

class LearnedModel : public ModelBasedAlgorithm {
 public:
  explicit LearnedModel(const AlgorithmContext& context)
      : ModelBasedAlgorithm("learned_model", context, true, context.options.flag("value_tail")) {
    if (context.plays_only) return;
    paths_ = std::make_unique<ModelPaths>(
        make_paths(int(context.options.integer("horizon")), context.options.integer("paths")));
  }

  Metrics iterate() override {
    const Guard guard(*this);
    Metrics metrics = collect();
    if (value_fit_ != nullptr) fit_value(metrics);
    fit_model(metrics);
    improve(metrics);
    learner_.update_normalizer();
    return metrics;
  }

 private:
  void improve(Metrics& metrics) {
    const Options& options = context_.options;
    const long updates = options.integer("updates");
    ModelPaths::Sweep sweep;
    sweep.gamma = options.real("gamma");
    sweep.reward_scale = options.real("reward_scale");
    sweep.value = value_fit_ != nullptr ? &learner_.value() : nullptr;
    sweep.max_adjoint = options.real("max_adjoint");
    sweep.entropy_coefficient = options.real("entropy_coefficient");
    double norm = 0, adjoint = 0;
    for (long u = 0; u < updates; u++) {
      const std::uint64_t call = learner_.iterations() * std::uint64_t(updates) + std::uint64_t(u);
      sweep.member = int(u % model_->members());
      paths_->imagine(*store_, draw(u * paths_->n(), paths_->n()), sweep.member,
                      std::uint32_t(call));
      paths_->differentiate(sweep);
      adjoint = std::max(adjoint, paths_->greatest_adjoint());
      norm += step_policy() / double(updates);
    }
    metrics.emplace_back("imagined_return", paths_->mean_return());
    metrics.emplace_back("gradient_norm", norm);
    metrics.emplace_back("greatest_adjoint", adjoint);
  }

  std::unique_ptr<ModelPaths> paths_;
};

}  // namespace
}  // namespace gallop

GALLOP_ALGORITHM(LearnedModel)

const gallop::AlgorithmDescriptor& gallop_algorithm_LearnedModel() {
  static constexpr gallop::AlgorithmDescriptor kDescriptor = {
      "learned_model",
      "model_based",
      "policy gradients by backpropagation through learned dynamics and reward",
      "the lecture's pathwise derivatives, f and R learned; arXiv:1802.10592v2",
      gallop::kOptions,
      [](const gallop::AlgorithmContext& context) -> std::unique_ptr<gallop::Algorithm> {
        return std::make_unique<gallop::LearnedModel>(context);
      },
      gallop::continuous_refusal};
  return kDescriptor;
}
