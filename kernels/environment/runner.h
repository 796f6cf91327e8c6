// Runs instances of an environment: counts time, truncates, resets, seeds, keeps the statistics of
// episodes and notices numbers that are not finite. One function each for one F, so for one
// instance on a CUDA thread and for a register of them on the CPU.
#pragma once

#include "kernels/environment/batch.h"

namespace gallop::inline GALLOP_ISA {

// The words of State<F> and Parameters<F> one by one: both are structs of nothing but F.
template <class F, class Struct>
GALLOP_HD void load_struct(Struct& s, const float* from, long stride, int count) {
  constexpr int n = sizeof(Struct) / sizeof(F);
  GALLOP_UNROLL(32)
  for (int k = 0; k < n; k++) {
    const F x = load_lanes(from + k * stride, count, F());
    __builtin_memcpy(reinterpret_cast<char*>(&s) + k * sizeof(F), &x, sizeof(F));
  }
}
template <class F, class Struct>
GALLOP_HD void store_struct(const Struct& s, float* to, long stride, int count) {
  constexpr int n = sizeof(Struct) / sizeof(F);
  GALLOP_UNROLL(32)
  for (int k = 0; k < n; k++) {
    F x;
    __builtin_memcpy(&x, reinterpret_cast<const char*>(&s) + k * sizeof(F), sizeof(F));
    store_lanes(to + k * stride, x, count);
  }
}
// a where the mask is set, else b.
template <class F, class Struct>
GALLOP_HD Struct select_struct(Mask<F> mask, const Struct& a, const Struct& b) {
  constexpr int n = sizeof(Struct) / sizeof(F);
  Struct r;
  GALLOP_UNROLL(32)
  for (int k = 0; k < n; k++) {
    F x, y;
    __builtin_memcpy(&x, reinterpret_cast<const char*>(&a) + k * sizeof(F), sizeof(F));
    __builtin_memcpy(&y, reinterpret_cast<const char*>(&b) + k * sizeof(F), sizeof(F));
    x = select(mask, x, y);
    __builtin_memcpy(reinterpret_cast<char*>(&r) + k * sizeof(F), &x, sizeof(F));
  }
  return r;
}
template <class F, class Struct>
GALLOP_HD void broadcast_struct(Struct& s, const float* from) {
  constexpr int n = sizeof(Struct) / sizeof(F);
  GALLOP_UNROLL(32)
  for (int k = 0; k < n; k++) {
    const F x(from[k]);
    __builtin_memcpy(reinterpret_cast<char*>(&s) + k * sizeof(F), &x, sizeof(F));
  }
}

// One register of instances in flight.
template <class Env, class F>
struct Instances {
  typename Env::template State<F> state;
  Word<F> id, episode;
  Int<F> elapsed;
  F episode_return;
};

template <class Env, class F>
GALLOP_HD void load_instances(const EnvironmentBatch& batch, int i, Instances<Env, F>& in) {
  // Rows are padded to `stride`, so whole registers can be read even past n_envs.
  load_struct<F>(in.state, batch.state + i, batch.stride, kLanesOf<F>);
  in.id = consecutive_words<F>(batch.id_offset + std::uint32_t(i));
  in.episode = load_words(batch.episode + i, kLanesOf<F>, Word<F>());
  in.elapsed = load_words(batch.elapsed + i, kLanesOf<F>, Int<F>());
  in.episode_return = load_lanes(batch.episode_return + i, kLanesOf<F>, F());
}
template <class Env, class F>
GALLOP_HD void store_instances(const EnvironmentBatch& batch, int i, const Instances<Env, F>& in,
                               int count) {
  store_struct<F>(in.state, batch.state + i, batch.stride, count);
  store_words(batch.episode + i, in.episode, count);
  store_words(batch.elapsed + i, in.elapsed, count);
  store_lanes(batch.episode_return + i, in.episode_return, count);
}

// Begins the first episode (`episode` = 0) or the next one where `mask` is set.
template <class Env, class F>
GALLOP_HD void begin_episode(const EnvironmentBatch& batch,
                             const typename Env::template Parameters<F>& p, Instances<Env, F>& in,
                             Mask<F> mask) {
  typename Env::template State<F> fresh = in.state;
  Rng<F> rng(batch.seed, kRandomReset, in.id, in.episode, Word<F>(0u));
  reset<Env, F>(batch.shared, p, fresh, rng);
  in.state = select_struct<F>(mask, fresh, in.state);
  in.elapsed = select(mask, Int<F>(0), in.elapsed);
  in.episode_return = select(mask, F(0.0f), in.episode_return);
}

// All of `x` finite, for n numbers: a sum of 0 * x is NaN unless they are.
template <class F>
GALLOP_HD Mask<F> all_finite(const F* x, int n, F also) {
  F zero = also * F(0.0f);
  for (int k = 0; k < n; k++) zero = fmadd(x[k], F(0.0f), zero);
  return zero == F(0.0f);
}

// Limits continuous actions to the bounds of the action space. NaN stays.
template <class Env, class F, int kComponent = 0>
GALLOP_HD void clip_action(F* action) {
  if constexpr (!Traits<Env>::kDiscreteAction && kComponent < Traits<Env>::kAction) {
    constexpr double low = Env::kAction[kComponent].low, high = Env::kAction[kComponent].high;
    action[kComponent] = min(real<F>(high), max(real<F>(low), action[kComponent]));
    clip_action<Env, F, kComponent + 1>(action);
  }
}

// What one step of a register of instances yields. Both flags may be set; `ended` is their union.
template <class Env, class F>
struct Transition {
  F reward;
  Mask<F> terminated, truncated, ended, finite;
  F ended_return;                                      // of the episode, where one ended
  Int<F> ended_length;                                 // likewise
  F final_observation[Traits<Env>::kObservationRows];  // before any reset
  F observation[Traits<Env>::kObservationRows];        // after it
};

// One step of a register of instances and the reset that the mode asks for. `was_ended` is read in
// next-step mode: instances that ended one step ago are reset instead of stepped, with reward 0 and
// both flags false. `action` [A]. Where `mode` is a constant, the others cost nothing.
template <class Env, class F>
GALLOP_HD void advance(const EnvironmentBatch& batch, const typename Env::template Parameters<F>& p,
                       Instances<Env, F>& in, ResetMode mode, Mask<F> was_ended, const F* action,
                       Transition<Env, F>& out) {
  Instances<Env, F> before;
  if (mode == ResetMode::kNextStep) before = in;
  Rng<F> rng(batch.seed, kRandomDynamics, in.id, in.episode, to_word(in.elapsed));
  const Outcome<F> outcome = step<Env, F>(batch.shared, p, in.state, action, rng);
  out.reward = outcome.reward;
  out.terminated = outcome.terminated;
  in.elapsed = in.elapsed + Int<F>(1);
  in.episode_return = in.episode_return + outcome.reward;
  const Int<F> limit(batch.time_limit > 0 ? batch.time_limit : 0x7fffffff);
  out.truncated = in.elapsed >= limit;
  if (mode == ResetMode::kNextStep && any(was_ended)) {
    before.episode = before.episode + to_word(mask_to_int<F>(was_ended));
    begin_episode<Env, F>(batch, p, before, was_ended);
    in.state = select_struct<F>(was_ended, before.state, in.state);
    in.episode = before.episode;
    in.elapsed = select(was_ended, Int<F>(0), in.elapsed);
    in.episode_return = select(was_ended, F(0.0f), in.episode_return);
    out.reward = select(was_ended, F(0.0f), out.reward);
    out.terminated = out.terminated & !was_ended;
    out.truncated = out.truncated & !was_ended;
  }
  out.ended = out.terminated | out.truncated;
  out.ended_return = in.episode_return;
  out.ended_length = in.elapsed;
  constexpr int kRows = Traits<Env>::kObservationRows;
  const int rows = observation_rows<Env>(batch.shared);
  observe<Env, F>(batch.shared, p, in.state, out.observation);
  out.finite = all_finite(out.observation, rows, out.reward);
  if (any(out.ended)) {
    for (int k = 0; k < kRows; k++) out.final_observation[k] = out.observation[k];
    if (mode == ResetMode::kSameStep) {
      in.episode = in.episode + to_word(mask_to_int<F>(out.ended));
      begin_episode<Env, F>(batch, p, in, out.ended);
      observe<Env, F>(batch.shared, p, in.state, out.observation);
    }
  }
}

// Notes the time at which an instance first met a number that is not finite; sticky.
GALLOP_HD void note_nonfinite(const EnvironmentBatch& batch, int i, std::uint32_t time) {
  if (batch.nonfinite[i] != 0) return;
  batch.nonfinite[i] = time;
#if GALLOP_ON_DEVICE
  *batch.nonfinite_any = 1u;
#else
  __atomic_store_n(batch.nonfinite_any, 1u, __ATOMIC_RELAXED);
#endif
}

}  // namespace gallop::inline GALLOP_ISA
