// Paths of a problem P: an environment of sims/ under a policy (policies.h), stepped through the
// environment contract, and loops over those that were recorded. F is what training computes in, a
// register of floats, or double for exact tests.
#pragma once

#include <type_traits>

#include <gallop/host/laboratory/estimators/policies.h>
#include <gallop/kernels/environment/runner.h>
#include <gallop/kernels/numerics/native.h>

namespace gallop::inline GALLOP_ISA {

// A register of N paths, recorded as a rollout of as many instances is: [H, rows, N]. A path that
// has ended goes on with rewards and slopes of 0.
template <class Problem, class F_ = Native, int N = kLanesOf<F_>>
struct Paths {
  using P = Problem;
  using F = F_;
  using Real = std::conditional_t<std::is_same_v<F, double>, double, float>;
  using Request = LaboratoryRequestOf<Real>;
  using Policy = typename P::template Policy<F>;
  using Env = typename P::Environment;
  static constexpr int kN = N, kD = Policy::kParameters, kS = Policy::kSlopes;
  static constexpr int kO = Traits<Env>::kIndexObservation ? 1 : P::kSizes.observation;
  static constexpr int kA = Traits<Env>::kDiscreteAction ? 1 : P::kSizes.action;

  int horizon;
  Real *observation, *action, *reward;
  Real *log_ratio, *slope;  // of the model's policy to the one that acted; of the former
  std::uint8_t *terminated, *truncated;

  GALLOP_HD Paths(Real* at, int steps) : horizon(steps) {
    const long row = long(steps) * N;
    observation = at, action = observation + row * kO, reward = action + row * kA;
    log_ratio = reward + row, slope = log_ratio + row;
    terminated = reinterpret_cast<std::uint8_t*>(slope + row * kS), truncated = terminated + row;
  }
  // What one takes, in Reals.
  static GALLOP_HD long size(int steps) { return long(steps) * N * (kO + kA + 3 + kS); }

  template <int rows>
  static GALLOP_HD void load(const Real* from, int t, F (&to)[rows]) {
    for (int k = 0; k < rows; k++) to[k] = load_lanes(from + (t * rows + k) * N, N, F());
  }
  template <int rows>
  static GALLOP_HD void store(Real* to, int t, const F (&x)[rows]) {
    for (int k = 0; k < rows; k++) store_lanes(to + (t * rows + k) * N, x[k], N);
  }
  static GALLOP_HD F at(const Real* from, int t) { return load_lanes(from + t * N, N, F()); }
  static GALLOP_HD void put(Real* to, int t, F x) { store_lanes(to + t * N, x, N); }

  // Writes the scores of step t at `policy`, and its ratio to the one that acted with `log_prob`.
  GALLOP_HD void score(int t, const Policy& policy, F log_prob, Mask<F> running) const {
    F o[kO], u[kA], by[kS];
    load(observation, t, o), load(action, t, u);
    put(log_ratio, t, zero_unless(running, policy.slopes(o, u, by) - log_prob));
    for (F& x : by) x = zero_unless(running, x);
    store(slope, t, by);
  }
  // gradient [D] += weight * score of step t.
  GALLOP_HD void add_score(int t, F weight, F* gradient) const {
    F o[kO], by[kS];
    load(observation, t, o), load(slope, t, by);
    Policy::add_score(o, by, weight, gradient);
  }
  // Psi [D], the score of a whole path; returns R.
  GALLOP_HD F path_score(F* psi) const {
    F total = F(0.0f);
    for (int d = 0; d < kD; d++) psi[d] = F(0.0f);
    for (int t = 0; t < horizon; t++) {
      add_score(t, F(1.0f), psi);
      total = total + at(reward, t);
    }
    return total;
  }
};

// A problem's own tables, and its policy at theta [D], the same in all lanes.
template <class C>
GALLOP_HD const typename C::P::Model& model_of(const LaboratoryModel& m) {
  return static_cast<const typename C::P::Model&>(m);
}
template <class C>
GALLOP_HD typename C::Policy policy_at(const LaboratoryModel& m, const double* theta) {
  typename C::F all[C::kD];
  for (int d = 0; d < C::kD; d++) all[d] = real<typename C::F>(theta[d]);
  return typename C::Policy(m, all);
}

// Steps registers of paths. Random numbers are those of an instance that has the path's number, in
// the episode `stream`: purposes kRandomReset, kRandomAction and kRandomDynamics.
template <class C>
struct Simulation {
  using F = typename C::F;
  using W = Word<F>;
  using Env = typename C::Env;

  const LaboratoryModel m;  // copies, which no stored float can be taken to change
  const std::uint64_t seed;
  typename Env::template Parameters<F> parameters;

  explicit Simulation(const typename C::Request& r) : m(*r.model), seed(r.seed) {
    for (int k = 0; k < Traits<Env>::kParameters; k++) {
      const F x = real<F>(m.environment[k]);
      __builtin_memcpy(reinterpret_cast<char*>(&parameters) + k * sizeof(F), &x, sizeof(F));
    }
  }

  // Writes the returns [n] of one register of paths, the first of them `path`, under each of one
  // or two policies, with the same random numbers. Calls record(t, observation, action, log_prob,
  // reward, running, going_on) for each step of each.
  template <int n, class Record>
  GALLOP_HD void run(const typename C::Policy (&policies)[n], std::uint32_t stream,
                     std::uint32_t path, F* returns, const Record& record) const {
    const Shared shared = {C::P::kSizes, m.table};
    const W id = consecutive_words<F>(path);
    typename Env::template State<F> state[n];
    Mask<F> running[n];
    const Rng<F> start(seed, kRandomReset, id, W(stream), W(0u));
    const auto each = [](const auto& body) GALLOP_INLINE_LAMBDA {
      body(std::integral_constant<int, 0>());
      if constexpr (n == 2) body(std::integral_constant<int, 1>());
    };
    each([&](auto k) GALLOP_INLINE_LAMBDA {
      Rng<F> rng = start;
      reset<Env, F>(shared, parameters, state[k], rng);
      returns[k] = F(0.0f), running[k] = mask_of<F>(true);
    });
    int t = 0;
    do {  // one step at least: what all have in common is then computed once
      const W now = W(std::uint32_t(t));
      const Rng<F> choice(seed, kRandomAction, id, W(stream), now);
      const Rng<F> dynamics(seed, kRandomDynamics, id, W(stream), now);
      each([&](auto k) GALLOP_INLINE_LAMBDA {
        Rng<F> to_act = choice, to_step = dynamics;
        F observation[Traits<Env>::kObservationRows], action[C::kA];
        observe<Env, F>(shared, parameters, state[k], observation);
        const F log_prob = policies[k].act(observation, to_act, action);
        const Outcome<F> outcome = step<Env, F>(shared, parameters, state[k], action, to_step);
        const F reward = zero_unless(running[k], outcome.reward);
        const Mask<F> going_on = running[k] & !outcome.terminated;
        returns[k] = returns[k] + reward;
        record(t, observation, action, log_prob, reward, running[k], going_on);
        running[k] = going_on;
      });
    } while (++t < m.horizon);
  }
};

// Calls body(paths, first) for every register of recorded paths; `first` numbers its first one.
template <class C, class Body>
GALLOP_HD void for_each_register(const typename C::Request& r, typename C::Real* record,
                                 const Body& body) {
  const long size = C::size(r.model->horizon);
  for (int first = 0; first < r.n_paths; first += C::kN, record += size) {
    body(C(record, r.model->horizon), first);
  }
}

template <class C>
void sample_paths(const typename C::Request& r) {
  using F = typename C::F;
  const Simulation<C> simulation(r);
  const typename C::Policy acting[1] = {policy_at<C>(simulation.m, r.theta)};
  const typename C::Policy policy = policy_at<C>(simulation.m, simulation.m.theta);
  for_each_register<C>(r, r.record, [&](const C& paths, int first) GALLOP_INLINE_LAMBDA {
    F returned[1];
    const auto record = [&](int t, const F* observation, const F(&action)[C::kA], F log_prob,
                            F reward, Mask<F> running, Mask<F> going_on) GALLOP_INLINE_LAMBDA {
      for (int k = 0; k < C::kO; k++) C::put(paths.observation, t * C::kO + k, observation[k]);
      C::store(paths.action, t, action);
      C::put(paths.reward, t, reward);
      const Mask<F> ends = t + 1 == paths.horizon ? mask_of<F>(true) : !going_on;
      store_mask(paths.terminated + t * C::kN, ends, C::kN);
      store_mask(paths.truncated + t * C::kN, mask_of<F>(false), C::kN);
      paths.score(t, policy, log_prob, running);
    };
    simulation.run(acting, r.stream, r.first_path + std::uint32_t(first), returned, record);
  });
}

// One gradient [D] for each path: body(paths, gradient) adds to zeros.
template <class C, class Body>
GALLOP_HD void estimate_paths(const typename C::Request& r, typename C::Real* record,
                              const Body& body) {
  for_each_register<C>(r, record, [&](const C& paths, int first) {
    typename C::F gradient[C::kD];
    for (auto& x : gradient) x = typename C::F(0.0f);
    body(paths, gradient);
    for (int d = 0; d < C::kD; d++) {
      store_lanes(r.gradient + long(d) * r.stride + first, gradient[d], C::kN);
    }
  });
}

// Sums over paths are taken in double, in eight parts: path i goes to the one numbered i mod 8, in
// ascending order, whatever the width of a register.
inline constexpr int kSumSlots = 8;

// The lanes of a register of a block's paths; only those below n_paths are summed.
template <class C>
struct Summand {
  double lane[C::kN];

  Summand() = default;
  GALLOP_HD Summand(typename C::F x) {
    typename C::Real lanes[C::kN];
    store_lanes(lanes, x, C::kN);
    for (int i = 0; i < C::kN; i++) lane[i] = lanes[i];
  }
  friend GALLOP_HD Summand operator*(const Summand& a, const Summand& b) {
    Summand product;
    for (int i = 0; i < C::kN; i++) product.lane[i] = a.lane[i] * b.lane[i];
    return product;
  }
  GALLOP_HD void add_to(double* slots, int first, int n_paths) const {
    if (C::kN % kSumSlots == 0 && first + C::kN <= n_paths) {
      for (int i = 0; i < C::kN; i++) slots[i % kSumSlots] += lane[i];
    } else {
      for (int i = 0; i < C::kN && first + i < n_paths; i++) {
        slots[(first + i) % kSumSlots] += lane[i];
      }
    }
  }
};
GALLOP_HD double sum_of_slots(const double* slots) {
  double sum = slots[0];
  for (int i = 1; i < kSumSlots; i++) sum += slots[i];
  return sum;
}

}  // namespace gallop::inline GALLOP_ISA
