// Row 2 of the lecture's table: theta -> (x) -> [y] -> [f].
#include <gallop/host/graphs/examples/example.h>

namespace gallop {
namespace {

void build(Graph& g) {
  const GraphNode theta = g.parameter("theta", 0.7);
  const GraphNode x = g.normal("x", theta, 0.0);
  const GraphNode y = g.define("y", square(x));
  g.cost("f", y);
}

}  // namespace

GraphExample row_2_example() {
  constexpr double kTheta = 0.7;
  return {"row_2",      "theta -> (x) -> [y] -> [f]", "d/dtheta log p(x | theta) f(y(x))",
          build,        kTheta * kTheta + 1,          {2 * kTheta},
          "closed form"};
}

}  // namespace gallop
