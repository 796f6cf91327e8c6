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
// computed for them alone is never computed.
//
// Optional, where only the first components of a state are given and the others keep what the last
// step found: `kGivenState`, how many are given, and
//
//     template <class F>
//     static void complete(const Parameters<F>&, State<F>&);
//
// which fills in the others as reset() does, and may bring what was given to the form that it
// stands for (a quaternion to unit length). Without it they are 0. A state that is given whole
// stays as it is, unless zeros in all the others are none (see state_range below).
//
// Optional, for the checks of states that come from outside (a checkpoint, a caller): `static
// StateRange state_range(int k, const Sizes&)`, what component k can hold. Without it that is every
// finite number, so an environment that uses its state as an index declares
// `return {0, sizes.observation - 1.0, true}` or the like. Optional: `kIntervals[]`, pairs of
// parameters {"low", "high"} of which the first may not lie above the second.
//
// Optional, for films that play as fast as what they show: `kTimeStep`, the seconds between two
// steps, as a number (0.02) or as the name of the parameter that holds them ("tau"). An environment
// that names its Model and kFrameSkip has those of the model.
//
// Optional: `static constexpr bool kLongSteps = true`, where a step is thousands of instructions:
// CUDA kernels then are compiled once for all reset modes, which choose at run time.
//
// Optional: `kControllers[]`, linear controllers that come with the reference, for `gallop eval
// --controller`; `kOwnWeights[]` and `kOwnConstants[]` [A], a linear policy of few weights, which a
// learner takes with the option policy = own; and where that one reads other observations than
// controllers do, `kObservationParameter`, the name of the parameter that is 1 for it, else 0.
//
// Optional: `static constexpr bool kSmooth = true`, where a step, its reward and its observation
// have derivatives by state and action nearly everywhere, from which it can be seen what an action
// leads to: the build then compiles the step for numbers with derivatives too (numerics/dual.h),
// and learners may take derivatives through it. Or `kNotSmooth`, a text that says why there are
// none to learn by, for whoever asks. Without either it counts as not smooth.
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
// runner (environment/runner.h) does.
//
// F is float (a CUDA thread), a register of floats (lanes of a processor), double (exact tests) or,
// where it is smooth, any of these with derivatives beside it; and step has the same bits for the
// first two since it only does with an F what all of them do alike. That is all of it:
//
//   -x  x + y  x - y  x * y  x / y  += -= *= /=      of F's; of Int<F>'s, also beside an int
//   x < y  x > y  x <= y  x >= y  x == y  x != y     a Mask<F>; of masks a & b, a | b, !a
//   real<F>(0.9)                      a constant, and any plain number, on its way to an F
//   mask_of<F>(flag)                  a plain bool on its way to a mask: never is mask_of<F>(false)
//   select(mask, x, y)                x where the mask holds, else y: in place of if, ?:, &&, ||
//   any(mask)  all(mask)              a plain bool, to leave a loop by
//   fmadd(x, y, z)                    x * y + z rounded once; nothing else is fused
//   min(x, y)  max(x, y)              y where either is NaN
//   abs  sqrt  reciprocal  floor      floor for |x| < 2^22
//   sin  cos  sin_cos(x, s, c)        both at the price of one; |x| <= 1e5
//   exp  log  tanh  pow(x, y)         numerics/math.h has their errors
//   atan2(y, x)                       the angle of (x, y), in [-pi, pi]
//   to_real(i)  to_int(x)             Int<F> to F, exact below 2^24; F to Int<F>, toward zero (the
//                                     least integer for NaN and what is beyond all integers)
//   gather(table, i)                  the i-th float of a table; Int<F>(3) is a whole number
//   rng.uniform()  rng.uniform(low, high)  rng.normal()
//
// All else (0.9 * x, x > 0.5, x * n, F x = 1, std::sin(x), if (x > y), int(x)) gives other bits in
// one F than in another, and does not compile: GALLOP_ENVIRONMENT compiles the environment once
// more for an F that refuses it and says what to write (environment/checked_real.h). Plain numbers
// may do among themselves what they like, if it is the same on a device: + - * /, no functions.
#pragma once

#include <gallop/kernels/environment/checked_real.h>
#include <gallop/kernels/environment/spec.h>
#include <gallop/kernels/numerics/dual.h>

// Marks an environment for the build, which finds these lines and generates the registry. Whatever
// includes the environment compiles it for CheckedReal too: this function is never called.
#define GALLOP_ENVIRONMENT(Type)                                           \
  inline void gallop_check_##Type() {                                      \
    ::gallop::GALLOP_ISA::check_environment<::gallop::GALLOP_ISA::Type>(); \
  }

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

  Outcome() = default;
  // A template, since a | b of two bools is an int, which braces would not narrow to a bool.
  template <class Answer>
  GALLOP_HD Outcome(F reward_, Answer terminated_) : reward(reward_), terminated(terminated_) {}
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
  static constexpr bool kCompletes = requires(const typename Env::template Parameters<float>& p,
                                              typename Env::template State<float>& s) {
    Env::template complete<float>(p, s);
  };
  static constexpr bool kLongSteps = requires { Env::kLongSteps; };
  static constexpr bool is_smooth() {
    if constexpr (requires { Env::kSmooth; })
      return Env::kSmooth;
    else
      return false;
  }
  static constexpr const char* not_smooth() {
    if constexpr (is_smooth())
      return nullptr;
    else if constexpr (requires { Env::kNotSmooth; })
      return Env::kNotSmooth;
    else if constexpr (kDiscreteAction)
      return "its actions are discrete";
    else
      return "it does not say that it is smooth (kSmooth)";
  }
  static constexpr bool kSmooth = is_smooth();
  static_assert(
      !kSmooth || !(kDiscreteAction || kIndexObservation),
      "kSmooth is for continuous actions and observations: nothing is derived by an index");
  static_assert(kParameters == count_of(Env::kParameters),
                "Parameters<F> must have one F for each row of kParameters, and nothing else: an "
                "int or a flag is an exact F, a constant is written real<F>(0.9)");
  static_assert(kState == count_of(Env::kStateNames),
                "State<F> must have one F for each name in kStateNames, and nothing else: an int "
                "or a flag is an exact F, a constant is written real<F>(0.9)");
  static_assert(!kCompletes || given_state() < kState,
                "complete() fills in what is beyond kGivenState");
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

// Compiles where the environment keeps to what an environment may do with its F.
template <class Env>
void check_environment() {
  using F = CheckedReal;
  using P = typename Env::template Parameters<F>;
  using S = typename Env::template State<F>;
  using T = Traits<Env>;
  static_assert(
      sizeof(P) == T::kParameters * sizeof(F),
      "a member of Parameters<F> is no F: make it one (an int or a flag is an exact F); a "
      "constant is written real<F>(0.9)");
  static_assert(sizeof(S) == T::kState * sizeof(F),
                "a member of State<F> is no F: make it one (an int or a flag is an exact F); a "
                "constant is written real<F>(0.9)");
  const Shared shared = {};
  const P parameters = {};
  S state = {};
  Rng<F> rng;
  F action[T::kActionRows] = {}, observation[T::kObservationRows] = {};
  reset<Env, F>(shared, parameters, state, rng);
  step<Env, F>(shared, parameters, state, action, rng);
  observe<Env, F>(shared, parameters, state, observation);
  if constexpr (Traits<Env>::kCompletes) Env::template complete<F>(parameters, state);
}

}  // namespace gallop::inline GALLOP_ISA
