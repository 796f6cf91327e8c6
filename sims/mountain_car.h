// Mountain car of Moore (1990) as Gymnasium 1.4.0 has it in MountainCar-v0.
#pragma once

#include <gallop/sims/slopes/mountain_slope.h>

namespace gallop::inline GALLOP_ISA {

struct MountainCar : MountainSlope {
  static constexpr const char* kName = "mountain_car";
  static constexpr const char* kAliases = "MountainCar-v0";
  static constexpr const char* kSource = "Gymnasium 1.4.0, MountainCar-v0";
  static constexpr int kTimeLimit = 200;
  static constexpr double kRewardThreshold = -110;
  static constexpr int kNumActions = 3;  // accelerate left, not at all, right
  static constexpr ParameterSpec kParameters[] = {
      {"force", 0.001, 0.0, 1.0, "1/step^2", "acceleration by the engine"},
      {"gravity", 0.0025, -1.0, 1.0, "1/step^2", "acceleration by gravity on a vertical slope"},
      {"min_position", -1.2, -1e3, 1e3, "", "left wall, which stops the car"},
      {"max_position", 0.6, -1e3, 1e3, "", "right limit of the position"},
      {"max_speed", 0.07, 0.0, 1e3, "1/step", "velocity is clipped to plus and minus this"},
      {"goal_position", 0.5, -1e3, 1e3, "", "the episode ends from this position on"},
      {"goal_velocity", 0.0, -1e3, 1e3, "1/step", "smallest velocity that counts at the goal"},
      {"reset_low", -0.6, -1e3, 1e3, "", "smallest initial position"},
      {"reset_high", -0.4, -1e3, 1e3, "", "largest initial position"}};

  template <class F>
  struct Parameters {
    F force, gravity, min_position, max_position, max_speed, goal_position, goal_velocity,
        reset_low, reset_high;
  };

  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>& s, Int<F> action, Rng<F>&) {
    const F push = to_real(action - Int<F>(1)) * p.force;
    const F slope = fmadd(cos(real<F>(3.0) * s.position), -p.gravity, push);
    const F velocity = max(-p.max_speed, min(p.max_speed, s.velocity + slope));
    s.position = max(p.min_position, min(p.max_position, s.position + velocity));
    const Mask<F> hits_wall = (s.position == p.min_position) & (velocity < real<F>(0.0));
    s.velocity = select(hits_wall, real<F>(0.0), velocity);
    const Mask<F> at_goal = (s.position >= p.goal_position) & (s.velocity >= p.goal_velocity);
    return {real<F>(-1.0), at_goal};
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(MountainCar)
