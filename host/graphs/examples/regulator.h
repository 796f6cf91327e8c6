// The scalar linear-quadratic regulator of finite horizon that several examples are about:
// s' = a s + b u + sigma_w w, u = -k s + sigma epsilon, with costs q s^2 + rho u^2 at each step.
#pragma once

#include <string>
#include <vector>

#include <gallop/host/graphs/graph.h>

namespace gallop {

struct Regulator {
  static constexpr int kHorizon = 10;
  static constexpr double kA = 0.95, kB = 0.5, kQ = 1, kRho = 0.1, kStart = 1;
  static constexpr double kGain = 0.4, kSigma = 0.3, kSigmaW = 0.1;

  // At those numbers; by k and log sigma, in that order. E[s^2] obeys M' = (a - b k)^2 M +
  // b^2 sigma^2 + sigma_w^2, the objective is the sum of (q + rho k^2) M + rho sigma^2.
  static constexpr double kObjective = 2.987698532370;
  static constexpr double kByGain = -4.353621344392, kByLogSigma = kSigma * 3.289741284308;

  struct Path {
    std::vector<GraphNode> states, actions, costs;  // [H] each; costs are no cost nodes yet
  };
  // Actions are normal, with their derivative by that way; noise of the dynamics has no parameters.
  static Path declare(Graph& g, GraphPath by);
  // The expected costs from step t on of a state, P_t s^2 + c_t, at those numbers: [H] each.
  struct Values {
    std::vector<double> p, c;
  };
  static Values values();
};

}  // namespace gallop
