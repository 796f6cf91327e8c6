// The ant as Gymnasium 1.4.0 has it in Ant-v5, on the equations of MuJoCo 3.5 to 3.17: before,
// margins were others; version 4.0 integrates rotations otherwise. Reward: forward speed of the
// torso and survival, less the squares of the actions as they were passed and of the contact
// forces, each limited. As there, contact forces and the torso's place belong to the last
// Runge-Kutta stage of the step.
#pragma once

#include <gallop/sims/models/ant_model.h>
#include <gallop/sims/robots/roaming_body.h>

namespace gallop::inline GALLOP_ISA {

struct Ant : RoamingTerms {
  using Model = AntModel;
  using Sizes = RoamingSizes<Model>;
  static constexpr bool kLongSteps = true;
  static constexpr const char* kNotSmooth = kSoftConstraintsAreNotSmooth;
  static constexpr int kFrameSkip = 5;
  static constexpr const char* kName = "ant";
  static constexpr const char* kAliases = "Ant-v5";
  static constexpr const char* kSource = "Gymnasium 1.4.0, Ant-v5";
  static constexpr int kTimeLimit = 1000;
  static constexpr double kRewardThreshold = 6000;
  static constexpr RoamingSpecs<Model, false> kTold{1};
  static constexpr auto& kStateNames = kTold.state;
  static constexpr auto& kObservation = kTold.observation;
  static constexpr int kGivenState = Sizes::kCoordinates + Sizes::kDofs;
  static constexpr ComponentSpec kAction[] = {
      {"back_right_hip", -1, 1},   {"back_right_ankle", -1, 1}, {"front_left_hip", -1, 1},
      {"front_left_ankle", -1, 1}, {"front_right_hip", -1, 1},  {"front_right_ankle", -1, 1},
      {"back_left_hip", -1, 1},    {"back_left_ankle", -1, 1}};
  static constexpr ParameterSpec kOwn[] = {
      forward_weight_spec(),
      control_weight_spec(0.5),
      {"contact_cost_weight", 5e-4, 0, 1e3, "", "weight of the squared contact forces"},
      {"healthy_reward", 1, -1e3, 1e3, "", "reward of a step that ends healthy"},
      {"terminate_when_unhealthy", 1, 0, 1, "", "1: an episode ends when unhealthy"},
      {"healthy_z_min", 0.2, -1e3, 1e3, "m", "healthy at this height of the torso and above"},
      {"healthy_z_max", 1, -1e3, 1e3, "m", "healthy at this height of the torso and below"},
      {"contact_force_bound", 1, 0, 1e6, "", "contact forces are limited to plus and minus this"},
      reset_noise_spec(0.1)};
  static constexpr BodyParameterSpecs<Model, 9> kSpecs{kOwn};
  static constexpr auto& kParameters = kSpecs.all;
  static constexpr IntervalSpec kIntervals[] = {{"healthy_z_min", "healthy_z_max"}};

  template <class F>
  struct Parameters {
    F forward_reward_weight, ctrl_cost_weight, contact_cost_weight, healthy_reward,
        terminate_when_unhealthy, healthy_z_min, healthy_z_max, contact_force_bound,
        reset_noise_scale;
    BodyParameters<Model, F> body;
  };
  template <class F>
  struct State {
    F q[Sizes::kCoordinates], v[Sizes::kDofs];
    F contact[Sizes::kContact];  // limited
    F lag[2];
  };

  template <class F>
  static GALLOP_HD void reset(const Parameters<F>& p, State<F>& s, Rng<F>& rng) {
    reset_coordinates<Model, F>(s.q, p.reset_noise_scale, rng);
    for (int k = 0; k < Sizes::kDofs; k++) s.v[k] = p.reset_noise_scale * rng.normal();
    complete<F>(p, s);
  }

  template <class F>
  static GALLOP_HD void complete(const Parameters<F>&, State<F>& s) {
    for (int k = 0; k < Sizes::kContact; k++) s.contact[k] = real<F>(0.0);
    s.lag[0] = s.lag[1] = real<F>(0.0);
  }

  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>& s, const F* action, Rng<F>&,
                                   F* terms) {
    LastEvaluation<Model, F> last;
    F speed[2];
    roam<Model, F>(p.body, kFrameSkip, action, Followed::kRoot, s.q, s.v, s.lag, last, speed);
    const F bound = p.contact_force_bound;
    for (int k = 0; k < Sizes::kContact; k++) {
      s.contact[k] = max(-bound, min(bound, last.observables.contact[k]));
    }
    const Mask<F> healthy = is_healthy<F>(p, s), fallen = !healthy;
    const Mask<F> counts = p.terminate_when_unhealthy > real<F>(0.0);
    const F forward = p.forward_reward_weight * speed[0];
    const F control = p.ctrl_cost_weight * sum_of_squares(action, 8);
    const F contact = p.contact_cost_weight * sum_of_squares(s.contact, Sizes::kContact);
    const F alive = select(healthy, p.healthy_reward, real<F>(0.0));
    return roaming_outcome(s.q, speed, forward, control, contact, alive, fallen & counts, terms);
  }

  template <class F>
  static GALLOP_HD Mask<F> is_healthy(const Parameters<F>& p, const State<F>& s) {
    Mask<F> healthy = (s.q[2] >= p.healthy_z_min) & (s.q[2] <= p.healthy_z_max);
    const F infinite = real<F>(kNoBound);
    for (int k = 0; k < Sizes::kCoordinates; k++) healthy = healthy & (abs(s.q[k]) < infinite);
    for (int k = 0; k < Sizes::kDofs; k++) healthy = healthy & (abs(s.v[k]) < infinite);
    return healthy;
  }

  template <class F>
  static GALLOP_HD void observe(const Parameters<F>&, const State<F>& s, F* observation) {
    for (int k = 2; k < Sizes::kCoordinates; k++) *observation++ = s.q[k];
    for (int k = 0; k < Sizes::kDofs; k++) *observation++ = s.v[k];
    for (int k = 0; k < Sizes::kContact; k++) *observation++ = s.contact[k];
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(Ant)
