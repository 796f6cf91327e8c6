// Two poles on a cart as Gymnasium 1.4.0 has them in InvertedDoublePendulum-v5, on the equations of
// MuJoCo. As there, the position of the tip and the observed force of the rail's end belong to the
// last Runge-Kutta stage of the step, the velocities to its end.
#pragma once

#include <gallop/sims/models/inverted_double_pendulum_model.h>
#include <gallop/sims/robots/running_body.h>

namespace gallop::inline GALLOP_ISA {

struct InvertedDoublePendulum {
  using Model = InvertedDoublePendulumModel;
  static constexpr bool kLongSteps = true;
  static constexpr const char* kNotSmooth = kSoftConstraintsAreNotSmooth;
  static constexpr int kFrameSkip = 5;
  static constexpr const char* kName = "inverted_double_pendulum";
  static constexpr const char* kAliases = "InvertedDoublePendulum-v5";
  static constexpr const char* kSource = "Gymnasium 1.4.0, InvertedDoublePendulum-v5";
  static constexpr int kTimeLimit = 1000;
  static constexpr double kRewardThreshold = 9100;
  static constexpr ComponentSpec kObservation[] = {
      {"x", -kNoBound, kNoBound}, {"sin_lower", -1, 1},   {"sin_upper", -1, 1},
      {"cos_lower", -1, 1},       {"cos_upper", -1, 1},   {"x_dot", -10, 10},
      {"lower_dot", -10, 10},     {"upper_dot", -10, 10}, {"rail_force", -10, 10}};
  static constexpr ComponentSpec kAction[] = {{"force", -1, 1}};
  static constexpr const char* kStateNames[] = {"x",         "lower",     "upper",     "x_dot",
                                                "lower_dot", "upper_dot", "rail_force"};
  static constexpr const char* kTerms[] = {"reward_survive", "distance_penalty",
                                           "velocity_penalty"};
  static constexpr int kGivenState = 6;  // the force follows from the step
  static constexpr ParameterSpec kOwn[] = {
      {"healthy_reward", 10, -1e3, 1e3, "", "reward of a step that ends with the tip up"},
      {"healthy_height", 1, -1e3, 1e3, "m", "an episode ends with the tip at or below this"},
      reset_noise_spec(0.1)};
  static constexpr BodyParameterSpecs<Model, 3> kSpecs{kOwn};
  static constexpr auto& kParameters = kSpecs.all;

  template <class F>
  struct Parameters {
    F healthy_reward, healthy_height, reset_noise_scale;
    BodyParameters<Model, F> body;
  };
  template <class F>
  struct State {
    BodyState<Model, F> body;
    F rail_force;  // of the limit of x
  };

  template <class F>
  static GALLOP_HD void reset(const Parameters<F>& p, State<F>& s, Rng<F>& rng) {
    reset_normal<Model, F>(s.body, p.reset_noise_scale, rng);
    complete<F>(p, s);
  }

  // Gymnasium evaluates a new state, which is within the rail unless the noise is as wide.
  template <class F>
  static GALLOP_HD void complete(const Parameters<F>& p, State<F>& s) {
    const F none[1] = {real<F>(0.0)};
    F constraint[BodyCounts<Model>::kDofs];
    constraint_forces<Model, F>(p.body, none, s.body.q, s.body.v, constraint);
    s.rail_force = constraint[0];
  }

  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>& s, const F* action, Rng<F>&,
                                   F* terms) {
    LastEvaluation<Model, F> last;
    advance_bodies<Model, F>(p.body, kFrameSkip, action, s.body.q, s.body.v, &last);
    s.rail_force = last.constraint[0];
    F sin1, cos1, sin2, cos2;
    sin_cos(last.q[1], sin1, cos1);
    sin_cos(last.q[1] + last.q[2], sin2, cos2);
    const F pole = real<F>(Model::kPole);
    const F x = fmadd(pole, sin1 + sin2, last.q[0]), y = pole * (cos1 + cos2);
    const Mask<F> up = y > p.healthy_height;
    const F off = y - real<F>(2.0), v1 = s.body.v[1], v2 = s.body.v[2];
    const F distance = fmadd(real<F>(0.01) * x, x, off * off);
    const F velocity = fmadd(real<F>(5e-3) * v2, v2, real<F>(1e-3) * v1 * v1);
    const F alive = select(up, p.healthy_reward, real<F>(0.0));
    terms[0] = alive;
    terms[1] = -distance;
    terms[2] = -velocity;
    return {alive - distance - velocity, !up};
  }

  template <class F>
  static GALLOP_HD void observe(const Parameters<F>&, const State<F>& s, F* observation) {
    const F low = real<F>(-10.0), high = real<F>(10.0);
    observation[0] = s.body.q[0];
    sin_cos(s.body.q[1], observation[1], observation[3]);
    sin_cos(s.body.q[2], observation[2], observation[4]);
    for (int k = 0; k < 3; k++) observation[5 + k] = max(low, min(high, s.body.v[k]));
    observation[8] = max(low, min(high, s.rail_force));
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(InvertedDoublePendulum)
