// Policies with few parameters, on the heads that training samples from and differentiates: what
// stands here is the network, a map whose parameters may differ between lanes (rollouts of moved
// parameters), and the chain rule from its outputs to the parameters.
//
// A policy has kSlopes, kParameters, a constructor from parameters [D], and
//
//   act(o, rng, u)        chooses u, returns log pi(u | o)
//   slopes(o, u, slope)   derivatives [kSlopes] of log pi(u | o), which it returns, by the outputs
//                         and by sigma
//   add_score(o, slope, w, gradient)  gradient [D] += w d log pi / d parameters
#pragma once

#include <gallop/host/laboratory/estimators/request.h>
#include <gallop/kernels/gradients/policy_loss.h>
#include <gallop/kernels/random/stream.h>

namespace gallop::inline GALLOP_ISA {

// u ~ N(sign K o, sigma^2 I). Parameters: K [A, O] by rows, then sigma where it is one, else the
// model's. A deviation acts by its magnitude, within the limits of the head.
template <class F, int O, int A, int kSign, bool kMovesSigma>
struct LinearGaussian {
  static constexpr int kSlopes = A + (kMovesSigma ? 1 : 0);
  static constexpr int kParameters = A * O + (kMovesSigma ? 1 : 0);
  F weight[A][O], log_std[A], per_sigma;

  GALLOP_HD LinearGaussian(const LaboratoryModel& m, const F* theta) {
    const F sigma = abs(kMovesSigma ? theta[A * O] : real<F>(m.sigma));
    per_sigma = reciprocal(sigma);
    for (int i = 0; i < A; i++) {
      log_std[i] = log(sigma);
      for (int j = 0; j < O; j++) weight[i][j] = F(float(kSign)) * theta[i * O + j];
    }
  }
  GALLOP_HD void outputs(const F* o, F* to) const {
    for (int i = 0; i < A; i++) {
      to[i] = weight[i][0] * o[0];
      for (int j = 1; j < O; j++) to[i] = fmadd(weight[i][j], o[j], to[i]);
    }
  }
  GALLOP_HD F act(const F* o, Rng<F>& rng, F* u) const {
    F output[A];
    outputs(o, output);
    return Gaussian::choose(A, output, log_std, false, rng, u);
  }
  GALLOP_HD F slopes(const F* o, const F* u, F* slope) const {
    F output[A], by_log_std[A];
    outputs(o, output);
    const Gaussian::At<F> at(A, output, log_std);
    at.loss_slope(u, F(1.0f), F(0.0f), slope, by_log_std);
    if constexpr (kMovesSigma) {
      slope[A] = F(0.0f);
      for (int i = 0; i < A; i++) slope[A] = fmadd(by_log_std[i], per_sigma, slope[A]);
    }
    return at.log_prob(u);
  }
  static GALLOP_HD void add_score(const F* o, const F* slope, F w, F* gradient) {
    const F signed_weight = kSign > 0 ? w : -w;
    for (int i = 0; i < A; i++) {
      const F by_output = signed_weight * slope[i];
      for (int j = 0; j < O; j++) gradient[i * O + j] = fmadd(by_output, o[j], gradient[i * O + j]);
    }
    if constexpr (kMovesSigma) gradient[A * O] = fmadd(slope[A], w, gradient[A * O]);
  }
};

// The softmax of a row of logits for each of S states. Parameters: logits [S, A] by rows.
template <class F, int S, int A>
struct TabularSoftmax {
  static constexpr int kSlopes = A, kParameters = S * A;
  F logit[S][A];

  GALLOP_HD TabularSoftmax(const LaboratoryModel&, const F* theta) {
    for (int k = 0; k < S * A; k++) logit[k / A][k % A] = theta[k];
  }
  GALLOP_HD void outputs(const F* o, F* to) const {
    for (int a = 0; a < A; a++) {
      to[a] = logit[0][a];
      for (int s = 1; s < S; s++) to[a] = select(o[0] == F(float(s)), logit[s][a], to[a]);
    }
  }
  GALLOP_HD F act(const F* o, Rng<F>& rng, F* u) const {
    F output[A];
    outputs(o, output);
    return Categorical::choose(A, output, static_cast<const F*>(nullptr), false, rng, u);
  }
  GALLOP_HD F slopes(const F* o, const F* u, F* slope) const {
    F output[A];
    outputs(o, output);
    const Categorical::At<F> at(A, output, nullptr);
    at.loss_slope(u, F(1.0f), F(0.0f), slope, nullptr);
    return at.log_prob(u);
  }
  static GALLOP_HD void add_score(const F* o, const F* slope, F w, F* gradient) {
    for (int k = 0; k < S * A; k++) {
      gradient[k] = gradient[k] + zero_unless(o[0] == F(float(k / A)), w * slope[k % A]);
    }
  }
};

}  // namespace gallop::inline GALLOP_ISA
