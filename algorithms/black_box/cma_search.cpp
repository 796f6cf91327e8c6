#include <gallop/algorithms/black_box/cma_search.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/files/checked_tensor.h>
#include <gallop/kernels/random/stream.h>

namespace gallop {
namespace {

constexpr long kMostDimensions = 8192;  // of a full covariance: three matrices of 0.5 GB
constexpr int kMostPopulation = 1 << 24;
constexpr double kLargest = 1e300;
// Stopping, as purecma does.
constexpr double kToleranceFitness = 1e-12, kToleranceSteps = 1e-11, kMostCondition = 1e14;
// Ids of random numbers that belong to no member: a new start, and the size of a small run.
constexpr std::uint32_t kStartId = ~0u, kSizeId = ~0u - 1;

double squared_norm(std::span<const double> x) {
  double sum = 0;
  for (const double component : x) sum += component * component;
  return sum;
}

long checked_dimension(const OptimizerContext& context, bool is_separable) {
  const long n = long(context.initial.size());
  if (!is_separable) require_full_covariance(n);
  return n;
}

}  // namespace

void require_full_covariance(long dimension) {
  if (dimension <= kMostDimensions) return;
  throw value_error(
      fmt::format("cma_es keeps a matrix of D x D numbers, and D is {}; expected at most {}: "
                  "sep_cma_es keeps D of them",
                  dimension, kMostDimensions));
}

CmaSearch::CmaSearch(const OptimizerContext& context, bool is_separable)
    : BlackBoxOptimizer(context),
      form_{context.options.text("constants") == "purecma", context.options.flag("active"),
            is_separable},
      max_restarts_(int(context.options.integer("max_restarts"))),
      initial_sigma_(context.options.real("sigma")),
      restart_spread_(context.options.real("restart_spread")),
      restarts_(context.options.text("restarts")),
      initial_(context.initial),
      covariance_(checked_dimension(context, is_separable), is_separable) {
  const std::int64_t asked = context.options.integer("population");
  default_population_ = asked > 0 ? int(asked) : default_cma_population(dimension());
  require_population(is_separable ? "sep_cma_es" : "cma_es", default_population_, 4,
                     "the better half of it makes the mean and its spread");
  mean_ = initial_;
  begin_run(default_population_, initial_sigma_);
}

void CmaSearch::begin_run(int population, double sigma) {
  constants_ = cma_constants(dimension(), population, form_);
  sigma_ = sigma;
  paths_ = {std::vector<double>(mean_.size(), 0.0), std::vector<double>(mean_.size(), 0.0)};
  covariance_ = Covariance(dimension(), form_.is_separable);
  run_generations_ = decomposed_at_ = 0;
  best_of_generation_.clear();
}

void CmaSearch::sample() {
  if (sampled_ == generation()) return;
  const std::size_t n = mean_.size(), members = std::size_t(population());
  sampled_.reset();
  z_.resize(members * n);
  y_.resize(members * n);
  for (std::size_t m = 0; m < members; m++) {
    normals(std::uint32_t(m), std::span(z_).subspan(m * n, n));
  }
  covariance_.color(z_, y_);
  sampled_ = generation();
}

void CmaSearch::ask(Candidates& candidates) {
  sample();
  candidates = {
      .dimension = dimension(), .n = population(), .points = std::move(candidates.points)};
  candidates.points.resize(y_.size());
  const std::size_t n = mean_.size();
  for (std::size_t i = 0; i < y_.size(); i++) {
    candidates.points[i] = mean_[i % n] + sigma_ * y_[i];
  }
}

// Equations of Hansen's tutorial, arXiv:1604.00772v2.
void CmaSearch::update(std::span<const double> fitness) {
  sample();
  const CmaConstants& c = constants_;
  const std::vector<int> order = members_by_fitness(fitness);
  if (fitness[std::size_t(order.front())] == fitness[std::size_t(order.back())]) {
    run_generations_++;
    stop_ = "all members have the same fitness";
    restart();
    return;
  }
  const std::size_t size = mean_.size();
  const double n = double(size);

  // The members' steps in their order, and the path as one more. [lambda + 1, n]
  std::vector<double> steps((order.size() + 1) * size), weight(order.size() + 1);
  std::vector<double> delta(size, 0.0);  // (m' - m) / sigma
  for (std::size_t i = 0; i < order.size(); i++) {
    const std::size_t at = std::size_t(order[i]) * size;
    std::copy_n(y_.begin() + long(at), size, steps.begin() + long(i * size));
    double w = c.weight[i];
    if (w < 0) w *= n / squared_norm(std::span(z_).subspan(at, size));  // eq. 46
    weight[i] = c.c_mu * w;
    if (i >= std::size_t(c.parents)) continue;
    for (std::size_t k = 0; k < size; k++) delta[k] += c.weight[i] * y_[at + k];  // eq. 41
  }
  std::vector<double> mean = mean_;
  for (std::size_t k = 0; k < size; k++) mean[k] += sigma_ * delta[k];  // eq. 42

  Paths paths = paths_;
  const std::vector<double> whitened = covariance_.whiten(delta);
  const double gain = std::sqrt(c.c_sigma * (2 - c.c_sigma) * c.mu_eff);
  for (std::size_t k = 0; k < size; k++) {
    paths.sigma[k] = (1 - c.c_sigma) * paths.sigma[k] + gain * whitened[k];  // eq. 43
  }
  const double length2 = squared_norm(paths.sigma);
  const double known = 1 - std::pow(1 - c.c_sigma, 2 * double(run_generations_ + 1));
  const bool is_short = c.is_purecma ? length2 / n / known < 2 + 4 / (n + 1)
                                     : std::sqrt(length2 / known) < (1.4 + 2 / (n + 1)) * c.chi;
  const double gain_c = is_short ? std::sqrt(c.c_c * (2 - c.c_c) * c.mu_eff) : 0;
  for (std::size_t k = 0; k < size; k++) {
    paths.c[k] = (1 - c.c_c) * paths.c[k] + gain_c * delta[k];  // eq. 45
  }
  const double exponent = c.is_purecma
                              ? std::min(1.0, c.c_sigma / c.d_sigma * (length2 / n - 1) / 2)
                              : c.c_sigma / c.d_sigma * (std::sqrt(length2) / c.chi - 1);  // eq. 44
  const double sigma = sigma_ * std::exp(exponent);
  require_finite(sigma, "the step size");
  require_finite(mean, "the mean");

  std::copy(paths.c.begin(), paths.c.end(), steps.end() - long(size));
  weight.back() = c.c_1;
  const double lost = is_short ? 0 : c.c_1 * c.c_c * (2 - c.c_c);
  const std::uint64_t evaluated = (run_generations_ + 1) * std::uint64_t(c.population);
  const bool decomposes = double(evaluated - decomposed_at_) >= c.decompose_after;
  covariance_.update(1 + lost - c.c_1 - c.c_mu * c.weight_sum, weight, steps,
                     decomposes);  // eq. 47

  mean_ = std::move(mean);
  paths_ = std::move(paths);
  sigma_ = sigma;
  run_generations_++;
  if (decomposes) decomposed_at_ = evaluated;
  remember_best(fitness, order);
  stop_ = converged(fitness[std::size_t(order.front())] - fitness[std::size_t(order.back())]);
  if (!stop_.empty() && restarts_ != "none") restart();
}

void CmaSearch::remember_best(std::span<const double> fitness, const std::vector<int>& order) {
  const std::size_t window =
      std::size_t(10 + std::ceil(30.0 * double(dimension()) / double(population())));
  if (best_of_generation_.size() == window) best_of_generation_.erase(best_of_generation_.begin());
  best_of_generation_.push_back(fitness[std::size_t(order.front())]);
}

// Why the run has ended, or nothing. `range` of the fitness in this generation.
std::string CmaSearch::converged(double range) const {
  const auto [low, high] =
      std::minmax_element(best_of_generation_.begin(), best_of_generation_.end());
  const bool is_known = best_of_generation_.size() >= 10;
  if (is_known && range < kToleranceFitness && *high - *low < kToleranceFitness) {
    return fmt::format("the fitness no longer changes by {:g}", kToleranceFitness);
  }
  if (covariance_.condition() > kMostCondition) {
    return fmt::format("the condition of the covariance is above {:g}", kMostCondition);
  }
  bool is_still = sigma_ * covariance_.longest_axis() < kToleranceSteps;
  for (std::size_t k = 0; is_still && k < paths_.c.size(); k++) {
    is_still = sigma_ * std::abs(paths_.c[k]) < kToleranceSteps;
  }
  if (is_still) return fmt::format("steps are shorter than {:g}", kToleranceSteps);
  const double small_limit = budgets_.last_large / 2;
  const double used = double(run_generations_) * population();
  if (budgets_.is_small && small_limit > 0 && used > small_limit) {
    return "a small run has had its evaluations";
  }
  return "";
}

// IPOP: Auger and Hansen, CEC 2005. BIPOP: Hansen, GECCO 2009 workshop, section 2.
void CmaSearch::restart() {
  const double used = double(run_generations_) * population();
  Budgets budgets = budgets_;
  (budgets.is_small ? budgets.small : budgets.large) += used;
  if (!budgets.is_small) budgets.last_large = used;
  const bool small = restarts_ == "bipop" && budgets.small < budgets.large;
  const double grown = std::ldexp(double(default_population_), budgets.n_large + (small ? 0 : 1));
  if (!small && (budgets.n_large == max_restarts_ || grown > kMostPopulation)) return;
  int population = int(grown);
  double sigma = initial_sigma_;
  if (small) {
    Rng<float> rng(seed(), kRandomPerturbation, kSizeId, std::uint32_t(generation()), 0u);
    const double power = double(rng.uniform());
    population = std::max(
        4, int(default_population_ * std::pow(0.5 * grown / default_population_, power * power)));
    sigma *= std::pow(10.0, -2 * double(rng.uniform()));
  } else {
    budgets.n_large++;
  }
  budgets.is_small = small;
  std::vector<double> start(mean_.size());
  normals(kStartId, start);
  for (std::size_t k = 0; k < start.size(); k++) {
    start[k] = initial_[k] + restart_spread_ * initial_sigma_ * start[k];
  }
  mean_ = std::move(start);
  budgets_ = budgets;
  stop_.clear();
  begin_run(population, sigma);
}

Metrics CmaSearch::metrics() const {
  return {{"sigma", sigma_},
          {"population", double(population())},
          {"condition", covariance_.condition()},
          {"longest_axis", sigma_ * covariance_.longest_axis()},
          {"large_restarts", double(budgets_.n_large)}};
}

void CmaSearch::save_state(TensorFile& file) const {
  const TensorShape shape = {mean_.size()};
  file.put<double>("optimizer/mean", shape, mean_);
  file.put<double>("optimizer/path_sigma", shape, paths_.sigma);
  file.put<double>("optimizer/path_c", shape, paths_.c);
  file.put_scalar<double>("optimizer/sigma", sigma_);
  file.put_scalar<std::uint64_t>("optimizer/population", std::uint64_t(population()));
  file.put_scalar<std::uint64_t>("optimizer/run_generations", run_generations_);
  file.put_scalar<std::uint64_t>("optimizer/decomposed_at", decomposed_at_);
  file.put<double>("optimizer/best_of_generation", {best_of_generation_.size()},
                   best_of_generation_);
  const double budgets[] = {budgets_.large, budgets_.small, budgets_.last_large,
                            double(budgets_.n_large), double(budgets_.is_small)};
  file.put<double>("optimizer/budgets", {std::size(budgets)}, budgets);
  file.set_text("optimizer/stop", stop_);
  covariance_.save(file, "optimizer");
}

void CmaSearch::load_state(const TensorFile& file) {
  const std::size_t n = mean_.size();
  sampled_.reset();
  const std::uint64_t population =
      checked_count(file, "optimizer/population", kMostPopulation, "members");
  if (population < 4) {
    throw checkpoint_error(
        fmt::format("tensor 'optimizer/population' is {}; expected at least 4", population));
  }
  begin_run(int(population), finite_number(file, "optimizer/sigma", 0, kLargest));
  mean_ = finite_doubles(file, "optimizer/mean", n, -kLargest, kLargest);
  paths_.sigma = finite_doubles(file, "optimizer/path_sigma", n, -kLargest, kLargest);
  paths_.c = finite_doubles(file, "optimizer/path_c", n, -kLargest, kLargest);
  run_generations_ = file.get_scalar<std::uint64_t>("optimizer/run_generations");
  decomposed_at_ =
      checked_count(file, "optimizer/decomposed_at", run_generations_ * population, "evaluations");
  const std::size_t known = file.tensor("optimizer/best_of_generation").bytes.size() / 8;
  best_of_generation_ =
      finite_doubles(file, "optimizer/best_of_generation", known, -kLargest, kLargest);
  const std::vector<double> budgets = finite_doubles(file, "optimizer/budgets", 5, 0, kLargest);
  budgets_ = {budgets[0], budgets[1], budgets[2], int(std::min(budgets[3], 100.0)),
              budgets[4] != 0};
  covariance_.load(file, "optimizer");
  stop_ = file.text("optimizer/stop");
}

}  // namespace gallop
