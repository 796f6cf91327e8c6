// REINFORCE (Williams 1992) on the linear-quadratic regulator: one cost, of the whole path, which
// every action is scored by.
#include <gallop/host/graphs/examples/example.h>
#include <gallop/host/graphs/examples/regulator.h>

namespace gallop {
namespace {

void build(Graph& g) {
  const Regulator::Path path = Regulator::declare(g, GraphPath::kScore);
  GraphNode total = path.costs[0];
  for (std::size_t t = 1; t < path.costs.size(); t++) total = total + path.costs[t];
  g.cost("cost", total);
}

}  // namespace

GraphExample reinforce_example() {
  return {"reinforce",
          "regulator: scores of actions times the cost of the path",
          "sum_t d log pi(u_t | s_t) C",
          build,
          Regulator::kObjective,
          {Regulator::kByGain, Regulator::kByLogSigma},
          "recursion of E[s^2] over ten steps"};
}

}  // namespace gallop
