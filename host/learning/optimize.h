// The loop that asks an optimizer and tells it, for functions of a user's own.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <gallop/host/learning/black_box.h>

namespace gallop {

// The value of a point, which is minimised; `member` and `generation` tell random functions apart.
using Objective = std::function<double(std::span<const double> x, std::uint32_t member,
                                       std::uint32_t generation)>;

struct OptimizeLimits {
  double target = 1e-8;                       // of a value; the search ends there
  std::uint64_t evaluations = 1'000'000;      // at most; a generation is not cut
  std::function<bool()> stop_requested = {};  // asked between generations
};

struct OptimizeResult {
  std::uint64_t evaluations = 0, generations = 0;
  double best = 0;  // the least value that was met
  std::vector<double> best_point;
  bool is_solved = false;  // best <= target
  std::string stopped;     // why the search ended before
};

// Minimises `objective` until a limit is met, all members have the same value, or the optimizer
// says that going on is of no use. What `judge` gives counts as the value of a point, where it is
// there, and `objective` is what the optimizer is told: with and without noise; of the centre that
// a search ends at, which is judged besides, it does not count as an evaluation. Exceptions of a
// function pass through, and the optimizer then stands where it stood before that generation.
// Throws as BlackBoxOptimizer::tell.
OptimizeResult minimize(BlackBoxOptimizer& optimizer, const Objective& objective,
                        const OptimizeLimits& limits, const Objective& judge = {});

}  // namespace gallop
