#include "host/laboratory/expectation.h"

#include <algorithm>
#include <cmath>

namespace gallop {
namespace {

double moved_return(const LaboratoryProblem& problem, int d, double by) {
  double theta[kMaxLaboratoryParameters];
  std::copy(std::begin(problem.model().theta), std::end(problem.model().theta), theta);
  theta[d] += by;
  return problem.expected_return(theta);
}

// E[U(theta + s z) z] / s for z ~ N(0, 1), by the trapezoid rule, which for a smooth function times
// a Gaussian converges faster than any power of the spacing.
double smoothed_slope(const LaboratoryProblem& problem, int d) {
  constexpr double kReach = 14, kSpacing = 1.0 / 16;
  const double s = problem.model().smoothing;
  double sum = 0, weights = 0;
  for (int k = -int(kReach / kSpacing); k <= int(kReach / kSpacing); k++) {
    const double z = k * kSpacing, weight = std::exp(-0.5 * z * z);
    sum += weight * z * moved_return(problem, d, s * z);
    weights += weight;
  }
  return sum / (weights * s);
}

}  // namespace

double expectation_of(const LaboratoryProblem& problem, const EstimatorRow& row, int d) {
  const double gamma = problem.model().gamma, e = problem.model().difference;
  if (row.bias == EstimatorBias::kBiasedByDiscount && gamma == 1) {
    return problem.gradient(kPlain)[d];
  }
  switch (row.target) {
    case EstimatorTarget::kReturn:
      return problem.gradient(kPlain)[d];
    case EstimatorTarget::kDiscountedReturn:
      return problem.gradient(kDiscounted)[d];
    case EstimatorTarget::kDifference:
      return (moved_return(problem, d, e) - moved_return(problem, d, -e)) / (2 * e);
    case EstimatorTarget::kSmoothed:
      return smoothed_slope(problem, d);
    case EstimatorTarget::kUnknown:
      break;
  }
  return std::nan("");
}

}  // namespace gallop
