// A mass on a spring, pushed by a motor: an environment of a user's own tree. The exact solution is
// known for a constant push, so a step is exact for any tau.
#pragma once

#include <gallop/kernels/environment/contract.h>

namespace gallop::inline GALLOP_ISA {

struct Spring {
  static constexpr const char* kName = "spring";
  static constexpr const char* kAliases = "";
  static constexpr const char* kSource = "x'' = -w^2 x + u, solved exactly between steps";
  static constexpr int kTimeLimit = 100;
  static constexpr bool kSmooth = true;  // so learners may take derivatives through it
  static constexpr const char* kTimeStep = "tau";
  static constexpr ComponentSpec kObservation[] = {{"position", -1e3, 1e3},
                                                   {"velocity", -1e3, 1e3}};
  static constexpr ComponentSpec kAction[] = {{"push", -1.0, 1.0}};
  static constexpr const char* kStateNames[] = {"position", "velocity"};
  static constexpr ParameterSpec kParameters[] = {
      {"frequency", 1.0, 1e-3, 1e2, "rad/s", "undamped angular frequency"},
      {"tau", 0.1, 1e-6, 1.0, "s", "time between two steps"},
      {"reset_bound", 1.0, 0.0, 1e3, "m", "initial positions are uniform within this"}};

  template <class F>
  struct Parameters {
    F frequency, tau, reset_bound;
  };
  template <class F>
  struct State {
    F position, velocity;
  };

  template <class F>
  static GALLOP_HD void reset(const Parameters<F>& p, State<F>& s, Rng<F>& rng) {
    s.position = rng.uniform(-p.reset_bound, p.reset_bound);
    s.velocity = real<F>(0.0);
  }

  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>& s, const F* action, Rng<F>&) {
    const F push = min(max(action[0], real<F>(-1.0)), real<F>(1.0));
    const F rest = push * reciprocal(p.frequency * p.frequency);
    F sine, cosine;
    sin_cos(p.frequency * p.tau, sine, cosine);
    const F stretch = s.position - rest;
    const F speed = s.velocity * reciprocal(p.frequency);
    s.position = fmadd(stretch, cosine, fmadd(speed, sine, rest));
    s.velocity = p.frequency * fmadd(speed, cosine, -(stretch * sine));
    const F cost = fmadd(s.position, s.position, real<F>(0.1) * (push * push));
    const Mask<F> escaped = abs(s.position) > real<F>(10.0);
    return {-cost, escaped};
  }

  template <class F>
  static GALLOP_HD void observe(const Parameters<F>&, const State<F>& s, F* observation) {
    observation[0] = s.position;
    observation[1] = s.velocity;
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(Spring)
