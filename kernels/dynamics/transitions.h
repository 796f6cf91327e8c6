// Recorded transitions as a learner of dynamics keeps them: a ring of rows, one row a step of N
// instances. A transition has the number t * N + n, t being its row.
#pragma once

#include <gallop/kernels/device/cpu_work.h>

namespace gallop {

// Takes a rollout of T steps into rows of the ring.
//
// `input` is what a model sees: the observation, and the action as the environment takes it, within
// its bounds. `next` is the observation that the step led to, before a reset. `continues` is 0
// where the step ended in a terminal state, else 1; `cut` is 1 where the next row goes on from
// elsewhere: where an episode ended, and in the last row. No random numbers.
struct KeepTransitionsRequest {
  int n_steps, n_envs, observation_rows, action_rows;
  const float* observation;        // [T + 1, O, N]
  const float* action;             // [T, A, N]
  const float* final_observation;  // [T, O, N], read where an episode ended
  const std::uint8_t* terminated;  // [T, N]
  const std::uint8_t* truncated;   // [T, N]
  const float *low, *high;         // [A] bounds of the actions
  float* input;                    // [T, O + A, N]
  float* next;                     // [T, O, N]
  float* continues;                // [T, N]
  float* cut;                      // [T, N]
};

// What a model is to predict, normalised: ((next - observation, reward) - mean) * inverse_scale.
struct ModelTargetsRequest {
  int n_steps, n_envs, observation_rows, action_rows;
  const float* input;          // [T, O + A, N]
  const float* next;           // [T, O, N]
  const float* reward;         // [T, N]
  const float* mean;           // [O + 1]
  const float* inverse_scale;  // [O + 1]
  float* target;               // [T, O + 1, N]
};

// The first `rows` of `all_rows` components of chosen transitions, or of those that followed them
// `later` rows after; behind the last row of the ring comes the first.
struct GatherRequest {
  const float* from;  // [T, all_rows, N]
  int n_steps, n_envs, all_rows, rows;
  const std::uint32_t* chosen;  // [n] numbers of transitions, below T N
  int later;
  long n;
  float* to;  // [rows, n]
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

template <class F>
GALLOP_HD F within(F x, F low, F high) {
  return min(high, max(low, x));
}

// Row and instance of a transition, whose number has 32 bits.
struct TransitionPlace {
  long t, n;
  GALLOP_HD TransitionPlace(long i, int n_envs)
      : t(long(std::uint32_t(i) / std::uint32_t(n_envs))),
        n(long(std::uint32_t(i) % std::uint32_t(n_envs))) {}
};

// Of transition i.
GALLOP_HD void keep_transition(const KeepTransitionsRequest& r, long i) {
  const TransitionPlace at(i, r.n_envs);
  const long n_envs = r.n_envs, t = at.t, n = at.n;
  const long o_rows = r.observation_rows, rows = o_rows + r.action_rows;
  const bool ended = r.terminated[i] != 0 || r.truncated[i] != 0;
  const float* const seen = r.observation + t * o_rows * n_envs + n;
  const float* const after =
      ended ? r.final_observation + t * o_rows * n_envs + n : seen + o_rows * n_envs;
  float* const input = r.input + t * rows * n_envs + n;
  float* const next = r.next + t * o_rows * n_envs + n;
  for (long k = 0; k < o_rows; k++) {
    input[k * n_envs] = seen[k * n_envs];
    next[k * n_envs] = after[k * n_envs];
  }
  const float* const action = r.action + t * r.action_rows * n_envs + n;
  for (long k = 0; k < r.action_rows; k++) {
    input[(o_rows + k) * n_envs] = within(action[k * n_envs], r.low[k], r.high[k]);
  }
  r.continues[i] = r.terminated[i] != 0 ? 0.0f : 1.0f;
  r.cut[i] = ended || t + 1 == r.n_steps ? 1.0f : 0.0f;
}

GALLOP_HD void model_target(const ModelTargetsRequest& r, long i) {
  const TransitionPlace at(i, r.n_envs);
  const long n_envs = r.n_envs, t = at.t, n = at.n, o_rows = r.observation_rows;
  const float* const seen = r.input + t * (o_rows + r.action_rows) * n_envs + n;
  const float* const next = r.next + t * o_rows * n_envs + n;
  float* const to = r.target + t * (o_rows + 1) * n_envs + n;
  for (long k = 0; k < o_rows; k++) {
    const float change = next[k * n_envs] - seen[k * n_envs];
    to[k * n_envs] = (change - r.mean[k]) * r.inverse_scale[k];
  }
  to[o_rows * n_envs] = (r.reward[i] - r.mean[o_rows]) * r.inverse_scale[o_rows];
}

GALLOP_HD void gather_transition(const GatherRequest& r, long i) {
  const std::uint32_t id = r.chosen[i], n_envs = std::uint32_t(r.n_envs), row = id / n_envs;
  const long n = long(id - row * n_envs);
  long t = long(row) + r.later;
  while (t >= r.n_steps) t -= r.n_steps;
  for (long k = 0; k < r.rows; k++) {
    r.to[k * r.n + i] = r.from[(t * r.all_rows + k) * long(r.n_envs) + n];
  }
}

template <class Body>
void each_element(const CpuWork& on, long n, const Body& body) {
  split(on, n, 256, [&](int, long begin, long end) {
    for (long i = begin; i < end; i++) body(i);
  });
}

template <class F>
void keep_transitions(const KeepTransitionsRequest& r, const CpuWork& on) {
  each_element(on, long(r.n_steps) * r.n_envs, [&](long i) { keep_transition(r, i); });
}
template <class F>
void model_targets(const ModelTargetsRequest& r, const CpuWork& on) {
  each_element(on, long(r.n_steps) * r.n_envs, [&](long i) { model_target(r, i); });
}
template <class F>
void gather_transitions(const GatherRequest& r, const CpuWork& on) {
  each_element(on, r.n, [&](long i) { gather_transition(r, i); });
}

}  // namespace gallop::inline GALLOP_ISA
