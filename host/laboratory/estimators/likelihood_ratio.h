// Likelihood-ratio gradients of a path, sum_t w_t d log pi_t, whose weights are made by the code
// that training estimates advantages with (kernels/estimators):
//
//   whole paths    R - b: REINFORCE (Williams 1992)
//   from t on      G_t - b_t(s_t): GPOMDP (Baxter and Bartlett 2001), with no baseline, the exact
//                  E[G_t], one linear in features of state and time (as in Duan et al. 2016), a
//                  fitted V_t(s) or the exact one; or Q_t(s, u) - V_t(s), exact
//   by a critic    n-step and GAE(gamma, lambda) advantages, with a fitted or the exact V: unbiased
//                  with the exact V and gamma = 1; a fitted one biases them unless n = H or
//                  lambda = 1
//   discounted     gamma^t G_t with discounted G_t: the gradient of the discounted return. Without
//                  the factor it is the gradient of no objective.
//
// V is 0 at the horizon, which ends a path.
#pragma once

#include <gallop/host/laboratory/estimators/paths.h>
#include <gallop/kernels/estimators/age.h>
#include <gallop/kernels/estimators/gae.h>
#include <gallop/kernels/estimators/n_step.h>
#include <gallop/kernels/estimators/path_returns.h>
#include <gallop/kernels/estimators/returns.h>

namespace gallop::inline GALLOP_ISA {

// What kernels/estimators take of paths.
template <class Request, class C>
GALLOP_HD Request request_of(const C& paths, double gamma) {
  Request r = {};
  r.n_steps = paths.horizon, r.n_envs = C::kN;
  r.gamma = typename C::Real(gamma), r.reward_scale = 1;
  r.reward = paths.reward, r.terminated = paths.terminated, r.truncated = paths.truncated;
  return r;
}
// Returns [H, N] from each step on.
template <class C>
GALLOP_HD void returns_of(const C& paths, double gamma, typename C::Real* to) {
  using F = typename C::F;
  const auto r = request_of<ReturnsRequestOf<typename C::Real>>(paths, gamma);
  F rest = F(0.0f);
  for (int t = paths.horizon - 1; t >= 0; t--) {
    const Mask<F> open = load_clear(r.terminated + t * C::kN, C::kN, F());
    rest = discounted_return(r, C::at(r.reward, t), rest, open);
    C::put(to, t, rest);
  }
}

// Gradients from weights [H, N], which weigh(paths, weight, rest) writes; `rest` [H + 1, N] is
// memory for what it needs.
template <class C, class Weigh>
void estimate_by_weights(const typename C::Request& r, typename C::Real* record,
                         const Weigh& weigh) {
  auto* const weight = reinterpret_cast<typename C::Real*>(r.scratch);
  estimate_paths<C>(r, record, [&](const C& paths, typename C::F* gradient) {
    weigh(paths, weight, weight + long(paths.horizon) * C::kN);
    for (int t = 0; t < paths.horizon; t++) paths.add_score(t, C::at(weight, t), gradient);
  });
}

// x [H, N] of each step becomes f(t, o, x) with what is observed then.
template <class C, class Function>
GALLOP_HD void transform(const C& paths, typename C::Real* x, const Function& f) {
  typename C::F o[C::kO];
  for (int t = 0; t < paths.horizon; t++) {
    C::load(paths.observation, t, o);
    C::put(x, t, f(t, o, C::at(x, t)));
  }
}

// Features of a state, from which V is fitted: one for each state of an index observation; else 1,
// o_i, o_i o_j. Behind them tau, tau^2, tau^3 with tau = t / H.
template <class C>
struct Features {
  using F = typename C::F;
  static constexpr bool kIndex = Traits<typename C::Env>::kIndexObservation;
  static constexpr int kO = C::P::kSizes.observation;
  static constexpr int kCount = kIndex ? kO : 1 + kO + kO * (kO + 1) / 2, kWithTime = kCount + 3;
  F phi[kWithTime];

  GALLOP_HD Features(const F* o, int t, int horizon) {
    const double tau = double(t) / horizon;
    int k = 0;
    if constexpr (kIndex) {
      for (; k < kCount; k++) phi[k] = select(o[0] == F(float(k)), F(1.0f), F(0.0f));
    } else {
      phi[k++] = F(1.0f);
      for (int i = 0; i < kO; i++) phi[k++] = o[i];
      for (int i = 0; i < kO; i++) {
        for (int j = i; j < kO; j++) phi[k++] = o[i] * o[j];
      }
    }
    for (double power = tau; k < kWithTime; power *= tau) phi[k++] = real<F>(power);
  }
  template <int n>
  GALLOP_HD F dot(const double* weight) const {
    F sum = F(0.0f);
    for (int k = 0; k < n; k++) sum = fmadd(real<F>(weight[k]), phi[k], sum);
    return sum;
  }
};

enum class Critic { kFitted, kExact };

// V_t(s_t), exact or as fitted on pilot paths.
template <class C, Critic critic>
GALLOP_HD typename C::F value_of(const LaboratoryModel& m, Discounting how, int t,
                                 const typename C::F* o) {
  constexpr int kCount = Features<C>::kCount;
  if constexpr (critic == Critic::kExact) return C::P::value(model_of<C>(m), how, t, o);
  return Features<C>(o, t, m.horizon).template dot<kCount>(m.critic[how] + long(t) * kCount);
}

// Psi R less Psi_d b_d. kernels/baselines/optimal.h has b_d taken over the other paths of a batch,
// which makes one estimate of a batch; here it is fitted on pilot paths, so that each is a sample.
enum class PathBaseline { kNone, kExpected, kOptimal, kOptimalScalar };

template <class C, PathBaseline baseline>
void reinforce(const typename C::Request& r) {
  using F = typename C::F;
  const LaboratoryModel& m = *r.model;
  estimate_paths<C>(r, r.record, [&](const C& paths, F* gradient) {
    paths.path_score(gradient);
    auto request = request_of<PathReturnsRequestOf<typename C::Real>>(paths, 1);
    request.path_return = reinterpret_cast<typename C::Real*>(r.scratch);
    request.complete =
        reinterpret_cast<std::uint8_t*>(request.path_return + long(m.horizon) * C::kN);
    path_returns_of<F>(request, 0, C::kN);
    const F total = C::at(request.path_return, 0);
    for (int d = 0; d < C::kD; d++) {
      double b = 0;
      if constexpr (baseline == PathBaseline::kExpected) b = m.expected_return;
      if constexpr (baseline == PathBaseline::kOptimal) b = m.optimal[d];
      if constexpr (baseline == PathBaseline::kOptimalScalar) b = m.optimal_scalar;
      gradient[d] = gradient[d] * (total - real<F>(b));
    }
  });
}

enum class StepBaseline { kNone, kExpected, kLinear, kFitted, kValue };

template <class C, StepBaseline baseline>
void gpomdp(const typename C::Request& r) {
  using F = typename C::F;
  using Phi = Features<C>;
  const LaboratoryModel& m = *r.model;
  const auto subtract = [&](int t, const F* o, F rest) GALLOP_INLINE_LAMBDA {
    if constexpr (baseline == StepBaseline::kExpected) return rest - real<F>(m.expected_rest[t]);
    if constexpr (baseline == StepBaseline::kLinear) {
      return rest - Phi(o, t, m.horizon).template dot<Phi::kWithTime>(m.linear);
    }
    if constexpr (baseline == StepBaseline::kFitted) {
      return rest - value_of<C, Critic::kFitted>(m, kPlain, t, o);
    }
    return rest - value_of<C, Critic::kExact>(m, kPlain, t, o);
  };
  estimate_by_weights<C>(r, r.record, [&](const C& paths, auto* weight, auto*) {
    returns_of(paths, 1, weight);
    if constexpr (baseline != StepBaseline::kNone) transform(paths, weight, subtract);
  });
}

template <class C>
void exact_advantage(const typename C::Request& r) {
  using F = typename C::F;
  const auto& m = model_of<C>(*r.model);
  estimate_by_weights<C>(r, r.record, [&](const C& paths, auto* weight, auto*) {
    transform(paths, weight, [&](int t, const F* o, F) GALLOP_INLINE_LAMBDA {
      F u[C::kA];
      C::load(paths.action, t, u);
      return C::P::action_value(m, t, o, u, C::at(paths.reward, t)) - C::P::value(m, kPlain, t, o);
    });
  });
}

template <class C, bool with_factor>
void discounted(const typename C::Request& r) {
  using F = typename C::F;
  using Real = typename C::Real;
  const int horizon = r.model->horizon;
  // gamma^t [H], behind the weights and their memory.
  Real* const factor = reinterpret_cast<Real*>(r.scratch) + (2L * horizon + 1) * C::kN;
  for (int t = 0; t < horizon; t++) {
    factor[t] = discounted_by_age(Real(1), Real(t), Real(r.model->gamma));
  }
  estimate_by_weights<C>(r, r.record, [&](const C& paths, auto* weight, auto*) {
    returns_of(paths, r.model->gamma, weight);
    if constexpr (with_factor) {
      transform(paths, weight,
                [&](int t, const F*, F w) GALLOP_INLINE_LAMBDA { return w * F(factor[t]); });
    }
  });
}

// By advantages that advantage(paths, request) makes with the critic's values [H + 1, N].
template <class C, Critic critic, class Request, class Advantage>
void estimate_by_critic(const typename C::Request& r, const Advantage& advantage) {
  using F = typename C::F;
  const LaboratoryModel& m = *r.model;
  estimate_by_weights<C>(r, r.record, [&](const C& paths, auto* weight, auto* value) {
    transform(paths, value, [&](int t, const F* o, F) GALLOP_INLINE_LAMBDA {
      return value_of<C, critic>(m, kDiscounted, t, o);
    });
    C::put(value, paths.horizon, F(0.0f));
    Request request = request_of<Request>(paths, m.gamma);
    request.value = request.final_value = value, request.advantage = weight;
    advantage(paths, request);
  });
}
template <class C, Critic critic>
void n_step_advantage(const typename C::Request& r) {
  using Request = NStepRequestOf<typename C::Real>;
  estimate_by_critic<C, critic, Request>(r, [&](const C& paths, Request& request) {
    request.n = r.model->n_step;
    for (int t = 0; t < paths.horizon; t++) n_step_at<typename C::F>(request, t, 0, C::kN);
  });
}
// In the sequential shape.
template <class C, Critic critic>
void generalized_advantage(const typename C::Request& r) {
  using F = typename C::F;
  using Request = GaeRequestOf<typename C::Real>;
  estimate_by_critic<C, critic, Request>(r, [&](const C& paths, Request& request) {
    request.lambda = typename C::Real(r.model->lambda);
    F next = F(0.0f), state[GaeSequence::kState] = {F(0.0f)}, delta, factor;
    for (int t = paths.horizon - 1; t >= 0; t--) {
      const Mask<F> open = load_clear(request.terminated + t * C::kN, C::kN, F());
      const F value = C::at(request.value, t);
      gae_terms(request, C::at(request.reward, t), value, next, open, open, delta, factor);
      C::put(request.advantage, t, GaeSequence::step(delta, factor, F(0.0f), state));
      next = value;
    }
  });
}

}  // namespace gallop::inline GALLOP_ISA
