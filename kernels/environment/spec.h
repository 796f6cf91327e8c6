// What an environment declares of itself, as plain data that host code can read.
#pragma once

#include <cstdint>

namespace gallop {

struct Skeleton;  // kernels/bodies/skeleton.h

// A named parameter. `value` is the default; the host refuses values outside [low, high], and
// fractions where it is a whole number.
struct ParameterSpec {
  const char* name;
  double value, low, high;
  const char* unit;
  const char* help;
  bool whole = false;
};

// Two parameters that bound one interval: the host refuses to run with `low` above `high`, or equal
// to it where the interval is open.
struct IntervalSpec {
  const char* low;
  const char* high;
  bool open = false;
};

// A component of an observation or a continuous action.
struct ComponentSpec {
  const char* name;
  double low, high;
};

enum class SpaceKind : int {
  kBox,      // `size` real components
  kDiscrete  // one integer in [0, size), stored as an exact float
};

// The values that a component of a state can have.
struct StateRange {
  double low = -__builtin_inf(), high = __builtin_inf();
  bool whole = false;
};

// Run-time sizes of one batch. Equal to the capacities in the specification unless the environment
// declares sizes that a parameter chooses.
struct Sizes {
  int observation;  // components, or number of states for an index observation
  int action;       // components, or number of actions
};

// A controller that comes with an environment: the linear policy whose parameters are `parameters`
// [(O + 1) A], weights by rows of observations, then constants. It takes means, without noise.
struct ControllerSpec {
  const char* name;
  const char* help;
  const double* parameters;
};

// A weight of an environment's own policy: from which observation to which component of the action.
struct PolicyWeightSpec {
  int observation, action;
};

// A policy of few weights that an environment brings with it: linear, and all but these weights are
// fixed, at 0, and at `constants` beside them.
struct OwnPolicySpec {
  int n_weights;
  const PolicyWeightSpec* weights;  // [n_weights]
  const double* constants;          // [A]
};

struct EnvironmentSpec {
  const char* name;
  const char* aliases;      // separated by commas
  const char* source;       // what it reproduces, with version
  int time_limit;           // steps until truncation, 0 for none
  double reward_threshold;  // NaN where the reference names none
  SpaceKind observation_kind;
  SpaceKind action_kind;
  int observation_capacity;
  int action_capacity;
  const ComponentSpec* observation;  // [observation_capacity], or null for an index
  const ComponentSpec* action;       // [action_capacity], or null for discrete actions
  int n_state;
  const char* const* state_names;  // [n_state]
  int n_given_state;               // the first components, which determine the others
  int n_terms;                     // what a step tells beside its reward, in trace alone
  const char* const* term_names;   // [n_terms]
  int n_parameters;
  const ParameterSpec* parameters;  // [n_parameters]
  bool long_steps;                  // a step is thousands of instructions
  int table_capacity;               // floats of a shared table, 0 for none
  // Sizes that this batch's parameters [n_parameters] and table choose; null where they are
  // constant.
  Sizes (*sizes)(const double* parameters);
  // Fills the shared table [table_capacity] of an environment that has one, from the built-in
  // problem.
  void (*default_table)(float* table);
  const Skeleton* skeleton;  // of an articulated body, else null
  // What component k of a state can hold, as the host checks it; null where all that is finite.
  StateRange (*state_range)(int k, const Sizes& sizes);
  int n_intervals;
  const IntervalSpec* intervals;  // [n_intervals]
  double time_step = 0;           // seconds between two steps, 0 where there is no such number
  int time_step_parameter = -1;   // the parameter that holds it, negative where none does
  int n_controllers = 0;
  const ControllerSpec* controllers = nullptr;  // [n_controllers]
  OwnPolicySpec own_policy = {};                // without weights where there is none
  // The parameter that chooses what is observed: 0 what controllers read, 1 what the own policy
  // does. Negative where both read the same.
  int observation_parameter = -1;
  // Why steps have no derivatives to learn by; null where they do (kSmooth).
  const char* not_smooth = nullptr;
};

}  // namespace gallop
