#include <gallop/host/learning/optimize.h>

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace gallop {

OptimizeResult minimize(BlackBoxOptimizer& optimizer, const Objective& objective,
                        const OptimizeLimits& limits, const Objective& judge) {
  const auto meet = [&](OptimizeResult& result, std::span<const double> x, double exact) {
    if (exact < result.best) {
      result.best = exact;
      result.best_point.assign(x.begin(), x.end());
    }
    result.is_solved = result.best <= limits.target;
  };
  OptimizeResult result;
  result.best = std::numeric_limits<double>::infinity();
  Candidates candidates;
  std::vector<double> fitness;
  while (result.stopped.empty()) {
    optimizer.ask(candidates);
    make_points(optimizer.backend(), candidates);
    const bool is_fixed = candidates.scenarios == Scenarios::kFixed;
    const std::uint32_t generation = is_fixed ? 0 : std::uint32_t(optimizer.generation());
    fitness.resize(std::size_t(candidates.n));
    for (int m = 0; m < candidates.n; m++) {
      const std::span<const double> x = candidates.point(m);
      const std::uint32_t id = candidates.scenarios == Scenarios::kOwn ? std::uint32_t(m) : 0;
      const double value = objective(x, id, generation);
      fitness[std::size_t(m)] = -value;
      result.evaluations++;
      meet(result, x, judge ? judge(x, id, generation) : value);
      if (result.is_solved) return result;
    }
    const auto [low, high] = std::minmax_element(fitness.begin(), fitness.end());
    if (*low == *high && !optimizer.learns_from_constant()) {
      result.stopped = fmt::format("all members have the value {}", -*low);
      break;
    }
    optimizer.tell(fitness);
    result.generations++;
    result.stopped = optimizer.stop_reason();
    if (result.stopped.empty() && result.evaluations >= limits.evaluations) {
      result.stopped = fmt::format("{} evaluations were allowed", limits.evaluations);
    }
    if (limits.stop_requested && limits.stop_requested()) result.stopped = "asked to stop";
  }
  if (judge) {
    const std::vector<double> center = optimizer.center();
    meet(result, center, judge(center, 0, 0));
  }
  return result;
}

}  // namespace gallop
