// Distributions of actions: sampling, log-probability, entropy and their derivatives. `F` is one
// instance or a register of them; arrays of F are indexed by action.
#pragma once

#include "kernels/policy/shape.h"
#include "kernels/random/stream.h"

namespace gallop::inline GALLOP_ISA {

// Softmax of A logits, stabilised by the greatest one. probability = weight / total.
template <class F>
struct Softmax {
  F weight[kMaxOutputs];
  F greatest, total, log_total;
};

template <class F>
GALLOP_HD void softmax(const F* logit, int n, Softmax<F>& s) {
  s.greatest = logit[0];
  for (int i = 1; i < n; i++) s.greatest = max(s.greatest, logit[i]);
  s.total = F(0.0f);
  for (int i = 0; i < n; i++) {
    s.weight[i] = exp(logit[i] - s.greatest);
    s.total = s.total + s.weight[i];
  }
  s.log_total = log(s.total);
}

// log pi(action) = logit[action] - greatest - log(total).
template <class F>
GALLOP_HD F categorical_log_prob(const F* logit, int n, const Softmax<F>& s, Int<F> action) {
  F chosen = logit[0];
  for (int i = 1; i < n; i++) chosen = select(action == Int<F>(i), logit[i], chosen);
  return (chosen - s.greatest) - s.log_total;
}

// Inverse of the cumulative distribution at u in [0, 1): one uniform an action.
template <class F>
GALLOP_HD Int<F> categorical_sample(int n, const Softmax<F>& s, F u) {
  const F target = u * s.total;
  F cumulative = F(0.0f);
  Int<F> action(0);
  for (int i = 0; i + 1 < n; i++) {
    cumulative = cumulative + s.weight[i];
    action = action + mask_to_int<F>(target >= cumulative);
  }
  return action;
}

// The most probable action, the first of equals.
template <class F>
GALLOP_HD Int<F> categorical_mode(const F* logit, int n) {
  Int<F> action(0);
  F best = logit[0];
  for (int i = 1; i < n; i++) {
    const Mask<F> better = logit[i] > best;
    action = select(better, Int<F>(i), action);
    best = select(better, logit[i], best);
  }
  return action;
}

// H = log(total) - sum_i p_i (logit_i - greatest).
template <class F>
GALLOP_HD F categorical_entropy(const F* logit, int n, const Softmax<F>& s) {
  F mean = F(0.0f);
  for (int i = 0; i < n; i++) mean = fmadd(s.weight[i], logit[i] - s.greatest, mean);
  return s.log_total - mean * reciprocal(s.total);
}

template <class F>
GALLOP_HD F clamp_log_std(F log_std) {
  return min(F(kMaxLogStd), max(F(kMinLogStd), log_std));
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

// log sigma [A] of a head: a parameter, the second half of the outputs, or nothing.
template <class F>
GALLOP_HD void log_std_of(Head head, int n, const F* output, const float* parameter, F* log_std) {
  for (int i = 0; i < n; i++) {
    log_std[i] = head == Head::kGaussian          ? F(parameter[i])
                 : head == Head::kGaussianNetwork ? output[n + i]
                                                  : F(0.0f);
  }
}

// Chooses actions from the outputs of the network. `log_std` [A] is read by Gaussian heads only.
// Writes action [A] (an index as an exact F for the categorical head) and returns its
// log-probability (0 for a deterministic head). Random numbers: purpose kRandomAction, one word for
// a category, a pair of words for two components of a normal.
template <class F>
GALLOP_HD F choose_action(Head head, int n, const F* output, const F* log_std, bool deterministic,
                          Rng<F>& rng, F* action) {
  if (head == Head::kCategorical) {
    Softmax<F> s;
    softmax(output, n, s);
    const Int<F> a =
        deterministic ? categorical_mode(output, n) : categorical_sample(n, s, rng.uniform());
    action[0] = to_real(a);
    return categorical_log_prob(output, n, s, a);
  }
  if (head == Head::kDeterministic) {
    for (int i = 0; i < n; i++) action[i] = output[i];
    return F(0.0f);
  }
  for (int i = 0; i < n; i++) {
    action[i] = output[i];
    if (!deterministic) {
      action[i] = fmadd(exp(clamp_log_std(log_std[i])), rng.normal(), output[i]);
    }
  }
  return gaussian_log_prob(output, log_std, action, n);
}

}  // namespace gallop::inline GALLOP_ISA
