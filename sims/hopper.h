// The hopper as Gymnasium 1.4.0 has it in Hopper-v5, on the equations of MuJoCo with the margin
// rule of version 3.5 and later. Reward: forward speed and survival, less the squares of the
// actions as they were passed; the motors clamp them. Observed velocities are clipped, those of the
// state not.
#pragma once

#include <gallop/sims/models/hopper_model.h>
#include <gallop/sims/robots/running_body.h>

namespace gallop::inline GALLOP_ISA {

struct Hopper : UprightRobot<Hopper, HopperModel> {
  static constexpr int kFrameSkip = 4;
  static constexpr const char* kName = "hopper";
  static constexpr const char* kAliases = "Hopper-v5";
  static constexpr const char* kSource = "Gymnasium 1.4.0, Hopper-v5";
  static constexpr double kRewardThreshold = 3800;
  static constexpr ComponentSpec kObservation[] = {
      {"z", -kNoBound, kNoBound},   {"pitch", -kNoBound, kNoBound}, {"thigh", -kNoBound, kNoBound},
      {"leg", -kNoBound, kNoBound}, {"foot", -kNoBound, kNoBound},  {"x_dot", -10, 10},
      {"z_dot", -10, 10},           {"pitch_dot", -10, 10},         {"thigh_dot", -10, 10},
      {"leg_dot", -10, 10},         {"foot_dot", -10, 10}};
  static constexpr ComponentSpec kAction[] = {{"thigh", -1, 1}, {"leg", -1, 1}, {"foot", -1, 1}};
  static constexpr const char* kStateNames[] = {"x",         "z",         "pitch",   "thigh",
                                                "leg",       "foot",      "x_dot",   "z_dot",
                                                "pitch_dot", "thigh_dot", "leg_dot", "foot_dot"};
  static constexpr ParameterSpec kOwn[] = {
      forward_weight_spec(),
      control_weight_spec(1e-3),
      {"healthy_reward", 1, -1e3, 1e3, "", "reward of a step that ends healthy"},
      {"terminate_when_unhealthy", 1, 0, 1, "", "1: an episode ends when unhealthy"},
      {"healthy_z", 0.7, -1e3, 1e3, "m", "healthy above this height"},
      {"healthy_angle", 0.2, 0, 1e3, "rad", "healthy within plus and minus this pitch"},
      {"healthy_state", 100, 0, 1e6, "", "healthy within plus and minus this, all others"},
      reset_noise_spec(5e-3)};
  static constexpr BodyParameterSpecs<Model, 8> kSpecs{kOwn};
  static constexpr auto& kParameters = kSpecs.all;

  template <class F>
  struct Parameters {
    F forward_reward_weight, ctrl_cost_weight, healthy_reward, terminate_when_unhealthy, healthy_z,
        healthy_angle, healthy_state, reset_noise_scale;
    BodyParameters<Model, F> body;
  };

  template <class F>
  static GALLOP_HD Mask<F> is_healthy(const Parameters<F>& p, const State<F>& s) {
    Mask<F> healthy = (s.q[1] > p.healthy_z) & (abs(s.q[2]) < p.healthy_angle);
    for (int k = 2; k < s.kDofs; k++) healthy = healthy & (abs(s.q[k]) < p.healthy_state);
    for (int k = 0; k < s.kDofs; k++) healthy = healthy & (abs(s.v[k]) < p.healthy_state);
    return healthy;
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(Hopper)
