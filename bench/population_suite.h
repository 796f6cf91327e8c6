#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/row.h"

namespace gallop {

// Generations of evolution strategies on an environment: every member of a population of policies
// plays whole episodes, members are ranked, the gradient is estimated from their perturbations, and
// the centre moves. Rows count steps a second of all of it; generations a second are those over
// P x E x steps. Ends of CartPole are ignored, so that its episodes all have their 500 steps.
struct PopulationSuite {
  std::string environment = "cartpole";
  std::vector<std::string> policies;   // linear, 64-64, 256-256; empty for the first two
  std::vector<std::int64_t> members;   // P; empty for 256 and 4096
  std::vector<std::int64_t> episodes;  // E of a member; empty for 1 and 16
  bool mirrored = true;
  std::string device = "cpu";
  int threads = 1;     // of the CPU backend
  double seconds = 1;  // for each row
};

// Measures and hands out row after row. Throws a usage or value error before anything is measured.
void run_population_suite(const PopulationSuite& suite,
                          const std::function<void(const BenchRow&)>& show);

}  // namespace gallop
