#include <gallop/host/report/moving_mean.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace gallop {

std::vector<double> moving_mean(const std::vector<double>& y, const std::vector<double>& weights) {
  const size_t n = y.size();
  const size_t reach = std::max<size_t>(2, n / 40);
  double greatest = 1;
  for (const double w : weights) {
    if (std::isfinite(w)) greatest = std::max(greatest, w);
  }
  // Sums of what comes before each place; shares of the greatest weight do not overflow.
  std::vector<double> sums(n + 1, 0.0), totals(n + 1, 0.0);
  std::vector<size_t> counts(n + 1, 0);
  for (size_t i = 0; i < n; ++i) {
    const double w = (weights.empty() ? 1.0 : weights[i]) / greatest;
    const bool counted = std::isfinite(y[i]) && std::isfinite(w) && w > 0;
    sums[i + 1] = sums[i] + (counted ? w * y[i] : 0.0);
    totals[i + 1] = totals[i] + (counted ? w : 0.0);
    counts[i + 1] = counts[i] + (counted ? 1 : 0);
  }
  std::vector<double> means;
  double latest = std::numeric_limits<double>::quiet_NaN();
  for (size_t i = 0; i < n; ++i) {
    const size_t first = i - std::min(i, reach), last = std::min(n, i + reach + 1);
    if (counts[last] > counts[first])
      latest = (sums[last] - sums[first]) / (totals[last] - totals[first]);
    means.push_back(latest);
  }
  return means;
}

}  // namespace gallop
