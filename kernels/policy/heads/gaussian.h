// Independent normals: A outputs are the means, and log sigma is a parameter of the policy [A], the
// same in all states, or A further outputs. It is clamped to [kMinLogStd, kMaxLogStd].
//
//   d log pi / d mean = (a - mean) / sigma^2,  d log pi / d log sigma = z^2 - 1,  dH / d log sigma
//   = 1 M = 1 / sigma^2 for the means, 2 for log sigma KL = sum over i of log(s1 / s0) + (s0^2 +
//   (m0 - m1)^2) / (2 s1^2) - 1 / 2 da / d mean = 1,  da / d log sigma = a - mean: of the
//   reparameterised action mean + sigma eps
//
// where log sigma is clamped, derivatives by it are 0.
#pragma once

#include <gallop/kernels/network/shape.h>
#include <gallop/kernels/random/stream.h>

namespace gallop {

constexpr float kMinLogStd = -5.0f, kMaxLogStd = 2.0f;  // log sigma is clamped to this

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

template <class F>
GALLOP_HD F clamp_log_std(F log_std) {
  return min(F(kMaxLogStd), max(F(kMinLogStd), log_std));
}
template <class F>
GALLOP_HD Mask<F> is_clamped(F log_std) {
  return (log_std < F(kMinLogStd)) | (log_std > F(kMaxLogStd));
}

// log pi of independent normals, of the unclipped action:
// sum_i -((a_i - m_i) / sigma_i)^2 / 2 - log sigma_i - log(2 pi) / 2.
template <class F>
GALLOP_HD F gaussian_log_prob(const F* mean, const F* log_std, const F* action, int n) {
  F sum = F(0.0f);
  for (int i = 0; i < n; i++) {
    const F s = clamp_log_std(log_std[i]);
    const F z = (action[i] - mean[i]) * exp(-s);
    sum = sum + fmadd(z * z, F(-0.5f), -(s + real<F>(0.91893853320467274178)));
  }
  return sum;
}

// H = sum_i log sigma_i + log(2 pi e) / 2.
template <class F>
GALLOP_HD F gaussian_entropy(const F* log_std, int n) {
  F sum = F(0.0f);
  for (int i = 0; i < n; i++) sum = sum + (clamp_log_std(log_std[i]) + real<F>(1.4189385332046727));
  return sum;
}

template <bool kFromNetwork>
struct Normal {
  static constexpr bool kDiscrete = false;
  static constexpr int kOutputs = kFromNetwork ? 2 : 1;     // for each action
  static constexpr int kParameters = kFromNetwork ? 0 : 1;  // for each action
  static constexpr int kRedundantOutputs = 0;

  // log sigma [A] before it is clamped. `parameter` [A] stands behind those of the network.
  template <class F>
  static GALLOP_HD void log_std_of(int n, const F* output, const float* parameter, F* log_std) {
    for (int i = 0; i < n; i++) {
      if constexpr (kFromNetwork)
        log_std[i] = output[n + i];
      else
        log_std[i] = F(parameter[i]);
    }
  }

  template <class F>
  static GALLOP_HD F choose(int n, const F* output, const F* log_std, bool deterministic,
                            Rng<F>& rng, F* action) {
    for (int i = 0; i < n; i++) {
      action[i] = output[i];
      if (!deterministic) {
        action[i] = fmadd(exp(clamp_log_std(log_std[i])), rng.normal(), output[i]);
      }
    }
    return gaussian_log_prob(output, log_std, action, n);
  }

  template <class F>
  struct At {
    const F *mean, *log_std;
    int n;

    GALLOP_HD At(int n_actions, const F* output, const F* log_stds)
        : mean(output), log_std(log_stds), n(n_actions) {}
    GALLOP_HD F log_prob(const F* action) const {
      return gaussian_log_prob(mean, log_std, action, n);
    }
    GALLOP_HD F entropy() const { return gaussian_entropy(log_std, n); }

    // Where the derivative by log sigma of component i goes.
    static GALLOP_HD F& by_log_std(int n, int i, F* by_output, F* by_parameter) {
      if constexpr (kFromNetwork) return by_output[n + i];
      return by_parameter[i];
    }

    GALLOP_HD F loss_slope(const F* action, F slope, F bonus, F* d_output, F* d_log_std) const {
      for (int i = 0; i < n; i++) {
        const F inverse = exp(-clamp_log_std(log_std[i]));
        const F z = (action[i] - mean[i]) * inverse;
        d_output[i] = slope * (z * inverse);
        const F d = fmadd(slope, fmadd(z, z, F(-1.0f)), -bonus);
        by_log_std(n, i, d_output, d_log_std) = select(is_clamped(log_std[i]), F(0.0f), d);
      }
      return entropy();
    }
    // Of what the outputs are; the metric of a parameter is parameter_metric.
    GALLOP_HD void metric(const F* t, F* u) const {
      for (int i = 0; i < n; i++) {
        const F inverse = exp(-clamp_log_std(log_std[i]));
        u[i] = t[i] * (inverse * inverse);
        if constexpr (kFromNetwork) {
          u[n + i] = select(is_clamped(log_std[i]), F(0.0f), F(2.0f) * t[n + i]);
        }
      }
    }
    GALLOP_HD F divergence_to(const At& now) const {
      F sum = F(0.0f);
      for (int i = 0; i < n; i++) {
        const F s0 = clamp_log_std(log_std[i]), s1 = clamp_log_std(now.log_std[i]);
        const F inverse = exp(-s1), ratio = exp(s0 - s1);
        const F z = (mean[i] - now.mean[i]) * inverse;
        sum = sum + ((s1 - s0) + fmadd(fmadd(ratio, ratio, z * z), F(0.5f), F(-0.5f)));
      }
      return sum;
    }
    GALLOP_HD void pull_back(const F* action, const F* d_action, F* d_output, F* d_log_std) const {
      for (int i = 0; i < n; i++) {
        d_output[i] = d_action[i];
        const F d = d_action[i] * (action[i] - mean[i]);
        by_log_std(n, i, d_output, d_log_std) = select(is_clamped(log_std[i]), F(0.0f), d);
      }
    }
  };

  // The diagonal of M at parameter i.
  static GALLOP_HD float parameter_metric(float log_std) {
    const bool clamped = log_std < kMinLogStd || log_std > kMaxLogStd;
    return clamped ? 0.0f : 2.0f;
  }
};

using Gaussian = Normal<false>;
using GaussianNetwork = Normal<true>;

}  // namespace gallop::inline GALLOP_ISA
