// A step of a learned model for n instances side by side:
//
//   s' = s + mean + scale f(s, u) + sigma w,  r = mean_r + scale_r f_r(s, u),  w from N(0, I)
//
// where f are the outputs of a network that predicts changes of the observation and rewards,
// normalised.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/dynamics/transitions.h>
#include <gallop/kernels/random/stream.h>

namespace gallop {

// Random numbers: purpose kRandomModel, id first_id + i, the episode and the step given, two words
// for two components of w. Returns before it is done.
struct ModelStepRequest {
  long n;
  int observation_rows;
  const float* output;  // [O + 1, n] of the network
  const float* mean;    // [O + 1]
  const float* scale;   // [O + 1]
  const float* noise;   // sigma [O], or null for none
  std::uint64_t seed;
  std::uint32_t first_id, episode, step;
  const float* observation;  // [O, n]
  float* next;               // [O, n]
  float* next_input;         // [O, n] the same once more, or null
  float* reward;             // [n]
};

// to = min(high, max(low, action)), component by component.
struct ClipActionsRequest {
  long n;
  int action_rows;
  const float* action;      // [A, n]
  const float *low, *high;  // [A]
  float* to;                // [A, n]
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// Instances of one register, from number i on.
template <class F>
GALLOP_HD void model_step_lanes(const ModelStepRequest& r, long i, int count) {
  const auto at = [&](const float* from, long k) {
    return load_lanes(from + k * r.n + i, count, F());
  };
  Rng<F> rng(r.seed, kRandomModel, consecutive_words<F>(r.first_id + std::uint32_t(i)),
             Word<F>(r.episode), Word<F>(r.step));
  for (long k = 0; k < r.observation_rows; k++) {
    const F change = fmadd(F(r.scale[k]), at(r.output, k), F(r.mean[k]));
    F next = at(r.observation, k) + change;
    if (r.noise != nullptr) next = fmadd(F(r.noise[k]), rng.normal(), next);
    store_lanes(r.next + k * r.n + i, next, count);
    if (r.next_input != nullptr) store_lanes(r.next_input + k * r.n + i, next, count);
  }
  const long k = r.observation_rows;
  store_lanes(r.reward + i, fmadd(F(r.scale[k]), at(r.output, k), F(r.mean[k])), count);
}

template <class F>
GALLOP_HD void clip_action_lanes(const ClipActionsRequest& r, long i, int count) {
  for (long k = 0; k < r.action_rows; k++) {
    const F action = load_lanes(r.action + k * r.n + i, count, F());
    store_lanes(r.to + k * r.n + i, within(action, F(r.low[k]), F(r.high[k])), count);
  }
}

template <class F>
void model_step(const ModelStepRequest& r, const CpuWork& on) {
  split_registers<F>(on, r.n, kInstanceGrain,
                     [&](long i, int count) { model_step_lanes<F>(r, i, count); });
}
template <class F>
void clip_actions(const ClipActionsRequest& r, const CpuWork& on) {
  split_registers<F>(on, r.n, kInstanceGrain,
                     [&](long i, int count) { clip_action_lanes<F>(r, i, count); });
}

}  // namespace gallop::inline GALLOP_ISA
