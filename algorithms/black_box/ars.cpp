// Augmented random search: plain steps along the differences of mirrored perturbations, scaled by
// the deviation of the returns.
//
//   theta <- theta + alpha / (b sigma_R) sum over the b best directions of (r+ - r-) delta,
//   r+, r- the returns of theta + nu delta and theta - nu delta, delta ~ N(0, I)
//
// sigma_R is the deviation of the 2 b returns that are used (divided by their number). Directions
// are ordered by max(r+, r-), equal ones by their numbers. Versions:
//
//   v1, v1t   observations as they are
//   v2, v2t   observations are whitened by their mean and variance over all training so far
//   v1, v2    all directions: b = directions
//   v1t, v2t  the best `top` of them
//
// Observations are whitened by statistics that are updated after each generation and stay the same
// within it. Where all returns that are used are equal there is no step. Deviation: with ties there
// are exactly b directions; the authors' program may keep more.
//
// Source: Mania, Guy and Recht, arXiv:1803.07055v1, Algorithms 1 and 2.
//
// Verified: a step against the definition on single members, with ties
// (tests/black_box/gradient_estimates_test.cpp), learning on cartpole
// (tests/training/learning_test.cpp).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/algorithms/black_box/perturbation_search.h>
#include <gallop/host/error.h>
#include <gallop/host/files/checked_tensor.h>
#include <gallop/host/options/option_rows.h>

namespace gallop {
namespace {

constexpr auto kOptions =
    rows(choice_row("version", "v2t", "v1,v1t,v2,v2t",
                    "v2: observations are whitened; t: the best directions alone"),
         integer_row("directions", 8, {.min = 0, .max = 1 << 23},
                     "that are tried in a generation, each both ways"),
         integer_row("top", 0, {.min = 0, .max = 1 << 23},
                     "directions that are used by v1t and v2t; 0 for half of them, rounded up"),
         real_row("alpha", 0.02, {.min = 0, .max = 1e6}, "length of a step"),
         real_row("nu", 0.03, {.min = 1e-12, .max = 1e6}, "deviation of the perturbations"));

class Ars : public PerturbationSearch {
 public:
  explicit Ars(const OptimizerContext& context)
      : PerturbationSearch(context, form_of(context.options), {context.options.real("nu")}),
        options_(context.options),
        top_(top_of(context.options)) {}

  std::optional<bool> normalizes() const override {
    return options_.text("version").starts_with("v2");
  }
  Metrics metrics() const override {
    return {{"return_deviation", deviation_}, {"parameter_norm", length(center())}};
  }

 protected:
  void update(std::span<const double> fitness) override {
    const std::size_t n = fitness.size() / 2;
    std::vector<double> best(n);
    for (std::size_t i = 0; i < n; i++) best[i] = std::max(fitness[2 * i], fitness[2 * i + 1]);
    const std::vector<int> order = members_by_fitness(best);
    std::vector<double> used;
    for (int i = 0; i < top_; i++) {
      const std::size_t at = 2 * std::size_t(order[std::size_t(i)]);
      used.push_back(fitness[at]);
      used.push_back(fitness[at + 1]);
    }
    const double mean = mean_of(used);
    double squares = 0;
    for (const double r : used) squares += (r - mean) * (r - mean);
    const double deviation = std::sqrt(squares / double(used.size()));
    std::vector<double> weight(fitness.size(), 0.0);
    for (int i = 0; deviation > 0 && i < top_; i++) {
      const std::size_t at = 2 * std::size_t(order[std::size_t(i)]);
      // The mean cancels, and what is summed is then no larger than need be.
      weight[at] = (fitness[at] - mean) / deviation;
      weight[at + 1] = (fitness[at + 1] - mean) / deviation;
    }
    const Sums s = sums(weight, false);
    std::vector<double> center = this->center();
    for (std::size_t k = 0; k < center.size(); k++) {
      center[k] += options_.real("alpha") / top_ * s.eps[k];
    }
    move(std::move(center), sigma());
    deviation_ = deviation;
  }

  void save_state(TensorFile& file) const override {
    PerturbationSearch::save_state(file);
    file.put_scalar<double>("optimizer/deviation", deviation_);
  }
  void load_state(const TensorFile& file) override {
    PerturbationSearch::load_state(file);
    deviation_ = finite_number(file, "optimizer/deviation", 0, 1e300);
  }

 private:
  static Form form_of(const Options& options) {
    require_population("ars", options.integer("directions"), 1,
                       "a direction is what is tried both ways");
    return {.n_members = 2 * int(options.integer("directions")), .is_mirrored = true};
  }
  static int top_of(const Options& options) {
    const std::int64_t directions = options.integer("directions"), top = options.integer("top");
    if (!options.text("version").ends_with("t")) {
      if (top == 0 || top == directions) return int(directions);
      throw value_error(
          fmt::format("top is {}, but version {} uses all {} directions; expected "
                      "{}t, or top 0",
                      top, options.text("version"), directions, options.text("version")));
    }
    if (top <= directions) return int(top == 0 ? (directions + 1) / 2 : top);
    throw value_error(
        fmt::format("top is {}; expected at most the {} directions", top, directions));
  }

  const Options& options_;
  int top_;
  double deviation_ = 0;
};

}  // namespace
}  // namespace gallop

GALLOP_OPTIMIZER(Ars)

const gallop::OptimizerDescriptor& gallop_optimizer_Ars() {
  static constexpr gallop::OptimizerDescriptor kDescriptor = {
      "ars",
      "augmented_random_search,basic_random_search",
      "augmented random search",
      "arXiv:1803.07055v1, Algorithm 2",
      gallop::kOptions,
      [](const gallop::OptimizerContext& c) -> std::unique_ptr<gallop::BlackBoxOptimizer> {
        return std::make_unique<gallop::Ars>(c);
      },
      true};
  return kDescriptor;
}
