// Natural evolution strategies: the natural gradient of the expected fitness of a Gaussian, by its
// mean and the logarithms of its deviations (separable, SNES).
//
//   g_mu    = sum_i u_i eps_i,   g_sigma = sum_i u_i (eps_i^2 - 1)
//   mu    <- mu + eta_mu sigma g_mu
//   sigma <- sigma exp(eta_sigma / 2 g_sigma)
//   u_i    = max(0, ln(P / 2 + 1) - ln i) / sum of these - 1 / P,   i the place from the best
//
// Only ranks count. Zeros among the options stand for P = 4 + floor(3 ln D) and
// eta_sigma = (3 + ln D) / (5 sqrt(D)). `mirrored` perturbs in pairs.
//
// Source: Wierstra, Schaul, Glasmachers, Sun, Peters and Schmidhuber, JMLR 15, 2014, Algorithm 6
// and Table 1.
//
// Verified: a step against the definition on single members, test functions
// (tests/black_box/gradient_estimates_test.cpp).
#include <algorithm>
#include <cmath>

#include <gallop/algorithms/black_box/perturbation_search.h>
#include <gallop/host/error.h>
#include <gallop/host/options/option_rows.h>

namespace gallop {
namespace {

constexpr auto kOptions =
    rows(integer_row("population", 0, {.min = 0, .max = 1 << 24, .unit = "members"},
                     "of a generation; 0 for 4 + floor(3 ln D), rounded up to pairs if mirrored"),
         real_row("sigma", 1, {.min = 1e-12, .max = 1e12}, "initial standard deviation"),
         real_row("eta_mu", 1, {.min = 0, .max = 1e6}, "learning rate of the mean"),
         real_row("eta_sigma", 0, {.min = 0, .max = 1e6},
                  "learning rate of the deviations; 0 for (3 + ln D) / (5 sqrt(D))"),
         boolean_row("mirrored", false, "perturbations come in pairs, theta + x and theta - x"));

class Nes : public PerturbationSearch {
 public:
  explicit Nes(const OptimizerContext& context)
      : PerturbationSearch(
            context, form_of(context),
            std::vector<double>(context.initial.size(), context.options.real("sigma"))),
        eta_mu_(context.options.real("eta_mu")),
        eta_sigma_(context.options.real("eta_sigma")) {
    const double n = double(dimension());
    if (eta_sigma_ == 0) eta_sigma_ = (3 + std::log(n)) / (5 * std::sqrt(n));
    const double p = population();
    double sum = 0;
    for (int i = 1; i <= population(); i++) {
      utility_.push_back(std::max(0.0, std::log(p / 2 + 1) - std::log(double(i))));
      sum += utility_.back();
    }
    for (double& u : utility_) u = u / sum - 1 / p;
  }

  Metrics metrics() const override {
    const auto [low, high] = std::minmax_element(sigma().begin(), sigma().end());
    return {{"sigma", mean_of(sigma())}, {"sigma_least", *low}, {"sigma_greatest", *high}};
  }

 protected:
  void update(std::span<const double> fitness) override {
    const std::vector<int> order = members_by_fitness(fitness);
    std::vector<double> weight(fitness.size());
    double total = 0;  // of rounded weights, which the sums have
    for (std::size_t i = 0; i < order.size(); i++) {
      weight[std::size_t(order[i])] = utility_[i];
      total += double(float(utility_[i]));
    }
    const Sums s = sums(weight, true);
    std::vector<double> center = this->center(), deviation = sigma();
    for (std::size_t k = 0; k < center.size(); k++) {
      center[k] += eta_mu_ * deviation[k] * s.eps[k];
      deviation[k] *= std::exp(eta_sigma_ / 2 * (s.squares[k] - total));
    }
    move(std::move(center), std::move(deviation));
  }

 private:
  static Form form_of(const OptimizerContext& context) {
    const bool is_mirrored = context.options.flag("mirrored");
    std::int64_t population = context.options.integer("population");
    if (population == 0) {
      population = 4 + int(3 * std::log(double(context.initial.size())));
      population += is_mirrored ? population % 2 : 0;
    }
    require_population("nes", population, 4, "its better half is weighed against all");
    if (is_mirrored && population % 2 != 0) {
      throw value_error("a mirrored population of " + std::to_string(population) +
                        " is not made of pairs; expected an even number");
    }
    return {.n_members = int(population), .is_mirrored = is_mirrored};
  }

  double eta_mu_, eta_sigma_;
  std::vector<double> utility_;  // [P] by place
};

}  // namespace
}  // namespace gallop

GALLOP_OPTIMIZER(Nes)

const gallop::OptimizerDescriptor& gallop_optimizer_Nes() {
  static constexpr gallop::OptimizerDescriptor kDescriptor = {
      "nes",
      "snes,natural_evolution_strategies",
      "natural evolution strategies, separable",
      "Wierstra et al., JMLR 15, 2014",
      gallop::kOptions,
      [](const gallop::OptimizerContext& c) -> std::unique_ptr<gallop::BlackBoxOptimizer> {
        return std::make_unique<gallop::Nes>(c);
      }};
  return kDescriptor;
}
