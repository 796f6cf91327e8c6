// Trust region policy optimisation.
//
//   maximise  L(theta) = mean of rho A   subject to   mean KL(old || theta) <= delta
//
// s = (F + zeta I)^-1 g by conjugate gradient on Fisher-vector products; the full step is beta s
// with beta = sqrt(2 delta / s^T (F + zeta I) s); it is shortened by a fixed factor until the
// surrogate has improved and the measured mean KL is at most delta; where no step passes, the
// parameters stay as they were, bit for bit. F is the analytic matrix over all samples. Advantages
// by GAE; the value network is refitted after the policy's step.
//
// Two variants of the paper's figure 4 are options. With `kl` = greatest the line search holds the
// greatest KL of a state of the batch to delta in place of the mean, as equation 11 has it before
// the paper relaxes it; the direction stays that of the mean, and the first step is the one whose
// mean KL is delta, so more of the search's steps are taken. With `fisher_matrix` = empirical, F is
// the covariance of the gradients of log pi at the actions that were taken. The third, the vine, is
// trpo_vine.
//
// Slip: the lecture writes the constraint as d^T F d <= epsilon, without the factor 1/2 and the
// average over samples; with KL = d^T F d / 2 its epsilon is twice this delta. Its fit of the value
// function is a minimum ("min") where the minimising parameters ("argmin") are meant.
//
// Source: Schulman, Levine, Moritz, Jordan and Abbeel, arXiv:1502.05477v5, section 6 and appendix
// C.
//
// Verified: Fisher-vector products and the divergence against the formulas written out
// (tests/learning/fisher_test.cpp), those of the empirical matrix
// (tests/learning/empirical_fisher_test.cpp), a step against its pieces
// (tests/learning/trust_region_test.cpp), the bound on the greatest KL
// (tests/learning/trust_region_variants_test.cpp), learning on cartpole
// (tests/training/learning_test.cpp).
#include <cmath>

#include <gallop/algorithms/trpo.h>
#include <gallop/host/learning/option_rows.h>

namespace gallop {

LineSearchState trpo_step(Backend& backend, TrustRegion& region, const SolverOptions& solver,
                          const SearchOptions& search) {
  region.settle_path();
  region.run_step([&] {
    region.find_gradient();
    region.find_direction(solver);  // s = (F + zeta I)^-1 g
    const LineSearchRequest line = region.line_search(search);
    backend.line_search_begin(line);  // theta = old + beta s
    for (int k = 0; k < search.tries; k++) {
      region.measure_candidate(line);
      backend.line_search_step(line);  // stays there, or shortens the step
    }
  });
  return region.finish_step();
}

void trpo_step(const AlgorithmContext& context, TrustRegion& region, const SolverOptions& solver,
               Metrics& metrics) {
  const Options& options = context.options;
  const LineSearchState step = trpo_step(context.backend, region, solver,
                                         {.delta = options.real("delta"),
                                          .factor = options.real("backtrack_factor"),
                                          .tries = int(options.integer("backtracks"))});
  metrics.emplace_back("policy_loss", step.surrogate);
  metrics.emplace_back("surrogate_gain", step.before - step.surrogate);
  metrics.emplace_back("kl", step.kl);
  if (options.has("kl") && options.text("kl") == "greatest") {
    metrics.emplace_back("kl_greatest", step.greatest_kl);
  }
  metrics.emplace_back("entropy", step.entropy);
  metrics.emplace_back("gradient_norm", std::sqrt(region.last_solve().start));
  metrics.emplace_back("step_scale", step.taken);
}

namespace {

constexpr auto kOptions = rows(
    on_policy_rows({.n_envs = 64, .n_steps = 64, .gamma = 0.99, .gae_lambda = 0.97}),
    value_fit_rows({.learning_rate = 0.003, .epochs = 5, .minibatch = 256}),
    real_row("delta", 0.01, {.min = 1e-12, .max = 10, .unit = "nats"},
             "radius of the trust region: greatest mean KL(old || new) of a step"),
    choice_row("kl", "mean", "mean,greatest",
               "what delta bounds over the states of a batch: the mean KL, or the greatest one"),
    choice_row("fisher_matrix", "analytic", "analytic,empirical",
               "expectation over the policy's actions, or the mean over those that were taken"),
    solver_rows(), integer_row("backtracks", 10, {.min = 1, .max = 100}, "steps that are tried"),
    real_row("backtrack_factor", 0.8, {.min = 1e-3, .max = 0.999},
             "factor from one tried step to the next"));

TrustRegionOptions region_options(const Options& options) {
  return {.matrix = options.text("fisher_matrix") == "empirical" ? FisherMatrix::kEmpirical
                                                                 : FisherMatrix::kAnalytic,
          .bound = options.text("kl") == "greatest" ? KlBound::kGreatest : KlBound::kMean};
}

class Trpo : public TrustRegionAlgorithm {
 public:
  explicit Trpo(const AlgorithmContext& context)
      : TrustRegionAlgorithm(context, region_options(context.options)) {}

 private:
  void step_policy(Metrics& metrics) override {
    trpo_step(context_, region_, solver_options(), metrics);
    metrics.emplace_back("cg_residual", region_.last_solve().residual);
  }
};

}  // namespace
}  // namespace gallop

GALLOP_ALGORITHM(Trpo)

const gallop::AlgorithmDescriptor& gallop_algorithm_Trpo() {
  static constexpr gallop::AlgorithmDescriptor kDescriptor = {
      "trpo",
      "trust_region_policy_optimization",
      "trust region policy optimisation",
      "arXiv:1502.05477v5, section 6 and appendix C",
      gallop::kOptions,
      [](const gallop::AlgorithmContext& context) -> std::unique_ptr<gallop::Algorithm> {
        return std::make_unique<gallop::Trpo>(context);
      }};
  return kDescriptor;
}
