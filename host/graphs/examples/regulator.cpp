#include <gallop/host/graphs/examples/regulator.h>

#include <fmt/format.h>

#include <cmath>

namespace gallop {

Regulator::Path Regulator::declare(Graph& g, GraphPath by) {
  const GraphNode k = g.parameter("k", kGain);
  const GraphNode log_sigma = g.parameter("log_sigma", std::log(kSigma));
  Path path;
  GraphNode s = g.define("s0", g.constant({kStart}));
  for (int t = 0; t < kHorizon; t++) {
    const GraphNode u = g.normal(fmt::format("u{}", t), -(k * s), log_sigma, by);
    path.states.push_back(s);
    path.actions.push_back(u);
    path.costs.push_back(kQ * square(s) + kRho * square(u));
    if (t + 1 == kHorizon) break;
    const GraphNode w = g.normal(fmt::format("w{}", t), 0.0, 0.0);
    s = g.define(fmt::format("s{}", t + 1), kA * s + kB * u + kSigmaW * w);
  }
  return path;
}

Regulator::Values Regulator::values() {
  Values v = {std::vector<double>(kHorizon), std::vector<double>(kHorizon)};
  double p = 0, c = 0;
  for (int t = kHorizon; t-- > 0;) {
    const double noise = kB * kB * kSigma * kSigma + kSigmaW * kSigmaW;
    const double factor = kA - kB * kGain;
    c = kRho * kSigma * kSigma + p * noise + c;
    p = kQ + kRho * kGain * kGain + factor * factor * p;
    v.p[std::size_t(t)] = p;
    v.c[std::size_t(t)] = c;
  }
  return v;
}

}  // namespace gallop
