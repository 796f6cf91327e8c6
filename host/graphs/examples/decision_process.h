// The three-state decision process with known answers (kernels/environment/three_state_mdp.h),
// under a softmax of a logit for each state and action.
#pragma once

#include <vector>

#include <gallop/host/graphs/graph.h>

namespace gallop {

struct DecisionProcess {
  // By the logits theta[s][a] by rows; by enumeration of the 625 trajectories.
  static constexpr double kObjective = -0.718458947309;
  static std::vector<double> gradient();
  // The expected return from each step on, under the policy [H].
  static std::vector<double> expected_rest();

  struct Path {
    std::vector<GraphNode> actions, costs;  // [H]; costs are no cost nodes yet
  };
  static Path declare(Graph& g);
};

}  // namespace gallop
