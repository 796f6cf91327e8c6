// Backpropagation through time on the linear-quadratic regulator without noise: a graph without
// stochastic nodes, whose gradient is exact.
#include <fmt/format.h>

#include <gallop/host/graphs/examples/example.h>
#include <gallop/host/graphs/examples/regulator.h>

namespace gallop {
namespace {

void build(Graph& g) {
  const GraphNode k = g.parameter("k", Regulator::kGain);
  GraphNode s = g.define("s0", g.constant({Regulator::kStart}));
  for (int t = 0; t < Regulator::kHorizon; t++) {
    const GraphNode u = g.define(fmt::format("u{}", t), -(k * s));
    g.cost(fmt::format("c{}", t), Regulator::kQ * square(s) + Regulator::kRho * square(u));
    if (t + 1 == Regulator::kHorizon) break;
    s = g.define(fmt::format("s{}", t + 1), Regulator::kA * s + Regulator::kB * u);
  }
}

}  // namespace

GraphExample bptt_example() {
  return {"bptt",
          "regulator without noise: derivatives through the path",
          "d/dk sum_t c(s_t, -k s_t)",
          build,
          2.314921254103,
          {-3.687966369066},
          "recursion of s^2 over ten steps"};
}

}  // namespace gallop
