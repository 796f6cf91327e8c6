#include <gallop/host/laboratory/horizon.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include <gallop/host/error.h>
#include <gallop/host/laboratory/list_limits.h>

namespace gallop {
namespace {

constexpr const char* kProblem = "lqr";
constexpr double kA = 0.95, kB = 0.5;

class HorizonMeasurement {
 public:
  HorizonMeasurement(const HorizonSettings& settings, const ComparisonProgress& progress)
      : settings_(settings), progress_(progress), descriptor_(find_laboratory_problem(kProblem)) {
    double steps = 0;
    for (const int horizon : settings.horizons) steps += horizon;
    work_ = steps * double(settings.decays.size()) *
            double(2 + settings.gammas.size() + settings.tails.size());
  }

  std::vector<HorizonResult> run() {
    for (const double decay : settings_.decays) {
      add(decay, "pathwise", kPlainPathwise, "", 0);
      for (const double gamma : settings_.gammas) {
        add(decay, "pathwise_discounted", fmt::format("pathwise, gamma {:g}", gamma), "gamma",
            gamma);
      }
      for (const int tail : settings_.tails) {
        add(decay, "pathwise_value", fmt::format("{} step{} and V", tail, tail == 1 ? "" : "s"),
            "n_step", tail);
      }
      add(decay, "pathwise_q", "Q", "", 0);
      add(decay, "gpomdp_mean", kLikelihoodRatio, "", 0);
    }
    return std::move(results_);
  }

 private:
  // One estimator over the horizons, with an option of it where it has a name.
  void add(double decay, const char* estimator, const std::string& label, const char* option,
           double value) {
    for (const int horizon : settings_.horizons) {
      Options options = laboratory_options(descriptor_);
      const auto set = [&](const char* name, double x) {
        options.set(name, fmt::format("{}", x), "the study");
      };
      set("a", kA), set("b", kB), set("k", (kA - decay) / kB);
      set("sigma", settings_.policy_noise), set("sigma_w", settings_.dynamics_noise);
      options.set("horizon", fmt::format("{}", horizon), "the study");
      if (*option != 0) set(option, value);
      const auto problem = make_laboratory_problem(descriptor_, options);
      ComparisonSettings comparison = {settings_.samples, settings_.seed, settings_.threads};
      comparison.only = {estimator};
      for (const EstimatorResult& r :
           compare_estimators(descriptor_, *problem, comparison, nullptr)) {
        if (r.parameter != "k") continue;
        results_.push_back({decay, horizon, label, r.biased, r.exact, r.mean, r.standard_error,
                            r.variance, r.seconds, r.samples});
      }
      done_ += horizon;
      if (progress_) progress_(std::min(1.0, done_ / work_));
    }
  }

  const HorizonSettings& settings_;
  const ComparisonProgress& progress_;
  const LaboratoryDescriptor& descriptor_;
  std::vector<HorizonResult> results_;
  double work_ = 0, done_ = 0;
};

}  // namespace

double HorizonResult::relative_deviation() const { return std::sqrt(variance) / std::abs(exact); }
double HorizonResult::relative_bias() const { return std::abs(mean - exact) / std::abs(exact); }

void check_horizon(HorizonSettings& s) {
  check_list(s.horizons, "horizon", 1, 1000, false);
  check_list(s.decays, "decay", -2, 2, false);
  check_list(s.gammas, "gamma", 0, 0.9999, false);
  check_list(s.tails, "tail", 1, 1000, false);
  std::sort(s.horizons.begin(), s.horizons.end());
  if (s.policy_noise >= kMinSigma && s.policy_noise <= kMaxSigma && s.dynamics_noise >= 0 &&
      s.dynamics_noise <= 1e3) {
    return;
  }
  throw value_error(
      fmt::format("policy_noise is {} and dynamics_noise is {}, expected {} to {} and 0 to 1000",
                  s.policy_noise, s.dynamics_noise, kMinSigma, kMaxSigma));
}

std::vector<HorizonResult> measure_horizon(const HorizonSettings& settings,
                                           const ComparisonProgress& progress) {
  return HorizonMeasurement(settings, progress).run();
}

}  // namespace gallop
