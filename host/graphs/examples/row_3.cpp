// Row 3 of the lecture's table: theta -> (x) -> (y) -> [f].
#include <gallop/host/graphs/examples/example.h>

namespace gallop {
namespace {

void build(Graph& g) {
  const GraphNode theta = g.parameter("theta", 0.7);
  const GraphNode x = g.normal("x", theta, 0.0);
  const GraphNode y = g.normal("y", x, 0.0);
  g.cost("f", square(y));
}

}  // namespace

GraphExample row_3_example() {
  constexpr double kTheta = 0.7;
  return {"row_3",      "theta -> (x) -> (y) -> [f]", "d/dtheta log p(x | theta) f(y)",
          build,        kTheta * kTheta + 2,          {2 * kTheta},
          "closed form"};
}

}  // namespace gallop
