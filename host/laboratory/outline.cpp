#include <gallop/host/laboratory/outline.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/laboratory/list_limits.h>

namespace gallop {
namespace {

constexpr const char* kProblem = "lqr_step";
constexpr double kMostHorizon = 1000;

// What stands for the families: what knows no exact value function.
struct OutlineRow {
  const char* name;
  GradientFamily family;
  bool displaced = false, needs_simulator = false;
  bool whole = false;  // one sample of its own rollouts is of the whole gradient
};
constexpr OutlineRow kRows[] = {{"difference", GradientFamily::kDifferences, true},
                                {"difference_common", GradientFamily::kDifferences, true, true},
                                {"evolution_mirrored", GradientFamily::kEvolution, true},
                                {"evolution_common", GradientFamily::kEvolution, true, true},
                                {"evolution_joint", GradientFamily::kEvolution, true, false, true},
                                {"reinforce", GradientFamily::kLikelihoodRatio},
                                {"reinforce_mean", GradientFamily::kLikelihoodRatio},
                                {"gpomdp", GradientFamily::kLikelihoodRatio},
                                {"gpomdp_mean", GradientFamily::kLikelihoodRatio},
                                {"gpomdp_fitted", GradientFamily::kLikelihoodRatio},
                                {"pathwise", GradientFamily::kPathwise, false, true},
                                {"pathwise_simulator", GradientFamily::kPathwise, false, true}};

std::vector<std::string> names_of(bool displaced) {
  std::vector<std::string> names;
  for (const OutlineRow& row : kRows) {
    if (row.displaced == displaced) names.emplace_back(row.name);
  }
  return names;
}

// Results of one estimator for every parameter make one estimate of the gradient.
OutlineEstimate estimate_of(const OutlineRow& row, const std::vector<EstimatorResult>& results,
                            const OutlineSettings& settings, int horizon, double displacement) {
  OutlineEstimate e = {nullptr, row.family, row.needs_simulator, displacement, 0, 0, 0, 0, 0};
  double measured = 0, noise = 0, parameters = 0;
  bool known = true;
  for (const EstimatorResult& r : results) {
    if (std::string_view(r.row->name) != row.name) continue;
    e.row = r.row;
    e.samples = r.samples;
    e.variance += r.variance;
    e.seconds += r.cost();
    known = known && std::isfinite(r.expected);
    e.squared_bias += (r.expected - r.exact) * (r.expected - r.exact);
    measured += (r.mean - r.exact) * (r.mean - r.exact);
    noise += r.standard_error * r.standard_error;
    parameters++;
  }
  // What a measured bias has of sampling noise is taken off.
  if (!known) e.squared_bias = std::max(0.0, measured - noise);
  const bool own = e.row->data == EstimatorData::kOwnRollouts;
  e.steps = double(e.row->n_rollouts) * horizon;
  if (own && !row.whole) {
    e.steps *= parameters;
  } else {
    e.seconds /= parameters;  // each parameter has the cost of the whole
  }
  if (e.row->data == EstimatorData::kPathsAndPilot) {
    e.steps += double(settings.pilot) * horizon / double(e.samples);
  }
  return e;
}

class OutlineMeasurement {
 public:
  OutlineMeasurement(const OutlineSettings& settings, const ComparisonProgress& progress)
      : settings_(settings), progress_(progress), descriptor_(find_laboratory_problem(kProblem)) {
    for (const int horizon : settings.horizons) work_ += horizon;
    work_ *= double(settings.policy_noise.size() * settings.dynamics_noise.size() *
                    (settings.widths.size() + 1));
  }

  std::vector<OutlineCell> run() {
    std::vector<OutlineCell> cells;
    for (const double policy : settings_.policy_noise) {
      for (const double dynamics : settings_.dynamics_noise) {
        for (std::size_t w = 0; w <= settings_.widths.size(); w++) {
          std::optional<double> width;
          if (w > 0) width = settings_.widths[w - 1];
          for (const int horizon : settings_.horizons) {
            cells.push_back({horizon, policy, dynamics, width, 0, {}});
            measure(cells.back());
            done_ += horizon;
            if (progress_) progress_(done_ / work_);
          }
        }
      }
    }
    return cells;
  }

 private:
  void measure(OutlineCell& cell) const {
    std::vector<EstimatorResult> results = compare(cell, 0);
    double squares = 0;
    for (const EstimatorResult& r : results) {
      if (r.row == results[0].row) squares += r.exact * r.exact;
    }
    cell.gradient_norm = std::sqrt(squares);
    add(cell, results, 0);
    for (const double displacement : settings_.displacements) {
      add(cell, compare(cell, displacement), displacement);
    }
  }
  // By the estimators that displace parameters, or by the others.
  std::vector<EstimatorResult> compare(const OutlineCell& cell, double displacement) const {
    Options options = laboratory_options(descriptor_);
    const auto set = [&](const char* name, double value) {
      options.set(name, fmt::format("{}", value), "the outline");
    };
    options.set("horizon", fmt::format("{}", cell.horizon), "the outline");
    set("sigma", cell.policy_noise);
    set("sigma_w", cell.dynamics_noise);
    set("jump", cell.width ? settings_.jump : 0);
    set("width", cell.width.value_or(0));
    if (displacement > 0) set("difference", displacement), set("smoothing", displacement);
    const auto problem = make_laboratory_problem(descriptor_, options);
    ComparisonSettings comparison = {settings_.samples, settings_.seed, settings_.threads,
                                     settings_.pilot};
    comparison.only = names_of(displacement > 0);
    comparison.joint_expectations = false;
    return compare_estimators(descriptor_, *problem, comparison, nullptr);
  }
  void add(OutlineCell& cell, const std::vector<EstimatorResult>& results,
           double displacement) const {
    for (const OutlineRow& row : kRows) {
      if (row.displaced != (displacement > 0)) continue;
      cell.estimates.push_back(estimate_of(row, results, settings_, cell.horizon, displacement));
    }
  }

  const OutlineSettings& settings_;
  const ComparisonProgress& progress_;
  const LaboratoryDescriptor& descriptor_;
  double work_ = 0, done_ = 0;
};

void check_above_zero(double value, const char* name) {
  if (value > 0 && value <= 1e15) return;
  throw value_error(fmt::format("{} is {}, expected a number above 0, at most 1e15", name, value));
}

}  // namespace

const char* name_of(GradientFamily family) {
  constexpr const char* kNames[] = {"finite differences", "evolution strategies",
                                    "likelihood ratio", "pathwise"};
  return kNames[int(family)];
}
const char* short_name_of(GradientFamily family) {
  constexpr const char* kNames[] = {"FD", "ES", "LR", "PD"};
  return kNames[int(family)];
}

void check_outline(OutlineSettings& s) {
  check_list(s.horizons, "horizon", 1, kMostHorizon, false);
  check_list(s.policy_noise, "policy_noise", kMinSigma, kMaxSigma, false);
  check_list(s.dynamics_noise, "dynamics_noise", 0, 1e3, true);
  check_list(s.widths, "width", 1e-6, 1e6, true);
  check_list(s.displacements, "displacement", 1e-6, 1e3, false);
  std::sort(s.horizons.begin(), s.horizons.end());
  std::sort(s.displacements.begin(), s.displacements.end());
  if (!(std::abs(s.jump) <= 1e6)) {
    throw value_error(fmt::format("jump is {}, expected -1e6 to 1e6", s.jump));
  }
  check_above_zero(s.steps, "budget");
  check_above_zero(s.seconds, "seconds");
}

std::vector<OutlineCell> measure_outline(const OutlineSettings& settings,
                                         const ComparisonProgress& progress) {
  return OutlineMeasurement(settings, progress).run();
}

const OutlineEstimate* best_of(const OutlineCell& cell, GradientFamily family, OutlineAccess access,
                               OutlineCost cost, double budget) {
  const OutlineEstimate* best = nullptr;
  for (const OutlineEstimate& e : cell.estimates) {
    if (e.family != family || (e.needs_simulator && access == OutlineAccess::kEpisodes)) continue;
    if (best == nullptr || e.squared_error(cost, budget) < best->squared_error(cost, budget)) {
      best = &e;
    }
  }
  return best;
}

OutlineBest best_of(const OutlineCell& cell, OutlineAccess access, OutlineCost cost,
                    double budget) {
  OutlineBest best = {nullptr, INFINITY, INFINITY};
  for (int f = 0; f < kGradientFamilies; f++) {
    const OutlineEstimate* e = best_of(cell, GradientFamily(f), access, cost, budget);
    if (e == nullptr) continue;
    const double error = std::sqrt(e->squared_error(cost, budget));
    if (error < best.error) {
      best = {e, error, best.error};
    } else {
      best.second = std::min(best.second, error);
    }
  }
  return best;
}

double budget_of(const OutlineSettings& settings, OutlineCost cost) {
  return cost == OutlineCost::kSteps ? settings.steps : settings.seconds;
}

}  // namespace gallop
