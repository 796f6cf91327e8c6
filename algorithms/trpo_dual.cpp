// The trust-region step by its Lagrangian dual, as in the lecture's "step-sizing" and "solving the
// constrained problem":
//
//   min over lambda >= 0  max over d   g^T d - lambda (d^T F d / 2 - delta)
//
// For a given lambda the inner maximum is d = F^-1 g / lambda, so one conjugate-gradient solution
// serves every lambda; the dual's slope is delta - KL. Dual ascent moves lambda by the measured
// mean KL(old || new), not by its quadratic model:
//
//   lambda <- [lambda + eta (lambda / delta) (KL(d) - delta)]_+
//
// The factor lambda / delta makes the rate eta a pure number; a step changes lambda by a factor
// between 1/2 and 2. It ends once |KL - delta| <= tolerance delta, or after `dual_steps`. lambda is
// kept for the next iteration; the first one is the solution for the quadratic model,
// lambda* = sqrt(g^T F^-1 g / (2 delta)). A step is taken if the surrogate improved and KL is at
// most (1 + tolerance) delta; otherwise parameters stay as they were, bit for bit.
//
// Slip: the lecture writes the constraint as d^T F d <= epsilon; with KL = d^T F d / 2, averaged
// over samples, its epsilon is twice this delta.
//
// Source: the lecture on policy optimisation by Schulman and Abbeel; arXiv:1502.05477v5, appendix
// C.
//
// Verified: lambda* and the step against the exact natural gradient of a decision process
// (tests/learning/dual_test.cpp), learning on cartpole (tests/training/learning_test.cpp).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/files/tensor_file.h>
#include <gallop/host/learning/option_rows.h>
#include <gallop/host/learning/trust_region.h>

namespace gallop {
namespace {

constexpr auto kOptions =
    rows(on_policy_rows({.n_envs = 64, .n_steps = 64, .gamma = 0.99, .gae_lambda = 0.97}),
         value_fit_rows({.learning_rate = 0.003, .epochs = 5, .minibatch = 256}),
         real_row("delta", 0.01, {.min = 1e-12, .max = 10, .unit = "nats"},
                  "mean KL(old || new) that a step aims at"),
         real_row("dual_rate", 0.5, {.min = 1e-6, .max = 10}, "eta of the dual ascent"),
         integer_row("dual_steps", 20, {.min = 1, .max = 10000}, "at most, of the dual ascent"),
         real_row("dual_tolerance", 0.1, {.min = 1e-6, .max = 10},
                  "part of delta that KL may be away from it"),
         solver_rows());

class TrpoDual : public TrustRegionAlgorithm {
 public:
  using TrustRegionAlgorithm::TrustRegionAlgorithm;

  void save(TensorFile& file) const override {
    TrustRegionAlgorithm::save(file);
    file.put_scalar<double>("lambda", lambda_);
  }

 private:
  void load_state(const TensorFile& file) override {
    TrustRegionAlgorithm::load_state(file);
    const double lambda = file.get_scalar<double>("lambda");
    // Infinity is where steps that are refused again and again lead to.
    if (!(lambda >= 0)) {
      throw checkpoint_error(fmt::format("tensor 'lambda' is {}; expected at least 0", lambda));
    }
    lambda_ = lambda;
  }

  void step_policy(Metrics& metrics) override {
    const Options& options = context_.options;
    const double delta = options.real("delta"), tolerance = options.real("dual_tolerance");
    const double norm = region_.prepare();
    const double curvature = natural_direction();
    TrustRegion::Candidate accepted = region_.try_step(0.0);
    const double before = accepted.surrogate;
    double taken = 0;
    int ascents = 0;
    if (curvature > 0) {
      if (lambda_ == 0) lambda_ = std::sqrt(curvature / (2 * delta));
      TrustRegion::Candidate tried = region_.try_step(1 / lambda_);
      const auto near = [&] { return std::abs(tried.kl - delta) <= tolerance * delta; };
      for (; ascents < int(options.integer("dual_steps")) && !near(); ascents++) {
        const double factor = 1 + options.real("dual_rate") * (tried.kl - delta) / delta;
        lambda_ *= std::isfinite(factor) ? std::clamp(factor, 0.5, 2.0) : 2.0;
        tried = region_.try_step(1 / lambda_);
      }
      if (tried.surrogate < before && tried.kl <= (1 + tolerance) * delta) {
        accepted = tried;
        taken = 1 / lambda_;
      }
    }
    if (taken == 0) region_.restore();
    metrics.emplace_back("policy_loss", accepted.surrogate);
    metrics.emplace_back("surrogate_gain", before - accepted.surrogate);
    metrics.emplace_back("kl", accepted.kl);
    metrics.emplace_back("entropy", accepted.entropy);
    metrics.emplace_back("gradient_norm", norm);
    metrics.emplace_back("step_scale", taken);
    metrics.emplace_back("lambda", lambda_);
    metrics.emplace_back("dual_steps", double(ascents));
  }

  double lambda_ = 0;  // 0 until the first step
};

}  // namespace
}  // namespace gallop

GALLOP_ALGORITHM(TrpoDual)

const gallop::AlgorithmDescriptor& gallop_algorithm_TrpoDual() {
  static constexpr gallop::AlgorithmDescriptor kDescriptor = {
      "trpo_dual",
      "dual,lagrangian",
      "trust-region step by dual ascent on its Lagrange multiplier",
      "the lecture's Lagrangian dual; arXiv:1502.05477v5, appendix C",
      gallop::kOptions,
      [](const gallop::AlgorithmContext& context) -> std::unique_ptr<gallop::Algorithm> {
        return std::make_unique<gallop::TrpoDual>(context);
      }};
  return kDescriptor;
}
