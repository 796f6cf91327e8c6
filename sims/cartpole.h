// Cart-pole of Barto, Sutton and Anderson (1983) as Gymnasium 1.4.0 has it in CartPole-v1: explicit
// Euler, so positions move with the old velocities.
#pragma once

#include <gallop/kernels/environment/contract.h>

namespace gallop::inline GALLOP_ISA {

struct CartPole {
  static constexpr const char* kName = "cartpole";
  static constexpr const char* kAliases = "CartPole-v1";
  static constexpr const char* kSource = "Gymnasium 1.4.0, CartPole-v1";
  static constexpr int kTimeLimit = 500;
  static constexpr const char* kTimeStep = "tau";
  static constexpr int kFusedWidths[] = {64, 128, 256};
  static constexpr double kRewardThreshold = 475;
  static constexpr int kNumActions = 2;  // push left, push right
  static constexpr ComponentSpec kObservation[] = {
      {"x", -4.8, 4.8},
      {"x_dot", -__builtin_inf(), __builtin_inf()},
      {"theta", -0.41887902047863906, 0.41887902047863906},
      {"theta_dot", -__builtin_inf(), __builtin_inf()}};
  static constexpr const char* kStateNames[] = {"x", "x_dot", "theta", "theta_dot"};
  static constexpr ParameterSpec kParameters[] = {
      {"gravity", 9.8, -1e3, 1e3, "m/s^2", "gravitational acceleration"},
      {"mass_cart", 1.0, 1e-3, 1e6, "kg", "mass of the cart"},
      {"mass_pole", 0.1, 1e-3, 1e6, "kg", "mass of the pole"},
      {"half_length", 0.5, 1e-3, 1e3, "m", "half the length of the pole"},
      {"force", 10.0, -1e6, 1e6, "N", "magnitude of the push"},
      {"tau", 0.02, 1e-6, 1.0, "s", "time between two steps"},
      {"x_limit", 2.4, 0.0, 1e6, "m", "the episode ends beyond this position"},
      {"theta_limit", 12 * 2 * 3.141592653589793 / 360, 0.0, 1e6, "rad",
       "the episode ends beyond this angle"},
      {"reset_bound", 0.05, 0.0, 1e3, "", "initial states are uniform within plus and minus this"}};

  template <class F>
  struct Parameters {
    F gravity, mass_cart, mass_pole, half_length, force, tau, x_limit, theta_limit, reset_bound;
  };
  template <class F>
  struct State {
    F x, x_dot, theta, theta_dot;
  };

  template <class F>
  static GALLOP_HD void reset(const Parameters<F>& p, State<F>& s, Rng<F>& rng) {
    s.x = rng.uniform(-p.reset_bound, p.reset_bound);
    s.x_dot = rng.uniform(-p.reset_bound, p.reset_bound);
    s.theta = rng.uniform(-p.reset_bound, p.reset_bound);
    s.theta_dot = rng.uniform(-p.reset_bound, p.reset_bound);
  }

  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>& s, Int<F> action, Rng<F>&) {
    const F per_mass = reciprocal(p.mass_cart + p.mass_pole);
    const F pole_moment = p.mass_pole * p.half_length;
    const F force = select(action == Int<F>(1), p.force, -p.force);
    F sine, cosine;
    sin_cos(s.theta, sine, cosine);
    const F push = fmadd(s.theta_dot * s.theta_dot, pole_moment * sine, force) * per_mass;
    const F inertia =
        fmadd(cosine * cosine, -(pole_moment * per_mass), real<F>(4.0 / 3.0) * p.half_length);
    const F theta_acc = fmadd(sine, p.gravity, -(cosine * push)) * reciprocal(inertia);
    const F x_acc = fmadd(theta_acc * cosine, -(pole_moment * per_mass), push);
    s.x = fmadd(s.x_dot, p.tau, s.x);
    s.x_dot = fmadd(x_acc, p.tau, s.x_dot);
    s.theta = fmadd(s.theta_dot, p.tau, s.theta);
    s.theta_dot = fmadd(theta_acc, p.tau, s.theta_dot);
    const Mask<F> left = abs(s.x) > p.x_limit, fell = abs(s.theta) > p.theta_limit;
    return {real<F>(1.0), left | fell};
  }

  template <class F>
  static GALLOP_HD void observe(const Parameters<F>&, const State<F>& s, F* observation) {
    observation[0] = s.x;
    observation[1] = s.x_dot;
    observation[2] = s.theta;
    observation[3] = s.theta_dot;
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(CartPole)
