// Trust region policy optimisation by branches from recorded states: TRPO's vine.
//
//   maximise  L(theta) = mean over states n of L_n(theta)
//   subject to  mean KL(old || theta) <= delta
//
//   L_n = sum over a of pi_theta(a | s_n) Q(s_n, a)                  (eq. 15, every action)
//   L_n = sum over k of rho_k Q(s_n, a_k) / sum over k of rho_k      (eq. 16, K draws)
//
// with rho = pi_theta / q. A rollout of the policy gives states; from some of them branches begin
// with one action each and then follow the policy for `branch_steps` steps, all branches of a state
// under the same random numbers, which leaves of their differences what the first action made. Q is
// the discounted sum of a branch's rewards. Where actions are discrete each one is taken once, q
// being uniform; else `branches` of them are drawn from the policy. The step is that of trpo, at
// the first actions of the branches.
//
// Deviations: Q less its mean over the branches of a state stands for Q. That leaves eq. 15 as it
// is but for a constant, and gives eq. 16 its gradient at the policy that acted; the line search
// measures the mean of rho times it, which is L_n of eq. 16 times the mean of rho. Where
// `bootstrap` is on, the value network, which is fitted to the rollout's lambda-returns, stands for
// what would have followed a branch that was cut; the paper's branches end there. Time limits end
// no branch.
//
// Source: Schulman, Levine, Moritz, Jordan and Abbeel, arXiv:1502.05477v5, section 5.2.
//
// Verified: values of branches against exact ones of the decision process, the gradient against
// differences of eq. 16, common random numbers (tests/learning/vine_test.cpp), learning on cartpole
// (tests/training/learning_test.cpp).
#include <gallop/algorithms/trpo.h>
#include <gallop/host/learning/option_rows.h>
#include <gallop/host/learning/vine.h>

namespace gallop {
namespace {

constexpr auto kOptions = rows(
    on_policy_rows({.n_envs = 32, .n_steps = 64, .gamma = 0.99, .gae_lambda = 0.97}),
    value_fit_rows({.learning_rate = 0.003, .epochs = 5, .minibatch = 256}),
    integer_row("vine_states", 128, {.min = 1, .max = 1 << 24},
                "states of a rollout that branches begin at, spread evenly; at most all of them"),
    integer_row("branches", 4, {.min = 2, .max = 1 << 16},
                "from each state, of continuous actions; of discrete ones each is taken once"),
    integer_row("branch_steps", 100, {.min = 1, .max = 1 << 20, .unit = "steps"},
                "of a branch, its first action included"),
    boolean_row("bootstrap", true,
                "the value network stands for what follows a branch that was cut"),
    real_row("delta", 0.01, {.min = 1e-12, .max = 10, .unit = "nats"},
             "radius of the trust region: greatest mean KL(old || new) of a step"),
    solver_rows(), integer_row("backtracks", 10, {.min = 1, .max = 100}, "steps that are tried"),
    real_row("backtrack_factor", 0.8, {.min = 1e-3, .max = 0.999},
             "factor from one tried step to the next"));

class TrpoVine : public TrustRegionAlgorithm {
 public:
  explicit TrpoVine(const AlgorithmContext& context)
      : TrustRegionAlgorithm(context, {.n_samples = Vine::sample_count(context)}),
        vine_(context, learner_) {
    region_.use(vine_.samples());
  }

 private:
  // Steps count from the moment that they were taken.
  void grow() {
    try {
      vine_.grow();
    } catch (...) {
      learner_.add_steps(vine_.steps());
      throw;
    }
    learner_.add_steps(vine_.steps());
  }

  void step_policy(Metrics& metrics) override {
    grow();
    trpo_step(context_, region_, solver_options(), metrics);
    metrics.emplace_back("branch_value", vine_.mean_value());
    metrics.emplace_back("branch_spread", vine_.mean_spread());
    metrics.emplace_back("branch_steps", double(vine_.steps()));
  }

  Vine vine_;
};

}  // namespace
}  // namespace gallop

GALLOP_ALGORITHM(TrpoVine)

const gallop::AlgorithmDescriptor& gallop_algorithm_TrpoVine() {
  static constexpr gallop::AlgorithmDescriptor kDescriptor = {
      "trpo_vine",
      "vine",
      "trust region policy optimisation, branches from recorded states",
      "arXiv:1502.05477v5, section 5.2",
      gallop::kOptions,
      [](const gallop::AlgorithmContext& context) -> std::unique_ptr<gallop::Algorithm> {
        return std::make_unique<gallop::TrpoVine>(context);
      }};
  return kDescriptor;
}
