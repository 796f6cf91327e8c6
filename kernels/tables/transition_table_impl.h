// Implements TransitionTable for one environment. Included only by generated files.
#pragma once

#include <gallop/kernels/environment/environment_table.h>
#include <gallop/kernels/environment/runner.h>
#include <gallop/kernels/numerics/native.h>

namespace gallop::inline GALLOP_ISA {

template <class Env>
struct TransitionFunctions {
  using T = Traits<Env>;

  template <class G>
  static int transition(const Shared& shared, const double* parameters, std::uint64_t seed,
                        int at_step, double* state, const double* action, double* observation,
                        double* reward, double* terms) {
    typename Env::template Parameters<G> p;
    typename Env::template State<G> s;
    G values[T::kParameters];
    for (int k = 0; k < T::kParameters; k++) values[k] = G(parameters[k]);
    __builtin_memcpy(static_cast<void*>(&p), values, sizeof(p));
    G words[T::kState];
    for (int k = 0; k < T::kState; k++) words[k] = G(state[k]);
    __builtin_memcpy(static_cast<void*>(&s), words, sizeof(s));
    G a[T::kActionRows];
    for (int k = 0; k < T::kActionRows; k++) a[k] = G(action[k]);
    Rng<G> rng(seed, kRandomDynamics, 0u, 0u, Word<G>(at_step));
    G told[T::kTerms + 1];
    const Outcome<G> outcome = gallop::step<Env, G>(shared, p, s, a, rng, told);
    for (int k = 0; k < T::kTerms; k++) terms[k] = double(told[k]);
    G o[T::kObservationRows];
    gallop::observe<Env, G>(shared, p, s, o);
    __builtin_memcpy(words, static_cast<const void*>(&s), sizeof(s));
    for (int k = 0; k < T::kState; k++) state[k] = double(words[k]);
    const int rows = observation_rows<Env>(shared);
    for (int k = 0; k < rows; k++) observation[k] = double(o[k]);
    *reward = double(outcome.reward);
    return outcome.terminated ? 1 : 0;
  }

  static void initial_state(const Shared& shared, const double* parameters, std::uint64_t seed,
                            std::uint32_t id, double* state) {
    typename Env::template Parameters<double> p;
    typename Env::template State<double> s = {};
    __builtin_memcpy(static_cast<void*>(&p), parameters, sizeof(p));
    Rng<double> rng(seed, kRandomReset, id, 0u, 0u);
    gallop::reset<Env, double>(shared, p, s, rng);
    __builtin_memcpy(state, static_cast<const void*>(&s), sizeof(s));
  }

  // Fills in what kGivenState leaves open. What was given changes only where the environment says
  // so.
  template <class G>
  static void complete(const double* parameters, double* state) {
    if constexpr (T::kCompletes) {
      typename Env::template Parameters<G> p;
      typename Env::template State<G> s;
      G values[T::kParameters], words[T::kState];
      for (int k = 0; k < T::kParameters; k++) values[k] = G(parameters[k]);
      __builtin_memcpy(static_cast<void*>(&p), values, sizeof(p));
      for (int k = 0; k < T::kState; k++) words[k] = G(state[k]);
      __builtin_memcpy(static_cast<void*>(&s), words, sizeof(s));
      Env::template complete<G>(p, s);
      __builtin_memcpy(words, static_cast<const void*>(&s), sizeof(s));
      for (int k = 0; k < T::kState; k++) state[k] = double(words[k]);
    } else {
      for (int k = T::given_state(); k < T::kState; k++) state[k] = 0;
    }
  }

  static constexpr TransitionTable kTable = {&transition<float>, &transition<double>,
                                             &initial_state, &complete<float>, &complete<double>};
};

}  // namespace gallop::inline GALLOP_ISA

// Defines gallop_transitions_<Type>(), found by the generated registry.
#define GALLOP_INSTANTIATE_TRANSITIONS(Type)                                           \
  extern "C" const gallop::TransitionTable* gallop_transitions_##Type() {              \
    return &gallop::GALLOP_ISA::TransitionFunctions<gallop::GALLOP_ISA::Type>::kTable; \
  }
