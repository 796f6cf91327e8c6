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
// Slip: the lecture writes the constraint as d^T F d <= epsilon, without the factor 1/2 and the
// average over samples; with KL = d^T F d / 2 its epsilon is twice this delta. Its fit of the value
// function is a minimum ("min") where the minimising parameters ("argmin") are meant.
//
// Source: Schulman, Levine, Moritz, Jordan and Abbeel, arXiv:1502.05477v5, section 6 and appendix
// C.
//
// Verified: Fisher-vector products and the divergence against the formulas written out
// (tests/learning/fisher_test.cpp), a step against its pieces
// (tests/learning/trust_region_test.cpp), learning on cartpole (tests/training/learning_test.cpp).
#include <cmath>

#include "host/learning/trust_region.h"

namespace gallop {
namespace {

constexpr OptionSpec kOptions[] = {
    GALLOP_ON_POLICY_OPTIONS("64", "64", "0.99", "0.97"),
    GALLOP_VALUE_FIT_OPTIONS("0.003", "5", "256"),
    {"delta", OptionType::real, "0.01", 1e-12, 10, nullptr, "nats",
     "radius of the trust region: greatest mean KL(old || new) of a step"},
    GALLOP_SOLVER_OPTIONS,
    {"backtracks", OptionType::integer, "10", 1, 100, nullptr, "", "steps that are tried"},
    {"backtrack_factor", OptionType::real, "0.8", 1e-3, 0.999, nullptr, "",
     "factor from one tried step to the next"},
};

class Trpo : public TrustRegionAlgorithm {
 public:
  using TrustRegionAlgorithm::TrustRegionAlgorithm;

 private:
  void step_policy(Metrics& metrics) override {
    const Options& options = context_.options;
    const LineSearchState step = region_.constrained_step(
        solver_options(), {options.real("delta"), options.real("backtrack_factor"),
                           int(options.integer("backtracks"))});
    metrics.emplace_back("policy_loss", step.surrogate);
    metrics.emplace_back("surrogate_gain", step.before - step.surrogate);
    metrics.emplace_back("kl", step.kl);
    metrics.emplace_back("entropy", step.entropy);
    metrics.emplace_back("gradient_norm", std::sqrt(region_.last_solve().start));
    metrics.emplace_back("step_scale", step.taken);
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
