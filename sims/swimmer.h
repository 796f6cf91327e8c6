// The swimmer as Gymnasium 1.4.0 has it in Swimmer-v5, on the equations of MuJoCo. Reward: speed
// along x less the squares of the actions as they were passed; the motors clamp them. It never
// terminates.
#pragma once

#include <gallop/sims/models/swimmer_model.h>
#include <gallop/sims/robots/running_body.h>

namespace gallop::inline GALLOP_ISA {

struct Swimmer : ForwardRobot<SwimmerModel> {
  static constexpr int kFrameSkip = 4;
  static constexpr const char* kName = "swimmer";
  static constexpr const char* kAliases = "Swimmer-v5";
  static constexpr const char* kSource = "Gymnasium 1.4.0, Swimmer-v5";
  static constexpr double kRewardThreshold = 360;
  static constexpr ComponentSpec kObservation[] = {
      {"yaw", -kNoBound, kNoBound},       {"front", -kNoBound, kNoBound},
      {"rear", -kNoBound, kNoBound},      {"x_dot", -kNoBound, kNoBound},
      {"y_dot", -kNoBound, kNoBound},     {"yaw_dot", -kNoBound, kNoBound},
      {"front_dot", -kNoBound, kNoBound}, {"rear_dot", -kNoBound, kNoBound}};
  static constexpr ComponentSpec kAction[] = {{"front", -1, 1}, {"rear", -1, 1}};
  static constexpr const char* kStateNames[] = {
      "x", "y", "yaw", "front", "rear", "x_dot", "y_dot", "yaw_dot", "front_dot", "rear_dot"};
  static constexpr const char* kTerms[] = {"x_position", "y_position", "distance_from_origin",
                                           "x_velocity", "y_velocity", "reward_forward",
                                           "reward_ctrl"};
  static constexpr ParameterSpec kOwn[] = {forward_weight_spec(), control_weight_spec(1e-4),
                                           reset_noise_spec(0.1)};
  static constexpr BodyParameterSpecs<Model, 3> kSpecs{kOwn};
  static constexpr auto& kParameters = kSpecs.all;

  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>& s, const F* action, Rng<F>&,
                                   F* terms) {
    const F y = s.q[1];
    const F speed = run_body<Model, F>(p.body, kFrameSkip, action, s);
    const F cost = p.ctrl_cost_weight * sum_of_squares(action, 2);
    const F reward = fmadd(p.forward_reward_weight, speed, -cost);
    terms[0] = s.q[0];
    terms[1] = s.q[1];
    terms[2] = sqrt(fmadd(s.q[0], s.q[0], s.q[1] * s.q[1]));
    terms[3] = speed;
    terms[4] = (s.q[1] - y) * real<F>(1 / (kFrameSkip * Model::kWorld.timestep));
    terms[5] = p.forward_reward_weight * speed;
    terms[6] = -cost;
    return {reward, mask_of<F>(false)};
  }

  template <class F>
  static GALLOP_HD void observe(const Parameters<F>&, const State<F>& s, F* observation) {
    observe_body<Model, F>(s, 2, observation);
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(Swimmer)
