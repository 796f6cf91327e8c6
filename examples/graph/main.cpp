// A shop decides how much to order and how often to advertise. Demand is normal, and larger where
// the shop has advertised: its derivative goes through the sample, that of the decision, which is
// yes or no, by its score. Both are learned by gradients of the surrogate loss.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <gallop/host/error.h>
#include <gallop/host/graphs/dot.h>
#include <gallop/host/graphs/graph_estimator.h>

namespace {

constexpr double kPrice = 2, kCost = 1, kAdvertisement = 0.5;
constexpr double kDemand = 3, kMoreDemand = 1, kLogDeviation = -0.7;
constexpr int kSteps = 1500;
constexpr double kRate = 0.05;

void declare_shop(gallop::Graph& g) {
  using gallop::GraphNode;
  const GraphNode log_stock = g.parameter("log_stock", 0.0);
  const GraphNode logit = g.parameter("logit", 0.0);
  const GraphNode stock = g.define("stock", exp(log_stock));
  const GraphNode advertise = g.bernoulli("advertise", logit);
  const GraphNode demand = g.normal("demand", kDemand + kMoreDemand * advertise, kLogDeviation,
                                    gallop::GraphPath::kReparameterised);
  g.cost("sales", -kPrice * min(stock, demand));
  g.cost("goods", kCost * stock);
  g.cost("advertisement", kAdvertisement * advertise);
  // What it costs without advertising and with all stock sold: it depends on nothing that was
  // drawn.
  g.baseline(advertise, g.define("sold_out", (kCost - kPrice) * stock));
}

int run() {
  const auto backend = gallop::make_cpu_backend(0);
  gallop::Graph graph;
  declare_shop(graph);
  gallop::GraphEstimator estimator(*backend, graph);
  for (int k = 0; k < kSteps; k++) {
    const gallop::GraphRun run = {.samples = 4096, .seed = 1, .stream = std::uint32_t(k)};
    const gallop::GraphGradient found = estimator.gradient(run);
    std::vector<double> parameters = estimator.parameters();
    for (std::size_t d = 0; d < parameters.size(); d++) {
      parameters[d] -= kRate * found.gradient[d];
    }
    estimator.set_all(parameters);
  }
  const gallop::GraphEstimate last =
      estimator.estimate({.samples = 1000000, .seed = 2, .stream = 0});
  const std::vector<double>& at = estimator.parameters();
  std::printf("stock %.3f, advertises with probability %.3f\n", std::exp(at[0]),
              1 / (1 + std::exp(-at[1])));
  std::printf("profit %.4f +- %.4f\n", -last.objective.mean, last.objective.standard_error);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc > 1 && std::string(argv[1]) == "--dot") {
      gallop::Graph graph;
      declare_shop(graph);
      std::fputs(gallop::graph_dot(graph).c_str(), stdout);
      return 0;
    }
    return run();
  } catch (const gallop::Error& error) {
    std::fprintf(stderr, "shop: %s\n", error.what());
    return error.exit_status();
  }
}
