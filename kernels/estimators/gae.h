// Generalised advantage estimation over recorded rollouts.
//
//   next_value[t] = terminated[t] ? 0 : truncated[t] ? V(final_obs[t]) : V[t + 1]
//   delta[t]      = r[t] + gamma next_value[t] - V[t]
//   A[t]          = delta[t] + gamma lambda (1 - ended[t]) A[t + 1]
//   ended[t]      = terminated[t] | truncated[t]
//   target[t]     = A[t] + V[t]
//
// Element t of every array belongs to transition t. Two shapes of the same recursion: one
// sequential sweep, and for T >= kGaeScanSteps a scan over chunks of 32 steps whose carries are
// combined in order. Which one runs depends on T alone, so the bits do not depend on the device or
// on N. A benchmark may ask for the other one (GaeWay), whose last bits differ.
//
// Slip: the lecture's Q^(pi, gamma) = E[r + gamma V^pi(s')] needs the discounted V^(pi, gamma).
//
// Source: Schulman, Moritz, Levine, Jordan and Abbeel, arXiv:1506.02438v6, eq. 16.
//
// Verified: against golden sequences, the definition as a sum, and the limits lambda = 0 and 1
// (tests/learning/gae_test.cpp).
#pragma once

#include <gallop/kernels/estimators/sweep.h>

namespace gallop {

constexpr int kGaeScanSteps = 256;
constexpr int kGaeChunk = 32;

enum class GaeWay : int { kByLength, kSequential, kScan };

// Real: float, or double where what is computed is to be exact.
template <class Real>
struct GaeRequestOf {
  int n_steps, n_envs;
  Real gamma, lambda, reward_scale;
  const Real* reward;              // [T, N]
  const std::uint8_t* terminated;  // [T, N]
  const std::uint8_t* truncated;   // [T, N]
  const Real* value;               // [T + 1, N]
  const Real* final_value;         // [T, N] V(final_obs), read where truncated and not terminated
  Real* advantage;                 // [T, N]
  Real* target;                    // [T, N] or null
  GaeWay way;                      // kByLength but for benchmarks
};
using GaeRequest = GaeRequestOf<float>;

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

GALLOP_HD bool gae_scans(const GaeRequest& r) {
  return r.way == GaeWay::kByLength ? r.n_steps >= kGaeScanSteps : r.way == GaeWay::kScan;
}

// The factor of A[t + 1] in A[t].
template <class F, class Real>
GALLOP_HD F gae_factor(const GaeRequestOf<Real>& r, Mask<F> running) {
  return zero_unless(running, F(r.gamma * r.lambda));
}

// delta[t] of a step that leads to `next_value`, zero where the episode is terminated there.
template <class F, class Real>
GALLOP_HD F gae_delta(const GaeRequestOf<Real>& r, F reward, F value, F next_value) {
  return fmadd(F(r.gamma), next_value, reward * F(r.reward_scale)) - value;
}

// delta[t] and the factor of A[t + 1] of a step that leads to `next_value`. `open`: the episode is
// not terminated there; `running`: nor truncated.
template <class F, class Real>
GALLOP_HD void gae_terms(const GaeRequestOf<Real>& r, F reward, F value, F next_value, Mask<F> open,
                         Mask<F> running, F& delta, F& factor) {
  delta = gae_delta(r, reward, value, zero_unless(open, next_value));
  factor = gae_factor<F>(r, running);
}

// The sequential shape for sweep.h: its state is A[t + 1]. At the end of an episode its factor is
// zero; so is, with the same sign, what it is multiplied by there, unless it is not finite.
struct GaeSequence {
  static constexpr int kState = 1, kHeld = 0;
  static GALLOP_HD bool enters(int) { return false; }
  explicit GaeSequence(const GaeRequest&) {}
  GALLOP_HD float factor_of(int) const { return 0.0f; }
  template <class F>
  static GALLOP_HD void enter(F, F*) {}
  static GALLOP_HD void end(float* state) { state[0] = 0.0f * state[0]; }
  template <class F>
  static GALLOP_HD F step(F delta, F weight, F, F* state) {
    return state[0] = fmadd(weight, state[0], delta);  // eq. 16, as a recursion
  }
};

// And the scan: A[t + 1] as if nothing followed the chunk, and the advantage of the first step
// after the chunk, zero from where an episode ended. The product of the weights from t to the end
// of the chunk is then the same for all instances.
struct GaeScan {
  static constexpr int kState = 2, kHeld = 1;
  static GALLOP_HD bool enters(int t) { return t % kGaeChunk == 0; }
  int n_steps;
  float product[kGaeChunk];  // of 1, 2, ... weights
  explicit GaeScan(const GaeRequest& r) : n_steps(r.n_steps) {
    product[0] = r.gamma * r.lambda;
    for (int k = 1; k < kGaeChunk; k++) product[k] = product[k - 1] * (r.gamma * r.lambda);
  }
  GALLOP_HD float factor_of(int t) const {
    const int end = (t / kGaeChunk + 1) * kGaeChunk;
    return product[(end < n_steps ? end : n_steps) - t - 1];
  }
  template <class F>
  static GALLOP_HD void enter(F product, F* state) {
    state[1] = fmadd(product, state[1], state[0]);
    state[0] = F(0.0f);
  }
  static GALLOP_HD void end(float* state) {
    state[0] = 0.0f * state[0];
    state[1] = 0.0f * state[1];
  }
  template <class F>
  static GALLOP_HD F step(F delta, F weight, F product, F* state) {
    state[0] = fmadd(weight, state[0], delta);
    return fmadd(product, state[1], state[0]);
  }
};

// State: the value of the step after, then that of the shape.
template <class Shape, bool kFarArrays>
struct GaeRecursion {
  static constexpr bool kFar = kFarArrays;
  static constexpr int kState = 1 + Shape::kState, kHeld = Shape::kHeld;
  const GaeRequest r;
  const Shape shape = Shape(r);
  const std::uint8_t *const terminated = r.terminated, *const truncated = r.truncated;
  const float* const final_value = r.final_value;
  // Where no targets are asked for, advantages take their place at once.
  float* const target = r.target != nullptr ? r.target : r.advantage;

  GALLOP_HD void begin(long n, float* state) const {
    state[0] = r.value[long(r.n_steps) * r.n_envs + n];
    for (int k = 1; k < kState; k++) state[k] = 0.0f;
  }
  GALLOP_HD float factor_of(int t) const { return shape.factor_of(t); }
  GALLOP_HD bool enters(int t) const { return Shape::enters(t); }
  template <class F>
  GALLOP_HD void enter(F factor, F* state) const {
    Shape::enter(factor, state + 1);
  }
  GALLOP_HD void end(float last, float* state) const {
    state[0] = last;
    Shape::end(state + 1);
  }
  template <class F>
  GALLOP_HD void step(long at, F factor, F* state) const {
    const F value = load_lanes(r.value + at, kLanesOf<F>, F());
    const F delta = gae_delta(r, load_lanes(r.reward + at, kLanesOf<F>, F()), value, state[0]);
    state[0] = value;
    const F advantage = Shape::step(delta, F(r.gamma * r.lambda), factor, state + 1);
    store_result<kFar>(target + at, advantage + value);
    store_result<kFar>(r.advantage + at, advantage);
  }
  GALLOP_HD void fetch(long at) const {
    fetch_elements(r.reward + at, kFlagGroup);
    fetch_elements(r.value + at, kFlagGroup);
    if constexpr (!kFar) {
      fetch_elements<true>(target + at, kFlagGroup);
      fetch_elements<true>(r.advantage + at, kFlagGroup);
    }
  }
};

template <class F, class Shape>
void gae_sweep(const GaeRequest& r, const CpuWork& on) {
  if (is_far(r.n_steps, r.n_envs, 4 * sizeof(float) + 2))
    sweep<F>(GaeRecursion<Shape, true>{r}, r.n_steps, r.n_envs, on);
  else
    sweep<F>(GaeRecursion<Shape, false>{r}, r.n_steps, r.n_envs, on);
}

template <class F>
void gae(const GaeRequest& r, const CpuWork& on) {
  gae_scans(r) ? gae_sweep<F, GaeScan>(r, on) : gae_sweep<F, GaeSequence>(r, on);
}

}  // namespace gallop::inline GALLOP_ISA
