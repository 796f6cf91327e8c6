// Adjoints of a recorded rollout, one step backwards at a time: how much what is earned from a step
// on changes with the state that it began in and with the action that it took. Around the
// derivatives of the step itself (rollout/pull_back.h, or differences of steps): begin_adjoint
// makes adjoints of what the step gave, end_adjoint looks at those of what it took.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/numerics/math.h>

namespace gallop {

// A longer adjoint, whose square is at the end of what a float holds, has exploded.
constexpr float kGreatestAdjoint = 1e18f;

// Step t of a rollout; arrays of the rollout are its rows t. Adjoints are of the sum over the paths
// of the rollout of
//
//   sum over the steps i of a path of  discount[i] reward_scale R,  and  discount[n] V(o)
//
// where a path is what lies between two resets or ends of the rollout, i counts its steps from 0 to
// n - 1, and V, whose derivative is `tail`, values the observation o after the path's last step if
// that was no termination. What begins with a reset does not depend on what came before it.
//
// An adjoint that is not finite, or too great (kGreatestAdjoint), is noted and stays as it is.
// Returns before it is done. Strict: the same bits on every backend and for any number of threads.
// No random numbers.
struct AdjointRequest {
  int n_envs, state_rows, observation_rows, action_rows;
  int step;                          // t
  int cuts;                          // 1: the rollout ended with this step
  const std::uint8_t* terminated;    // [N]
  const std::uint8_t* truncated;     // [N]
  const std::int32_t* ended_length;  // [N] read where the episode ended
  const float* discount;             // [T + 1]
  float reward_scale;
  const float* tail;  // [O, N] dV/do, read where a path ends without a termination; null for V = 0
  float limit;        // a longer adjoint of a state is shortened to this length; 0 for none
  // begin_adjoint takes the counters after the step, and leaves those where it began.
  std::uint32_t* episode;  // [N]
  std::int32_t* elapsed;   // [N]
  // begin_adjoint takes adjoints of the state and the observation after the step as later steps
  // have them, and leaves those of what the step gave; the reward's are added.
  float* reward_adjoint;       // [N]
  float* state_adjoint;        // [S, N]
  float* observation_adjoint;  // [O, N]
  // Read by end_adjoint, which takes those of the state where the step began in state_adjoint.
  const float* action_adjoint;  // [A, N]
  std::uint32_t* exploded;      // [N] t + 1 of the last step whose adjoint was noted, 0 for none
  std::uint32_t* exploded_any;  // [1] not 0 once any was
};

// One component of the state or the action where a step began: its adjoint by the central
// difference of what two steps gave, from the component more and less by 1 / (2 scale).
struct DifferenceAdjointRequest {
  int n_envs, state_rows, observation_rows;
  long state_stride;
  const float* state[2];        // [S, state_stride] after the step with more, and with less
  const float* observation[2];  // [O, N]
  const float* reward[2];       // [N]
  // Adjoints of what the step gave.
  const float* reward_adjoint;       // [N]
  const float* state_adjoint;        // [S, N]
  const float* observation_adjoint;  // [O, N]
  float scale;
  float* adjoint;  // [N]
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

template <class F>
GALLOP_HD void begin_adjoint_lanes(const AdjointRequest& r, long i, int count) {
  const long n = r.n_envs;
  const F zero(0.0f);
  const Mask<F> terminated = load_mask(r.terminated + i, count, F());
  const Mask<F> ended = terminated | load_mask(r.truncated + i, count, F());
  const Mask<F> over = ended | mask_of<F>(r.cuts != 0), valued = over & !terminated;
  const Int<F> length = load_words(r.ended_length + i, count, Int<F>());
  const Int<F> after = load_words(r.elapsed + i, count, Int<F>());
  const Int<F> elapsed = select(ended, length, after) - Int<F>(1);
  const Word<F> episode = load_words(r.episode + i, count, Word<F>());
  store_words(r.elapsed + i, elapsed, count);
  store_words(r.episode + i, episode - to_word(mask_to_int<F>(ended)), count);
  // A path begins with the episode, or with the rollout.
  const Int<F> place = max(min(elapsed, Int<F>(r.step)), Int<F>(0));
  store_lanes(r.reward_adjoint + i, gather(r.discount, place) * F(r.reward_scale), count);
  const F weight = gather(r.discount, place + Int<F>(1));
  for (int k = 0; k < r.state_rows; k++) {
    float* const at = r.state_adjoint + k * n + i;
    store_lanes(at, select(over, zero, load_lanes(at, count, F())), count);
  }
  for (int k = 0; k < r.observation_rows; k++) {
    float* const at = r.observation_adjoint + k * n + i;
    F tail = zero;
    if (r.tail != nullptr) tail = weight * load_lanes(r.tail + k * n + i, count, F());
    const F last = select(valued, tail, zero);
    store_lanes(at, select(over, last, load_lanes(at, count, F())), count);
  }
}

template <class F>
GALLOP_HD F column_squares(const float* x, int rows, long n, int count) {
  F sum(0.0f);
  for (int k = 0; k < rows; k++) {
    const F value = load_lanes(x + k * n, count, F());
    sum = fmadd(value, value, sum);
  }
  return sum;
}

GALLOP_HD void note_exploded(const AdjointRequest& r, long i) {
  if (r.exploded[i] != 0) return;
  r.exploded[i] = std::uint32_t(r.step) + 1;
#if GALLOP_ON_DEVICE
  *r.exploded_any = 1u;
#else
  __atomic_store_n(r.exploded_any, 1u, __ATOMIC_RELAXED);
#endif
}

template <class F>
GALLOP_HD void end_adjoint_lanes(const AdjointRequest& r, long i, int count) {
  const long n = r.n_envs;
  const F squares = column_squares<F>(r.state_adjoint + i, r.state_rows, n, count);
  const F length = sqrt(squares);
  if (r.limit > 0.0f) {
    const F factor = select(length > F(r.limit), F(r.limit) / length, F(1.0f));
    for (int k = 0; k < r.state_rows; k++) {
      float* const at = r.state_adjoint + k * n + i;
      store_lanes(at, load_lanes(at, count, F()) * factor, count);
    }
  }
  const F of_action = sqrt(column_squares<F>(r.action_adjoint + i, r.action_rows, n, count));
  const F most(kGreatestAdjoint);
  const Mask<F> is_fine = (length <= most) & (of_action <= most);  // NaN is not
  if (all(is_fine)) return;
  std::uint8_t flags[kLanesOf<F>];
  store_mask(flags, is_fine, kLanesOf<F>);
  for (int lane = 0; lane < count; lane++) {
    if (flags[lane] == 0) note_exploded(r, i + lane);
  }
}

template <class F>
GALLOP_HD void difference_adjoint_lanes(const DifferenceAdjointRequest& r, long i, int count) {
  const auto change = [&](const float* const(&of)[2], long at) {
    return load_lanes(of[0] + at, count, F()) - load_lanes(of[1] + at, count, F());
  };
  F sum = load_lanes(r.reward_adjoint + i, count, F()) * change(r.reward, i);
  for (int k = 0; k < r.state_rows; k++) {
    const F by = load_lanes(r.state_adjoint + long(k) * r.n_envs + i, count, F());
    sum = fmadd(by, change(r.state, k * r.state_stride + i), sum);
  }
  for (int k = 0; k < r.observation_rows; k++) {
    const long at = long(k) * r.n_envs + i;
    sum = fmadd(load_lanes(r.observation_adjoint + at, count, F()), change(r.observation, at), sum);
  }
  store_lanes(r.adjoint + i, sum * F(r.scale), count);
}

template <class F>
void begin_adjoint(const AdjointRequest& r, const CpuWork& on) {
  split_registers<F>(on, r.n_envs, kInstanceGrain,
                     [&](long i, int count) { begin_adjoint_lanes<F>(r, i, count); });
}
template <class F>
void end_adjoint(const AdjointRequest& r, const CpuWork& on) {
  split_registers<F>(on, r.n_envs, kInstanceGrain,
                     [&](long i, int count) { end_adjoint_lanes<F>(r, i, count); });
}
template <class F>
void difference_adjoint(const DifferenceAdjointRequest& r, const CpuWork& on) {
  split_registers<F>(on, r.n_envs, kInstanceGrain,
                     [&](long i, int count) { difference_adjoint_lanes<F>(r, i, count); });
}

}  // namespace gallop::inline GALLOP_ISA
