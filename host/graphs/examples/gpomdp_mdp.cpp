// GPOMDP on the three-state decision process, with the expected cost from each step on as its
// baseline.
#include <fmt/format.h>

#include <gallop/host/graphs/examples/decision_process.h>
#include <gallop/host/graphs/examples/example.h>

namespace gallop {
namespace {

void build(Graph& g) {
  const DecisionProcess::Path path = DecisionProcess::declare(g);
  const std::vector<double> rest = DecisionProcess::expected_rest();
  for (std::size_t t = 0; t < path.costs.size(); t++) {
    g.cost(fmt::format("c{}", t), path.costs[t]);
    g.baseline(path.actions[t], -rest[t]);
  }
}

}  // namespace

GraphExample gpomdp_mdp_example() {
  return {"gpomdp_mdp",
          "decision process: scores of actions times the costs from there on, less their mean",
          "sum_t d log pi(a_t | s_t) (sum of c_t, c_t+1, ... - b_t)",
          build,
          DecisionProcess::kObjective,
          DecisionProcess::gradient(),
          "enumeration of 625 trajectories"};
}

}  // namespace gallop
