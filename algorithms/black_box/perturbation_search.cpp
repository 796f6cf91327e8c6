#include <gallop/algorithms/black_box/perturbation_search.h>

#include <fmt/format.h>

#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/files/checked_tensor.h>

namespace gallop {
namespace {

constexpr double kLeastSigma = 1e-30, kGreatest = 1e30;  // well within the range of floats

std::vector<float> floats(const std::vector<double>& x) { return {x.begin(), x.end()}; }

}  // namespace

PerturbationSearch::PerturbationSearch(const OptimizerContext& context, const Form& form,
                                       std::vector<double> sigma)
    : BlackBoxOptimizer(context),
      form_(form),
      shape_(context.shape),
      center_(context.initial),
      sigma_(std::move(sigma)),
      device_center_(backend(), center_.size()),
      device_sigma_(backend(), sigma_.size() > 1 ? center_.size() : 0),
      weight_(backend(), std::size_t(form.n_members)),
      device_sum_(backend(), center_.size()),
      device_squares_(backend(), center_.size()) {
  if (sigma_.size() != 1 && sigma_.size() != center_.size()) {
    throw internal_error("a search has one deviation, or one for each component");
  }
}

Population PerturbationSearch::perturbations() {
  if (!is_uploaded_) {
    device_center_.upload(floats(center_));
    if (sigma_.size() > 1) device_sigma_.upload(floats(sigma_));
    is_uploaded_ = true;
  }
  Population p = {};
  p.shape = shape_;
  p.n_members = form_.n_members;
  p.mirrored = form_.is_mirrored ? 1 : 0;
  p.n_parameters = dimension();
  p.center = device_center_.data();
  p.sigma = device_sigma_.data();
  p.sigma_all = float(sigma_[0]);
  p.rank = form_.rank;
  p.seed = seed();
  p.generation = std::uint32_t(generation());
  return p;
}

void PerturbationSearch::ask(Candidates& candidates) {
  candidates = {.dimension = dimension(), .n = population(), .population = perturbations()};
}

PerturbationSearch::Sums PerturbationSearch::sums(std::span<const double> weight,
                                                  bool with_squares) {
  weight_.upload(std::vector<float>(weight.begin(), weight.end()));
  backend().sum_members({perturbations(), weight_.data(), device_sum_.data(),
                         with_squares ? device_squares_.data() : nullptr});
  const std::vector<float> eps = device_sum_.download();
  Sums sums = {{eps.begin(), eps.end()}, {}};
  if (with_squares) {
    const std::vector<float> squares = device_squares_.download();
    sums.squares.assign(squares.begin(), squares.end());
  }
  require_finite(std::span<const double>(sums.eps), "a weighted sum of perturbations");
  require_finite(std::span<const double>(sums.squares), "a weighted sum of squared perturbations");
  return sums;
}

void PerturbationSearch::move(std::vector<double> center, std::vector<double> sigma) {
  for (std::size_t k = 0; k < center.size(); k++) {
    if (std::abs(center[k]) <= kGreatest) continue;
    throw Error(ExitCode::non_finite,
                fmt::format("component {} of the centre would be {}; the step is refused and the "
                            "search stays where it was",
                            k, center[k]));
  }
  for (std::size_t k = 0; k < sigma.size(); k++) {
    if (sigma[k] >= kLeastSigma && sigma[k] <= kGreatest) continue;
    throw Error(ExitCode::non_finite,
                fmt::format("the deviation of component {} would be {}; expected one from {:g} to "
                            "{:g}. The step is refused and the search stays where it was",
                            k, sigma[k], kLeastSigma, kGreatest));
  }
  center_ = std::move(center);
  sigma_ = std::move(sigma);
  is_uploaded_ = false;
}

void PerturbationSearch::climb(Ascent& ascent, std::span<const double> gradient,
                               std::vector<double> sigma) {
  std::vector<double> center = ascent.step(gradient);
  for (std::size_t k = 0; k < center.size(); k++) center[k] += center_[k];
  try {
    move(std::move(center), std::move(sigma));
  } catch (...) {
    ascent.undo();
    throw;
  }
}

void PerturbationSearch::save_state(TensorFile& file) const {
  file.put<double>("optimizer/center", {center_.size()}, center_);
  file.put<double>("optimizer/sigma", {sigma_.size()}, sigma_);
}

void PerturbationSearch::load_state(const TensorFile& file) {
  std::vector<double> center =
      finite_doubles(file, "optimizer/center", center_.size(), -kGreatest, kGreatest);
  move(std::move(center),
       finite_doubles(file, "optimizer/sigma", sigma_.size(), kLeastSigma, kGreatest));
}

double mean_of(std::span<const double> x) {
  double sum = 0;
  for (const double v : x) sum += v;
  return sum / double(x.size());
}

std::vector<double> utilities(std::span<const double> fitness, const std::string& how,
                              double sigma) {
  if (how == "ranks") return centered_ranks(fitness);
  const double mean = mean_of(fitness);
  std::vector<double> utility;
  for (const double f : fitness) utility.push_back(f - mean);
  const double deviation = length(utility) / std::sqrt(double(fitness.size()));
  for (double& u : utility) u /= how == "standardized" ? deviation : sigma;
  return utility;
}

std::vector<double> centered_ranks(std::span<const double> fitness) {
  const std::vector<int> order = members_by_fitness(fitness);
  const std::size_t n = order.size();
  std::vector<double> ranks(n, 0.0);
  for (std::size_t i = 0; n > 1 && i < n;) {
    std::size_t end = i + 1;
    while (end < n && fitness[std::size_t(order[end])] == fitness[std::size_t(order[i])]) end++;
    const double place = double(i + end - 1) / 2;
    for (; i < end; i++) ranks[std::size_t(order[i])] = 0.5 - place / double(n - 1);
  }
  return ranks;
}

}  // namespace gallop
