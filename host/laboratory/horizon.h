// How the variance of pathwise derivatives grows with the horizon, and what discounting, a value
// function behind some steps and a Q function do to it (the lecture's "PD policy gradients:
// variance"): on the scalar linear-quadratic system, whose V and Q are known exactly.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <gallop/host/laboratory/comparison.h>
#include <gallop/host/training/run_folder.h>

namespace gallop {

struct HorizonSettings {
  std::vector<int> horizons = {1, 2, 5, 10, 20, 50, 100, 200};  // steps
  std::vector<double> decays = {0.75, 0.9, 1.02};  // a - b k: what a step leaves of the state
  std::vector<double> gammas = {0.9};              // of discounted derivatives, below 1
  std::vector<int> tails = {1, 5};                 // steps before the value function
  double policy_noise = 0.3, dynamics_noise = 0.1;
  long samples = 16384;
  std::uint64_t seed = 1;
  int threads = 1;
};

// Labels of the two that the others stand beside.
constexpr const char* kPlainPathwise = "pathwise";
constexpr const char* kLikelihoodRatio = "likelihood ratio";

// One estimator of dU/dk at one horizon. The bias is that of the measured mean: where the estimator
// is unbiased, its own noise.
struct HorizonResult {
  double decay;
  int horizon;
  std::string label;  // "pathwise, gamma 0.9"
  bool biased;        // by design
  double exact, mean, standard_error, variance, seconds;
  long samples;

  double relative_deviation() const;  // of one sample, beside the exact derivative
  double relative_bias() const;
};

// Throws a value error that names the setting: horizons 1 to 1000, decays between -2 and 2, gammas
// 0 to 1, tails 1 to 1000, noise within the limits of the problem, each list of 1 to 16 numbers.
void check_horizon(HorizonSettings& settings);

// By decay, estimator and horizon, in the order of the lists. The same bits for any number of
// threads and either instruction set, but for the seconds. Throws what compare_estimators throws.
std::vector<HorizonResult> measure_horizon(const HorizonSettings& settings,
                                           const ComparisonProgress& progress);

// Variances of one sample, a row for each estimator, a column for each horizon.
std::string horizon_text(const HorizonSettings& settings,
                         const std::vector<HorizonResult>& results);
std::string horizon_jsonl(const std::vector<HorizonResult>& results);
std::string horizon_toml(const HorizonSettings& settings);
// report.html, horizon.csv and horizon.jsonl.
void write_horizon_report(const RunFolder& folder, const HorizonSettings& settings,
                          const std::vector<HorizonResult>& results);

}  // namespace gallop
