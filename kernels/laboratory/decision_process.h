// The three-state decision process (kernels/environment/three_state_mdp.h) under a softmax policy
// with a logit for each state and action. Parameters: theta[s][a] by rows.
//
//   score  d log pi(a | s) / d theta[s][a'] = 1[a = a'] - pi(a' | s), 0 for other states
//
// Actions and next states are the inverse of their distributions at one uniform each, so that
// rollouts of neighbouring policies with the same numbers stay together.
#pragma once

#include "kernels/environment/three_state_mdp.h"
#include "kernels/laboratory/noise.h"

namespace gallop {

struct DecisionProcessModel : LaboratoryModel {
  static constexpr int kS = ThreeStateMdp::kStates, kA = ThreeStateMdp::kActions;
  const double* value[2] = {};           // [H + 1, S] V_t(s), by Discounting; V_H is 0
  const double* action_value = nullptr;  // [H, S, A] Q_t(s, a) of plain returns
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

struct DecisionProcess {
  using F = double;
  using Model = DecisionProcessModel;
  static constexpr int kS = Model::kS, kA = Model::kA;
  static constexpr int kParameters = kS * kA;
  static constexpr int kFeatures = kS;
  static constexpr int kDraws = 2, kInitialDraws = 0;
  static constexpr int kRow = 3;  // state, action, reward

  static const Model& model_of(const LaboratoryModel& m) { return static_cast<const Model&>(m); }
  static int path_doubles(const LaboratoryModel& m) { return m.horizon * kRow; }

  template <class G>
  static GALLOP_HD void draw(Rng<G>& action, Rng<G>& dynamics, G* to) {
    to[0] = action.uniform();
    to[1] = dynamics.uniform();
  }

  // pi(. | s) [A].
  static GALLOP_HD void policy(const double* theta, int s, double* to) {
    double greatest = theta[s * kA], total = 0;
    for (int a = 1; a < kA; a++) greatest = max(greatest, theta[s * kA + a]);
    for (int a = 0; a < kA; a++) {
      to[a] = exp(theta[s * kA + a] - greatest);
      total += to[a];
    }
    for (int a = 0; a < kA; a++) to[a] /= total;
  }
  // The first k with u < p[0] + ... + p[k].
  static GALLOP_HD int invert(const double* p, int n, double u) {
    double sum = p[0];
    int k = 0;
    while (k + 1 < n && u >= sum) sum += p[++k];
    return k;
  }

  static GALLOP_HD double simulate(const LaboratoryModel& m, const double* theta,
                                   const Noise<DecisionProcess>& noise, double* record) {
    int s = 0;
    double total = 0, pi[kA];
    for (int t = 0; t < m.horizon; t++) {
      policy(theta, s, pi);
      const int a = invert(pi, kA, noise.step(t, 0));
      const double reward = ThreeStateMdp::kRewards[s][a];
      total += reward;
      if (record != nullptr) {
        record[t * kRow] = s, record[t * kRow + 1] = a, record[t * kRow + 2] = reward;
      }
      s = invert(ThreeStateMdp::kTransitions[s][a], kS, noise.step(t, 1));
    }
    return total;
  }

  struct Path {
    const Model& m;
    const double* record;

    GALLOP_HD Path(const LaboratoryModel& base, const double* from)
        : m(model_of(base)), record(from) {}
    GALLOP_HD int state(int t) const { return int(record[t * kRow]); }
    GALLOP_HD int action(int t) const { return int(record[t * kRow + 1]); }
    GALLOP_HD double reward(int t) const { return record[t * kRow + 2]; }
    GALLOP_HD void score(int t, double* psi) const {
      const int s = state(t);
      for (int d = 0; d < kParameters; d++) psi[d] = 0;
      policy(m.theta, s, psi + s * kA);
      for (int a = 0; a < kA; a++) psi[s * kA + a] = (a == action(t) ? 1 : 0) - psi[s * kA + a];
    }
    GALLOP_HD double old_score(const double* old, int t, double* psi) const {
      double now[kA], before[kA];
      policy(m.theta, state(t), now);
      policy(old, state(t), before);
      score(t, psi);
      return log(now[action(t)] / before[action(t)]);
    }
    GALLOP_HD double value(Discounting d, int t) const {
      return t == m.horizon ? 0 : m.value[d][t * kS + state(t)];
    }
    GALLOP_HD double advantage(int t) const {
      return m.action_value[(t * kS + state(t)) * kA + action(t)] - value(kPlain, t);
    }
    GALLOP_HD void features(int t, double* phi) const {
      for (int s = 0; s < kS; s++) phi[s] = s == state(t) ? 1 : 0;
    }
  };
};

}  // namespace gallop::inline GALLOP_ISA
