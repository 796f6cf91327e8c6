// Mountain car with a continuous engine as Gymnasium 1.4.0 has it in MountainCarContinuous-v0. The
// engine clips the action, the reward does not. The reference keeps its state in float32 and
// computes a step in double from it (as NumPy 1 promotes; under NumPy 2 later steps round more).
#pragma once

#include <gallop/sims/slopes/mountain_slope.h>

namespace gallop::inline GALLOP_ISA {

struct MountainCarContinuous : MountainSlope {
  static constexpr const char* kName = "mountain_car_continuous";
  static constexpr const char* kAliases = "MountainCarContinuous-v0";
  static constexpr const char* kSource = "Gymnasium 1.4.0, MountainCarContinuous-v0";
  static constexpr int kTimeLimit = 999;
  static constexpr double kRewardThreshold = 90;
  static constexpr const char* kNotSmooth =
      "its reward for the goal is a jump, which no derivative sees";
  static constexpr ComponentSpec kAction[] = {{"force", -1, 1}};
  static constexpr ParameterSpec kParameters[] = {
      {"power", 0.0015, 0.0, 1.0, "1/step^2", "acceleration by the engine at full force"},
      {"gravity", 0.0025, -1.0, 1.0, "1/step^2", "acceleration by gravity on a vertical slope"},
      {"min_position", -1.2, -1e3, 1e3, "", "left wall, which stops the car"},
      {"max_position", 0.6, -1e3, 1e3, "", "right limit of the position"},
      {"max_speed", 0.07, 0.0, 1e3, "1/step", "velocity is clipped to plus and minus this"},
      {"goal_position", 0.45, -1e3, 1e3, "", "the episode ends from this position on"},
      {"goal_velocity", 0.0, -1e3, 1e3, "1/step", "smallest velocity that counts at the goal"},
      {"goal_reward", 100.0, -1e6, 1e6, "", "reward for reaching the goal"},
      {"action_cost", 0.1, -1e3, 1e3, "", "cost of the square of the unclipped action"},
      {"reset_low", -0.6, -1e3, 1e3, "", "smallest initial position"},
      {"reset_high", -0.4, -1e3, 1e3, "", "largest initial position"}};

  template <class F>
  struct Parameters {
    F power, gravity, min_position, max_position, max_speed, goal_position, goal_velocity,
        goal_reward, action_cost, reset_low, reset_high;
  };

  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>& s, const F* action, Rng<F>&) {
    const F force = max(real<F>(-1.0), min(real<F>(1.0), action[0]));
    const F slope = fmadd(cos(real<F>(3.0) * s.position), -p.gravity, force * p.power);
    const F speed = max(-p.max_speed, min(p.max_speed, s.velocity + slope));
    const F position = max(p.min_position, min(p.max_position, s.position + speed));
    const Mask<F> hits_wall = (position == p.min_position) & (speed < real<F>(0.0));
    const F velocity = select(hits_wall, real<F>(0.0), speed);
    const Mask<F> at_goal = (position >= p.goal_position) & (velocity >= p.goal_velocity);
    const F bonus = select(at_goal, p.goal_reward, real<F>(0.0));
    s.position = round_to_float(position);
    s.velocity = round_to_float(velocity);
    return {fmadd(action[0] * action[0], -p.action_cost, bonus), at_goal};
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(MountainCarContinuous)
