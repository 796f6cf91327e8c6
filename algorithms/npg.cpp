// Natural policy gradient: the step along F^-1 g that solves the lecture's constrained problem to
// second order.
//
//   theta <- theta + beta F^-1 g,   beta = sqrt(2 delta / g^T F^-1 g)
//
// so that beta^2 g^T F^-1 g / 2, the second-order KL, is delta. With `step` = fixed, beta is the
// option learning_rate, as in Kakade's paper. F^-1 g by conjugate gradient on Fisher-vector
// products. There is no line search: the measured KL is reported, not bounded; see trpo for that.
//
// Slip: the lecture's second-order approximation of the KL divergence lacks the factor 1/2 and the
// average over samples. With KL = d^T F d / 2 and F the mean over samples, its epsilon is twice
// this delta.
//
// Source: Kakade, "A natural policy gradient", NIPS 2001; arXiv:1502.05477v5, appendix C for the
// products.
//
// Verified: Fisher-vector products against a reference written out
// (tests/learning/fisher_test.cpp), the step against the exact natural gradient of a decision
// process and under another parametrisation (tests/learning/trust_region_test.cpp), learning on
// cartpole (tests/training/learning_test.cpp).
#include <cmath>

#include <gallop/host/learning/option_rows.h>
#include <gallop/host/learning/trust_region.h>

namespace gallop {
namespace {

constexpr auto kOptions =
    rows(on_policy_rows({.n_envs = 64, .n_steps = 64, .gamma = 0.99, .gae_lambda = 0.97}),
         value_fit_rows({.learning_rate = 0.003, .epochs = 5, .minibatch = 256}),
         choice_row("step", "normalized", "normalized,fixed",
                    "normalized: to a second-order KL of delta; fixed: learning_rate times the "
                    "natural gradient"),
         real_row("delta", 0.005, {.min = 1e-12, .max = 10, .unit = "nats"},
                  "second-order KL of a normalized step"),
         real_row("learning_rate", 0.1, {.min = 0, .max = 1e6}, "of a fixed step"), solver_rows());

class NaturalGradient : public TrustRegionAlgorithm {
 public:
  using TrustRegionAlgorithm::TrustRegionAlgorithm;

 private:
  void step_policy(Metrics& metrics) override {
    const Options& options = context_.options;
    const double norm = region_.prepare();
    const double curvature = natural_direction();
    double beta = options.real("learning_rate");
    if (options.text("step") == "normalized") {
      beta = curvature > 0 ? std::sqrt(2.0 * options.real("delta") / curvature) : 0.0;
    }
    const TrustRegion::Candidate after = region_.try_step(beta);
    report_step(after, norm, metrics);
    metrics.emplace_back("step_scale", beta);
  }
};

}  // namespace
}  // namespace gallop

GALLOP_ALGORITHM(NaturalGradient)

const gallop::AlgorithmDescriptor& gallop_algorithm_NaturalGradient() {
  static constexpr gallop::AlgorithmDescriptor kDescriptor = {
      "npg",
      "natural_policy_gradient",
      "natural policy gradient",
      "Kakade, NIPS 2001; arXiv:1502.05477v5, appendix C for the products",
      gallop::kOptions,
      [](const gallop::AlgorithmContext& context) -> std::unique_ptr<gallop::Algorithm> {
        return std::make_unique<gallop::NaturalGradient>(context);
      }};
  return kDescriptor;
}
