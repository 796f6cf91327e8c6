// Actions within bounds: a = centre + half tanh(u), where half is half the range between the bounds
// of a component. Both are numbers behind the network's parameters that are not learnt.
//
// SquashedGaussian, Haarnoja et al., arXiv:1801.01290v2, appendix C: u = mean + sigma eps of an
// independent normal, whose means and then log sigma, clamped as those of heads/gaussian.h, are the
// outputs.
//
//   log pi(a) = log N(u; mean, sigma) - sum over i of log half_i + log(1 - tanh(u_i)^2)
//
// in the units of the action, with log(1 - tanh(u)^2) = 2 (log 2 - |u| - log(1 + exp(-2 |u|))),
// which keeps its digits where tanh(u) rounds to 1. The divergence and the metric do not change
// under the squash; there is no closed form of the entropy, and it counts as that of the normal.
//
// SquashedDeterministic: u are the outputs. Where it explores, normal noise of a given deviation,
// in units of half the range, is added to tanh(u), and the sum is limited to the bounds.
//
// From an action alone u is found by the inverse of tanh, with tanh(u) at most kMostSquashed.
#pragma once

#include <gallop/kernels/policy/heads/deterministic.h>
#include <gallop/kernels/policy/heads/gaussian.h>

namespace gallop {

constexpr float kMostSquashed = 0.999999f;

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// 1 - tanh(u)^2, and its logarithm.
template <class F>
GALLOP_HD F squash_slope(F u) {
  const F e = exp(F(-2.0f) * abs(u)), inverse = F(1.0f) / (F(1.0f) + e);
  return F(4.0f) * e * inverse * inverse;
}
template <class F>
GALLOP_HD F log_squash_slope(F u) {
  const F size = abs(u);
  return F(2.0f) * (real<F>(0.69314718055994530942) - size - log(F(1.0f) + exp(F(-2.0f) * size)));
}
template <class F>
GALLOP_HD F squash(F u) {
  return min(F(1.0f), max(F(-1.0f), tanh(u)));
}
template <class F>
GALLOP_HD F unsquash(F action, F half, F centre) {
  const F y = min(F(kMostSquashed), max(F(-kMostSquashed), (action - centre) / half));
  return F(0.5f) * log((F(1.0f) + y) / (F(1.0f) - y));
}

struct SquashedGaussian {
  static constexpr bool kDiscrete = false;
  static constexpr int kOutputs = 2, kParameters = 2, kRedundantOutputs = 0;

  // log sigma [A], half [A], centre [A].
  template <class F>
  static GALLOP_HD void log_std_of(int n, const F* output, const float* parameter, F* log_std) {
    for (int i = 0; i < n; i++) {
      log_std[i] = output[n + i];
      log_std[n + i] = F(parameter[i]);
      log_std[2 * n + i] = F(parameter[n + i]);
    }
  }

  // log pi of the action that u [A] makes.
  template <class F>
  static GALLOP_HD F log_prob_of(int n, const F* mean, const F* log_std, const F* u) {
    F sum = gaussian_log_prob(mean, log_std, u, n);
    for (int i = 0; i < n; i++) sum = sum - (log_squash_slope(u[i]) + log(log_std[n + i]));
    return sum;
  }

  // Draws u [A], or takes the means, and the action that it makes. Returns log pi.
  template <class F>
  static GALLOP_HD F draw(int n, const F* output, const F* log_std, bool deterministic, Rng<F>& rng,
                          F* u, F* action) {
    for (int i = 0; i < n; i++) {
      u[i] = output[i];
      if (!deterministic) u[i] = fmadd(exp(clamp_log_std(log_std[i])), rng.normal(), output[i]);
      action[i] = fmadd(log_std[n + i], squash(u[i]), log_std[2 * n + i]);
    }
    return log_prob_of(n, output, log_std, u);
  }
  // Not inlined: kernels of all heads keep their registers for the others.
  template <class F>
  static GALLOP_NOINLINE_HD F choose(int n, const F* output, const F* log_std, bool deterministic,
                                     Rng<F>& rng, F* action) {
    F u[kMaxOutputs];
    return draw(n, output, log_std, deterministic, rng, u, action);
  }

  // d_output [2 A] of a loss with slope d_action by the action that u makes, and slope
  // `by_log_prob` by its log pi, at fixed eps.
  template <class F>
  static GALLOP_HD void pull_back_draw(int n, const F* output, const F* log_std, const F* u,
                                       const F* d_action, F by_log_prob, F* d_output) {
    for (int i = 0; i < n; i++) {
      // d log pi / du = 2 tanh(u), d log pi / d log sigma = 2 tanh(u) sigma eps - 1.
      const F slope = d_action[i] * log_std[n + i] * squash_slope(u[i]);
      const F by_u = fmadd(by_log_prob, F(2.0f) * squash(u[i]), slope);
      d_output[i] = by_u;
      const F by_log_std = fmadd(by_u, u[i] - output[i], -by_log_prob);
      d_output[n + i] = select(is_clamped(log_std[i]), F(0.0f), by_log_std);
    }
  }

  template <class F>
  struct At {
    const F *mean, *log_std;
    int n;

    GALLOP_HD At(int n_actions, const F* output, const F* log_stds)
        : mean(output), log_std(log_stds), n(n_actions) {}
    GALLOP_HD Normal<true>::At<F> normal() const { return {n, mean, log_std}; }
    GALLOP_HD void unsquashed(const F* action, F* u) const {
      for (int i = 0; i < n; i++) u[i] = unsquash(action[i], log_std[n + i], log_std[2 * n + i]);
    }
    GALLOP_HD F log_prob(const F* action) const {
      F u[kMaxOutputs];
      unsquashed(action, u);
      return log_prob_of(n, mean, log_std, u);
    }
    GALLOP_HD F entropy() const { return normal().entropy(); }
    GALLOP_HD F loss_slope(const F* action, F slope, F bonus, F* d_output, F* d_log_std) const {
      F u[kMaxOutputs];
      unsquashed(action, u);
      return normal().loss_slope(u, slope, bonus, d_output, d_log_std);
    }
    GALLOP_HD void metric(const F* t, F* u) const { normal().metric(t, u); }
    GALLOP_HD F divergence_to(const At& now) const { return normal().divergence_to(now.normal()); }
    GALLOP_HD void pull_back(const F* action, const F* d_action, F* d_output, F*) const {
      F u[kMaxOutputs];
      unsquashed(action, u);
      pull_back_draw(n, mean, log_std, u, d_action, F(0.0f), d_output);
    }
  };
  static GALLOP_HD float parameter_metric(float) { return 0.0f; }
};

struct SquashedDeterministic {
  static constexpr bool kDiscrete = false;
  static constexpr int kOutputs = 1, kParameters = 3, kRedundantOutputs = 0;

  // half [A], centre [A], deviation of the noise [A].
  template <class F>
  static GALLOP_HD void log_std_of(int n, const F*, const float* parameter, F* log_std) {
    for (int i = 0; i < 3 * n; i++) log_std[i] = F(parameter[i]);
  }

  template <class F>
  static GALLOP_HD F draw(int n, const F* output, const F* log_std, bool deterministic, Rng<F>& rng,
                          F* u, F* action) {
    for (int i = 0; i < n; i++) {
      u[i] = output[i];
      F y = squash(u[i]);
      if (!deterministic) {
        y = min(F(1.0f), max(F(-1.0f), fmadd(log_std[2 * n + i], rng.normal(), y)));
      }
      action[i] = fmadd(log_std[i], y, log_std[n + i]);
    }
    return F(0.0f);
  }
  template <class F>
  static GALLOP_NOINLINE_HD F choose(int n, const F* output, const F* log_std, bool deterministic,
                                     Rng<F>& rng, F* action) {
    F u[kMaxOutputs];
    return draw(n, output, log_std, deterministic, rng, u, action);
  }
  template <class F>
  static GALLOP_HD void pull_back_draw(int n, const F*, const F* log_std, const F* u,
                                       const F* d_action, F, F* d_output) {
    for (int i = 0; i < n; i++) d_output[i] = d_action[i] * log_std[i] * squash_slope(u[i]);
  }

  // Without a density, as Deterministic.
  template <class F>
  struct At : Deterministic::At<F> {
    const F* range;
    GALLOP_HD At(int n_actions, const F* outputs, const F* log_std)
        : Deterministic::At<F>(n_actions, outputs, log_std), range(log_std) {}
    GALLOP_HD void pull_back(const F*, const F* d_action, F* d_output, F*) const {
      pull_back_draw(this->n, this->output, range, this->output, d_action, F(0.0f), d_output);
    }
  };
  static GALLOP_HD float parameter_metric(float) { return 0.0f; }
};

}  // namespace gallop::inline GALLOP_ISA
