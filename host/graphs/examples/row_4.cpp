// Row 4 of the lecture's table: theta -> (x) -> [f] and theta -> [y] -> [f].
#include <gallop/host/graphs/examples/example.h>

namespace gallop {
namespace {

void build(Graph& g) {
  const GraphNode theta = g.parameter("theta", 0.7);
  const GraphNode x = g.normal("x", theta, 0.0);
  const GraphNode y = g.define("y", square(theta));
  g.cost("f", x * y);
}

}  // namespace

GraphExample row_4_example() {
  constexpr double kTheta = 0.7;
  return {"row_4",
          "theta -> (x) -> [f] <- [y] <- theta",
          "d/dtheta log p(x | theta) f(x, y) + dy/dtheta df/dy",
          build,
          kTheta * kTheta * kTheta,
          {3 * kTheta * kTheta},
          "closed form"};
}

}  // namespace gallop
