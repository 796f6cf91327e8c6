// Linear-quadratic system with N states and N inputs under the policy u = -K s + sigma eps:
//
//   s' = A s + B u + W eps',  reward -(s' Q s + u' R u) on the state before the step, H steps.
//
// Parameters: K by rows, then sigma. sims/lqr.h has the same system as an environment; here it
// keeps the noise of each step, which estimators need, and computes in double, which differences of
// returns need. Folders of kernels/ include nothing of sims/, so the dynamics stand here again; the
// tests hold both to one another.
//
//   score      d log pi / d K_ij = -eps_i s_j / sigma, d log pi / d sigma = sum_i (eps_i^2 - 1) /
//   sigma V_t(s)     -(s' P_t s + c_t) Q_t(s, u)  r(s, u) + gamma (V_{t+1}(A s + B u) - tr(P_{t+1}
//   W W'))
#pragma once

#include "kernels/laboratory/noise.h"

namespace gallop {

template <int N>
struct LinearQuadraticModel : LaboratoryModel {
  double a[N][N] = {}, b[N][N] = {}, q[N][N] = {}, r[N][N] = {}, w[N][N] = {};
  double initial[N] = {}, initial_sigma = 0;
  const double* value[2] = {};     // [H + 1, N, N] P_t, by Discounting; P_H is 0
  const double* constant[2] = {};  // [H + 1] c_t
  const double* noise[2] = {};     // [H + 1] tr(P_t W W')
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

template <class F, int N>
GALLOP_HD void multiply(const double (&a)[N][N], const F* x, F* to) {
  for (int i = 0; i < N; i++) {
    F sum = F(a[i][0]) * x[0];
    for (int j = 1; j < N; j++) sum = fmadd(F(a[i][j]), x[j], sum);
    to[i] = sum;
  }
}
// x' C x.
template <class F, int N>
GALLOP_HD F quadratic(const double (&c)[N][N], const F* x) {
  F row[N];
  multiply(c, x, row);
  F sum = row[0] * x[0];
  for (int i = 1; i < N; i++) sum = fmadd(row[i], x[i], sum);
  return sum;
}

template <class Number, int N>
struct LinearQuadratic {
  using F = Number;
  using Model = LinearQuadraticModel<N>;
  static constexpr int kParameters = N * N + 1;
  static constexpr int kFeatures = 1 + N + N * (N + 1) / 2;
  static constexpr int kDraws = 2 * N, kInitialDraws = N;
  static constexpr int kRow = 2 * N + 1;  // state, eps, reward of a step
  static constexpr bool kSmoothReward = true;

  static const Model& model_of(const LaboratoryModel& m) { return static_cast<const Model&>(m); }
  static int path_doubles(const LaboratoryModel& m) { return m.horizon * kRow; }

  template <class G>
  static GALLOP_HD void draw(Rng<G>& action, Rng<G>& dynamics, G* to) {
    for (int i = 0; i < N; i++) to[i] = action.normal();
    for (int i = 0; i < N; i++) to[N + i] = dynamics.normal();
  }

  static GALLOP_HD void act(const F* theta, const F* s, const F* eps, F* u) {
    for (int i = 0; i < N; i++) {
      F drift = theta[i * N] * s[0];
      for (int j = 1; j < N; j++) drift = fmadd(theta[i * N + j], s[j], drift);
      u[i] = fmadd(theta[N * N], eps[i], -drift);
    }
  }
  static GALLOP_HD F reward_of(const Model& m, const F* s, const F* u) {
    return -(quadratic(m.q, s) + quadratic(m.r, u));
  }
  // A s + B u.
  static GALLOP_HD void drift_of(const Model& m, const F* s, const F* u, F* next) {
    F push[N];
    multiply(m.a, s, next);
    multiply(m.b, u, push);
    for (int i = 0; i < N; i++) next[i] = next[i] + push[i];
  }

  // The return of one path under theta [D]; its steps go to `record` unless that is null.
  static GALLOP_HD F simulate(const LaboratoryModel& base, const F* theta,
                              const Noise<LinearQuadratic>& noise, double* record) {
    const Model& m = model_of(base);
    F s[N], eps[N], u[N], next[N], disturbance[N], total = F(0.0);
    for (int i = 0; i < N; i++) {
      s[i] = fmadd(F(m.initial_sigma), noise.initial(i), F(m.initial[i]));
    }
    for (int t = 0; t < m.horizon; t++) {
      for (int i = 0; i < N; i++) eps[i] = noise.step(t, i);
      act(theta, s, eps, u);
      const F reward = reward_of(m, s, u);
      total = total + reward;
      if (record != nullptr) {
        double* row = record + long(t) * kRow * kLanesOf<F>;
        for (int i = 0; i < N; i++) {
          store_doubles(row + i * kLanesOf<F>, s[i]);
          store_doubles(row + (N + i) * kLanesOf<F>, eps[i]);
        }
        store_doubles(row + 2 * N * kLanesOf<F>, reward);
      }
      for (int i = 0; i < N; i++) eps[i] = noise.step(t, N + i);
      drift_of(m, s, u, next);
      multiply(m.w, eps, disturbance);
      for (int i = 0; i < N; i++) s[i] = next[i] + disturbance[i];
    }
    return total;
  }

  // One recorded path, or a register of them.
  struct Path {
    const Model& m;
    const double* record;

    GALLOP_HD Path(const LaboratoryModel& base, const double* from)
        : m(model_of(base)), record(from) {}
    GALLOP_HD F at(int t, int k) const {
      return load_doubles(record + (long(t) * kRow + k) * kLanesOf<F>, F());
    }
    GALLOP_HD void state(int t, F* s) const {
      for (int i = 0; i < N; i++) s[i] = at(t, i);
    }
    GALLOP_HD void noise(int t, F* eps) const {
      for (int i = 0; i < N; i++) eps[i] = at(t, N + i);
    }
    GALLOP_HD F reward(int t) const { return at(t, 2 * N); }

    static GALLOP_HD void score_of(double sigma, const F* s, const F* eps, F* psi) {
      const double per_sigma = 1.0 / sigma;
      F squares = F(-double(N));
      for (int i = 0; i < N; i++) {
        const F slope = eps[i] * F(-per_sigma);
        for (int j = 0; j < N; j++) psi[i * N + j] = slope * s[j];
        squares = fmadd(eps[i], eps[i], squares);
      }
      psi[N * N] = squares * F(per_sigma);
    }
    // d log pi(u_t | s_t) / d theta [D].
    GALLOP_HD void score(int t, F* psi) const {
      F s[N], eps[N];
      state(t, s), noise(t, eps);
      score_of(m.theta[N * N], s, eps, psi);
    }
    // The same for a path that acted by `old` [D]; returns log pi - log pi_old of the action.
    GALLOP_HD F old_score(const double* old, int t, F* psi) const {
      F s[N], eps[N], now[N];
      state(t, s), noise(t, eps);
      const double sigma = m.theta[N * N], old_sigma = old[N * N];
      F log_ratio = F(N * ::log(old_sigma / sigma));
      for (int i = 0; i < N; i++) {
        F z = F(old_sigma) * eps[i];
        for (int j = 0; j < N; j++) {
          z = fmadd(F(m.theta[i * N + j] - old[i * N + j]), s[j], z);
        }
        now[i] = z * F(1.0 / sigma);
        log_ratio = fmadd(eps[i] * eps[i] - now[i] * now[i], F(0.5), log_ratio);
      }
      score_of(sigma, s, now, psi);
      return log_ratio;
    }
    GALLOP_HD F value_of(Discounting d, int t, const F* s) const {
      const double(&p)[N][N] =
          *reinterpret_cast<const double(*)[N][N]>(m.value[d] + long(t) * N * N);
      return -(quadratic(p, s) + F(m.constant[d][t]));
    }
    // V_t(s_t), 0 at the horizon.
    GALLOP_HD F value(Discounting d, int t) const {
      if (t == m.horizon) return F(0.0);
      F s[N];
      state(t, s);
      return value_of(d, t, s);
    }
    // A_t(s_t, u_t) of plain returns.
    GALLOP_HD F advantage(int t) const {
      F s[N], eps[N], u[N], next[N], theta[kParameters];
      for (int d = 0; d < kParameters; d++) theta[d] = F(m.theta[d]);
      state(t, s), noise(t, eps);
      act(theta, s, eps, u);
      drift_of(m, s, u, next);
      const F rest = value_of(kPlain, t + 1, next) - F(m.noise[kPlain][t + 1]);
      return (reward(t) + rest) - value_of(kPlain, t, s);
    }
    // 1, s_i, s_i s_j.
    GALLOP_HD void features(int t, F* phi) const {
      F s[N];
      state(t, s);
      int k = 0;
      phi[k++] = F(1.0);
      for (int i = 0; i < N; i++) phi[k++] = s[i];
      for (int i = 0; i < N; i++) {
        for (int j = i; j < N; j++) phi[k++] = s[i] * s[j];
      }
    }
    // The derivative of this path's return by theta, its noise held (lecture, pathwise derivative):
    // p_t = d(r_t + r_{t+1} + ...) / d s_t, backwards.
    GALLOP_HD void pathwise(F* gradient) const {
      F p[N], s[N], eps[N], u[N], theta[kParameters];
      for (int i = 0; i < N; i++) p[i] = F(0.0);
      for (int d = 0; d < kParameters; d++) theta[d] = F(m.theta[d]), gradient[d] = F(0.0);
      for (int t = m.horizon - 1; t >= 0; t--) {
        state(t, s), noise(t, eps);
        act(theta, s, eps, u);
        F by_u[N], by_s[N];
        multiply(m.r, u, by_u);
        multiply(m.q, s, by_s);
        for (int i = 0; i < N; i++) {
          by_u[i] = by_u[i] * F(-2.0);
          by_s[i] = by_s[i] * F(-2.0);
        }
        for (int i = 0; i < N; i++) {
          for (int j = 0; j < N; j++) {
            by_u[i] = fmadd(F(m.b[j][i]), p[j], by_u[i]);
            by_s[i] = fmadd(F(m.a[j][i]), p[j], by_s[i]);
          }
        }
        for (int i = 0; i < N; i++) {
          for (int j = 0; j < N; j++) {
            gradient[i * N + j] = fmadd(-by_u[i], s[j], gradient[i * N + j]);
            by_s[j] = fmadd(-theta[i * N + j], by_u[i], by_s[j]);
          }
          gradient[N * N] = fmadd(by_u[i], eps[i], gradient[N * N]);
        }
        for (int i = 0; i < N; i++) p[i] = by_s[i];
      }
    }
  };
};

}  // namespace gallop::inline GALLOP_ISA
