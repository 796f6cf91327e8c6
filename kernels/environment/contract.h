// The contract between an environment and everything that runs it.
//
// An environment is a struct with static members only, in one file of sims/ (or of a user's tree):
//
//   struct CartPole {
//     static constexpr const char* kName = "cartpole";
//     static constexpr const char* kAliases = "CartPole-v1";           // separated by commas
//     static constexpr const char* kSource = "Gymnasium 1.4.0 CartPole-v1";
//     static constexpr int kTimeLimit = 500;                           // 0: none
//     static constexpr double kRewardThreshold = 475;                  // optional
//     static constexpr int kFusedWidths[] = {64, 256};                 // optional, see below
//     static constexpr ComponentSpec kObservation[] = {{"x", -4.8, 4.8}, ...};
//     static constexpr int kNumActions = 2;                            // discrete actions, or
//     static constexpr ComponentSpec kAction[] = {{"torque", -2, 2}};  // continuous ones
//     static constexpr const char* kStateNames[] = {"x", ...};
//     static constexpr ParameterSpec kParameters[] = {
//         {"gravity", 9.8, 0, 1e3, "m/s^2", "..."}, ...};
//
//     // Members of F: parameters in the order of kParameters; integers as exact F.
//     template <class F> struct Parameters { F gravity, ...; };
//     template <class F> struct State { F x, ...; };
//
//     template <class F>
//     static void reset(const Parameters<F>&, State<F>&, Rng<F>&);
//     template <class F>
//     static Outcome<F> step(const Parameters<F>&, State<F>&, Action, Rng<F>&);
//     template <class F>
//     static void observe(const Parameters<F>&, const State<F>&, F* observation);
//   };
//   GALLOP_ENVIRONMENT(CartPole)
//
// Optional: `kTerms[]`, names of what a step tells beside its reward (Gymnasium's `info`): step
// then takes `F* terms` [terms] as last argument and writes them; a rollout drops them, and what is
// computed for them alone is never computed. `kGivenState`: how many components of the state a
// caller gives, where the others only keep what the last step found.
//
// Optional: `static constexpr bool kLongSteps = true`, where a step is thousands of instructions:
// CUDA kernels then are compiled once for all reset modes, which choose at run time.
//
// kFusedWidths names widths (64, 128, 256) of two equal hidden layers that get CUDA rollout kernels
// of their own.
//
// Action is Int<F> where actions are discrete, const F* [A] where they are continuous; continuous
// ones arrive as the caller gave them, so an environment clips where its reference does. An index
// observation (`kNumStates` in place of kObservation) is one integer, written as an exact F.
//
// An environment of run-time sizes declares its capacities as above, `static Sizes sizes(const
// double* parameters)`, and takes `const Shared&` as first argument of reset, step and observe. An
// environment with a shared read-only table declares `kTableCapacity` and `default_table(float*)`
// and reads `shared.table` by gather.
//
// It never resets itself, counts time, seeds, allocates, logs, or knows how many of it run: the
// runner (environment/runner.h) does. It branches with select(mask, a, b), never `if` on a lane.
#pragma once

#include "kernels/environment/spec.h"
#include "kernels/random/stream.h"

// Marks an environment for the build, which finds these lines and generates the registry.
#define GALLOP_ENVIRONMENT(Type)

namespace gallop {

// What all instances of a batch share.
struct Shared {
  Sizes sizes;
  const float* table;  // [table_capacity] or null
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// What a step returns beside the new state.
template <class F>
struct Outcome {
  F reward;
  Mask<F> terminated;
};

template <class T, int N>
GALLOP_HD constexpr int count_of(const T (&)[N]) {
  return N;
}

// Sizes and kinds of an environment, as compile-time constants.
template <class Env>
struct Traits {
  static constexpr bool kDiscreteAction = requires { Env::kNumActions; };
  static constexpr bool kIndexObservation = requires { Env::kNumStates; };
  static constexpr bool kHasTable = requires { Env::kTableCapacity; };
  static constexpr bool kHasSizes = requires(const double* p) { Env::sizes(p); };
  static constexpr int observation_capacity() {
    if constexpr (kIndexObservation)
      return Env::kNumStates;
    else
      return count_of(Env::kObservation);
  }
  static constexpr int action_capacity() {
    if constexpr (kDiscreteAction)
      return Env::kNumActions;
    else
      return count_of(Env::kAction);
  }
  static constexpr int table_capacity() {
    if constexpr (kHasTable)
      return Env::kTableCapacity;
    else
      return 0;
  }
  static constexpr int kObservation = observation_capacity();
  static constexpr int kAction = action_capacity();
  // Floats that one observation and one action take in an array.
  static constexpr int kObservationRows = kIndexObservation ? 1 : kObservation;
  static constexpr int kActionRows = kDiscreteAction ? 1 : kAction;
  static constexpr int kState = sizeof(typename Env::template State<float>) / sizeof(float);
  static constexpr int kParameters =
      sizeof(typename Env::template Parameters<float>) / sizeof(float);
  static constexpr int kTable = table_capacity();
  static constexpr int terms() {
    if constexpr (requires { Env::kTerms; })
      return count_of(Env::kTerms);
    else
      return 0;
  }
  static constexpr int given_state() {
    if constexpr (requires { Env::kGivenState; })
      return Env::kGivenState;
    else
      return kState;
  }
  static constexpr int kTerms = terms();
  static constexpr bool kLongSteps = requires { Env::kLongSteps; };
  static_assert(kParameters == count_of(Env::kParameters),
                "Parameters<F> must have one F for each row of kParameters");
  static_assert(kState == count_of(Env::kStateNames),
                "State<F> must have one F for each name in kStateNames");
};

// Floats of one observation and one action of this batch: constants, so that loops over them
// unroll, unless the environment declares run-time sizes.
template <class Env>
GALLOP_HD int observation_rows(const Shared& shared) {
  if constexpr (Traits<Env>::kHasSizes && !Traits<Env>::kIndexObservation) {
    return shared.sizes.observation;
  } else {
    return Traits<Env>::kObservationRows;
  }
}
template <class Env>
GALLOP_HD int action_rows(const Shared& shared) {
  if constexpr (Traits<Env>::kHasSizes && !Traits<Env>::kDiscreteAction) {
    return shared.sizes.action;
  } else {
    return Traits<Env>::kActionRows;
  }
}

template <class Env, class F>
GALLOP_HD void reset(const Shared& shared, const typename Env::template Parameters<F>& p,
                     typename Env::template State<F>& s, Rng<F>& rng) {
  if constexpr (requires { Env::template reset<F>(shared, p, s, rng); }) {
    Env::template reset<F>(shared, p, s, rng);
  } else {
    Env::template reset<F>(p, s, rng);
  }
}

// `action` [A] holds one index for discrete actions; `terms` takes what the environment tells.
template <class Env, class F>
GALLOP_HD Outcome<F> step(const Shared& shared, const typename Env::template Parameters<F>& p,
                          typename Env::template State<F>& s, const F* action, Rng<F>& rng,
                          F* terms) {
  if constexpr (Traits<Env>::kDiscreteAction) {
    const Int<F> a = to_int(action[0]);
    if constexpr (requires { Env::template step<F>(shared, p, s, a, rng); }) {
      return Env::template step<F>(shared, p, s, a, rng);
    } else {
      return Env::template step<F>(p, s, a, rng);
    }
  } else if constexpr (Traits<Env>::kTerms > 0) {
    return Env::template step<F>(p, s, action, rng, terms);
  } else if constexpr (requires { Env::template step<F>(shared, p, s, action, rng); }) {
    return Env::template step<F>(shared, p, s, action, rng);
  } else {
    return Env::template step<F>(p, s, action, rng);
  }
}
template <class Env, class F>
GALLOP_HD Outcome<F> step(const Shared& shared, const typename Env::template Parameters<F>& p,
                          typename Env::template State<F>& s, const F* action, Rng<F>& rng) {
  F terms[Traits<Env>::kTerms + 1];
  return step<Env, F>(shared, p, s, action, rng, terms);
}

template <class Env, class F>
GALLOP_HD void observe(const Shared& shared, const typename Env::template Parameters<F>& p,
                       const typename Env::template State<F>& s, F* observation) {
  if constexpr (requires { Env::template observe<F>(shared, p, s, observation); }) {
    Env::template observe<F>(shared, p, s, observation);
  } else {
    Env::template observe<F>(p, s, observation);
  }
}

}  // namespace gallop::inline GALLOP_ISA
