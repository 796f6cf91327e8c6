#include <gallop/host/graphs/examples/decision_process.h>

#include <fmt/format.h>

#include <cmath>

#include <gallop/kernels/environment/three_state_mdp.h>

namespace gallop {
namespace {

// A logit whose softmax is 0.
constexpr double kNever = -1000;

}  // namespace

std::vector<double> DecisionProcess::gradient() {
  constexpr double kOf[] = {.194890228173, .119017164742, .199507935135};
  std::vector<double> gradient;
  for (const double x : kOf) {
    gradient.push_back(x);  // costs are negative rewards: action 0 is the worse one
    gradient.push_back(-x);
  }
  return gradient;
}

std::vector<double> DecisionProcess::expected_rest() {
  return {.718458947, .761014696, .728939271, .381232371};
}

DecisionProcess::Path DecisionProcess::declare(Graph& g) {
  using Process = ThreeStateMdp;
  constexpr int kS = Process::kStates, kA = Process::kActions;
  std::vector<double> logits, costs;
  for (int s = 0; s < kS; s++) {
    for (int a = 0; a < kA; a++) {
      costs.push_back(-Process::kRewards[s][a]);
      for (const double p : Process::kTransitions[s][a]) {
        logits.push_back(p > 0 ? std::log(p) : kNever);
      }
    }
  }
  const GraphNode theta = g.parameter("theta", {kS, kA}, {.2, -.1, 0, .3, -.2, .1});
  const GraphNode transitions = g.define("P", g.constant({kS * kA, kS}, logits));
  const GraphNode cost_of = g.define("C", g.constant(costs));
  Path path;
  GraphNode s = g.define("s0", g.constant({0.0}));
  for (int t = 0; t < Process::kHorizon; t++) {
    const GraphNode a = g.categorical(fmt::format("a{}", t), pick(theta, s));
    const GraphNode pair = double(kA) * s + a;
    path.actions.push_back(a);
    path.costs.push_back(pick(cost_of, pair));
    if (t + 1 < Process::kHorizon) {
      s = g.categorical(fmt::format("s{}", t + 1), pick(transitions, pair));
    }
  }
  return path;
}

}  // namespace gallop
