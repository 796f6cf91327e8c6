// The three-state, two-action decision process with known answers: its return, gradients and
// estimator variances are known by enumeration of its 625 trajectories of four steps.
#pragma once

#include <gallop/kernels/numerics/platform.h>

namespace gallop::inline GALLOP_ISA {

struct ThreeStateMdp {
  static constexpr int kStates = 3, kActions = 2, kHorizon = 4;
  // [state, action, next state] and [state, action]
  static constexpr double kTransitions[3][2][3] = {
      {{.8, .2, 0}, {.1, .8, .1}}, {{.7, .2, .1}, {0, .3, .7}}, {{.5, .5, 0}, {.2, .2, .6}}};
  static constexpr double kRewards[3][2] = {{0, -.1}, {.2, -.2}, {1, 2}};
  static constexpr double kStart[3] = {1, 0, 0};
};

}  // namespace gallop::inline GALLOP_ISA
