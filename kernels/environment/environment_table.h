// The functions that the build compiles for each environment and each instruction set of the CPU.
// Instances [begin, end) with begin a multiple of 16; calls on disjoint ranges may run in parallel.
#pragma once

#include <gallop/kernels/environment/batch.h>

namespace gallop {

struct PullBackRequest;  // kernels/rollout/pull_back.h

struct EnvironmentTable {
  const EnvironmentSpec* spec;
  // Begins episode 0 of every instance (mask null), or the next episode where mask [end - begin] is
  // not 0. Writes nothing else.
  void (*reset)(const EnvironmentBatch&, int begin, int end, const std::uint8_t* mask);
  // observation [O, stride], element 0 of a row is instance `begin`.
  void (*observe)(const EnvironmentBatch&, int begin, int end, float* observation, long stride);
  // action [A, action_stride], element 0 of a row is instance `begin`. `clip` limits continuous
  // actions to the bounds of the action space before the environment sees them.
  void (*step)(const EnvironmentBatch&, int begin, int end, const float* action, long action_stride,
               int clip, ResetMode, const StepOutput&);
  // Derivatives of one recorded step, backwards; null where the environment is not smooth.
  void (*pull_back)(const PullBackRequest&, int begin, int end);
};

// What the build compiles once for each environment: single transitions in float and in double, for
// whoever looks at an environment's arithmetic (`gallop trace`, the tests).
struct TransitionTable {
  // One transition in float or double, without runner, reset or randomness other than the draws of
  // (seed, id, episode, step) = (seed, 0, 0, step). state [S], action [A], observation [O]; returns
  // terminated. terms [n_terms].
  int (*transition_float)(const Shared&, const double* parameters, std::uint64_t seed, int step,
                          double* state, const double* action, double* observation, double* reward,
                          double* terms);
  int (*transition_double)(const Shared&, const double* parameters, std::uint64_t seed, int step,
                           double* state, const double* action, double* observation, double* reward,
                           double* terms);
  // The initial state of (seed, id, episode 0) in double.
  void (*initial_state)(const Shared&, const double* parameters, std::uint64_t seed,
                        std::uint32_t id, double* state);
  // Fills in the components of a state [S] that the first n_given_state determine, as reset()
  // does, computed in float or double.
  void (*complete_float)(const double* parameters, double* state);
  void (*complete_double)(const double* parameters, double* state);
  // The same transition as transition_double, from state [S] and action [A] without clipping, with
  // its derivatives: `result` [S + 1 + O] is the next state, the reward and the observation, and
  // row i of `jacobian` [S + 1 + O, S + A] the derivatives of result[i] by the state, then by the
  // action. By forward accumulation in double. Null where the environment is not smooth.
  void (*linearize)(const Shared&, const double* parameters, std::uint64_t seed, int step,
                    const double* state, const double* action, double* result, double* jacobian);
};

}  // namespace gallop
