// The humanoid on its back as Gymnasium 1.4.0 has it in HumanoidStandup-v5, on the equations of
// MuJoCo 3.5 to 3.17, with constraints that are solved exactly (sims/humanoid.h). Reward: the
// height of the torso over the time of a MuJoCo step, 1 for the step, less the squares of the
// actions as they were passed and of the contact forces. It never terminates. Deviation:
// uph_cost_weight is a weight of the height; Gymnasium 1.4.0 has that option, and does not use it.
#pragma once

#include <gallop/sims/models/humanoid_standup_model.h>
#include <gallop/sims/robots/humanoid_body.h>

namespace gallop::inline GALLOP_ISA {

struct HumanoidStandup : HumanoidBody<HumanoidStandupModel> {
  static constexpr const char* kName = "humanoid_standup";
  static constexpr const char* kAliases = "HumanoidStandup-v5";
  static constexpr const char* kSource = "Gymnasium 1.4.0, HumanoidStandup-v5";
  static constexpr const char* kTerms[] = {
      "x_position",   "y_position",      "z_distance_from_origin",
      "reward_linup", "reward_quadctrl", "reward_impact"};
  static constexpr ParameterSpec kOwn[] = {
      {"uph_cost_weight", 1, -1e3, 1e3, "", "weight of the torso's height in the reward"},
      control_weight_spec(0.1),
      {"impact_cost_weight", 5e-7, 0, 1e3, "", "weight of the squared contact forces"},
      {"impact_cost_max", 10, 0, 1e6, "", "the cost of contact forces is limited to this"},
      reset_noise_spec(1e-2)};
  static constexpr BodyParameterSpecs<Model, 5> kSpecs{kOwn};
  static constexpr auto& kParameters = kSpecs.all;

  template <class F>
  struct Parameters {
    F uph_cost_weight, ctrl_cost_weight, impact_cost_weight, impact_cost_max, reset_noise_scale;
    BodyParameters<Model, F> body;
  };

  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>& s, const F* action, Rng<F>&,
                                   F* terms) {
    F speed[2];
    act<F>(p, s, action, speed);
    const F height = p.uph_cost_weight * s.q[2] * real<F>(1 / Model::kWorld.timestep);
    const F control = p.ctrl_cost_weight * sum_of_squares(action, 17);
    const F contact = p.impact_cost_weight * sum_of_squares(s.contact, Sizes::kContact);
    const F impact = min(p.impact_cost_max, contact);
    const F told[] = {s.q[0], s.q[1],   s.q[2] - real<F>(kRestHeight<Model>),
                      height, -control, -impact};
    for (int k = 0; k < 6; k++) terms[k] = told[k];
    return {height - control - impact + real<F>(1.0), mask_of<F>(false)};
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(HumanoidStandup)
