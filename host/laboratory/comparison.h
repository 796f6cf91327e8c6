#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <gallop/host/laboratory/problem.h>

namespace gallop {

// Count, mean and sum of squared deviations of numbers, which merge.
struct EstimateMoments {
  double count = 0, mean = 0, squares = 0;

  double variance() const { return count > 1 ? squares / (count - 1) : 0; }

  // Chan, Golub and LeVeque 1979.
  void merge(const EstimateMoments& other) {
    if (other.count == 0) return;
    const double total = count + other.count, distance = other.mean - mean;
    mean += distance * other.count / total;
    squares += other.squares + distance * distance * count * other.count / total;
    count = total;
  }
};

// Those of x [n], in two passes over eight partial sums: the bits hang on x and n alone. Sums are
// of distances from the first number, so that equal ones have exactly that mean and no deviation.
template <class Real>
EstimateMoments moments_of(const Real* x, int n) {
  constexpr int kParts = 8;
  double sums[kParts] = {}, squares[kParts] = {}, distance = 0;
  for (int i = 0; i < n; i++) sums[i % kParts] += double(x[i]) - x[0];
  for (const double sum : sums) distance += sum;
  EstimateMoments m;
  m.count = n;
  m.mean = x[0] + distance / n;
  for (int i = 0; i < n; i++) squares[i % kParts] += (x[i] - m.mean) * (x[i] - m.mean);
  for (const double sum : squares) m.squares += sum;
  return m;
}

// What a sample of one estimator says of one parameter.
struct EstimatorResult {
  const EstimatorRow* row;
  std::string parameter;
  double mean;            // of the estimates
  double standard_error;  // of the mean
  double variance;  // of one sample; where samples share a baseline, samples x that of the mean
  double exact;     // the derivative of the objective that the estimator is for
  double expected;  // what the mean tends to, NaN where no closed form is known
  bool biased;      // by design: it tends to something else than `exact`
  long samples;
  double seconds;  // of one processor: the rollouts that it needs, its own work, its pilot paths

  double cost() const { return seconds / double(samples); }
  // How far the mean is from `exact`, in standard errors; 0 where both are exact.
  double bias() const;
};

struct ComparisonSettings {
  long samples = 1000000;  // 2 to 2^31
  std::uint64_t seed = 1;
  int threads = 1;
  int pilot = 8192;        // paths
  double own_steps = 1e8;  // that an estimator may take in rollouts of its own, for all parameters
  std::vector<std::string> only = {};  // the estimators that run, all where there are none
  bool joint_expectations = true;      // of returns smoothed in all parameters: a grid of thousands
};

// Calls back with the part that is done, in [0, 1], from the calling thread.
using ComparisonProgress = std::function<void(double)>;

// Runs every estimator of the problem. Paths under the policy, and those under the older one, are
// sampled once and shared by the estimators that need them; an estimator with rollouts of its own
// takes fewer samples, at least 1000, where they would be more than `own_steps` steps. Results have
// the same bits for any number of threads and either instruction set, but for the seconds. Throws
// an Error (non_finite) that names the estimator where an estimate is not finite, a usage error for
// an estimator that the problem has not. What an estimator gives does not depend on the others.
std::vector<EstimatorResult> compare_estimators(const LaboratoryDescriptor& descriptor,
                                                LaboratoryProblem& problem,
                                                const ComparisonSettings& settings,
                                                const ComparisonProgress& progress);

// The unbiased result with the least variance x cost for that parameter, null where there is none.
const EstimatorResult* best_estimator(const std::vector<EstimatorResult>& results,
                                      const std::string& parameter);

}  // namespace gallop
