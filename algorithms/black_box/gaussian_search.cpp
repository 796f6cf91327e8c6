#include <gallop/algorithms/black_box/gaussian_search.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>

namespace gallop {
namespace {

constexpr long kMostDimensions = 2048;  // of a full covariance, which is decomposed every time

std::vector<double> first_sigma(const OptimizerContext& context, double sigma,
                                GaussianSearch::Spread spread) {
  const bool each = spread == GaussianSearch::Spread::kDiagonal;
  return std::vector<double>(each ? context.initial.size() : 1, sigma);
}

}  // namespace

GaussianSearch::GaussianSearch(const OptimizerContext& context, const char* method, int n_members,
                               double sigma, Spread spread)
    : PerturbationSearch(context, {.n_members = n_members}, first_sigma(context, sigma, spread)),
      spread_(spread) {
  if (spread != Spread::kFull) return;
  if (dimension() > kMostDimensions) {
    throw value_error(fmt::format(
        "{} with a full covariance keeps and decomposes a matrix of D x D numbers, and D is {}; "
        "expected at most {}: covariance = diagonal takes more",
        method, dimension(), kMostDimensions));
  }
  covariance_.emplace(dimension(), false);
}

void GaussianSearch::sample() {
  if (sampled_ == generation()) return;
  sampled_.reset();
  const std::size_t n = std::size_t(dimension()), members = std::size_t(population());
  std::vector<double> z(members * n);
  for (std::size_t m = 0; m < members; m++) {
    normals(std::uint32_t(m), std::span(z).subspan(m * n, n));
  }
  steps_.resize(members * n);
  covariance_->color(z, steps_);
  sampled_ = generation();
}

void GaussianSearch::ask(Candidates& candidates) {
  if (!covariance_) {
    PerturbationSearch::ask(candidates);
    return;
  }
  sample();
  const std::vector<double> center = this->center();
  candidates = {.dimension = dimension(), .n = population(), .points = steps_};
  for (std::size_t i = 0; i < steps_.size(); i++) {
    candidates.points[i] = center[i % center.size()] + sigma(0) * steps_[i];
  }
}

void GaussianSearch::reweigh(std::span<const double> weight, const Reweighing& how) {
  if (covariance_) {
    reweigh_full(weight, how);
  } else {
    reweigh_diagonal(weight, how);
  }
}

void GaussianSearch::reweigh_diagonal(std::span<const double> weight, const Reweighing& how) {
  const Sums s = sums(weight, spread_ == Spread::kDiagonal);
  std::vector<double> center = this->center(), deviation = sigma();
  for (std::size_t k = 0; k < center.size(); k++) {
    const double old = sigma(k), shift = s.eps[k];
    center[k] += old * shift;
    if (spread_ == Spread::kFixed) continue;
    const double moment = s.squares[k] - (how.about_old_mean ? 0 : shift * shift);
    const double variance =
        old * old * ((1 - how.rate) + how.rate * std::max(0.0, moment)) + how.extra_variance;
    deviation[k] = std::clamp(std::sqrt(variance), how.least, how.most);
  }
  move(std::move(center), std::move(deviation));
}

void GaussianSearch::reweigh_full(std::span<const double> weight, const Reweighing& how) {
  sample();
  const std::size_t n = std::size_t(dimension()), members = weight.size();
  std::vector<double> steps = steps_, weights(weight.begin(), weight.end());
  std::vector<double> shift(n, 0.0);
  for (std::size_t m = 0; m < members; m++) {
    for (std::size_t k = 0; k < n; k++) shift[k] += weight[m] * steps[m * n + k];
  }
  for (double& w : weights) w *= how.rate;
  if (!how.about_old_mean) {
    steps.insert(steps.end(), shift.begin(), shift.end());
    weights.push_back(-how.rate);
  }
  std::vector<double> center = this->center();
  for (std::size_t k = 0; k < n; k++) center[k] += sigma(0) * shift[k];
  for (std::size_t k = 0; how.extra_variance > 0 && k < n; k++) {
    steps.resize(steps.size() + n, 0.0);
    steps[steps.size() - n + k] = 1;
    weights.push_back(how.extra_variance / (sigma(0) * sigma(0)));
  }
  const Covariance before = *covariance_;
  covariance_->update(1 - how.rate, weights, steps, true, how.least / sigma(0));
  try {
    move(std::move(center), sigma());
  } catch (...) {
    covariance_ = before;
    throw;
  }
}

Metrics GaussianSearch::spread_metrics() const {
  const std::vector<double> axes = covariance_ ? covariance_->axes() : sigma();
  const double unit = covariance_ ? sigma(0) : 1;
  const auto [low, high] = std::minmax_element(axes.begin(), axes.end());
  return {{"sigma", unit * mean_of(axes)},
          {"sigma_least", unit * *low},
          {"sigma_greatest", unit * *high}};
}

void GaussianSearch::save_state(TensorFile& file) const {
  PerturbationSearch::save_state(file);
  if (covariance_) covariance_->save(file, "optimizer");
}

void GaussianSearch::load_state(const TensorFile& file) {
  sampled_.reset();
  PerturbationSearch::load_state(file);
  if (covariance_) covariance_->load(file, "optimizer");
}

double effective_members(std::span<const double> weight) {
  double squares = 0;
  for (const double w : weight) squares += w * w;
  return 1 / squares;
}

std::vector<double> exponential_weights(std::span<const double> fitness, double power) {
  const double best = *std::max_element(fitness.begin(), fitness.end());
  std::vector<double> weight;
  double sum = 0;
  for (const double u : fitness) {
    weight.push_back(std::exp(power * (u - best)));
    sum += weight.back();
  }
  for (double& w : weight) w /= sum;
  return weight;
}

GaussianSearch::Spread spread_called(const std::string& text) {
  return text == "fixed"  ? GaussianSearch::Spread::kFixed
         : text == "full" ? GaussianSearch::Spread::kFull
                          : GaussianSearch::Spread::kDiagonal;
}

}  // namespace gallop
