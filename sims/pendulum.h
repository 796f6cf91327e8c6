// Pendulum swing-up as Gymnasium 1.4.0 has it in Pendulum-v1. Angle 0 is upright and the angle is
// never wrapped; only the cost, paid on the state before the step, sees it within [-pi, pi].
#pragma once

#include <gallop/kernels/environment/contract.h>

namespace gallop::inline GALLOP_ISA {

struct Pendulum {
  static constexpr const char* kName = "pendulum";
  static constexpr const char* kAliases = "Pendulum-v1";
  static constexpr const char* kSource = "Gymnasium 1.4.0, Pendulum-v1";
  static constexpr int kTimeLimit = 200;
  static constexpr bool kSmooth = true;
  static constexpr const char* kTimeStep = "dt";
  static constexpr int kFusedWidths[] = {64};
  static constexpr ComponentSpec kObservation[] = {
      {"cos_theta", -1, 1}, {"sin_theta", -1, 1}, {"theta_dot", -8, 8}};
  static constexpr ComponentSpec kAction[] = {{"torque", -2, 2}};
  static constexpr const char* kStateNames[] = {"theta", "theta_dot"};
  static constexpr ParameterSpec kParameters[] = {
      {"gravity", 10.0, -1e3, 1e3, "m/s^2", "gravitational acceleration"},
      {"mass", 1.0, 1e-3, 1e6, "kg", "mass of the rod"},
      {"length", 1.0, 1e-3, 1e3, "m", "length of the rod"},
      {"dt", 0.05, 1e-6, 1.0, "s", "time between two steps"},
      {"max_speed", 8.0, 0.0, 1e6, "rad/s", "angular speed is clipped to plus and minus this"},
      {"max_torque", 2.0, 0.0, 1e6, "N m", "torque is clipped to plus and minus this"},
      {"reset_angle", 3.141592653589793, 0.0, 1e3, "rad",
       "initial angles are uniform within plus and minus this"},
      {"reset_speed", 1.0, 0.0, 1e3, "rad/s",
       "initial angular speeds are uniform within plus and minus this"}};

  template <class F>
  struct Parameters {
    F gravity, mass, length, dt, max_speed, max_torque, reset_angle, reset_speed;
  };
  template <class F>
  struct State {
    F theta, theta_dot;
  };

  template <class F>
  static GALLOP_HD void reset(const Parameters<F>& p, State<F>& s, Rng<F>& rng) {
    s.theta = rng.uniform(-p.reset_angle, p.reset_angle);
    s.theta_dot = rng.uniform(-p.reset_speed, p.reset_speed);
  }

  // theta less whole turns, for |theta| < 2^22; 2 pi in two parts keeps float exact to an ulp.
  template <class F>
  static GALLOP_HD F wrapped(F theta) {
    const F turns = floor(fmadd(theta, real<F>(0.15915494309189535), real<F>(0.5)));
    const F r = fmadd(turns, real<F>(-0x1.921fb6p2), theta);
    return fmadd(turns, real<F>(1.7484556000744971e-7), r);
  }

  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>& s, const F* action, Rng<F>&) {
    const F torque = max(-p.max_torque, min(p.max_torque, action[0]));
    const F angle = wrapped(s.theta);
    F cost = real<F>(0.001) * torque * torque;
    cost = fmadd(real<F>(0.1) * s.theta_dot, s.theta_dot, cost);
    cost = fmadd(angle, angle, cost);

    const F per_inertia = real<F>(3.0) * reciprocal(p.mass * p.length * p.length);
    const F pull = real<F>(1.5) * p.gravity * reciprocal(p.length);
    const F acceleration = fmadd(pull, sin(s.theta), per_inertia * torque);
    const F speed = fmadd(acceleration, p.dt, s.theta_dot);
    s.theta_dot = max(-p.max_speed, min(p.max_speed, speed));
    s.theta = fmadd(s.theta_dot, p.dt, s.theta);  // semi-implicit: the new speed moves the angle
    const Mask<F> never = cost < real<F>(0.0);
    return {-cost, never};
  }

  template <class F>
  static GALLOP_HD void observe(const Parameters<F>&, const State<F>& s, F* observation) {
    sin_cos(s.theta, observation[1], observation[0]);
    observation[2] = s.theta_dot;
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(Pendulum)
