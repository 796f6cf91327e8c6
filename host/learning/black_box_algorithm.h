// Black-box optimizers as algorithms: the parameters of a policy are the point, the mean return of
// whole episodes is the fitness. Written once, for all of algorithms/black_box/.
#pragma once

#include <memory>
#include <vector>

#include <gallop/host/learning/algorithm.h>

namespace gallop {

// Rows of the optimizer, and of what evaluates its members.
std::vector<OptionSpec> black_box_rows(const OptimizerDescriptor& optimizer);

// Each iteration is a generation: ask, every member plays `episodes` whole episodes, tell. Random
// numbers of episodes: as kernels/rollout/population_request.h says, episode = generation (0 where
// the optimizer wants fixed scenarios). Where all members have the same fitness, as those of a task
// that is solved, the generation is counted and nothing is learnt. Tensors: "policy/parameters" the
// centre in single precision, "optimizer/...", "normalizer/...", "steps".
std::unique_ptr<Algorithm> make_black_box_algorithm(const OptimizerDescriptor& optimizer,
                                                    const AlgorithmContext& context);

// The descriptor of that algorithm, for the registry.
template <const OptimizerDescriptor& (*kOptimizer)()>
const AlgorithmDescriptor& black_box_descriptor() {
  static const std::vector<OptionSpec> kRows = black_box_rows(kOptimizer());
  static const AlgorithmDescriptor kDescriptor = {kOptimizer().name,
                                                  kOptimizer().aliases,
                                                  kOptimizer().summary,
                                                  kOptimizer().source,
                                                  kRows,
                                                  [](const AlgorithmContext& context) {
                                                    return make_black_box_algorithm(kOptimizer(),
                                                                                    context);
                                                  }};
  return kDescriptor;
}

}  // namespace gallop
