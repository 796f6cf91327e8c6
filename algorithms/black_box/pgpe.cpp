// PGPE: policy gradients with parameter-based exploration, symmetric, with ClipUp.
//
//   theta+- = mu +- sigma eps
//   g_mu    = 1 / P sum over pairs of (u+ - u-) sigma eps
//   g_sigma = 1 / P sum over pairs of (u+ + u- - 2 b) sigma (eps^2 - 1)
//   v  <- momentum v + learning_rate g_mu / |g_mu|, cut to the length max_speed;   mu <- mu + v
//   sigma <- sigma + sigma_learning_rate g_sigma, by at most sigma_max_change of itself
//
// u are centred ranks of all returns, or returns less their mean, over their deviation; b is their
// mean. The gradients are those of the expected return by mu and sigma times sigma^2, as in the
// first paper.
//
// Source: Sehnke, Osendorfer, Rueckstiess, Graves, Peters and Schmidhuber, Neural Networks 23, 2010
// (symmetric sampling); ClipUp: Toklu, Liskowski and Srivastava, arXiv:2008.02387v2.
//
// Verified: a step against the definition on single members, the mean of g_mu on a quadratic
// (tests/black_box/gradient_estimates_test.cpp), learning on cartpole
// (tests/training/learning_test.cpp).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/algorithms/black_box/perturbation_search.h>
#include <gallop/host/error.h>
#include <gallop/host/options/option_rows.h>

namespace gallop {
namespace {

constexpr auto kOptions =
    rows(integer_row("population", 64, {.min = 0, .max = 1 << 24, .unit = "members"},
                     "of a generation, an even number"),
         real_row("sigma", 1, {.min = 1e-12, .max = 1e12}, "initial standard deviation"),
         ascent_rows("clipup", 0.15),
         real_row("sigma_learning_rate", 0.1, {.min = 0, .max = 1e6}, "of the deviations"),
         real_row("sigma_max_change", 0.2, {.min = 0, .max = 0.999},
                  "of a deviation in one generation, as a part of it"),
         choice_row("utility", "ranks", "ranks,standardized", "what members count by"));

class Pgpe : public PerturbationSearch {
 public:
  explicit Pgpe(const OptimizerContext& context)
      : PerturbationSearch(
            context, form_of(context.options),
            std::vector<double>(context.initial.size(), context.options.real("sigma"))),
        options_(context.options),
        ascent_(dimension(), context.options) {}

  Metrics metrics() const override {
    const auto [low, high] = std::minmax_element(sigma().begin(), sigma().end());
    return {{"sigma", mean_of(sigma())},
            {"sigma_least", *low},
            {"sigma_greatest", *high},
            {"parameter_norm", length(center())}};
  }

 protected:
  void update(std::span<const double> fitness) override {
    const std::vector<double> utility = utilities(fitness, options_.text("utility"), 1);
    double total = 0;
    for (const double u : utility) total += double(float(u));
    const Sums s = sums(utility, true);
    std::vector<double> gradient(s.eps.size()), deviation = sigma();
    const double most = options_.real("sigma_max_change");
    for (std::size_t k = 0; k < gradient.size(); k++) {
      gradient[k] = deviation[k] * s.eps[k] / population();
      const double g = deviation[k] * (s.squares[k] - total) / population();
      const double change = options_.real("sigma_learning_rate") * g;
      deviation[k] += std::clamp(change, -most * deviation[k], most * deviation[k]);
    }
    climb(ascent_, gradient, std::move(deviation));
  }

  void save_state(TensorFile& file) const override {
    PerturbationSearch::save_state(file);
    ascent_.save(file, "optimizer/ascent");
  }
  void load_state(const TensorFile& file) override {
    PerturbationSearch::load_state(file);
    ascent_.load(file, "optimizer/ascent");
  }

 private:
  static Form form_of(const Options& options) {
    const std::int64_t population = options.integer("population");
    require_population("pgpe", population, 2, "its members are pairs");
    if (population % 2 != 0) {
      throw value_error(fmt::format(
          "a population of {} is not made of pairs; expected an even number", population));
    }
    return {.n_members = int(population), .is_mirrored = true};
  }

  const Options& options_;
  Ascent ascent_;
};

}  // namespace
}  // namespace gallop

GALLOP_OPTIMIZER(Pgpe)

const gallop::OptimizerDescriptor& gallop_optimizer_Pgpe() {
  static constexpr gallop::OptimizerDescriptor kDescriptor = {
      "pgpe",
      "parameter_exploring_policy_gradient",
      "policy gradients with parameter-based exploration, with ClipUp",
      "Sehnke et al., Neural Networks 23, 2010",
      gallop::kOptions,
      [](const gallop::OptimizerContext& c) -> std::unique_ptr<gallop::BlackBoxOptimizer> {
        return std::make_unique<gallop::Pgpe>(c);
      }};
  return kDescriptor;
}
