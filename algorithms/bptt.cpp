// Backpropagation through time: the gradient of the return along recorded paths, through the
// simulator (the lecture's pathwise derivative).
//
//   s[t + 1] = f(s[t], u[t], w[t]),   u[t] = pi(s[t], v[t]),   r[t] = R(s[t], u[t], w[t])
//   lambda[t] = R_s + f_s' lambda[t + 1] + pi_s' (R_u + f_u' lambda[t + 1])
//   g = mean over paths of sum over t of pi_theta' (R_u + f_u' lambda[t + 1])
//
// with the noise w of the dynamics, v of the policy and of the initial state held fixed: it comes
// from counters, so that deterministic, additive and reparameterised noise are one case. A roll-out
// is forward propagation, the gradient is backward propagation. With `gamma` below 1 the reward of
// the t-th step of a path counts gamma^t. `sample_actions = false` has the policy act by its mean.
//
// `step` chooses what follows from g: plain ascent, Adam, RMSProp, the natural gradient to a
// second-order KL of delta, or a trust region, where that step is shortened until the measured mean
// KL is at most delta. `common` names the random numbers that all iterations have in common: those
// of the policy, of initial states and dynamics, or both, with which the objective is a
// deterministic function of the parameters (PEGASUS). `n_steps` is the horizon: with
// `from_reset = false` rollouts go on where the last one ended, and derivatives are cut there
// (truncated backpropagation).
//
// The environment has to be smooth, unless `derivatives = differences` takes differences of its
// steps: see docs/pathwise.md.
//
// Slip: the lecture's recursion for the states' derivatives has df/ds twice; the second one is
// df/du: ds[t]/dtheta = f_s ds[t - 1]/dtheta + f_u du[t - 1]/dtheta.
//
// Source: the lecture on policy optimisation by Schulman and Abbeel, pathwise derivatives; Heess et
// al., arXiv:1510.09142v1, section 4 (stochastic dynamics and policies); Ng and Jordan, UAI 2000
// (PEGASUS).
//
// Verified: Jacobians against differences (tests/sims/derivatives_test.cpp), gradients of the
// scalar linear-quadratic system against exact ones (tests/learning/pathwise_test.cpp).
#include <cmath>
#include <optional>

#include <gallop/host/error.h>
#include <gallop/host/learning/option_rows.h>
#include <gallop/host/learning/pathwise.h>
#include <gallop/host/learning/policy_gradient_step.h>
#include <gallop/host/learning/trust_region.h>

namespace gallop {
namespace {

constexpr auto kOptions =
    rows(on_policy_rows({.n_envs = 64, .n_steps = 100, .gamma = 1, .gae_lambda = 1}),
         choice_row("step", "adam", "plain,adam,rmsprop,natural,trust_region",
                    "plain: theta + learning_rate g; adam, rmsprop: scaled by running moments of "
                    "g; natural: along F^-1 g, to a second-order KL of delta; trust_region: that, "
                    "shortened until the measured KL is at most delta"),
         real_row("learning_rate", 0, {.min = 0, .max = 1e6},
                  "of the steps plain, adam and rmsprop; 0 for what suits the step: plain 0.3, "
                  "adam 0.01, rmsprop 0.003"),
         real_row("max_gradient_norm", 0, {.min = 0, .max = 1e9},
                  "gradients are scaled down to this norm; 0 for no limit"),
         boolean_row("anneal", false, "learning rates fall to 0 over the run"),
         real_row("delta", 0.01, {.min = 1e-12, .max = 10, .unit = "nats"},
                  "KL(old || new) of the steps natural and trust_region"),
         solver_rows(),
         boolean_row("sample_actions", true, "the policy acts with its noise, else by its mean"),
         boolean_row("from_reset", true,
                     "rollouts begin with new episodes, else where the last one ended"),
         choice_row("common", "none", "none,policy,dynamics,both",
                    "random numbers that all iterations have in common: of sampled actions, of "
                    "initial states and dynamics, or both; needs from_reset"),
         pathwise_rows());

constexpr int kMostTries = 20;    // of the step trust_region,
constexpr double kShorter = 0.7;  // each so much of the one before

// A seed of 56 bits for what is drawn anew in an iteration (the finaliser of splitmix64).
std::uint64_t seed_of(std::uint64_t seed, std::uint64_t iteration) {
  std::uint64_t x = seed + (iteration + 1) * 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return (x ^ (x >> 31)) & kMaxSeed;
}

class Bptt : public OnPolicyAlgorithm {
 public:
  explicit Bptt(const AlgorithmContext& context)
      : OnPolicyAlgorithm(context),
        gradient_(context, learner_.environments(), learner_.policy(), learner_.rollout()) {
    const Options& options = context_.options;
    if (options.text("common") != "none" && !options.flag("from_reset")) {
      throw value_error(
          "common is " + options.text("common") +
          " and from_reset is false; random numbers in common begin with new episodes");
    }
    if (!options.flag("sample_actions")) learner_.rollout().act_deterministically();
    const std::string& step = options.text("step");
    if (!context.plays_only && (step == "natural" || step == "trust_region")) {
      region_.emplace(context.backend, learner_,
                      TrustRegionOptions{TrustRegionAlgorithm::asked_path(options)});
    }
  }

  Metrics iterate() override {
    const UpdateGuard guard(learner_);
    collect();
    Metrics metrics = learner_.rollout().episode_metrics();
    gradient_.find(learner_.environments(), learner_.rollout(), learner_.policy(),
                   -1.0 / learner_.environments().n_envs());
    if (region_) {
      step_in_region(metrics);
    } else {
      const Options& options = context_.options;
      const double norm =
          take_step(learner_.policy().parameters(), options.text("step"),
                    rate_left() * step_learning_rate(options), options.real("max_gradient_norm"));
      require_finite(norm, "the norm of the policy's gradient");
      metrics.emplace_back("gradient_norm", norm);
    }
    metrics.emplace_back("pathwise_megabytes", gradient_.megabytes());
    learner_.update_normalizer();
    return metrics;
  }

  void save(TensorFile& file) const override {
    OnPolicyAlgorithm::save(file);
    if (region_) region_->save_path(file);
  }

 protected:
  void load_state(const TensorFile& file) override {
    OnPolicyAlgorithm::load_state(file);
    if (region_) region_->load_path(file);
  }

 private:
  void collect() {
    const Options& options = context_.options;
    const std::string& common = options.text("common");
    if (!options.flag("from_reset")) return learner_.collect();
    if (common != "none") {
      const std::uint64_t anew = seed_of(context_.seed, 1 + steps() / steps_per_iteration());
      const std::uint64_t same = seed_of(context_.seed, 0);
      learner_.environments().reset_anew(common == "policy" ? anew : same);
      learner_.environments().set_action_seed(common == "dynamics" ? anew : same);
    }
    learner_.collect_from_reset();
  }

  void step_in_region(Metrics& metrics) {
    const Options& options = context_.options;
    const double delta = options.real("delta");
    region_->settle_path();
    const double norm = region_->prepare_at_gradient();
    const double curvature =
        region_->natural_direction(options.real("damping"), int(options.integer("cg_iterations")),
                                   options.real("cg_tolerance"));
    double scale = curvature > 0 ? std::sqrt(2.0 * delta / curvature) : 0.0;
    TrustRegion::Candidate after = region_->try_step(scale);
    if (options.text("step") == "trust_region") {
      for (int k = 1; k < kMostTries && !(after.kl <= delta); k++) {
        scale *= kShorter;
        after = region_->try_step(scale);
      }
      if (!(after.kl <= delta)) {
        scale = 0;
        region_->restore();
        after = region_->measure();
      }
    }
    require_finite(after.kl, "the KL divergence of the step");
    metrics.emplace_back("kl", after.kl);
    metrics.emplace_back("entropy", after.entropy);
    metrics.emplace_back("gradient_norm", norm);
    metrics.emplace_back("step_scale", scale);
  }

  PathwiseGradient gradient_;
  std::optional<TrustRegion> region_;
};

}  // namespace
}  // namespace gallop

GALLOP_ALGORITHM(Bptt)

const gallop::AlgorithmDescriptor& gallop_algorithm_Bptt() {
  static constexpr gallop::AlgorithmDescriptor kDescriptor = {
      "bptt",
      "backpropagation_through_time,pathwise",
      "backpropagation through time: gradients through the simulator",
      "the lecture's pathwise derivative; arXiv:1510.09142v1, section 4",
      gallop::kOptions,
      [](const gallop::AlgorithmContext& context) -> std::unique_ptr<gallop::Algorithm> {
        return std::make_unique<gallop::Bptt>(context);
      },
      &gallop::why_not_smooth};
  return kDescriptor;
}
