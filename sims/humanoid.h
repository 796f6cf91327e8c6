// The humanoid as Gymnasium 1.4.0 has it in Humanoid-v5, on the equations of MuJoCo 3.5 to 3.17:
// before, margins were others; version 4.0 integrates rotations otherwise. Its constraints are
// solved exactly, where the reference stops after 50 sweeps of projected Gauss-Seidel. Reward:
// forward speed of the centre of mass and survival, less the squares of the actions as they were
// passed and of the contact forces. As there, all that is told of the bodies belongs to the last
// Runge-Kutta stage of the step.
#pragma once

#include <gallop/sims/models/humanoid_model.h>
#include <gallop/sims/robots/humanoid_body.h>

namespace gallop::inline GALLOP_ISA {

struct Humanoid : RoamingTerms, HumanoidBody<HumanoidModel> {
  static constexpr const char* kName = "humanoid";
  static constexpr const char* kAliases = "Humanoid-v5";
  static constexpr const char* kSource = "Gymnasium 1.4.0, Humanoid-v5";
  static constexpr ParameterSpec kOwn[] = {
      forward_weight_spec(1.25),
      control_weight_spec(0.1),
      {"contact_cost_weight", 5e-7, 0, 1e3, "", "weight of the squared contact forces"},
      {"contact_cost_max", 10, 0, 1e6, "", "the cost of contact forces is limited to this"},
      {"healthy_reward", 5, -1e3, 1e3, "", "reward of a step that ends healthy"},
      {"terminate_when_unhealthy", 1, 0, 1, "", "1: an episode ends when unhealthy"},
      {"healthy_z_min", 1, -1e3, 1e3, "m", "healthy above this height of the torso"},
      {"healthy_z_max", 2, -1e3, 1e3, "m", "healthy below this height of the torso"},
      reset_noise_spec(1e-2)};
  static constexpr BodyParameterSpecs<Model, 9> kSpecs{kOwn};
  static constexpr auto& kParameters = kSpecs.all;
  static constexpr IntervalSpec kIntervals[] = {{"healthy_z_min", "healthy_z_max", true}};

  template <class F>
  struct Parameters {
    F forward_reward_weight, ctrl_cost_weight, contact_cost_weight, contact_cost_max,
        healthy_reward, terminate_when_unhealthy, healthy_z_min, healthy_z_max, reset_noise_scale;
    BodyParameters<Model, F> body;
  };

  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>& s, const F* action, Rng<F>&,
                                   F* terms) {
    F speed[2];
    act<F>(p, s, action, speed);
    const Mask<F> healthy = (s.q[2] > p.healthy_z_min) & (s.q[2] < p.healthy_z_max);
    const Mask<F> counts = p.terminate_when_unhealthy > real<F>(0.0), fallen = !healthy;
    const F forward = p.forward_reward_weight * speed[0];
    const F control = p.ctrl_cost_weight * sum_of_squares(action, 17);
    const F contact = p.contact_cost_weight * sum_of_squares(s.contact, Sizes::kContact);
    const F alive = select(healthy, p.healthy_reward, real<F>(0.0));
    return roaming_outcome(s.q, speed, forward, control, min(p.contact_cost_max, contact), alive,
                           fallen & counts, terms);
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(Humanoid)
