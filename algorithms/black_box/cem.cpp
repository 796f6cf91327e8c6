// Cross-entropy method: the distribution of the elite becomes the next one, with or without noise.
//
//   theta_e ~ N(mu, diag(sigma^2)),   elite: the best floor(elite_fraction P) members
//   mu      = mean of the elite
//   sigma^2 = variance of the elite (divided by its number) + Z_t
//
// Z_t of generation t, which keeps the variance from collapsing before the search has arrived:
//
//   none        0
//   constant    noise_variance
//   linear      max(0, noise_variance (1 - t / noise_generations))
//   hyperbolic  noise_variance / (t + 1)
//
// Equal fitness is ordered by the numbers of the members. Where it is noisy, the elite owes part of
// its rank to luck: what a policy is judged by is its mean, on episodes of its own.
//
// Source: Rubinstein, Methodology and Computing in Applied Probability 1, 1999; Szita and Lorincz,
// Neural Computation 18, 2006 (noise: there N = 100, elite 0.1, Z = 4, or max(5 - t / 10, 0)).
//
// Verified: shift and variance of a truncated normal, the noises by their formulas, against the
// definition on single members (tests/black_box/cem_test.cpp).

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/algorithms/black_box/gaussian_search.h>
#include <gallop/host/error.h>
#include <gallop/host/options/option_rows.h>

namespace gallop {
namespace {

constexpr auto kOptions = rows(
    integer_row("population", 100, {.min = 0, .max = 1 << 24, .unit = "members"},
                "of a generation"),
    real_row("elite_fraction", 0.1, {.min = 0, .max = 1}, "of the population that is the elite"),
    real_row("sigma", 1, {.min = 1e-12, .max = 1e12}, "initial standard deviation"),
    choice_row("noise", "none", "none,constant,linear,hyperbolic",
               "what is added to the variance of the elite, by generation"),
    real_row("noise_variance", 4, {.min = 0, .max = 1e12}, "of that noise in generation 0"),
    integer_row("noise_generations", 50, {.min = 1, .max = 1e9, .unit = "generations"},
                "after which linear noise is 0"),
    real_row("sigma_limit", 1e-12, {.min = 1e-20, .max = 1e12},
             "standard deviations are no less than this"));

class Cem : public GaussianSearch {
 public:
  explicit Cem(const OptimizerContext& context)
      : GaussianSearch(context, "cem", checked_population(context.options),
                       context.options.real("sigma"), Spread::kDiagonal),
        options_(context.options),
        n_elite_(elite_of(context.options)) {}

  Metrics metrics() const override {
    Metrics metrics = spread_metrics();
    metrics.emplace_back("noise_variance", noise(generation()));
    return metrics;
  }

 protected:
  void update(std::span<const double> fitness) override {
    const std::vector<int> order = members_by_fitness(fitness);
    std::vector<double> weight(fitness.size(), 0.0);
    for (int i = 0; i < n_elite_; i++) weight[std::size_t(order[std::size_t(i)])] = 1.0 / n_elite_;
    reweigh(weight, {.extra_variance = noise(generation()), .least = options_.real("sigma_limit")});
  }

 private:
  static int elite_of(const Options& options) {
    return int(options.real("elite_fraction") * double(options.integer("population")) + 1e-9);
  }
  static int checked_population(const Options& options) {
    const std::int64_t population = options.integer("population");
    require_population("cem", population, 4, "two of them at least are the elite");
    if (elite_of(options) >= 2) return int(population);
    throw value_error(fmt::format(
        "elite_fraction {} of a population of {} makes an elite of {}; expected at least 2, which "
        "have a variance",
        options.real("elite_fraction"), population, elite_of(options)));
  }
  double noise(std::uint64_t generation) const {
    const std::string& how = options_.text("noise");
    const double z = options_.real("noise_variance"), t = double(generation);
    if (how == "constant") return z;
    if (how == "linear") {
      return std::max(0.0, z * (1 - t / double(options_.integer("noise_generations"))));
    }
    return how == "hyperbolic" ? z / (t + 1) : 0;
  }

  const Options& options_;
  int n_elite_;
};

}  // namespace
}  // namespace gallop

GALLOP_OPTIMIZER(Cem)

const gallop::OptimizerDescriptor& gallop_optimizer_Cem() {
  static constexpr gallop::OptimizerDescriptor kDescriptor = {
      "cem",
      "cross_entropy_method,cross_entropy",
      "cross-entropy method, with or without noise",
      "Szita and Lorincz, Neural Computation 18, 2006",
      gallop::kOptions,
      [](const gallop::OptimizerContext& c) -> std::unique_ptr<gallop::BlackBoxOptimizer> {
        return std::make_unique<gallop::Cem>(c);
      }};
  return kDescriptor;
}
