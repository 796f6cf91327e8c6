// Exact value of a softmax policy in the built-in three-state decision process, by enumeration of
// every trajectory of four steps.
#pragma once

#include <cmath>

namespace gallop::testing {

struct ThreeStateMdp {
  static constexpr int kHorizon = 4;
  double transition[3][2][3] = {
      {{.8, .2, 0}, {.1, .8, .1}}, {{.7, .2, .1}, {0, .3, .7}}, {{.5, .5, 0}, {.2, .2, .6}}};
  double reward[3][2] = {{0, -.1}, {.2, -.2}, {1, 2}};
  double theta[3][2] = {{.2, -.1}, {0, .3}, {-.2, .1}};

  double probability(int s, int a) const {
    return std::exp(theta[s][a]) / (std::exp(theta[s][0]) + std::exp(theta[s][1]));
  }
  // Expected return of `steps` steps from s, over all trajectories.
  double value(int s, int steps = kHorizon) const {
    if (steps == 0) return 0;
    double sum = 0;
    for (int a = 0; a < 2; a++) {
      double after = reward[s][a];
      for (int next = 0; next < 3; next++) {
        if (transition[s][a][next] > 0) {
          after += transition[s][a][next] * value(next, steps - 1);
        }
      }
      sum += probability(s, a) * after;
    }
    return sum;
  }
};

}  // namespace gallop::testing
