// PoWER: policy learning by weighting exploration with the returns, which reuses the best past
// members with importance weights.
//
//   w_e     = rho_e U_e over this generation and the `reuse` best members before it, U >= 0
//   mu      <- mu + sum w_e (theta_e - mu) / sum w_e
//   sigma^2 <- sum w_e (theta_e - mu)^2 / sum w_e,   with the old mu
//   rho_e   = min(most_importance, p(theta_e) / p_then(theta_e)),   1 for this generation
//
// p is the Gaussian N(mu, diag(sigma^2)) of this generation, p_then that which the member was drawn
// from. Returns count as an improper probability. `shift` = least takes U as what is above the
// least return of all that are weighed; with none, as the paper has it, a member below 0 is refused
// and a constant added to U changes the result.
//
// Source: Kober and Peters, Machine Learning 84, 2011, Algorithm 4 and the appendix.
//
// Verified: mean and second moment of a Gaussian under the weights of a quadratic, reuse and
// importance weights by hand (tests/black_box/reweighting_test.cpp).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/algorithms/black_box/perturbation_search.h>
#include <gallop/host/error.h>
#include <gallop/host/files/checked_tensor.h>
#include <gallop/host/options/option_rows.h>

namespace gallop {
namespace {

constexpr double kLargest = 1e300;

constexpr auto kOptions = rows(
    integer_row("population", 20, {.min = 0, .max = 1 << 20, .unit = "members"}, "of a generation"),
    real_row("sigma", 1, {.min = 1e-12, .max = 1e12}, "initial standard deviation"),
    choice_row("shift", "least", "none,least",
               "what is subtracted from returns: nothing, or the least of them"),
    choice_row("covariance", "diagonal", "fixed,diagonal", "what is learnt of it"),
    integer_row("reuse", 10, {.min = 0, .max = 1 << 20, .unit = "members"},
                "of earlier generations, the best ones"),
    real_row("most_importance", 1, {.min = 0, .max = 1e12}, "importance weights are cut to this"),
    real_row("sigma_limit", 1e-12, {.min = 1e-20, .max = 1e12},
             "standard deviations are no less than this"));

// Without what is the same for all Gaussians of D dimensions.
double log_density(std::span<const double> x, const std::vector<double>& mean,
                   const std::vector<double>& sigma) {
  double sum = 0;
  for (std::size_t k = 0; k < x.size(); k++) {
    const double z = (x[k] - mean[k]) / sigma[k];
    sum -= z * z / 2 + std::log(sigma[k]);
  }
  return sum;
}

class Power : public BlackBoxOptimizer {
 public:
  explicit Power(const OptimizerContext& context)
      : BlackBoxOptimizer(context),
        options_(context.options),
        mean_(context.initial),
        sigma_(mean_.size(), context.options.real("sigma")) {
    require_population("power", options_.integer("population"), 2, "one of them has no spread");
  }

  int population() const override { return int(options_.integer("population")); }
  std::vector<double> center() const override { return mean_; }
  Metrics metrics() const override {
    const auto [low, high] = std::minmax_element(sigma_.begin(), sigma_.end());
    return {{"sigma", mean_of(sigma_)},
            {"sigma_least", *low},
            {"sigma_greatest", *high},
            {"effective_members", effective_}};
  }

  void ask(Candidates& candidates) override {
    const std::size_t n = mean_.size();
    candidates = {.dimension = dimension(), .n = population()};
    candidates.points.resize(std::size_t(candidates.n) * n);
    for (std::size_t m = 0; m < std::size_t(candidates.n); m++) {
      const std::span<double> point = std::span(candidates.points).subspan(m * n, n);
      normals(std::uint32_t(m), point);
      for (std::size_t k = 0; k < n; k++) point[k] = mean_[k] + sigma_[k] * point[k];
    }
  }

 protected:
  void update(std::span<const double> fitness) override {
    const std::size_t n = mean_.size();
    Candidates candidates;
    ask(candidates);
    Past all = past_;
    all.points.insert(all.points.end(), candidates.points.begin(), candidates.points.end());
    all.fitness.insert(all.fitness.end(), fitness.begin(), fitness.end());
    for (int m = 0; m < candidates.n; m++) {
      all.log_density.push_back(log_density(candidates.point(m), mean_, sigma_));
    }
    const std::vector<double> weight = weights(all);
    std::vector<double> shift(n, 0.0), second(n, 0.0);
    for (std::size_t e = 0; e < weight.size(); e++) {
      for (std::size_t k = 0; k < n; k++) {
        const double delta = all.points[e * n + k] - mean_[k];
        shift[k] += weight[e] * delta;
        second[k] += weight[e] * delta * delta;
      }
    }
    std::vector<double> mean = mean_, sigma = sigma_;
    for (std::size_t k = 0; k < n; k++) {
      mean[k] += shift[k];
      if (options_.text("covariance") == "diagonal") {
        sigma[k] = std::max(options_.real("sigma_limit"), std::sqrt(second[k]));
      }
    }
    require_finite(std::span<const double>(mean), "the mean");
    require_finite(std::span<const double>(sigma), "the deviation");
    Past kept = best_of(all);
    mean_ = std::move(mean);
    sigma_ = std::move(sigma);
    past_ = std::move(kept);
    effective_ = 0;
    for (const double w : weight) effective_ += w * w;
    effective_ = 1 / effective_;
  }

  void save_state(TensorFile& file) const override {
    const TensorShape shape = {mean_.size()}, kept = {past_.fitness.size()};
    file.put<double>("optimizer/center", shape, mean_);
    file.put<double>("optimizer/sigma", shape, sigma_);
    file.put<double>("optimizer/past_points", {past_.points.size()}, past_.points);
    file.put<double>("optimizer/past_fitness", kept, past_.fitness);
    file.put<double>("optimizer/past_log_density", kept, past_.log_density);
    file.put_scalar<double>("optimizer/effective_members", effective_);
  }
  void load_state(const TensorFile& file) override {
    const std::size_t kept = file.tensor("optimizer/past_fitness").bytes.size() / sizeof(double);
    if (kept > std::size_t(options_.integer("reuse"))) {
      throw checkpoint_error(
          fmt::format("tensor 'optimizer/past_fitness' has {} members; expected at most {}, which "
                      "are reused",
                      kept, options_.integer("reuse")));
    }
    const std::size_t n = mean_.size();
    const auto read = [&](const char* name, std::size_t size, double low) {
      return finite_doubles(file, name, size, low, kLargest);
    };
    mean_ = read("optimizer/center", n, -kLargest);
    sigma_ = read("optimizer/sigma", n, 1e-20);
    past_.points = read("optimizer/past_points", kept * n, -kLargest);
    past_.fitness = read("optimizer/past_fitness", kept, -kLargest);
    past_.log_density = read("optimizer/past_log_density", kept, -kLargest);
    effective_ = finite_number(file, "optimizer/effective_members", 0, kLargest);
  }

 private:
  struct Past {
    std::vector<double> points, fitness, log_density;  // [L, D], [L], [L]
  };

  // Of all members, the earlier ones first; they sum to 1.
  std::vector<double> weights(const Past& all) const {
    const bool shifts = options_.text("shift") == "least";
    const double least = *std::min_element(all.fitness.begin(), all.fitness.end());
    if (!shifts && least < 0) {
      throw value_error(
          fmt::format("a member has the fitness {}, and power weighs members by it: expected none "
                      "below 0. With shift = least the least one counts as 0; the search stays "
                      "where it was",
                      least));
    }
    const std::size_t n = mean_.size(), n_past = past_.fitness.size();
    std::vector<double> weight;
    double sum = 0;
    for (std::size_t e = 0; e < all.fitness.size(); e++) {
      double w = all.fitness[e] - (shifts ? least : 0);
      if (e < n_past) {
        const double now = log_density(std::span(all.points).subspan(e * n, n), mean_, sigma_);
        w *= std::min(options_.real("most_importance"), std::exp(now - all.log_density[e]));
      }
      weight.push_back(w);
      sum += w;
    }
    if (!(sum > 0) || !std::isfinite(sum)) {
      throw value_error(
          fmt::format("the weights of all members sum to {}; expected more than 0", sum));
    }
    for (double& w : weight) w /= sum;
    return weight;
  }

  Past best_of(const Past& all) const {
    const std::size_t n = mean_.size();
    std::vector<int> order = members_by_fitness(all.fitness);
    order.resize(std::min(order.size(), std::size_t(options_.integer("reuse"))));
    Past best;
    for (const int e : order) {
      const auto point = all.points.begin() + long(std::size_t(e) * n);
      best.points.insert(best.points.end(), point, point + long(n));
      best.fitness.push_back(all.fitness[std::size_t(e)]);
      best.log_density.push_back(all.log_density[std::size_t(e)]);
    }
    return best;
  }

  const Options& options_;
  std::vector<double> mean_, sigma_;  // [D]
  Past past_;                         // the best members of earlier generations
  double effective_ = 0;
};

}  // namespace
}  // namespace gallop

GALLOP_OPTIMIZER(Power)

const gallop::OptimizerDescriptor& gallop_optimizer_Power() {
  static constexpr gallop::OptimizerDescriptor kDescriptor = {
      "power",
      "policy_learning_by_weighting_exploration",
      "members weighed by their returns, with reuse of the best",
      "Kober and Peters, Machine Learning 84, 2011",
      gallop::kOptions,
      [](const gallop::OptimizerContext& c) -> std::unique_ptr<gallop::BlackBoxOptimizer> {
        return std::make_unique<gallop::Power>(c);
      }};
  return kDescriptor;
}
