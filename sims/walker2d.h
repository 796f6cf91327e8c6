// The walker as Gymnasium 1.4.0 has it in Walker2d-v5, on the equations of MuJoCo. Reward: forward
// speed and survival, less the squares of the actions as they were passed; the motors clamp them.
// Observed velocities are clipped, those of the state not.
#pragma once

#include <gallop/sims/models/walker2d_model.h>
#include <gallop/sims/robots/running_body.h>

namespace gallop::inline GALLOP_ISA {

struct Walker2d : UprightRobot<Walker2d, Walker2dModel> {
  static constexpr int kFrameSkip = 4;
  static constexpr const char* kName = "walker2d";
  static constexpr const char* kAliases = "Walker2d-v5";
  static constexpr const char* kSource = "Gymnasium 1.4.0, Walker2d-v5";
  static constexpr ComponentSpec kObservation[] = {{"z", -kNoBound, kNoBound},
                                                   {"pitch", -kNoBound, kNoBound},
                                                   {"thigh", -kNoBound, kNoBound},
                                                   {"leg", -kNoBound, kNoBound},
                                                   {"foot", -kNoBound, kNoBound},
                                                   {"left_thigh", -kNoBound, kNoBound},
                                                   {"left_leg", -kNoBound, kNoBound},
                                                   {"left_foot", -kNoBound, kNoBound},
                                                   {"x_dot", -10, 10},
                                                   {"z_dot", -10, 10},
                                                   {"pitch_dot", -10, 10},
                                                   {"thigh_dot", -10, 10},
                                                   {"leg_dot", -10, 10},
                                                   {"foot_dot", -10, 10},
                                                   {"left_thigh_dot", -10, 10},
                                                   {"left_leg_dot", -10, 10},
                                                   {"left_foot_dot", -10, 10}};
  static constexpr ComponentSpec kAction[] = {{"thigh", -1, 1},    {"leg", -1, 1},
                                              {"foot", -1, 1},     {"left_thigh", -1, 1},
                                              {"left_leg", -1, 1}, {"left_foot", -1, 1}};
  static constexpr const char* kStateNames[] = {
      "x",          "z",        "pitch",     "thigh",          "leg",          "foot",
      "left_thigh", "left_leg", "left_foot", "x_dot",          "z_dot",        "pitch_dot",
      "thigh_dot",  "leg_dot",  "foot_dot",  "left_thigh_dot", "left_leg_dot", "left_foot_dot"};
  static constexpr ParameterSpec kOwn[] = {
      forward_weight_spec(),
      control_weight_spec(1e-3),
      {"healthy_reward", 1, -1e3, 1e3, "", "reward of a step that ends healthy"},
      {"terminate_when_unhealthy", 1, 0, 1, "", "1: an episode ends when unhealthy"},
      {"healthy_z_min", 0.8, -1e3, 1e3, "m", "healthy above this height"},
      {"healthy_z_max", 2, -1e3, 1e3, "m", "and below this one"},
      {"healthy_angle", 1, 0, 1e3, "rad", "healthy within plus and minus this pitch"},
      reset_noise_spec(5e-3)};
  static constexpr BodyParameterSpecs<Model, 8> kSpecs{kOwn};
  static constexpr auto& kParameters = kSpecs.all;
  static constexpr IntervalSpec kIntervals[] = {{"healthy_z_min", "healthy_z_max", true}};

  template <class F>
  struct Parameters {
    F forward_reward_weight, ctrl_cost_weight, healthy_reward, terminate_when_unhealthy,
        healthy_z_min, healthy_z_max, healthy_angle, reset_noise_scale;
    BodyParameters<Model, F> body;
  };

  template <class F>
  static GALLOP_HD Mask<F> is_healthy(const Parameters<F>& p, const State<F>& s) {
    const Mask<F> upright = abs(s.q[2]) < p.healthy_angle;
    return (s.q[1] > p.healthy_z_min) & (s.q[1] < p.healthy_z_max) & upright;
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(Walker2d)
