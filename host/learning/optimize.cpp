#include <gallop/host/learning/optimize.h>

#include <fmt/format.h>

#include <limits>

namespace gallop {

OptimizeResult minimize(BlackBoxOptimizer& optimizer, const Objective& objective,
                        const OptimizeLimits& limits, const Objective& judge) {
  OptimizeResult result;
  result.best = std::numeric_limits<double>::infinity();
  Candidates candidates;
  std::vector<double> fitness;
  while (result.stopped.empty()) {
    optimizer.ask(candidates);
    const std::uint32_t generation = std::uint32_t(optimizer.generation());
    fitness.resize(std::size_t(candidates.n));
    for (int m = 0; m < candidates.n; m++) {
      const std::span<const double> x = candidates.point(m);
      const double value = objective(x, std::uint32_t(m), generation);
      const double exact = judge ? judge(x, std::uint32_t(m), generation) : value;
      fitness[std::size_t(m)] = -value;
      result.evaluations++;
      if (exact < result.best) {
        result.best = exact;
        result.best_point.assign(x.begin(), x.end());
      }
      if (result.best > limits.target) continue;
      result.is_solved = true;
      return result;
    }
    optimizer.tell(fitness);
    result.generations++;
    result.stopped = optimizer.stop_reason();
    if (result.stopped.empty() && result.evaluations >= limits.evaluations) {
      result.stopped = fmt::format("{} evaluations were allowed", limits.evaluations);
    }
    if (limits.stop_requested && limits.stop_requested()) result.stopped = "asked to stop";
  }
  return result;
}

}  // namespace gallop
