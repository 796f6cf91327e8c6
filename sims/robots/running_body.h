// What environments of articulated bodies have in common.
#pragma once

#include <gallop/kernels/bodies/integrate.h>
#include <gallop/kernels/environment/contract.h>

namespace gallop::inline GALLOP_ISA {

template <class Model, class F>
struct BodyState {
  static constexpr int kDofs = BodyCounts<Model>::kDofs;
  F q[kDofs], v[kDofs];
};

// Coordinates uniform within `noise` of the rest pose, drawn first, then velocities likewise.
template <class Model, class F>
GALLOP_HD void reset_positions(BodyState<Model, F>& s, F noise, Rng<F>& rng) {
  for (int k = 0; k < s.kDofs; k++) s.q[k] = rng.uniform(-noise, noise);
  each<BodyCounts<Model>::kDofs>([&](int k) GALLOP_BODY_LAMBDA {
    const double reference = compiled<Model>().dof[k].reference;
    if (reference != 0) s.q[k] += real<F>(reference);
  });
}
template <class Model, class F>
GALLOP_HD void reset_uniform(BodyState<Model, F>& s, F noise, Rng<F>& rng) {
  reset_positions<Model, F>(s, noise, rng);
  for (int k = 0; k < s.kDofs; k++) s.v[k] = rng.uniform(-noise, noise);
}
// The same with normal velocities of deviation `noise`.
template <class Model, class F>
GALLOP_HD void reset_normal(BodyState<Model, F>& s, F noise, Rng<F>& rng) {
  reset_positions<Model, F>(s, noise, rng);
  for (int k = 0; k < s.kDofs; k++) s.v[k] = noise * rng.normal();
}

// Why no body is declared smooth.
inline constexpr const char* kSoftConstraintsAreNotSmooth =
    "contacts and joint limits come and go within a step, whose solver searches for them";

// What environments of these bodies have in common, beside parameters with reset_noise_scale.
template <class BodyModel>
struct Robot {
  using Model = BodyModel;
  static constexpr bool kLongSteps = true;
  static constexpr const char* kNotSmooth = kSoftConstraintsAreNotSmooth;
  static constexpr int kTimeLimit = 1000;
  template <class F>
  using State = BodyState<Model, F>;

  template <class F, class P>
  static GALLOP_HD void reset(const P& p, State<F>& s, Rng<F>& rng) {
    reset_uniform<Model, F>(s, p.reset_noise_scale, rng);
  }
};

// Rewarded for its forward speed less the cost of its actions.
template <class BodyModel>
struct ForwardRobot : Robot<BodyModel> {
  template <class F>
  struct Parameters {
    F forward_reward_weight, ctrl_cost_weight, reset_noise_scale;
    BodyParameters<BodyModel, F> body;
  };
};

// Advances a body that runs along its first coordinate and returns the mean speed. The way of this
// step alone is integrated, so that a far body's speed is as exact as a near one's.
template <class Model, class F>
GALLOP_HD F run_body(const BodyParameters<Model, F>& p, int frame_skip, const F* action,
                     BodyState<Model, F>& s) {
  const F x = s.q[0];
  s.q[0] = real<F>(0.0);
  advance_bodies<Model, F>(p, frame_skip, action, s.q, s.v, nullptr);
  const F way = s.q[0];
  s.q[0] = x + way;
  return way * real<F>(1 / (frame_skip * Model::kWorld.timestep));
}

template <class F>
GALLOP_HD F sum_of_squares(const F* x, int n) {
  F sum = real<F>(0.0);
  for (int k = 0; k < n; k++) sum = fmadd(x[k], x[k], sum);
  return sum;
}

// A step of a body that runs upright: forward speed and survival less the cost of the actions. An
// environment that uses it has these terms, and the parameters and is_healthy that it reads.
constexpr const char* kUprightTerms[] = {"x_position",  "z_distance_from_origin",
                                         "x_velocity",  "reward_forward",
                                         "reward_ctrl", "reward_survive"};
template <class Env, class F>
GALLOP_HD Outcome<F> run_upright(const typename Env::template Parameters<F>& p,
                                 typename Env::template State<F>& s, const F* action, F* terms) {
  using Model = typename Env::Model;
  constexpr int kActions = Traits<Env>::kAction;
  const F speed = run_body<Model, F>(p.body, Env::kFrameSkip, action, s);
  const F cost = p.ctrl_cost_weight * sum_of_squares(action, kActions);
  const Mask<F> healthy = Env::template is_healthy<F>(p, s);
  const F alive = select(healthy, p.healthy_reward, real<F>(0.0));
  const F reward = fmadd(p.forward_reward_weight, speed, alive) - cost;
  terms[0] = s.q[0];
  terms[1] = s.q[1] - real<F>(compiled<Model>().dof[1].reference);
  terms[2] = speed;
  terms[3] = p.forward_reward_weight * speed;
  terms[4] = -cost;
  terms[5] = alive;
  const Mask<F> counts = p.terminate_when_unhealthy > real<F>(0.0), fallen = !healthy;
  const Mask<F> terminated = fallen & counts;
  return {reward, terminated};
}

// Coordinates from `first` on, then all velocities.
template <class Model, class F>
GALLOP_HD void observe_body(const BodyState<Model, F>& s, int first, F* observation) {
  for (int k = first; k < s.kDofs; k++) *observation++ = s.q[k];
  for (int k = 0; k < s.kDofs; k++) *observation++ = s.v[k];
}
// With velocities limited to plus and minus `bound`.
template <class Model, class F>
GALLOP_HD void observe_clipped(const BodyState<Model, F>& s, int first, double bound,
                               F* observation) {
  for (int k = first; k < s.kDofs; k++) *observation++ = s.q[k];
  for (int k = 0; k < s.kDofs; k++) {
    *observation++ = max(real<F>(-bound), min(real<F>(bound), s.v[k]));
  }
}

// Environments of bodies that run upright, but for what they declare. Env has Parameters and
// is_healthy.
template <class Env, class BodyModel>
struct UprightRobot : Robot<BodyModel> {
  template <class F>
  using State = BodyState<BodyModel, F>;
  static constexpr auto& kTerms = kUprightTerms;

  template <class F, class P>
  static GALLOP_HD Outcome<F> step(const P& p, State<F>& s, const F* action, Rng<F>&, F* terms) {
    return run_upright<Env, F>(p, s, action, terms);
  }
  template <class F, class P>
  static GALLOP_HD void observe(const P&, const State<F>& s, F* observation) {
    observe_clipped<BodyModel, F>(s, 1, 10.0, observation);
  }
};

inline constexpr double kNoBound = __builtin_inf();

// Parameters that several of these environments declare alike.
constexpr ParameterSpec forward_weight_spec(double value = 1) {
  return {"forward_reward_weight",
          value,
          -1e3,
          1e3,
          "s/m",
          "weight of the forward speed in the reward"};
}
constexpr ParameterSpec control_weight_spec(double value) {
  return {"ctrl_cost_weight", value, 0, 1e3, "", "weight of the squared actions in the reward"};
}
constexpr ParameterSpec reset_noise_spec(double value) {
  return {"reset_noise_scale", value, 0, 1, "", "how far initial states are from the rest pose"};
}

}  // namespace gallop::inline GALLOP_ISA
