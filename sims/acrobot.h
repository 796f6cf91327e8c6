// Acrobot swing-up of Sutton (1996) as Gymnasium 1.4.0 has it in Acrobot-v1: the "book" dynamics,
// one classical Runge-Kutta step of 0.2 s with constant torque, no torque noise. Angle 1 is that of
// the first link from hanging down, angle 2 that of the second link relative to the first.
#pragma once

#include <gallop/kernels/environment/contract.h>

namespace gallop::inline GALLOP_ISA {

struct Acrobot {
  static constexpr const char* kName = "acrobot";
  static constexpr const char* kAliases = "Acrobot-v1";
  static constexpr const char* kSource = "Gymnasium 1.4.0, Acrobot-v1";
  static constexpr int kTimeLimit = 500;
  static constexpr const char* kTimeStep = "dt";
  static constexpr int kFusedWidths[] = {64};
  static constexpr double kRewardThreshold = -100;
  static constexpr int kNumActions = 3;  // torque -1, 0, +1 on the joint between the links
  static constexpr ComponentSpec kObservation[] = {
      {"cos_theta_1", -1, 1},
      {"sin_theta_1", -1, 1},
      {"cos_theta_2", -1, 1},
      {"sin_theta_2", -1, 1},
      {"theta_dot_1", -12.566370614359172, 12.566370614359172},
      {"theta_dot_2", -28.274333882308138, 28.274333882308138}};
  static constexpr const char* kStateNames[] = {"theta_1", "theta_2", "theta_dot_1", "theta_dot_2"};
  static constexpr ParameterSpec kParameters[] = {
      {"gravity", 9.8, -1e3, 1e3, "m/s^2", "gravitational acceleration"},
      {"length_1", 1.0, 1e-3, 1e3, "m", "length of the first link"},
      {"mass_1", 1.0, 1e-3, 1e6, "kg", "mass of the first link"},
      {"mass_2", 1.0, 1e-3, 1e6, "kg", "mass of the second link"},
      {"center_1", 0.5, 1e-3, 1e3, "m", "distance from joint to centre of mass, first link"},
      {"center_2", 0.5, 1e-3, 1e3, "m", "distance from joint to centre of mass, second link"},
      {"inertia", 1.0, 1e-6, 1e6, "kg m^2", "moment of inertia of each link"},
      {"torque", 1.0, 0.0, 1e6, "N m", "magnitude of the torque"},
      {"dt", 0.2, 1e-6, 1.0, "s", "time between two steps"},
      {"max_speed_1", 12.566370614359172, 0.0, 1e3, "rad/s", "limit of the first angular speed"},
      {"max_speed_2", 28.274333882308138, 0.0, 1e3, "rad/s", "limit of the second angular speed"},
      {"goal_height", 1.0, -1e3, 1e3, "",
       "the episode ends once -cos(theta_1) - cos(theta_1 + theta_2) exceeds this"},
      {"reset_bound", 0.1, 0.0, 1e3, "", "initial states are uniform within plus and minus this"}};

  template <class F>
  struct Parameters {
    F gravity, length_1, mass_1, mass_2, center_1, center_2, inertia, torque, dt, max_speed_1,
        max_speed_2, goal_height, reset_bound;
  };
  template <class F>
  struct State {
    F theta_1, theta_2, theta_dot_1, theta_dot_2;
  };

  template <class F>
  static GALLOP_HD void reset(const Parameters<F>& p, State<F>& s, Rng<F>& rng) {
    s.theta_1 = round_to_float(rng.uniform(-p.reset_bound, p.reset_bound));
    s.theta_2 = round_to_float(rng.uniform(-p.reset_bound, p.reset_bound));
    s.theta_dot_1 = round_to_float(rng.uniform(-p.reset_bound, p.reset_bound));
    s.theta_dot_2 = round_to_float(rng.uniform(-p.reset_bound, p.reset_bound));
  }

  // Constants of the equations of motion; the same for every stage and step.
  template <class F>
  struct Model {
    F coupling;  // m2 l1 lc2
    F d1, d2;    // the parts of d1 and d2 that do not depend on theta_2
    F gravity_1, gravity_2;
    F inertia_2;  // m2 lc2^2 + I
    GALLOP_HD explicit Model(const Parameters<F>& p)
        : coupling(p.mass_2 * p.length_1 * p.center_2),
          d1(fmadd(p.mass_1 * p.center_1, p.center_1,
                   fmadd(p.mass_2, fmadd(p.length_1, p.length_1, p.center_2 * p.center_2),
                         p.inertia + p.inertia))),
          d2(fmadd(p.mass_2 * p.center_2, p.center_2, p.inertia)),
          gravity_1(fmadd(p.mass_1, p.center_1, p.mass_2 * p.length_1) * p.gravity),
          gravity_2(p.mass_2 * p.center_2 * p.gravity),
          inertia_2(d2) {}
  };

  // Angular accelerations. cos(x - pi/2) of the reference is sin(x).
  template <class F>
  static GALLOP_HD void accelerations(const Model<F>& m, const State<F>& s, F torque, F& acc_1,
                                      F& acc_2) {
    F s1, c1, s2, c2;
    sin_cos(s.theta_1, s1, c1);
    sin_cos(s.theta_2, s2, c2);
    const F s12 = fmadd(s1, c2, c1 * s2);
    const F d1 = fmadd(m.coupling + m.coupling, c2, m.d1);
    const F d2 = fmadd(m.coupling, c2, m.d2);
    const F bend = m.coupling * s2;
    const F w1 = s.theta_dot_1, w2 = s.theta_dot_2;
    const F phi2 = m.gravity_2 * s12;
    const F phi1 = fmadd(-(bend * w2), w2 + w1 + w1, fmadd(m.gravity_1, s1, phi2));
    const F per_d1 = reciprocal(d1);
    const F ratio = d2 * per_d1;
    const F push = fmadd(ratio, phi1, torque) - fmadd(bend * w1, w1, phi2);
    acc_2 = push * reciprocal(fmadd(-d2, ratio, m.inertia_2));
    acc_1 = -(fmadd(d2, acc_2, phi1) * per_d1);
  }

  // x less the whole turns that the reference's loops take off: the result is in [-pi, pi], and an
  // x there is left alone.
  template <class F>
  static GALLOP_HD F wrapped(F x) {
    const F pi = real<F>(3.141592653589793);
    const F beyond = (abs(x) - pi) * real<F>(0.15915494309189535);
    const F turns = max(real<F>(0.0), -floor(-beyond));
    const F signed_turns = select(x < real<F>(0.0), -turns, turns);
    F r = fmadd(signed_turns, real<F>(-0x1.921fb6p2), x);
    r = fmadd(signed_turns, real<F>(1.7484556000744971e-7), r);  // 2 pi in two parts
    return max(-pi, min(pi, r));
  }

  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>& s, Int<F> action, Rng<F>&) {
    const Model<F> model(p);
    const F torque = to_real(action - Int<F>(1)) * p.torque;
    const F half = real<F>(0.5) * p.dt;
    const F ahead[] = {half, half, p.dt, p.dt};
    const F weight[] = {real<F>(1.0), real<F>(2.0), real<F>(2.0), real<F>(1.0)};
    State<F> at = s, sum = {};
    GALLOP_UNROLL(4)
    for (int stage = 0; stage < 4; stage++) {
      const F w1 = at.theta_dot_1, w2 = at.theta_dot_2;
      F acc_1, acc_2;
      accelerations(model, at, torque, acc_1, acc_2);
      sum.theta_1 = fmadd(weight[stage], w1, sum.theta_1);
      sum.theta_2 = fmadd(weight[stage], w2, sum.theta_2);
      sum.theta_dot_1 = fmadd(weight[stage], acc_1, sum.theta_dot_1);
      sum.theta_dot_2 = fmadd(weight[stage], acc_2, sum.theta_dot_2);
      at.theta_1 = fmadd(ahead[stage], w1, s.theta_1);
      at.theta_2 = fmadd(ahead[stage], w2, s.theta_2);
      at.theta_dot_1 = fmadd(ahead[stage], acc_1, s.theta_dot_1);
      at.theta_dot_2 = fmadd(ahead[stage], acc_2, s.theta_dot_2);
    }
    const F sixth = p.dt * real<F>(1.0 / 6.0);
    s.theta_1 = wrapped(fmadd(sixth, sum.theta_1, s.theta_1));
    s.theta_2 = wrapped(fmadd(sixth, sum.theta_2, s.theta_2));
    s.theta_dot_1 =
        max(-p.max_speed_1, min(p.max_speed_1, fmadd(sixth, sum.theta_dot_1, s.theta_dot_1)));
    s.theta_dot_2 =
        max(-p.max_speed_2, min(p.max_speed_2, fmadd(sixth, sum.theta_dot_2, s.theta_dot_2)));

    F s1, c1, s2, c2;  // observe() needs the same four, so they are computed once
    sin_cos(s.theta_1, s1, c1);
    sin_cos(s.theta_2, s2, c2);
    const F height = -c1 - fmadd(c1, c2, -(s1 * s2));
    const Mask<F> reached = height > p.goal_height;
    return {select(reached, real<F>(0.0), real<F>(-1.0)), reached};
  }

  template <class F>
  static GALLOP_HD void observe(const Parameters<F>&, const State<F>& s, F* observation) {
    sin_cos(s.theta_1, observation[1], observation[0]);
    sin_cos(s.theta_2, observation[3], observation[2]);
    observation[4] = s.theta_dot_1;
    observation[5] = s.theta_dot_2;
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(Acrobot)
