// What a rollout records, as plain pointers: time-major, instances contiguous. Element t of every
// array belongs to transition t. Null pointers are not recorded.
#pragma once

#include <gallop/kernels/numerics/platform.h>

namespace gallop {

struct Trajectory {
  int n_steps;               // T
  int n_envs;                // N
  float* observation;        // [T + 1, O, N] row t is what the policy saw; row T ends the rollout
  float* action;             // [T, A, N] as the policy gave it, unclipped; an index for a category
  float* log_prob;           // [T, N] of that action
  float* reward;             // [T, N]
  std::uint8_t* terminated;  // [T, N]
  std::uint8_t* truncated;   // [T, N] both flags may be set
  float* final_observation;  // before the reset, rows as final_row() has them
  float* ended_return;       // [T, N] return of the episode; written where one ended
  std::int32_t* ended_length;  // [T, N] its length; written where one ended
  // [N] return and length of the first episode to end, written where the length is 0 before; both
  // or neither.
  float* first_return = nullptr;
  std::int32_t* first_length = nullptr;
  // [T + 1, S, N] row t is where step t begins; row T ends the rollout. On a device with it kernels
  // run that have no width of a network compiled in.
  float* state = nullptr;
  // Steps that share a row of final_observation. One: it is [T, O, N], written where an episode
  // ended. More, at most the time limit: it is [ceil(T / interval), O, N], written where an episode
  // was cut off (truncated), which happens to an instance at most once in so many steps.
  int final_interval = 1;
  int first_step = 0;  // of the rollout that this is a part of, where rows are shared
};

// The row of final_observation of step t.
GALLOP_HD long final_row(const Trajectory& r, int t) {
  return unsigned(r.first_step + t) / unsigned(r.final_interval);
}

// Steps [first, first + count) of a rollout of `observation`, `action` and `state` floats an
// instance.
inline Trajectory steps_of(const Trajectory& whole, int first, int count, long observation,
                           long action, long state) {
  Trajectory part = whole;
  const long rows = long(first) * whole.n_envs;
  const auto advance = [](auto*& array, long by) {
    if (array != nullptr) array += by;
  };
  part.n_steps = count;
  advance(part.observation, rows * observation);
  advance(part.action, rows * action);
  advance(part.log_prob, rows);
  advance(part.reward, rows);
  advance(part.terminated, rows);
  advance(part.truncated, rows);
  if (whole.final_interval == 1) {
    advance(part.final_observation, rows * observation);
  } else {
    part.first_step += first;
  }
  advance(part.ended_return, rows);
  advance(part.ended_length, rows);
  advance(part.state, rows * state);
  return part;
}

inline bool records_nothing(const Trajectory& t) {
  return t.observation == nullptr && t.action == nullptr && t.log_prob == nullptr &&
         t.reward == nullptr && t.terminated == nullptr && t.truncated == nullptr &&
         t.final_observation == nullptr && t.ended_return == nullptr && t.ended_length == nullptr &&
         t.state == nullptr;
}

}  // namespace gallop
