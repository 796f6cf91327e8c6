// Row 5 of the lecture's table: theta and x0 -> (x1) -> (x2), with costs of both.
#include <gallop/host/graphs/examples/example.h>

namespace gallop {
namespace {

void build(Graph& g) {
  const GraphNode theta = g.parameter("theta", 0.7);
  const GraphNode x0 = g.define("x0", g.constant({1.0}));
  const GraphNode x1 = g.normal("x1", theta * x0, 0.0);
  const GraphNode x2 = g.normal("x2", theta * x1, 0.0);
  g.cost("f1", square(x1));
  g.cost("f2", square(x2));
}

}  // namespace

GraphExample row_5_example() {
  constexpr double kTheta = 0.7;
  return {"row_5",
          "theta, x0 -> (x1) -> (x2), [f1], [f2]",
          "d/dtheta log p(x1 | theta, x0) (f1 + f2) + d/dtheta log p(x2 | theta, x1) f2",
          build,
          2 + 2 * kTheta * kTheta + kTheta * kTheta * kTheta * kTheta,
          {4 * kTheta + 4 * kTheta * kTheta * kTheta},
          "closed form"};
}

}  // namespace gallop
