// The double integrator: a mass on a line, moved by a force, that is to come to rest at 0. The
// force is held over a step, so that the step is exact:
//
//   v' = v + a dt,   x' = x + v dt + a dt^2 / 2,   a = force / mass + sigma w,   w ~ N(0, 1)
//
// Paid for on the state before the step: -(x^2 + 0.1 v^2 + 0.01 force^2). The force is clipped, and
// so is the force that is paid for. It never terminates. With sigma above 0 the dynamics are
// stochastic, by additive noise.
//
// Source: the plant of Rao and Bernstein, "Naive control of the double integrator", IEEE Control
// Systems Magazine 21(5), 2001; weights and limits are this environment's own.
#pragma once

#include <gallop/kernels/environment/contract.h>

namespace gallop::inline GALLOP_ISA {

struct DoubleIntegrator {
  static constexpr const char* kName = "double_integrator";
  static constexpr const char* kAliases = "";
  static constexpr const char* kSource = "Rao and Bernstein 2001, with a quadratic cost";
  static constexpr int kTimeLimit = 100;
  static constexpr bool kSmooth = true;
  static constexpr const char* kTimeStep = "dt";
  static constexpr ComponentSpec kObservation[] = {{"x", -__builtin_inf(), __builtin_inf()},
                                                   {"v", -__builtin_inf(), __builtin_inf()}};
  static constexpr ComponentSpec kAction[] = {{"force", -1, 1}};
  static constexpr const char* kStateNames[] = {"x", "v"};
  static constexpr ParameterSpec kParameters[] = {
      {"mass", 1.0, 1e-3, 1e6, "kg", "what is moved"},
      {"dt", 0.05, 1e-6, 10.0, "s", "time between two steps"},
      {"max_force", 1.0, 0.0, 1e6, "N", "the force is clipped to plus and minus this"},
      {"sigma", 0.0, 0.0, 1e6, "m/s^2", "standard deviation of the acceleration's noise"},
      {"reset_x", 1.0, 0.0, 1e3, "m", "initial positions are uniform within plus and minus this"},
      {"reset_v", 1.0, 0.0, 1e3, "m/s", "initial speeds are uniform within plus and minus this"}};

  template <class F>
  struct Parameters {
    F mass, dt, max_force, sigma, reset_x, reset_v;
  };
  template <class F>
  struct State {
    F x, v;
  };

  template <class F>
  static GALLOP_HD void reset(const Parameters<F>& p, State<F>& s, Rng<F>& rng) {
    s.x = rng.uniform(-p.reset_x, p.reset_x);
    s.v = rng.uniform(-p.reset_v, p.reset_v);
  }

  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>& s, const F* action,
                                   Rng<F>& rng) {
    const F force = max(-p.max_force, min(p.max_force, action[0]));
    F cost = real<F>(0.01) * force * force;
    cost = fmadd(real<F>(0.1) * s.v, s.v, cost);
    cost = fmadd(s.x, s.x, cost);
    const F acceleration = fmadd(p.sigma, rng.normal(), force * reciprocal(p.mass));
    const F gain = acceleration * p.dt;
    s.x = fmadd(fmadd(real<F>(0.5), gain, s.v), p.dt, s.x);
    s.v = s.v + gain;
    return {-cost, mask_of<F>(false)};
  }

  template <class F>
  static GALLOP_HD void observe(const Parameters<F>&, const State<F>& s, F* observation) {
    observation[0] = s.x;
    observation[1] = s.v;
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(DoubleIntegrator)
