// The arrays of one batch of instances: plain pointers, all on the host or all on one device.
#pragma once

#include <gallop/kernels/environment/contract.h>
#include <gallop/kernels/random/instance_ids.h>

namespace gallop {

// When an instance that ended is reset.
enum class ResetMode : int {
  kSameStep,  // within the step that ends it: the next observation is the new episode's first one
  kNextStep,  // by the next step, which ignores its action, gives reward 0 and both flags false
  kDisabled,  // only by reset(); until then an instance that ended stands still: its action is
              // ignored, its reward 0, both flags false, its observation that of the end
  kByCaller   // within the step, by whoever called advance() and not by itself
};

// What instances live in, apart from the states they are in. `stride` is a multiple of 64 and
// separates the rows of the two-dimensional arrays.
struct Scenario {
  std::uint64_t seed;
  InstanceIds ids;
  int time_limit;  // 0: none
  Shared shared;
  int parameters_per_instance;  // 0: parameters [P]; 1: parameters [P, stride]
  const float* parameters;
  long stride;
};

// N <= stride instances.
struct EnvironmentBatch : Scenario {
  int n_envs;
  float* state;                  // [S, stride]
  std::uint32_t* episode;        // [stride] episodes that this instance has begun, less one
  std::int32_t* elapsed;         // [stride] steps in the current episode
  float* episode_return;         // [stride] sum of rewards in the current episode
  std::uint8_t* ended;           // [stride] the last step ended the episode and no reset came since
  std::uint32_t* nonfinite;      // [stride] time of the first non-finite number, 0 for none: sticky
  std::uint32_t* nonfinite_any;  // [1] not 0 once any instance met one
};

// What a step of instances [begin, end) writes. Element 0 of every row is instance `begin`. Null
// pointers are left out.
struct StepOutput {
  std::uint32_t time;  // steps of this batch since its creation, this one included
  // Whether discrete actions may be anything: of one that is none the instance gets the reward NaN,
  // which is noted as every number that is not finite, and the environment sees action 0.
  int checks_actions;
  float* observation;  // [O, observation_stride] after any reset
  long observation_stride;
  float* final_observation;  // [O, observation_stride] before the reset; written where an episode
                             // ended, or was cut off (final_of_cut)
  float* reward;             // [n]
  std::uint8_t* terminated;  // [n]
  std::uint8_t* truncated;   // [n] both flags may be set
  float* ended_return;       // [n] return and length of the episode, written where one ended
  std::int32_t* ended_length;
  float* first_return;         // [n] the same of the first episode to end, written where
  std::int32_t* first_length;  // [n] first_length is 0 before; null where first_return is
  float* terms;  // [n_terms, observation_stride] what the environment tells of the step (`info`);
                 // zeros where the instance was not stepped
  int final_of_cut = 0;  // 1: final_observation is written only where the episode was truncated
};

}  // namespace gallop
