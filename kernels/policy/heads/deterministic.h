// Outputs are the action. It has no density: nothing is learned by likelihood ratios from it, and
// its log-probability and entropy count as 0.
#pragma once

#include <gallop/kernels/network/shape.h>
#include <gallop/kernels/random/stream.h>

namespace gallop::inline GALLOP_ISA {

struct Deterministic {
  static constexpr bool kDiscrete = false;
  static constexpr int kOutputs = 1, kParameters = 0, kRedundantOutputs = 0;

  template <class F>
  static GALLOP_HD void log_std_of(int, const F*, const float*, F*) {}

  template <class F>
  static GALLOP_HD F choose(int n, const F* output, const F*, bool, Rng<F>&, F* action) {
    for (int i = 0; i < n; i++) action[i] = output[i];
    return F(0.0f);
  }

  // As heads of bounded actions have them (heads/squashed.h).
  template <class F>
  static GALLOP_HD F draw(int n, const F* output, const F*, bool, Rng<F>&, F* u, F* action) {
    for (int i = 0; i < n; i++) u[i] = action[i] = output[i];
    return F(0.0f);
  }
  template <class F>
  static GALLOP_HD void pull_back_draw(int n, const F*, const F*, const F*, const F* d_action, F,
                                       F* d_output) {
    for (int i = 0; i < n; i++) d_output[i] = d_action[i];
  }

  template <class F>
  struct At {
    const F* output;
    int n;

    GALLOP_HD At(int n_actions, const F* outputs, const F*) : output(outputs), n(n_actions) {}
    GALLOP_HD F log_prob(const F*) const { return F(0.0f); }
    GALLOP_HD F entropy() const { return F(0.0f); }
    GALLOP_HD F loss_slope(const F*, F, F, F* d_output, F*) const {
      for (int i = 0; i < n; i++) d_output[i] = F(0.0f);
      return F(0.0f);
    }
    GALLOP_HD void metric(const F*, F* u) const {
      for (int i = 0; i < n; i++) u[i] = F(0.0f);
    }
    // Infinite where the actions differ.
    GALLOP_HD F divergence_to(const At& now) const {
      F sum = F(0.0f);
      for (int i = 0; i < n; i++) {
        sum = select(output[i] == now.output[i], sum, F(__builtin_inff()));
      }
      return sum;
    }
    GALLOP_HD void pull_back(const F*, const F* d_action, F* d_output, F*) const {
      for (int i = 0; i < n; i++) d_output[i] = d_action[i];
    }
  };
};

}  // namespace gallop::inline GALLOP_ISA
