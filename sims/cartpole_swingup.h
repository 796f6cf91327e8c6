// A pole on a cart that is swung up from below and balanced, smooth in all it does: the force is
// continuous, the track has no end, nothing terminates, and the reward is of the angle's cosine.
// Angle 0 is upright and the angle is never wrapped.
//
//   theta'' = (g sin theta - cos theta (F + m l theta'^2 sin theta) / M) / (l (4/3 - m cos^2 theta
//   / M)) x''     = (F + m l (theta'^2 sin theta - theta'' cos theta)) / M,      M = cart + pole, m
//   = pole
//
// l is half the pole's length; there is no friction. Semi-implicit Euler: the new speeds move cart
// and pole. Paid for on the state before the step, with the clipped force F:
//
//   -(1 - cos theta) - 0.05 x^2 - 0.001 F^2
//
// Source: equations of Florian, "Correct equations for the dynamics of the cart-pole system", 2005,
// without friction; the reward of the height of the pole as Doya, Neural Computation 12, 2000, has
// it. The prices of distance and force, in place of a track with ends, are this environment's own.
#pragma once

#include <gallop/kernels/environment/contract.h>

namespace gallop::inline GALLOP_ISA {

struct CartPoleSwingUp {
  static constexpr const char* kName = "cartpole_swingup";
  static constexpr const char* kAliases = "";
  static constexpr const char* kSource = "Florian 2005, swung up as in Doya 2000";
  static constexpr int kTimeLimit = 100;
  static constexpr bool kSmooth = true;
  static constexpr const char* kTimeStep = "tau";
  static constexpr ComponentSpec kObservation[] = {
      {"x", -__builtin_inf(), __builtin_inf()},
      {"x_dot", -__builtin_inf(), __builtin_inf()},
      {"cos_theta", -1, 1},
      {"sin_theta", -1, 1},
      {"theta_dot", -__builtin_inf(), __builtin_inf()}};
  static constexpr ComponentSpec kAction[] = {{"force", -10, 10}};
  static constexpr const char* kStateNames[] = {"x", "x_dot", "theta", "theta_dot"};
  static constexpr ParameterSpec kParameters[] = {
      {"gravity", 9.8, 0.0, 1e3, "m/s^2", "gravitational acceleration"},
      {"cart_mass", 1.0, 1e-3, 1e6, "kg", "mass of the cart"},
      {"pole_mass", 0.1, 1e-6, 1e6, "kg", "mass of the pole"},
      {"half_length", 0.5, 1e-3, 1e3, "m", "half the length of the pole"},
      {"max_force", 10.0, 0.0, 1e6, "N", "the force is clipped to plus and minus this"},
      {"tau", 0.05, 1e-6, 1.0, "s", "time between two steps"},
      {"reset_noise", 0.1, 0.0, 10.0, "",
       "initial states are uniform within plus and minus this of the pole at rest below"}};

  template <class F>
  struct Parameters {
    F gravity, cart_mass, pole_mass, half_length, max_force, tau, reset_noise;
  };
  template <class F>
  struct State {
    F x, x_dot, theta, theta_dot;
  };

  template <class F>
  static GALLOP_HD void reset(const Parameters<F>& p, State<F>& s, Rng<F>& rng) {
    const F low = -p.reset_noise;
    s.x = rng.uniform(low, p.reset_noise);
    s.x_dot = rng.uniform(low, p.reset_noise);
    s.theta = real<F>(3.141592653589793) + rng.uniform(low, p.reset_noise);
    s.theta_dot = rng.uniform(low, p.reset_noise);
  }

  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>& s, const F* action, Rng<F>&) {
    const F force = max(-p.max_force, min(p.max_force, action[0]));
    F sine, cosine;
    sin_cos(s.theta, sine, cosine);
    F cost = real<F>(1.0) - cosine;
    cost = fmadd(real<F>(0.05) * s.x, s.x, cost);
    cost = fmadd(real<F>(0.001) * force, force, cost);

    const F total = p.cart_mass + p.pole_mass, per_total = reciprocal(total);
    const F moment = p.pole_mass * p.half_length;
    const F swing = moment * s.theta_dot * s.theta_dot * sine;
    const F push = (force + swing) * per_total;
    const F inertia =
        p.half_length * fmadd(-(p.pole_mass * cosine), cosine * per_total, real<F>(4.0 / 3.0));
    const F turn = fmadd(p.gravity, sine, -(cosine * push)) * reciprocal(inertia);
    const F acceleration = (force + fmadd(-moment * turn, cosine, swing)) * per_total;
    s.x_dot = fmadd(p.tau, acceleration, s.x_dot);
    s.x = fmadd(p.tau, s.x_dot, s.x);
    s.theta_dot = fmadd(p.tau, turn, s.theta_dot);
    s.theta = fmadd(p.tau, s.theta_dot, s.theta);
    return {-cost, mask_of<F>(false)};
  }

  template <class F>
  static GALLOP_HD void observe(const Parameters<F>&, const State<F>& s, F* observation) {
    observation[0] = s.x;
    observation[1] = s.x_dot;
    sin_cos(s.theta, observation[3], observation[2]);
    observation[4] = s.theta_dot;
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(CartPoleSwingUp)
