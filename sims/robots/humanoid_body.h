// What environments of the humanoid have in common, whatever they reward: its actions, its state
// and what it observes. All that is told of the bodies belongs to the last Runge-Kutta stage of a
// step.
#pragma once

#include <gallop/sims/robots/roaming_body.h>

namespace gallop::inline GALLOP_ISA {

template <class BodyModel>
struct HumanoidBody {
  using Model = BodyModel;
  using Sizes = RoamingSizes<Model>;
  static constexpr bool kLongSteps = true;
  static constexpr const char* kNotSmooth = kSoftConstraintsAreNotSmooth;
  static constexpr int kFrameSkip = 5;
  static constexpr int kTimeLimit = 1000;
  static constexpr RoamingSpecs<Model, true> kTold{kNoBound};
  static constexpr auto& kStateNames = kTold.state;
  static constexpr auto& kObservation = kTold.observation;
  static constexpr int kGivenState = Sizes::kCoordinates + Sizes::kDofs;
  static constexpr ComponentSpec kAction[17] = {  // a size that nvcc knows in a template
      {"abdomen_y", -0.4, 0.4},       {"abdomen_z", -0.4, 0.4},   {"abdomen_x", -0.4, 0.4},
      {"right_hip_x", -0.4, 0.4},     {"right_hip_z", -0.4, 0.4}, {"right_hip_y", -0.4, 0.4},
      {"right_knee", -0.4, 0.4},      {"left_hip_x", -0.4, 0.4},  {"left_hip_z", -0.4, 0.4},
      {"left_hip_y", -0.4, 0.4},      {"left_knee", -0.4, 0.4},   {"right_shoulder1", -0.4, 0.4},
      {"right_shoulder2", -0.4, 0.4}, {"right_elbow", -0.4, 0.4}, {"left_shoulder1", -0.4, 0.4},
      {"left_shoulder2", -0.4, 0.4},  {"left_elbow", -0.4, 0.4}};

  template <class F>
  struct State {
    F q[Sizes::kCoordinates], v[Sizes::kDofs];
    F inertia[Sizes::kInertia], velocity[Sizes::kVelocity], motor[Sizes::kMotor];
    F contact[Sizes::kContact];
    F lag[2];
  };

  template <class F, class P>
  static GALLOP_HD void reset(const P& p, State<F>& s, Rng<F>& rng) {
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
  template <class F, class P>
  static GALLOP_HD void complete(const P& p, State<F>& s) {
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

  // Advances the body by a step; `speed` [2] is that of its centre of mass.
  template <class F, class P>
  static GALLOP_HD void act(const P& p, State<F>& s, const F* action, F* speed) {
    LastEvaluation<Model, F> last;
    F torque[Sizes::kDofs];
    roam<Model, F>(p.body, kFrameSkip, action, Followed::kCentreOfMass, s.q, s.v, s.lag, last,
                   speed);
    take<F>(s, last);
    motor_torques<Model, F>(p.body, action, torque);
    for (int k = 0; k < Sizes::kMotor; k++) s.motor[k] = torque[6 + k];
  }

  template <class F, class P>
  static GALLOP_HD void observe(const P&, const State<F>& s, F* observation) {
    for (int k = 2; k < Sizes::kCoordinates; k++) *observation++ = s.q[k];
    for (int k = 0; k < Sizes::kDofs; k++) *observation++ = s.v[k];
    for (int k = 0; k < Sizes::kInertia; k++) *observation++ = s.inertia[k];
    for (int k = 0; k < Sizes::kVelocity; k++) *observation++ = s.velocity[k];
    for (int k = 0; k < Sizes::kMotor; k++) *observation++ = s.motor[k];
    for (int k = 0; k < Sizes::kContact; k++) *observation++ = s.contact[k];
  }
};

}  // namespace gallop::inline GALLOP_ISA
