// Runs instances of an environment: counts time, truncates, resets, seeds, keeps the statistics of
// episodes and notices numbers that are not finite. One function each for one F, so for one
// instance on a CUDA thread and for a register of them on the CPU.
#pragma once

#include <gallop/kernels/environment/batch.h>

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

// Puts what the episodes of these instances have drawn into `p`, numbers G of which F are the
// values. Where nothing is drawn that is one comparison.
template <class Env, class F, class G = F>
GALLOP_HD void draw_parameters(const Scenario& scenario, Word<F> id, Word<F> episode,
                               typename Env::template Parameters<G>& p) {
  if (scenario.ranges == nullptr) return;
  GALLOP_UNROLL(32)
  for (int k = 0; k < Traits<Env>::kParameters; k++) {
    if (scenario.ranges[k].draw == ParameterDraw::kNone) continue;
    const G x(drawn_parameter<F>(scenario.ranges, k, scenario.seed, id, episode));
    __builtin_memcpy(reinterpret_cast<char*>(&p) + k * sizeof(G), &x, sizeof(G));
  }
}

// The parameters of the register of instances from number i on, in the episodes that they are in.
template <class Env, class F>
GALLOP_HD void load_parameters(const EnvironmentBatch& batch, int i,
                               typename Env::template Parameters<F>& p) {
  if (batch.parameters_per_instance == 0) {
    broadcast_struct<F>(p, batch.parameters);
  } else {
    load_struct<F>(p, batch.parameters + i, batch.stride, kLanesOf<F>);
  }
  if (batch.ranges == nullptr) return;
  draw_parameters<Env, F>(batch, ids_from<F>(batch.ids, i),
                          load_words(batch.episode + i, kLanesOf<F>, Word<F>()), p);
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
  in.id = ids_from<F>(batch.ids, i);
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

// Begins the first episode (`episode` = 0) or the next one where `mask` is set; `p` become the
// parameters of the episodes that the counters name.
template <class Env, class F>
GALLOP_HD void begin_episode(const Scenario& scenario, typename Env::template Parameters<F>& p,
                             Instances<Env, F>& in, Mask<F> mask) {
  draw_parameters<Env, F>(scenario, in.id, in.episode, p);
  typename Env::template State<F> fresh = in.state;
  Rng<F> rng(scenario.seed, kRandomReset, in.id, in.episode, Word<F>(0u));
  reset<Env, F>(scenario.shared, p, fresh, rng);
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

// Whether x is one of 0 .. n - 1; where it is not, x becomes 0.
template <class F>
GALLOP_HD Mask<F> require_index(int n, F& x) {
  const Mask<F> within = (x >= F(0.0f)) & (x < F(float(n)));
  const F some = select(within, x, F(0.0f));
  const Mask<F> is = within & (floor(some) == x);
  x = select(is, x, F(0.0f));
  return is;
}

// Whether an observation is one, finite numbers or an index, and `also` finite.
template <class Env, class F>
GALLOP_HD Mask<F> is_observation(const Shared& shared, const F* x, F also) {
  const Mask<F> finite = all_finite(x, observation_rows<Env>(shared), also);
  if constexpr (Traits<Env>::kIndexObservation) {
    F index = x[0];
    const Mask<F> known = require_index(shared.sizes.observation, index);
    return finite & known;
  } else {
    return finite;
  }
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

// Where `checks`, whether an action is one: an index of the action space, or finite numbers. An
// index that is none becomes 0. Then limits a continuous one where `clip`.
template <class Env, class F>
GALLOP_HD Mask<F> take_action(const Shared& shared, bool checks, bool clip, F* action) {
  Mask<F> is_action = F(0.0f) == F(0.0f);
  if constexpr (Traits<Env>::kDiscreteAction) {
    if (checks) is_action = require_index(shared.sizes.action, action[0]);
  } else {
    if (checks) is_action = all_finite(action, Traits<Env>::kActionRows, F(0.0f));
    if (clip) clip_action<Env, F>(action);
  }
  return is_action;
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
  F terms[Traits<Env>::kTerms + 1];                    // what the environment tells of the step
};

// Whether the episode of an instance has ended and no other one has begun, after a step.
template <class M>
GALLOP_HD M is_ended(ResetMode mode, M was_ended, M ended) {
  return mode == ResetMode::kDisabled ? was_ended | ended : ended;
}

// One step of a register of instances and the reset that the mode asks for. Instances that had
// ended, `was_ended`, are not stepped, with reward 0 and both flags false: in next-step mode they
// are reset, with resets disabled they stand still; the other modes do not read it. `action` [A].
// Where `mode` is a constant, the others cost nothing. `p` are the parameters of the episodes,
// before and after.
template <class Env, class F>
GALLOP_HD void advance(const Scenario& scenario, typename Env::template Parameters<F>& p,
                       Instances<Env, F>& in, ResetMode mode, Mask<F> was_ended, const F* action,
                       Transition<Env, F>& out) {
  const bool may_wait = mode == ResetMode::kNextStep || mode == ResetMode::kDisabled;
  Instances<Env, F> before;
  if (may_wait) before = in;
  Rng<F> rng(scenario.seed, kRandomDynamics, in.id, in.episode, to_word(in.elapsed));
  const Outcome<F> outcome = step<Env, F>(scenario.shared, p, in.state, action, rng, out.terms);
  out.reward = outcome.reward;
  out.terminated = outcome.terminated;
  in.elapsed = in.elapsed + Int<F>(1);
  in.episode_return = in.episode_return + outcome.reward;
  const Int<F> limit(scenario.time_limit > 0 ? scenario.time_limit : 0x7fffffff);
  out.truncated = in.elapsed >= limit;
  if (may_wait && any(was_ended)) {
    if (mode == ResetMode::kNextStep) {
      before.episode = before.episode + to_word(mask_to_int<F>(was_ended));
      begin_episode<Env, F>(scenario, p, before, was_ended);
    }
    in.state = select_struct<F>(was_ended, before.state, in.state);
    in.episode = before.episode;
    in.elapsed = select(was_ended, before.elapsed, in.elapsed);
    in.episode_return = select(was_ended, before.episode_return, in.episode_return);
    for (int k = 0; k < Traits<Env>::kTerms; k++) {
      out.terms[k] = select(was_ended, F(0.0f), out.terms[k]);
    }
    out.reward = select(was_ended, F(0.0f), out.reward);
    out.terminated = out.terminated & !was_ended;
    out.truncated = out.truncated & !was_ended;
  }
  out.ended = out.terminated | out.truncated;
  out.ended_return = in.episode_return;
  out.ended_length = in.elapsed;
  constexpr int kRows = Traits<Env>::kObservationRows;
  observe<Env, F>(scenario.shared, p, in.state, out.observation);
  out.finite = is_observation<Env, F>(scenario.shared, out.observation, out.reward);
  if (any(out.ended)) {
    for (int k = 0; k < kRows; k++) out.final_observation[k] = out.observation[k];
    if (mode == ResetMode::kSameStep) {
      in.episode = in.episode + to_word(mask_to_int<F>(out.ended));
      begin_episode<Env, F>(scenario, p, in, out.ended);
      observe<Env, F>(scenario.shared, p, in.state, out.observation);
    }
  }
}

// Spoils the rewards of instances whose action was none, after `advance` in any mode.
template <class Env, class F>
GALLOP_HD void spoil(Mask<F> was_action, ResetMode mode, Instances<Env, F>& in,
                     Transition<Env, F>& out) {
  const F nan = F(__builtin_nanf(""));
  const Mask<F> begins_anew = mode == ResetMode::kSameStep ? out.ended : F(0.0f) != F(0.0f);
  const Mask<F> kept = was_action | begins_anew;
  out.reward = select(was_action, out.reward, nan);
  out.ended_return = select(was_action, out.ended_return, nan);
  out.finite = out.finite & was_action;
  in.episode_return = select(kept, in.episode_return, nan);
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
