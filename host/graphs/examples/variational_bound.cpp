// A variational bound: z ~ N(0, 1) is seen through x ~ N(z, 1), and q(z) = N(m, s^2) is fitted to
// its posterior. The cost is log q(z) - log p(x, z), whose mean is the negative bound; its
// derivative goes by the score of q, or through the sample z = m + s epsilon.
#include <cmath>
#include <numbers>

#include <gallop/host/graphs/examples/example.h>

namespace gallop {
namespace {

constexpr double kX = 1.3, kMean = 0.5, kLogStd = -0.3;

template <GraphPath path>
void build(Graph& g) {
  const GraphNode m = g.parameter("m", kMean);
  const GraphNode log_s = g.parameter("log_s", kLogStd);
  const GraphNode z = g.normal("z", m, log_s, path);
  const GraphNode log_q = g.define("log_q", log_normal(z, m, log_s));
  const GraphNode log_p = g.define("log_p", log_normal(z, 0.0, 0.0) + log_normal(kX, z, 0.0));
  g.cost("F", log_q - log_p);
}

GraphExample example(const char* name, const char* summary, const char* estimator,
                     void (*build)(Graph&)) {
  const double variance = std::exp(2 * kLogStd);
  const double square = kMean * kMean + (kX - kMean) * (kX - kMean);
  const double objective =
      0.5 * std::log(2 * std::numbers::pi) - kLogStd - 0.5 + 0.5 * square + variance;
  return {name,         summary, estimator, build, objective, {2 * kMean - kX, 2 * variance - 1},
          "closed form"};
}

}  // namespace

GraphExample elbo_score_example() {
  return example("elbo_score", "variational bound of a normal posterior, by the score of q",
                 "d log q(z) F + dF", build<GraphPath::kScore>);
}
GraphExample elbo_reparameterised_example() {
  return example("elbo_reparameterised",
                 "variational bound of a normal posterior, through the sample",
                 "d/dphi F(z(phi, epsilon), phi)", build<GraphPath::kReparameterised>);
}

}  // namespace gallop
