#include <gallop/host/studies/differences.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/learning/sample_mean.h>

namespace gallop {
namespace {

// Returns of one width, [2 J, E]: of parameter j moved up, then down.
using Returns = std::vector<float>;

class DifferenceRun {
 public:
  DifferenceRun(Backend& backend, const EnvironmentEntry& environment,
                const std::function<void(Environments&)>& configure, const DifferencePoint& point,
                const DifferenceSettings& settings)
      : point_(point),
        n_(point.learnt.size()),
        episodes_(std::size_t(settings.episodes)),
        environments_(make(backend, environment, configure, settings)),
        members_(backend, 2 * n_ * point.parameters.size()),
        returns_(backend, 2 * n_ * episodes_),
        lengths_(backend, 2 * n_ * episodes_) {}

  Returns play(double epsilon, std::size_t width, bool in_common) {
    const std::size_t d = point_.parameters.size();
    std::vector<float> members;
    for (std::size_t m = 0; m < 2 * n_; m++) {
      members.insert(members.end(), point_.parameters.begin(), point_.parameters.end());
      float& moved = members[m * d + std::size_t(point_.learnt[m / 2])];
      moved = float(double(moved) + (m % 2 == 0 ? epsilon : -epsilon));
    }
    members_.upload(members);
    PopulationRequest r = {};
    r.population.shape = point_.shape;
    r.population.normalization = point_.normalization;
    r.population.members = members_.data();
    r.population.n_members = int(2 * n_);
    r.population.n_parameters = long(d);
    r.population.first_member = std::uint32_t(width * 2 * n_);
    r.episodes = int(episodes_);
    r.common = in_common ? CommonNumbers::kBoth : CommonNumbers::kNone;
    r.deterministic = 1;
    r.episode_return = returns_.data();
    r.episode_length = lengths_.data();
    environments_.evaluate_population(r);
    Returns found = returns_.download();
    for (std::size_t k = 0; k < found.size(); k++) {
      if (std::isfinite(found[k])) continue;
      throw Error(ExitCode::non_finite,
                  fmt::format("an episode of {} with parameter {} moved by {} met a number that is "
                              "not finite",
                              point_.environment, point_.learnt[k / episodes_ / 2], epsilon));
    }
    return found;
  }

  // Estimates of the gradient from successive groups of `samples` episodes. [E / N][J]
  std::vector<std::vector<double>> estimates(const Returns& returns, double epsilon,
                                             std::size_t samples) const {
    std::vector<std::vector<double>> all;
    for (std::size_t first = 0; first + samples <= episodes_; first += samples) {
      std::vector<double> gradient;
      for (std::size_t j = 0; j < n_; j++) {
        double difference = 0;
        for (std::size_t e = first; e < first + samples; e++) {
          difference +=
              double(returns[2 * j * episodes_ + e]) - double(returns[(2 * j + 1) * episodes_ + e]);
        }
        gradient.push_back(difference / double(samples) / (2 * epsilon));
      }
      all.push_back(std::move(gradient));
    }
    return all;
  }

 private:
  static Environments make(Backend& backend, const EnvironmentEntry& environment,
                           const std::function<void(Environments&)>& configure,
                           const DifferenceSettings& settings) {
    EnvironmentOptions options;
    options.seed = settings.seed;
    Environments environments(backend, environment, options);
    configure(environments);
    return environments;
  }

  const DifferencePoint& point_;
  std::size_t n_, episodes_;
  Environments environments_;
  DeviceArray<float> members_, returns_;
  DeviceArray<std::int32_t> lengths_;
};

double norm(const std::vector<double>& v) {
  double sum = 0;
  for (const double x : v) sum += x * x;
  return std::sqrt(sum);
}

DifferenceResult summary(DifferenceKind kind, double epsilon, std::size_t samples,
                         const std::vector<std::vector<double>>& estimates,
                         const std::vector<double>& gradient) {
  DifferenceResult r = {kind, epsilon, std::int64_t(samples), std::int64_t(estimates.size()), 0,
                        0,    0};
  std::vector<double> mean;
  for (std::size_t j = 0; j < gradient.size(); j++) {
    std::vector<double> values;
    for (const std::vector<double>& e : estimates) values.push_back(e[j]);
    const SampleMean m = sample_mean(values);
    mean.push_back(m.mean);
    if (m.count > 1) r.variance += m.sum_of_squares / double(m.count - 1);
  }
  r.gradient_norm = norm(mean);
  for (const std::vector<double>& e : estimates) {
    double dot = 0;
    for (std::size_t j = 0; j < e.size(); j++) dot += e[j] * gradient[j];
    const double scale = norm(e) * norm(gradient);
    r.cosine += (scale > 0 ? dot / scale : 0) / double(estimates.size());
  }
  return r;
}

}  // namespace

const char* name_of(DifferenceKind kind) {
  return kind == DifferenceKind::kPlain      ? "plain"
         : kind == DifferenceKind::kAveraged ? "averaged"
                                             : "common";
}

std::vector<DifferenceResult> compare_differences(
    Backend& backend, const EnvironmentEntry& environment,
    const std::function<void(Environments&)>& configure, const DifferencePoint& point,
    const DifferenceSettings& settings, const std::function<void(double part)>& progress) {
  DifferenceRun run(backend, environment, configure, point, settings);
  std::vector<DifferenceResult> results;
  const double parts = 2 * double(settings.epsilons.size());
  for (std::size_t width = 0; width < settings.epsilons.size(); width++) {
    const double epsilon = settings.epsilons[width];
    const Returns own = run.play(epsilon, width, false);
    progress((2 * double(width) + 1) / parts);
    const Returns common = run.play(epsilon, width, true);
    progress((2 * double(width) + 2) / parts);
    const std::vector<double> gradient =
        run.estimates(common, epsilon, std::size_t(settings.episodes)).front();
    results.push_back(
        summary(DifferenceKind::kPlain, epsilon, 1, run.estimates(own, epsilon, 1), gradient));
    for (const DifferenceKind kind : {DifferenceKind::kAveraged, DifferenceKind::kCommon}) {
      for (const std::int64_t samples : settings.samples) {
        const Returns& returns = kind == DifferenceKind::kAveraged ? own : common;
        results.push_back(summary(kind, epsilon, std::size_t(samples),
                                  run.estimates(returns, epsilon, std::size_t(samples)), gradient));
      }
    }
  }
  return results;
}

}  // namespace gallop
