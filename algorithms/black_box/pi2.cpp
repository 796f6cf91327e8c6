// Path integral policy improvement in its black-box form: members count by the exponential of their
// fitness, scaled to its range in the generation.
//
//   P_e   = exp(h (U_e - U_max) / (U_max - U_min)) / sum of these
//   mu    <- mu + sum P_e (theta_e - mu)
//   Sigma <- (1 - covariance_rate) Sigma + covariance_rate sum P_e (theta_e - mu)(theta_e - mu)^T
//
// with the old mu in the covariance (PI2-CMA), whose deviations along its axes are no less than
// sigma_limit, of a diagonal one also no more than sigma_most. With `lambda` above 0 the exponent
// is lambda U_e itself, which depends on the unit of U. Deviation: one perturbation acts for the
// whole episode, which counts by its return. The form by time step weighs members at each step t by
// their costs to go, S_{e,t}, and averages the updates over t: its exponentials take the costs to
// go of all members at one step together, so it is no function of one number a member, which is
// what an optimizer is told; episodes of a population keep their return alone, and those of a
// generation end at different steps.
//
// Source: Theodorou, Buchli and Schaal, JMLR 11, 2010; black-box form and covariance: Stulp and
// Sigaud, Path integral policy improvement with covariance matrix adaptation, ICML 2012.
//
// Verified: mean and second moment under the weights of a quadratic, and of two members by hand
// (tests/black_box/reweighting_test.cpp).

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/algorithms/black_box/gaussian_search.h>
#include <gallop/host/error.h>
#include <gallop/host/options/option_rows.h>

namespace gallop {
namespace {

constexpr auto kOptions = rows(
    integer_row("population", 40, {.min = 0, .max = 1 << 24, .unit = "members"}, "of a generation"),
    real_row("sigma", 1, {.min = 1e-12, .max = 1e12}, "initial standard deviation"),
    real_row("h", 10, {.min = 1e-6, .max = 1e6}, "how much the best member counts"),
    real_row("lambda", 0, {.min = 0, .max = 1e12},
             "of the weights exp(lambda U), in place of those scaled to the range; 0 for those"),
    choice_row("covariance", "diagonal", "fixed,diagonal,full", "what is learnt of it"),
    real_row("covariance_rate", 0.8, {.min = 0, .max = 1}, "part of it that is new"),
    real_row("sigma_limit", 1e-12, {.min = 1e-20, .max = 1e12},
             "standard deviations are no less than this"),
    real_row("sigma_most", 1e12, {.min = 1e-20, .max = 1e12}, "and no more than this"));

class Pi2 : public GaussianSearch {
 public:
  explicit Pi2(const OptimizerContext& context)
      : GaussianSearch(context, "pi2", checked_population(context.options),
                       context.options.real("sigma"),
                       spread_called(context.options.text("covariance"))),
        options_(context.options) {
    if (options_.real("sigma_limit") <= options_.real("sigma_most")) return;
    throw value_error(
        fmt::format("sigma_limit is {} and sigma_most {}; expected the first to be "
                    "no greater",
                    options_.real("sigma_limit"), options_.real("sigma_most")));
  }

  Metrics metrics() const override {
    Metrics metrics = spread_metrics();
    metrics.emplace_back("effective_members", effective_);
    return metrics;
  }

 protected:
  void update(std::span<const double> fitness) override {
    const auto [low, high] = std::minmax_element(fitness.begin(), fitness.end());
    const double lambda = options_.real("lambda");
    const std::vector<double> weight =
        exponential_weights(fitness, lambda > 0 ? lambda : options_.real("h") / (*high - *low));
    reweigh(weight, {.rate = options_.real("covariance_rate"),
                     .about_old_mean = true,
                     .least = options_.real("sigma_limit"),
                     .most = options_.real("sigma_most")});
    effective_ = effective_members(weight);
  }

 private:
  static int checked_population(const Options& options) {
    require_population("pi2", options.integer("population"), 2, "their range scales the weights");
    return int(options.integer("population"));
  }

  const Options& options_;
  double effective_ = 0;
};

}  // namespace
}  // namespace gallop

GALLOP_OPTIMIZER(Pi2)

const gallop::OptimizerDescriptor& gallop_optimizer_Pi2() {
  static constexpr gallop::OptimizerDescriptor kDescriptor = {
      "pi2",
      "path_integral,pi2_cma",
      "path integral policy improvement, black-box form",
      "Stulp and Sigaud, ICML 2012",
      gallop::kOptions,
      [](const gallop::OptimizerContext& c) -> std::unique_ptr<gallop::BlackBoxOptimizer> {
        return std::make_unique<gallop::Pi2>(c);
      }};
  return kDescriptor;
}
