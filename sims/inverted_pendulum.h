// The pole on a cart as Gymnasium 1.4.0 has it in InvertedPendulum-v5, on the equations of MuJoCo.
// Reward 1 for every step that ends with the pole up.
#pragma once

#include <gallop/sims/models/inverted_pendulum_model.h>
#include <gallop/sims/robots/running_body.h>

namespace gallop::inline GALLOP_ISA {

struct InvertedPendulum : Robot<InvertedPendulumModel> {
  static constexpr int kFrameSkip = 2;
  static constexpr const char* kName = "inverted_pendulum";
  static constexpr const char* kAliases = "InvertedPendulum-v5";
  static constexpr const char* kSource = "Gymnasium 1.4.0, InvertedPendulum-v5";
  static constexpr double kRewardThreshold = 950;
  static constexpr ComponentSpec kObservation[] = {{"x", -kNoBound, kNoBound},
                                                   {"angle", -kNoBound, kNoBound},
                                                   {"x_dot", -kNoBound, kNoBound},
                                                   {"angle_dot", -kNoBound, kNoBound}};
  static constexpr ComponentSpec kAction[] = {{"force", -3, 3}};
  static constexpr const char* kStateNames[] = {"x", "angle", "x_dot", "angle_dot"};
  static constexpr const char* kTerms[] = {"reward_survive"};
  static constexpr ParameterSpec kOwn[] = {
      {"healthy_angle", 0.2, 0, 1e3, "rad", "an episode ends beyond plus and minus this angle"},
      reset_noise_spec(0.01)};
  static constexpr BodyParameterSpecs<Model, 2> kSpecs{kOwn};
  static constexpr auto& kParameters = kSpecs.all;

  template <class F>
  struct Parameters {
    F healthy_angle, reset_noise_scale;
    BodyParameters<Model, F> body;
  };

  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>& s, const F* action, Rng<F>&,
                                   F* terms) {
    advance_bodies<Model, F>(p.body, kFrameSkip, action, s.q, s.v, nullptr);
    const Mask<F> up = abs(s.q[1]) <= p.healthy_angle;
    const F reward = select(up, real<F>(1.0), real<F>(0.0));
    terms[0] = reward;
    return {reward, !up};
  }

  template <class F>
  static GALLOP_HD void observe(const Parameters<F>&, const State<F>& s, F* observation) {
    observe_body<Model, F>(s, 0, observation);
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(InvertedPendulum)
