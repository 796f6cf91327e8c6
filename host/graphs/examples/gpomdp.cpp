// GPOMDP (Baxter and Bartlett 2001) on the linear-quadratic regulator: a cost each step, so that an
// action is scored by the costs that follow it, less the exact value of its state, which is no
// descendant of the action.
#include <fmt/format.h>

#include <gallop/host/graphs/examples/example.h>
#include <gallop/host/graphs/examples/regulator.h>

namespace gallop {
namespace {

void build(Graph& g) {
  const Regulator::Path path = Regulator::declare(g, GraphPath::kScore);
  const Regulator::Values v = Regulator::values();
  for (std::size_t t = 0; t < path.costs.size(); t++) {
    g.cost(fmt::format("c{}", t), path.costs[t]);
    const GraphNode value = v.p[t] * square(path.states[t]) + v.c[t];
    g.baseline(path.actions[t], g.define(fmt::format("V{}", t), value));
  }
}

}  // namespace

GraphExample gpomdp_example() {
  return {"gpomdp",
          "regulator: scores of actions times the costs from there on, less V_t(s_t)",
          "sum_t d log pi(u_t | s_t) (sum of c_t, c_t+1, ... - V_t(s_t))",
          build,
          Regulator::kObjective,
          {Regulator::kByGain, Regulator::kByLogSigma},
          "recursion of E[s^2] over ten steps"};
}

}  // namespace gallop
