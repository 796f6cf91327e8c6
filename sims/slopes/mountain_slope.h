// What both mountain cars have in common: the place and speed of the car and how they begin.
#pragma once

#include <gallop/kernels/environment/contract.h>

namespace gallop::inline GALLOP_ISA {

struct MountainSlope {
  static constexpr int kFusedWidths[] = {64};
  static constexpr ComponentSpec kObservation[] = {{"position", -1.2, 0.6},
                                                   {"velocity", -0.07, 0.07}};
  static constexpr const char* kStateNames[] = {"position", "velocity"};
  static constexpr IntervalSpec kIntervals[] = {{"min_position", "max_position"},
                                                {"reset_low", "reset_high"}};

  template <class F>
  struct State {
    F position, velocity;
  };

  template <class F, class P>
  static GALLOP_HD void reset(const P& p, State<F>& s, Rng<F>& rng) {
    s.position = rng.uniform(p.reset_low, p.reset_high);
    s.velocity = real<F>(0.0);
  }

  template <class F, class P>
  static GALLOP_HD void observe(const P&, const State<F>& s, F* observation) {
    observation[0] = s.position;
    observation[1] = s.velocity;
  }
};

}  // namespace gallop::inline GALLOP_ISA
