// Row 1 of the lecture's table: theta -> [x] -> (y) -> [f].
#include <gallop/host/graphs/examples/example.h>

namespace gallop {
namespace {

void build(Graph& g) {
  const GraphNode theta = g.parameter("theta", 0.7);
  const GraphNode x = g.define("x", square(theta));
  const GraphNode y = g.normal("y", x, 0.0);
  g.cost("f", square(y));
}

}  // namespace

GraphExample row_1_example() {
  constexpr double kTheta = 0.7;
  return {"row_1",      "theta -> [x] -> (y) -> [f]",          "dx/dtheta d/dx log p(y | x) f(y)",
          build,        kTheta * kTheta * kTheta * kTheta + 1, {4 * kTheta * kTheta * kTheta},
          "closed form"};
}

}  // namespace gallop
