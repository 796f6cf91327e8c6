// Finite differences: the gradient of the return from small changes of the parameters.
//
//   central      g_j = (U(theta + epsilon e_j) - U(theta - epsilon e_j)) / (2 epsilon)
//   averaged     the same of means over `repeats` evaluations of each point
//   regression   (a, g) minimise sum_i (U(theta + epsilon z_i) - a - g . epsilon z_i)^2 over
//   `directions`
//                random z_i ~ N(0, I)
//   pegasus      central, and every evaluation meets the same random numbers in every generation
//
//   theta <- theta + step along g, or with `natural` along x = (F + damping I)^-1 g, as long that
//            1/2 x^T (F + damping I) x = delta,   F the Fisher matrix of the policy
//
// Central differences have the bias epsilon^2 U''' / 6 and the variance
// (Var+ + Var- - 2 Cov) / (4 epsilon^2 n): random numbers in common (the option `common` of
// training, always so with pegasus) make Cov large. pegasus climbs the mean over its fixed
// scenarios, and may overfit them: what a policy is judged by is other ones. F is taken over states
// that the policy visits in 64 steps of 32 instances. A central generation has 2 D members, a
// regression at least D + 1.
//
// Source: Ng and Jordan, PEGASUS, UAI 2000; natural gradient: Kakade, NIPS 2001; regression: Peters
// and Schaal, Neural Networks 21, 2008, section 3.1.
//
// Verified: gradients of functions that are known exactly, the variance with and without random
// numbers in common, the natural step against the metric
// (tests/black_box/gradient_estimates_test.cpp).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/algorithms/black_box/linear_algebra.h>
#include <gallop/host/error.h>
#include <gallop/host/files/checked_tensor.h>
#include <gallop/host/learning/ascent.h>
#include <gallop/host/learning/black_box.h>
#include <gallop/host/options/option_rows.h>

namespace gallop {
namespace {

constexpr double kLargest = 1e300;
constexpr std::int64_t kMostNumbers = std::int64_t(1) << 28;  // of all points: 2 GB

constexpr auto kOptions =
    rows(choice_row("estimator", "central", "central,averaged,regression,pegasus",
                    "how the gradient is estimated"),
         real_row("epsilon", 0.01, {.min = 1e-12, .max = 1e6}, "change of a parameter"),
         integer_row("repeats", 8, {.min = 1, .max = 1 << 20}, "evaluations of a point; averaged"),
         integer_row("directions", 0, {.min = 0, .max = 1 << 24}, "of a regression; 0 for 2 D + 2"),
         ascent_rows("plain", 0.1),
         boolean_row("natural", false, "the step follows the natural gradient of a policy"),
         real_row("delta", 0.01, {.min = 1e-12, .max = 10, .unit = "nats"},
                  "length of a natural step in the metric, by which the policy changes"),
         real_row("damping", 0.01, {.min = 0, .max = 1e6}, "added to the diagonal of the metric"));

class FiniteDifferences : public BlackBoxOptimizer {
 public:
  explicit FiniteDifferences(const OptimizerContext& context)
      : BlackBoxOptimizer(context),
        options_(context.options),
        metric_(context.metric),
        is_regression_(context.options.text("estimator") == "regression"),
        repeats_(context.options.text("estimator") == "averaged"
                     ? int(context.options.integer("repeats"))
                     : 1),
        population_(population_of(context, is_regression_, repeats_)),
        center_(context.initial),
        ascent_(dimension(), context.options) {
    if (options_.flag("natural") && !metric_) {
      throw value_error(
          "natural is true, but a function has no metric; expected a policy, whose change it "
          "measures");
    }
  }

  int population() const override { return population_; }
  std::vector<double> center() const override { return center_; }
  Metrics metrics() const override { return {{"gradient_norm", gradient_norm_}}; }

  void ask(Candidates& candidates) override {
    const std::size_t n = center_.size();
    candidates = {.dimension = dimension(), .n = population_};
    candidates.points.resize(std::size_t(population_) * n);
    if (options_.text("estimator") == "pegasus") candidates.scenarios = Scenarios::kFixed;
    const double epsilon = options_.real("epsilon");
    for (std::size_t m = 0; m < std::size_t(population_); m++) {
      const std::span<double> point = std::span(candidates.points).subspan(m * n, n);
      if (is_regression_) {
        normals(std::uint32_t(m), point);
        for (std::size_t k = 0; k < n; k++) point[k] = center_[k] + epsilon * point[k];
      } else {  // member (j 2 + sign) repeats + r
        std::copy(center_.begin(), center_.end(), point.begin());
        const std::size_t at = m / std::size_t(repeats_);
        point[at / 2] += at % 2 == 0 ? epsilon : -epsilon;
      }
    }
  }

 protected:
  void update(std::span<const double> fitness) override {
    const std::vector<double> gradient =
        is_regression_ ? regression(fitness) : differences(fitness);
    require_finite(std::span<const double>(gradient), "the gradient");
    std::vector<double> center = center_;
    if (options_.flag("natural")) {
      const std::vector<double> direction = metric_(gradient);
      double squared = 0;  // g . F^-1 g
      for (std::size_t k = 0; k < center.size(); k++) squared += gradient[k] * direction[k];
      const double scale = squared > 0 ? std::sqrt(2 * options_.real("delta") / squared) : 0;
      for (std::size_t k = 0; k < center.size(); k++) center[k] += scale * direction[k];
      require_finite(std::span<const double>(center), "the centre");
    } else {
      const std::vector<double> step = ascent_.step(gradient);
      for (std::size_t k = 0; k < center.size(); k++) center[k] += step[k];
    }
    center_ = std::move(center);
    gradient_norm_ = length(gradient);
  }

  void save_state(TensorFile& file) const override {
    file.put<double>("optimizer/center", {center_.size()}, center_);
    file.put_scalar<double>("optimizer/gradient_norm", gradient_norm_);
    ascent_.save(file, "optimizer/ascent");
  }
  void load_state(const TensorFile& file) override {
    center_ = finite_doubles(file, "optimizer/center", center_.size(), -kLargest, kLargest);
    gradient_norm_ = finite_number(file, "optimizer/gradient_norm", 0, kLargest);
    ascent_.load(file, "optimizer/ascent");
  }

 private:
  static int population_of(const OptimizerContext& context, bool is_regression, int repeats) {
    const std::int64_t n = std::int64_t(context.initial.size());
    std::int64_t population = 2 * n * repeats;
    if (is_regression) {
      const std::int64_t asked = context.options.integer("directions");
      population = asked > 0 ? asked : 2 * n + 2;
      if (population < n + 1) {
        throw value_error(fmt::format(
            "{} directions are too few for a regression of {} slopes and an offset; expected at "
            "least {}",
            population, n, n + 1));
      }
    }
    if (population <= kMostNumbers / n) return int(population);
    throw value_error(
        fmt::format("finite differences of {} parameters have {} members of so many numbers, more "
                    "than {} in all; es takes any number",
                    n, population, kMostNumbers));
  }

  std::vector<double> differences(std::span<const double> fitness) const {
    std::vector<double> gradient(center_.size());
    const std::size_t r = std::size_t(repeats_);
    for (std::size_t j = 0; j < gradient.size(); j++) {
      double difference = 0;
      for (std::size_t i = 0; i < r; i++) {
        difference += fitness[2 * j * r + i] - fitness[(2 * j + 1) * r + i];
      }
      gradient[j] = difference / double(r) / (2 * options_.real("epsilon"));
    }
    return gradient;
  }

  std::vector<double> regression(std::span<const double> fitness) const {
    const std::size_t n = center_.size(), rows = fitness.size();
    std::vector<double> matrix(rows * (n + 1)), z(n), solution(n + 1);  // by columns
    for (std::size_t m = 0; m < rows; m++) {
      normals(std::uint32_t(m), z);
      matrix[m] = 1;
      for (std::size_t k = 0; k < n; k++) matrix[(k + 1) * rows + m] = z[k];
    }
    solve_least_squares(long(rows), long(n + 1), matrix.data(), fitness.data(), solution.data());
    std::vector<double> gradient(solution.begin() + 1, solution.end());
    for (double& g : gradient) g /= options_.real("epsilon");
    return gradient;
  }

  const Options& options_;
  MetricSolution metric_;
  bool is_regression_;
  int repeats_, population_;
  std::vector<double> center_;  // [D]
  Ascent ascent_;
  double gradient_norm_ = 0;
};

}  // namespace
}  // namespace gallop

GALLOP_OPTIMIZER(FiniteDifferences)

const gallop::OptimizerDescriptor& gallop_optimizer_FiniteDifferences() {
  static constexpr gallop::OptimizerDescriptor kDescriptor = {
      "finite_differences",
      "fd,pegasus",
      "gradient by finite differences, averaged, by regression, or on fixed scenarios",
      "Ng and Jordan, UAI 2000",
      gallop::kOptions,
      [](const gallop::OptimizerContext& c) -> std::unique_ptr<gallop::BlackBoxOptimizer> {
        return std::make_unique<gallop::FiniteDifferences>(c);
      }};
  return kDescriptor;
}
