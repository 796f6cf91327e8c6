// REINFORCE on the three-state decision process: categorical nodes, one cost.
#include <gallop/host/graphs/examples/decision_process.h>
#include <gallop/host/graphs/examples/example.h>

namespace gallop {
namespace {

void build(Graph& g) {
  const DecisionProcess::Path path = DecisionProcess::declare(g);
  GraphNode total = path.costs[0];
  for (std::size_t t = 1; t < path.costs.size(); t++) total = total + path.costs[t];
  g.cost("cost", total);
}

}  // namespace

GraphExample reinforce_mdp_example() {
  return {"reinforce_mdp",
          "decision process: scores of actions times the cost of the path",
          "sum_t d log pi(a_t | s_t) C",
          build,
          DecisionProcess::kObjective,
          DecisionProcess::gradient(),
          "enumeration of 625 trajectories"};
}

}  // namespace gallop
