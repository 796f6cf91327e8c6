// The lecture's outline as one measurement: finite differences, evolution strategies, likelihood
// ratio and pathwise derivatives on the problem `lqr_step`, whose horizon, noise and discontinuity
// are dials and whose gradient is known exactly.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <gallop/host/laboratory/comparison.h>
#include <gallop/host/training/run_folder.h>

namespace gallop {

enum class GradientFamily { kDifferences, kEvolution, kLikelihoodRatio, kPathwise };
constexpr int kGradientFamilies = 4;
const char* name_of(GradientFamily family);        // "likelihood ratio"
const char* short_name_of(GradientFamily family);  // "LR"

// What an estimator can be given: a simulator, whose random numbers can be held and whose step can
// be differentiated, or whole episodes of a policy alone.
enum class OutlineAccess { kSimulator, kEpisodes };
// What is equal where errors are compared.
enum class OutlineCost { kSteps, kSeconds };

struct OutlineSettings {
  std::vector<int> horizons = {3, 5, 10, 20, 50};  // steps
  std::vector<double> policy_noise = {0.1, 0.3, 1};
  std::vector<double> dynamics_noise = {0, 0.3};
  std::vector<double> widths = {1, 0.1, 0.01, 0};  // of the prize's ramp; a row without it is first
  std::vector<double> displacements = {0.03, 0.1, 0.3};  // of differences and evolution strategies
  double jump = 1;                                       // height of the prize
  double steps = 1e5;                                    // that a gradient may cost, and
  double seconds = 1e-3;                                 // the same of one core
  long samples = 32768;                                  // of each estimator
  int pilot = 1024;                                      // paths that baselines are fitted on
  std::uint64_t seed = 1;
  int threads = 1;
};

// One estimator of the whole gradient, by k and by sigma, at one setting of the dials. Squared
// lengths of vectors: bias, sums over both parameters: variance, steps, seconds.
struct OutlineEstimate {
  const EstimatorRow* row;
  GradientFamily family;
  bool needs_simulator;   // random numbers in common, or derivatives
  double displacement;    // 0 where nothing is displaced
  double squared_bias;    // of the mean: exact where it is known what the mean tends to
  double variance;        // of one sample
  double steps, seconds;  // of one sample, with its share of the pilot paths
  long samples;

  double cost(OutlineCost of) const { return of == OutlineCost::kSteps ? steps : seconds; }
  // Mean squared error of the mean of as many samples as cost `budget`.
  double squared_error(OutlineCost of, double budget) const {
    return squared_bias + variance * cost(of) / budget;
  }
};

struct OutlineCell {
  int horizon;
  double policy_noise, dynamics_noise;
  std::optional<double> width;  // none: no prize
  double gradient_norm;         // exact
  std::vector<OutlineEstimate> estimates;
};

// Throws a value error that names the setting where one is out of its range: horizons 1 to 1000,
// noise within the limits of the problem's options, widths 0 or 1e-6 to 1e6, displacements 1e-6 to
// 1e3, budgets above 0, each list of 1 to 16 numbers. What is given twice counts once; horizons and
// displacements are sorted.
void check_outline(OutlineSettings& settings);

// Cells in the order of the lists: policy noise, dynamics noise, width (none first), horizon. The
// same bits for any number of threads and either instruction set, but for the seconds. Throws what
// compare_estimators throws.
std::vector<OutlineCell> measure_outline(const OutlineSettings& settings,
                                         const ComparisonProgress& progress);

// The estimate of a family with the least squared error, null where it has none with that access.
const OutlineEstimate* best_of(const OutlineCell& cell, GradientFamily family, OutlineAccess access,
                               OutlineCost cost, double budget);
// The best family with its estimate and the error of the second best.
struct OutlineBest {
  const OutlineEstimate* estimate;
  double error;   // root of the mean squared error
  double second;  // of the next family
};
OutlineBest best_of(const OutlineCell& cell, OutlineAccess access, OutlineCost cost, double budget);
double budget_of(const OutlineSettings& settings, OutlineCost cost);

// For a terminal: in each row of the discontinuity how often each family is best, and the map by
// steps for each noise.
std::string outline_text(const OutlineSettings& settings, const std::vector<OutlineCell>& cells);
// One JSON object a line for each cell and estimate; null for no prize and no displacement.
std::string outline_jsonl(const OutlineSettings& settings, const std::vector<OutlineCell>& cells);
// The same as CSV, with a line of heads.
std::string outline_csv(const OutlineSettings& settings, const std::vector<OutlineCell>& cells);
// The settings as TOML.
std::string outline_toml(const OutlineSettings& settings);
// report.html with maps, charts and the table; outline.csv and outline.jsonl.
void write_outline_report(const RunFolder& folder, const OutlineSettings& settings,
                          const std::vector<OutlineCell>& cells);

}  // namespace gallop
