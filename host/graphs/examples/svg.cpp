// Stochastic value gradients, SVG(infinity) (Heess et al. 2015), on the linear-quadratic regulator:
// the noise of policy and dynamics is fixed, and derivatives go through the whole path.
#include <fmt/format.h>

#include <gallop/host/graphs/examples/example.h>
#include <gallop/host/graphs/examples/regulator.h>

namespace gallop {
namespace {

void build(Graph& g) {
  const Regulator::Path path = Regulator::declare(g, GraphPath::kReparameterised);
  for (std::size_t t = 0; t < path.costs.size(); t++) {
    g.cost(fmt::format("c{}", t), path.costs[t]);
  }
}

}  // namespace

GraphExample svg_example() {
  return {"svg",
          "regulator: derivatives through the path, whose noise is fixed",
          "d/dtheta sum_t c(s_t, u_t), u_t = -k s_t + sigma epsilon_t",
          build,
          Regulator::kObjective,
          {Regulator::kByGain, Regulator::kByLogSigma},
          "recursion of E[s^2] over ten steps"};
}

}  // namespace gallop
