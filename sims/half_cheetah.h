// The half cheetah as Gymnasium 1.4.0 has it in HalfCheetah-v5, on the equations of MuJoCo. Reward:
// forward speed less the squares of the actions as they were passed; the motors clamp them. It
// never terminates.
#pragma once

#include <gallop/sims/models/half_cheetah_model.h>
#include <gallop/sims/robots/running_body.h>

namespace gallop::inline GALLOP_ISA {

struct HalfCheetah : ForwardRobot<HalfCheetahModel> {
  static constexpr int kFrameSkip = 5;
  static constexpr const char* kName = "half_cheetah";
  static constexpr const char* kAliases = "HalfCheetah-v5";
  static constexpr const char* kSource = "Gymnasium 1.4.0, HalfCheetah-v5";
  static constexpr double kRewardThreshold = 4800;
  static constexpr ComponentSpec kObservation[] = {{"z", -kNoBound, kNoBound},
                                                   {"pitch", -kNoBound, kNoBound},
                                                   {"back_thigh", -kNoBound, kNoBound},
                                                   {"back_shin", -kNoBound, kNoBound},
                                                   {"back_foot", -kNoBound, kNoBound},
                                                   {"front_thigh", -kNoBound, kNoBound},
                                                   {"front_shin", -kNoBound, kNoBound},
                                                   {"front_foot", -kNoBound, kNoBound},
                                                   {"x_dot", -kNoBound, kNoBound},
                                                   {"z_dot", -kNoBound, kNoBound},
                                                   {"pitch_dot", -kNoBound, kNoBound},
                                                   {"back_thigh_dot", -kNoBound, kNoBound},
                                                   {"back_shin_dot", -kNoBound, kNoBound},
                                                   {"back_foot_dot", -kNoBound, kNoBound},
                                                   {"front_thigh_dot", -kNoBound, kNoBound},
                                                   {"front_shin_dot", -kNoBound, kNoBound},
                                                   {"front_foot_dot", -kNoBound, kNoBound}};
  static constexpr ComponentSpec kAction[] = {{"back_thigh", -1, 1}, {"back_shin", -1, 1},
                                              {"back_foot", -1, 1},  {"front_thigh", -1, 1},
                                              {"front_shin", -1, 1}, {"front_foot", -1, 1}};
  static constexpr const char* kStateNames[] = {"x",
                                                "z",
                                                "pitch",
                                                "back_thigh",
                                                "back_shin",
                                                "back_foot",
                                                "front_thigh",
                                                "front_shin",
                                                "front_foot",
                                                "x_dot",
                                                "z_dot",
                                                "pitch_dot",
                                                "back_thigh_dot",
                                                "back_shin_dot",
                                                "back_foot_dot",
                                                "front_thigh_dot",
                                                "front_shin_dot",
                                                "front_foot_dot"};
  static constexpr const char* kTerms[] = {"x_position", "x_velocity", "reward_forward",
                                           "reward_ctrl"};
  static constexpr ParameterSpec kOwn[] = {forward_weight_spec(), control_weight_spec(0.1),
                                           reset_noise_spec(0.1)};
  static constexpr BodyParameterSpecs<Model, 3> kSpecs{kOwn};
  static constexpr auto& kParameters = kSpecs.all;

  template <class F>
  static GALLOP_HD void reset(const Parameters<F>& p, State<F>& s, Rng<F>& rng) {
    reset_normal<Model, F>(s, p.reset_noise_scale, rng);
  }

  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>& s, const F* action, Rng<F>&,
                                   F* terms) {
    const F speed = run_body<Model, F>(p.body, kFrameSkip, action, s);
    const F cost = p.ctrl_cost_weight * sum_of_squares(action, 6);
    const F reward = fmadd(p.forward_reward_weight, speed, -cost);
    terms[0] = s.q[0];
    terms[1] = speed;
    terms[2] = p.forward_reward_weight * speed;
    terms[3] = -cost;
    return {reward, mask_of<F>(false)};
  }

  template <class F>
  static GALLOP_HD void observe(const Parameters<F>&, const State<F>& s, F* observation) {
    observe_body<Model, F>(s, 1, observation);
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(HalfCheetah)
