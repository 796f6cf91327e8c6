// One of A actions, with the probabilities of a softmax over A outputs; with a tabular network the
// tabular softmax.
//
//   d log pi(a) / d logit_i = 1[a = i] - p_i,  dH / d logit_i = -p_i (log p_i + H)
//   M = diag(p) - p p^T
//   KL(p || q) = sum over i of p_i (log p_i - log q_i)
#pragma once

#include <gallop/kernels/network/shape.h>
#include <gallop/kernels/random/stream.h>

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

struct Categorical {
  static constexpr bool kDiscrete = true;
  static constexpr int kOutputs = 1;           // for each action
  static constexpr int kParameters = 0;        // for each action, behind those of the network
  static constexpr int kRedundantOutputs = 1;  // a constant added to all logits changes nothing

  template <class F>
  static GALLOP_HD void log_std_of(int, const F*, const float*, F*) {}

  template <class F>
  static GALLOP_HD F choose(int n, const F* output, const F*, bool deterministic, Rng<F>& rng,
                            F* action) {
    Softmax<F> s;
    softmax(output, n, s);
    const Int<F> a =
        deterministic ? categorical_mode(output, n) : categorical_sample(n, s, rng.uniform());
    action[0] = to_real(a);
    return categorical_log_prob(output, n, s, a);
  }

  // The distribution at the outputs of the network.
  template <class F>
  struct At {
    const F* output;
    int n;
    Softmax<F> s;

    GALLOP_HD At(int n_actions, const F* outputs, const F*) : output(outputs), n(n_actions) {
      softmax(output, n, s);
    }
    GALLOP_HD F log_prob(const F* action) const {
      return categorical_log_prob(output, n, s, to_int(action[0]));
    }
    GALLOP_HD F entropy() const { return categorical_entropy(output, n, s); }
    GALLOP_HD F log_probability(int i) const { return (output[i] - s.greatest) - s.log_total; }

    GALLOP_HD F loss_slope(const F* action, F slope, F bonus, F* d_output, F*) const {
      const Int<F> chosen = to_int(action[0]);
      const F h = entropy(), per_total = reciprocal(s.total);
      for (int i = 0; i < n; i++) {
        const F p = s.weight[i] * per_total;
        const F hit = select(chosen == Int<F>(i), F(1.0f), F(0.0f));
        d_output[i] = fmadd(slope, hit - p, bonus * (p * (log_probability(i) + h)));
      }
      return h;
    }
    GALLOP_HD void metric(const F* t, F* u) const {
      const F per_total = reciprocal(s.total);
      F mean = F(0.0f);
      for (int i = 0; i < n; i++) mean = fmadd(s.weight[i] * per_total, t[i], mean);
      for (int i = 0; i < n; i++) u[i] = s.weight[i] * per_total * (t[i] - mean);
    }
    GALLOP_HD F divergence_to(const At& now) const {
      const F per_total = reciprocal(s.total);
      F sum = F(0.0f);
      for (int i = 0; i < n; i++) {
        sum = fmadd(s.weight[i] * per_total, log_probability(i) - now.log_probability(i), sum);
      }
      return sum;
    }
  };
};

}  // namespace gallop::inline GALLOP_ISA
