// An arm that reaches for a target as Gymnasium 1.4.0 has it in Reacher-v5, on the equations of
// MuJoCo. Reward: less the distance of the fingertip from the target and the squares of the actions
// as they were passed. As there, where the fingertip is belongs to the last Runge-Kutta stage of
// the step, the angles and velocities to its end. The target, uniform in a disc of 0.2 m, is drawn
// by radius and angle, where the reference draws squares until one is within. It never terminates.
#pragma once

#include <gallop/sims/models/reacher_model.h>
#include <gallop/sims/robots/running_body.h>

namespace gallop::inline GALLOP_ISA {

struct Reacher {
  using Model = ReacherModel;
  static constexpr bool kLongSteps = true;
  static constexpr const char* kNotSmooth = kSoftConstraintsAreNotSmooth;
  static constexpr int kFrameSkip = 2;
  static constexpr const char* kName = "reacher";
  static constexpr const char* kAliases = "Reacher-v5";
  static constexpr const char* kSource = "Gymnasium 1.4.0, Reacher-v5";
  static constexpr int kTimeLimit = 50;
  static constexpr double kRewardThreshold = -3.75;
  static constexpr ComponentSpec kObservation[] = {{"cos_shoulder", -1, 1},
                                                   {"cos_elbow", -1, 1},
                                                   {"sin_shoulder", -1, 1},
                                                   {"sin_elbow", -1, 1},
                                                   {"target_x", -kNoBound, kNoBound},
                                                   {"target_y", -kNoBound, kNoBound},
                                                   {"shoulder_dot", -kNoBound, kNoBound},
                                                   {"elbow_dot", -kNoBound, kNoBound},
                                                   {"away_x", -kNoBound, kNoBound},
                                                   {"away_y", -kNoBound, kNoBound}};
  static constexpr ComponentSpec kAction[] = {{"shoulder", -1, 1}, {"elbow", -1, 1}};
  static constexpr const char* kStateNames[] = {
      "shoulder",  "elbow",        "target_x",     "target_y", "shoulder_dot",
      "elbow_dot", "target_x_dot", "target_y_dot", "away_x",   "away_y"};
  static constexpr const char* kTerms[] = {"reward_dist", "reward_ctrl"};
  static constexpr int kGivenState = 8;  // where the fingertip is follows from the angles
  static constexpr ParameterSpec kOwn[] = {
      {"reward_dist_weight", 1, 0, 1e3, "1/m", "weight of the distance from the target"},
      {"reward_control_weight", 1, 0, 1e3, "", "weight of the squared actions in the reward"}};
  static constexpr BodyParameterSpecs<Model, 2> kSpecs{kOwn};
  static constexpr auto& kParameters = kSpecs.all;

  template <class F>
  struct Parameters {
    F reward_dist_weight, reward_control_weight;
    BodyParameters<Model, F> body;
  };
  template <class F>
  struct State {
    BodyState<Model, F> body;
    F away[2];  // of the fingertip from the target
  };

  template <class F>
  static GALLOP_HD void reset(const Parameters<F>& p, State<F>& s, Rng<F>& rng) {
    for (int k = 0; k < 2; k++) s.body.q[k] = rng.uniform(real<F>(-0.1), real<F>(0.1));
    const F radius = real<F>(0.2) * sqrt(rng.uniform());
    F y, x;
    sin_cos(rng.uniform(real<F>(0.0), real<F>(6.283185307179586)), y, x);
    s.body.q[2] = radius * x;
    s.body.q[3] = radius * y;
    for (int k = 0; k < 2; k++) s.body.v[k] = rng.uniform(real<F>(-0.005), real<F>(0.005));
    s.body.v[2] = s.body.v[3] = real<F>(0.0);
    complete<F>(p, s);
  }

  template <class F>
  static GALLOP_HD void complete(const Parameters<F>&, State<F>& s) {
    look<F>(s.body.q, s.away);
  }

  template <class F>
  static GALLOP_HD void look(const F* q, F* away) {
    F sin1, cos1, sin2, cos2;
    sin_cos(q[0], sin1, cos1);
    sin_cos(q[0] + q[1], sin2, cos2);
    const F link = real<F>(Model::kLink), reach = real<F>(Model::kReach);
    away[0] = fmadd(reach, cos2, fmadd(link, cos1, -q[2]));
    away[1] = fmadd(reach, sin2, fmadd(link, sin1, -q[3]));
  }

  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>& s, const F* action, Rng<F>&,
                                   F* terms) {
    LastEvaluation<Model, F> last;
    advance_bodies<Model, F>(p.body, kFrameSkip, action, s.body.q, s.body.v, &last);
    look<F>(last.q, s.away);
    terms[0] = -(p.reward_dist_weight * sqrt(sum_of_squares(s.away, 2)));
    terms[1] = -(p.reward_control_weight * sum_of_squares(action, 2));
    return {terms[0] + terms[1], mask_of<F>(false)};
  }

  template <class F>
  static GALLOP_HD void observe(const Parameters<F>&, const State<F>& s, F* observation) {
    for (int k = 0; k < 2; k++) sin_cos(s.body.q[k], observation[2 + k], observation[k]);
    for (int k = 0; k < 2; k++) {
      observation[4 + k] = s.body.q[2 + k];
      observation[6 + k] = s.body.v[k];
      observation[8 + k] = s.away[k];
    }
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(Reacher)
