// The humanoid as Gymnasium 1.4.0 has it in Humanoid-v5, on the equations of MuJoCo 3.5 to 3.17:
// before, margins were others; version 4.0 integrates rotations otherwise. Its constraints are
// solved exactly, where the reference stops after 50 sweeps of projected Gauss-Seidel. Reward:
// forward speed of the centre of mass and survival, less the squares of the actions as they were
// passed and of the contact forces. As there, all that is told of the bodies belongs to the last
// Runge-Kutta stage of the step.
#pragma once

#include <gallop/sims/models/humanoid_model.h>
#include <gallop/sims/robots/roaming_body.h>

namespace gallop::inline GALLOP_ISA {

struct Humanoid : RoamingTerms {
  using Model = HumanoidModel;
  using Sizes = RoamingSizes<Model>;
  static constexpr bool kLongSteps = true;
  static constexpr const char* kNotSmooth = kSoftConstraintsAreNotSmooth;
  static constexpr int kFrameSkip = 5;
  static constexpr const char* kName = "humanoid";
  static constexpr const char* kAliases = "Humanoid-v5";
  static constexpr const char* kSource = "Gymnasium 1.4.0, Humanoid-v5";
  static constexpr int kTimeLimit = 1000;
  static constexpr RoamingSpecs<Model, true> kTold{kNoBound};
  static constexpr auto& kStateNames = kTold.state;
  static constexpr auto& kObservation = kTold.observation;
  static constexpr int kGivenState = Sizes::kCoordinates + Sizes::kDofs;
  static constexpr ComponentSpec kAction[] = {
      {"abdomen_y", -0.4, 0.4},       {"abdomen_z", -0.4, 0.4},   {"abdomen_x", -0.4, 0.4},
      {"right_hip_x", -0.4, 0.4},     {"right_hip_z", -0.4, 0.4}, {"right_hip_y", -0.4, 0.4},
      {"right_knee", -0.4, 0.4},      {"left_hip_x", -0.4, 0.4},  {"left_hip_z", -0.4, 0.4},
      {"left_hip_y", -0.4, 0.4},      {"left_knee", -0.4, 0.4},   {"right_shoulder1", -0.4, 0.4},
      {"right_shoulder2", -0.4, 0.4}, {"right_elbow", -0.4, 0.4}, {"left_shoulder1", -0.4, 0.4},
      {"left_shoulder2", -0.4, 0.4},  {"left_elbow", -0.4, 0.4}};
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
  struct State {
    F q[Sizes::kCoordinates], v[Sizes::kDofs];
    F inertia[Sizes::kInertia], velocity[Sizes::kVelocity], motor[Sizes::kMotor];
    F contact[Sizes::kContact];
    F lag[2];
  };

  template <class F>
  static GALLOP_HD void reset(const Parameters<F>& p, State<F>& s, Rng<F>& rng) {
    reset_coordinates<Model, F>(s.q, p.reset_noise_scale, rng);
    for (int k = 0; k < Sizes::kDofs; k++) {
      s.v[k] = rng.uniform(-p.reset_noise_scale, p.reset_noise_scale);
    }
    complete<F>(p, s);
  }

  // Bodies have a mass, so a state of zeros beyond the coordinates and velocities is none.
  static StateRange state_range(int k, const gallop::Sizes&) {
    const int told = k - kGivenState;
    const bool is_mass = told >= 0 && told < Sizes::kInertia && told % 10 == 9;
    return is_mass ? StateRange{1e-4, 1e5} : StateRange{};
  }

  // Gymnasium evaluates a new state without asking for contact forces.
  template <class F>
  static GALLOP_HD void complete(const Parameters<F>& p, State<F>& s) {
    for (int k = 0; k < Sizes::kMotor; k++) s.motor[k] = real<F>(0.0);
    LastEvaluation<Model, F> now;
    evaluate_without_contacts<Model, F>(p.body, s.q, s.v, now);
    take<F>(s, now);
    s.lag[0] = now.observables.centre.x;
    s.lag[1] = now.observables.centre.y;
  }

  template <class F>
  static GALLOP_HD void take(State<F>& s, const LastEvaluation<Model, F>& last) {
    const auto& told = last.observables;
    for (int k = 0; k < Sizes::kInertia; k++) s.inertia[k] = told.inertia[k];
    for (int k = 0; k < Sizes::kVelocity; k++) s.velocity[k] = told.velocity[k];
    for (int k = 0; k < Sizes::kContact; k++) s.contact[k] = told.contact[k];
  }

  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>& s, const F* action, Rng<F>&,
                                   F* terms) {
    LastEvaluation<Model, F> last;
    F speed[2], torque[Sizes::kDofs];
    roam<Model, F>(p.body, kFrameSkip, action, Followed::kCentreOfMass, s.q, s.v, s.lag, last,
                   speed);
    take<F>(s, last);
    motor_torques<Model, F>(p.body, action, torque);
    for (int k = 0; k < Sizes::kMotor; k++) s.motor[k] = torque[6 + k];
    const Mask<F> healthy = (s.q[2] > p.healthy_z_min) & (s.q[2] < p.healthy_z_max);
    const Mask<F> counts = p.terminate_when_unhealthy > real<F>(0.0), fallen = !healthy;
    const F forward = p.forward_reward_weight * speed[0];
    const F control = p.ctrl_cost_weight * sum_of_squares(action, 17);
    const F contact = p.contact_cost_weight * sum_of_squares(s.contact, Sizes::kContact);
    const F alive = select(healthy, p.healthy_reward, real<F>(0.0));
    return roaming_outcome(s.q, speed, forward, control, min(p.contact_cost_max, contact), alive,
                           fallen & counts, terms);
  }

  template <class F>
  static GALLOP_HD void observe(const Parameters<F>&, const State<F>& s, F* observation) {
    for (int k = 2; k < Sizes::kCoordinates; k++) *observation++ = s.q[k];
    for (int k = 0; k < Sizes::kDofs; k++) *observation++ = s.v[k];
    for (int k = 0; k < Sizes::kInertia; k++) *observation++ = s.inertia[k];
    for (int k = 0; k < Sizes::kVelocity; k++) *observation++ = s.velocity[k];
    for (int k = 0; k < Sizes::kMotor; k++) *observation++ = s.motor[k];
    for (int k = 0; k < Sizes::kContact; k++) *observation++ = s.contact[k];
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(Humanoid)
