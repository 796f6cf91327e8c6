// Reward-weighted regression in parameter space: members count by the exponential of their fitness.
//
//   w_e   = exp(beta (U_e - U_max)) / sum of these
//   mu    <- sum w_e theta_e
//   Sigma <- sum w_e (theta_e - mu)(theta_e - mu)^T,   with the new mu
//
// beta is an option; 0 chooses it in each generation so that 1 / sum w_e^2, the number of members
// that count, is effective_fraction of the population: then a constant added to U, or a factor,
// change nothing. `covariance` keeps Sigma as it began, learns its diagonal, or all of it.
//
// Source: Peters and Schaal, Reinforcement learning by reward-weighted regression, ICML 2007; in
// the space of parameters: Kober and Peters, Machine Learning 84, 2011.
//
// Verified: mean and variance of a Gaussian under the weights exp(beta U) of a quadratic, which are
// Gaussian (tests/black_box/reweighting_test.cpp).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/algorithms/black_box/gaussian_search.h>
#include <gallop/host/error.h>
#include <gallop/host/options/option_rows.h>

namespace gallop {
namespace {

constexpr auto kOptions =
    rows(integer_row("population", 100, {.min = 0, .max = 1 << 24, .unit = "members"},
                     "of a generation"),
         real_row("sigma", 1, {.min = 1e-12, .max = 1e12}, "initial standard deviation"),
         real_row("beta", 0, {.min = 0, .max = 1e12},
                  "of the weights exp(beta U); 0 for what effective_fraction asks for"),
         real_row("effective_fraction", 0.2, {.min = 1e-6, .max = 1},
                  "of the population that count, where beta is 0"),
         choice_row("covariance", "diagonal", "fixed,diagonal,full", "what is learnt of it"),
         real_row("sigma_limit", 1e-12, {.min = 1e-20, .max = 1e12},
                  "standard deviations are no less than this"));

// The least beta at which no more than `wanted` members count, by bisection of its logarithm.
double adapted_beta(std::span<const double> fitness, double wanted) {
  double range = 0;
  for (const double u : fitness) {
    for (const double v : {fitness.front(), fitness.back()})
      range = std::max(range, std::abs(u - v));
  }
  double low = -20, high = 20;  // of the logarithm of beta times the range
  for (int i = 0; i < 60; i++) {
    const double middle = (low + high) / 2;
    const double count = effective_members(exponential_weights(fitness, std::exp(middle) / range));
    (count > wanted ? low : high) = middle;
  }
  return std::exp(high) / range;
}

class Rwr : public GaussianSearch {
 public:
  explicit Rwr(const OptimizerContext& context)
      : GaussianSearch(context, "rwr", checked_population(context.options),
                       context.options.real("sigma"),
                       spread_called(context.options.text("covariance"))),
        options_(context.options) {}

  Metrics metrics() const override {
    Metrics metrics = spread_metrics();
    metrics.emplace_back("beta", beta_);
    metrics.emplace_back("effective_members", effective_);
    return metrics;
  }

 protected:
  void update(std::span<const double> fitness) override {
    const double wanted =
        std::max(1.5, options_.real("effective_fraction") * double(fitness.size()));
    const double beta =
        options_.real("beta") > 0 ? options_.real("beta") : adapted_beta(fitness, wanted);
    const std::vector<double> weight = exponential_weights(fitness, beta);
    reweigh(weight, {.least = options_.real("sigma_limit")});
    beta_ = beta;
    effective_ = effective_members(weight);
  }

 private:
  static int checked_population(const Options& options) {
    require_population("rwr", options.integer("population"), 2, "one of them has no spread");
    return int(options.integer("population"));
  }

  const Options& options_;
  double beta_ = 0, effective_ = 0;
};

}  // namespace
}  // namespace gallop

GALLOP_OPTIMIZER(Rwr)

const gallop::OptimizerDescriptor& gallop_optimizer_Rwr() {
  static constexpr gallop::OptimizerDescriptor kDescriptor = {
      "rwr",
      "reward_weighted_regression",
      "reward-weighted regression in parameter space",
      "Peters and Schaal, ICML 2007",
      gallop::kOptions,
      [](const gallop::OptimizerContext& c) -> std::unique_ptr<gallop::BlackBoxOptimizer> {
        return std::make_unique<gallop::Rwr>(c);
      }};
  return kDescriptor;
}
