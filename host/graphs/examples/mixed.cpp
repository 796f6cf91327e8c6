// Both ways in one graph: a gate b, whose derivative can only go by its score, decides where a
// normal z lies, whose derivative goes through the sample. The baseline of b is the cost at z's
// mean without the gate, which depends on parameters, not on b.
#include <cmath>

#include <gallop/host/graphs/examples/example.h>

namespace gallop {
namespace {

constexpr double kLogit = -0.4, kMean = 0.8, kLogStd = -0.5, kPrice = 0.3;

void build(Graph& g) {
  const GraphNode alpha = g.parameter("alpha", kLogit);
  const GraphNode mu = g.parameter("mu", kMean);
  const GraphNode log_s = g.parameter("log_s", kLogStd);
  const GraphNode b = g.bernoulli("b", alpha);
  const GraphNode z = g.normal("z", mu + 2.0 * b, log_s, GraphPath::kReparameterised);
  g.cost("f", square(z - 1.0));
  g.cost("price", kPrice * b);
  g.baseline(b, square(mu - 1.0));
}

}  // namespace

GraphExample mixed_example() {
  const double p = 1 / (1 + std::exp(-kLogit)), variance = std::exp(2 * kLogStd);
  const double closed = (kMean - 1) * (kMean - 1), open = (kMean + 1) * (kMean + 1) + kPrice;
  return {"mixed",
          "a gate by its score before a normal through its sample",
          "d log p(b) (f + price - (mu - 1)^2) + df/dz dz/dtheta",
          build,
          (1 - p) * closed + p * open + variance,
          {p * (1 - p) * (open - closed), 2 * (kMean - 1) + 4 * p, 2 * variance},
          "enumeration of b, closed form of z"};
}

}  // namespace gallop
