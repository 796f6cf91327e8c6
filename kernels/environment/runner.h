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

// What one step of a register of instances yields; `ended` is terminated or truncated.
template <class Env, class F>
struct StepResult {
  F reward;
  Mask<F> terminated, truncated, ended, finite;
};

// One step without the reset that may follow it. `action` [A].
template <class Env, class F>
GALLOP_HD StepResult<Env, F> step_instances(const EnvironmentBatch& batch,
                                            const typename Env::template Parameters<F>& p,
                                            Instances<Env, F>& in, const F* action) {
  Rng<F> rng(batch.seed, kRandomDynamics, in.id, in.episode, to_word(in.elapsed));
  const Outcome<F> outcome = step<Env, F>(batch.shared, p, in.state, action, rng);
  StepResult<Env, F> result;
  result.reward = outcome.reward;
  result.terminated = outcome.terminated;
  in.elapsed = in.elapsed + Int<F>(1);
  in.episode_return = in.episode_return + outcome.reward;
  const Int<F> limit(batch.time_limit > 0 ? batch.time_limit : 0x7fffffff);
  result.truncated = in.elapsed >= limit;
  result.ended = result.terminated | result.truncated;
  return result;
}

// All of `x` finite, for n numbers: a sum of 0 * x is NaN unless they are.
template <class F>
GALLOP_HD Mask<F> all_finite(const F* x, int n, F also) {
  F zero = also * F(0.0f);
  for (int k = 0; k < n; k++) zero = fmadd(x[k], F(0.0f), zero);
  return zero == F(0.0f);
}

}  // namespace gallop::inline GALLOP_ISA
