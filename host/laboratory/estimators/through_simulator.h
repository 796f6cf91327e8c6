// The derivative of a path's return by theta through the environment's own step, its noise held
// (the lecture's pathwise derivative): backwards in time by the numbers with derivatives that
// training takes (kernels/environment/pull_back.h). Of smooth environments that show their state:
// its first components are the observation, the others stay as a reset leaves them.
#pragma once

#include <gallop/host/laboratory/estimators/paths.h>
#include <gallop/kernels/environment/pull_back.h>

namespace gallop::inline GALLOP_ISA {

template <class C>
struct ThroughSimulator {
  using F = typename C::F;
  using D = Dual<F, kTangents>;
  using Env = typename C::Env;
  using T = Traits<Env>;

  const typename C::Request& r;
  Scenario scenario = {};
  typename Env::template Parameters<D> parameters;
  typename C::Policy policy;

  explicit ThroughSimulator(const typename C::Request& request)
      : r(request), policy(policy_at<C>(*request.model, request.model->theta)) {
    scenario.seed = r.seed;
    scenario.shared = {C::P::kSizes, r.model->table};
    for (int k = 0; k < T::kParameters; k++) {
      const D x = real<D>(r.model->environment[k]);
      __builtin_memcpy(reinterpret_cast<char*>(&parameters) + k * sizeof(D), &x, sizeof(D));
    }
  }

  // Of a register of paths, the first of them `path`.
  GALLOP_HD void add(const C& paths, std::uint32_t path, F* gradient) const {
    const F zero = F(0.0f);
    StepAdjoint<Env, F> of;
    of.reward = F(1.0f);
    for (F& x : of.state) x = zero;
    for (F& x : of.observation) x = zero;
    for (int t = paths.horizon - 1; t >= 0; t--) {
      F o[C::kO], u[C::kA], mean[C::kA], slope[C::kS], by[T::kState + T::kActionRows];
      C::load(paths.observation, t, o), C::load(paths.action, t, u);
      StepPoint<Env, F> at;
      for (int k = 0; k < T::kState; k++) at.state[k] = k < C::kO ? o[k] : zero;
      for (int k = 0; k < T::kActionRows; k++) at.action[k] = k < C::kA ? u[k] : zero;
      at.id = consecutive_words<F>(path);
      at.episode = Word<F>(r.stream);
      at.elapsed = Int<F>(t);
      pull_back_step<Env, F>(scenario, parameters, at, false, of, by);
      policy.outputs(o, mean);
      for (F& x : slope) x = zero;
      for (int i = 0; i < C::kA; i++) {
        slope[i] = by[T::kState + i];
        if constexpr (C::kS > C::kA) {
          slope[C::kA] = fmadd(slope[i], (u[i] - mean[i]) * policy.per_sigma, slope[C::kA]);
        }
      }
      C::Policy::add_score(o, slope, F(1.0f), gradient);
      for (int k = 0; k < T::kState; k++) of.state[k] = by[k];
      for (int j = 0; j < C::kO; j++) {
        of.observation[j] = zero;
        for (int i = 0; i < C::kA; i++) {
          of.observation[j] = fmadd(policy.weight[i][j], slope[i], of.observation[j]);
        }
      }
    }
  }
};

template <class C>
void through_simulator(const typename C::Request& r) {
  using F = typename C::F;
  const ThroughSimulator<C> simulator(r);
  for_each_register<C>(r, r.record, [&](const C& paths, int first) {
    F gradient[C::kD];
    for (F& x : gradient) x = F(0.0f);
    simulator.add(paths, r.first_path + std::uint32_t(first), gradient);
    for (int d = 0; d < C::kD; d++) {
      store_lanes(r.gradient + long(d) * r.stride + first, gradient[d], C::kN);
    }
  });
}

}  // namespace gallop::inline GALLOP_ISA
