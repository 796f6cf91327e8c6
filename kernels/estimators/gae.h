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

#include "kernels/numerics/scalar.h"

namespace gallop {

constexpr int kGaeScanSteps = 256;
constexpr int kGaeChunk = 32;

enum class GaeWay : int { kByLength, kSequential, kScan };

struct GaeRequest {
  int n_steps, n_envs;
  float gamma, lambda, reward_scale;
  const float* reward;             // [T, N]
  const std::uint8_t* terminated;  // [T, N]
  const std::uint8_t* truncated;   // [T, N]
  const float* value;              // [T + 1, N]
  const float* final_value;        // [T, N] V(final_obs), read where truncated and not terminated
  float* advantage;                // [T, N]
  float* target;                   // [T, N] or null
  int begin, end;                  // instances
  GaeWay way;                      // kByLength but for benchmarks
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// The value that a step leads to, of what is read where the episode ends by truncation, at few
// steps, and of the next step's elsewhere: one load on a device.
template <class F>
GALLOP_HD F value_after(const GaeRequest& r, long at, int count, Mask<F> terminated,
                        Mask<F> truncated) {
  const float *next = r.value + at + r.n_envs, *last = r.final_value + at;
  const Mask<F> cut = truncated & !terminated;
  if constexpr (kLanesOf<F> == 1) {
    return *(any(cut) ? last : next);
  } else {
    const F ordinary = load_lanes(next, count, F());
    return any(cut) ? select(cut, load_lanes(last, count, F()), ordinary) : ordinary;
  }
}

GALLOP_HD bool gae_scans(const GaeRequest& r) {
  return r.way == GaeWay::kByLength ? r.n_steps >= kGaeScanSteps : r.way == GaeWay::kScan;
}

// delta[t] and the factor of A[t + 1], for instances beginning with n.
template <class F>
GALLOP_HD void gae_terms(const GaeRequest& r, int t, int n, int count, F& delta, F& factor) {
  const long at = long(t) * r.n_envs + n;
  const Mask<F> terminated = load_mask(r.terminated + at, count, F());
  const Mask<F> truncated = load_mask(r.truncated + at, count, F());
  const F next_value =
      select(terminated, F(0.0f), value_after<F>(r, at, count, terminated, truncated));
  const F reward = load_lanes(r.reward + at, count, F()) * F(r.reward_scale);
  const F value = load_lanes(r.value + at, count, F());
  delta = fmadd(F(r.gamma), next_value, reward) - value;
  const Mask<F> ended = terminated | truncated;
  factor = select(ended, F(0.0f), F(r.gamma * r.lambda));
}

template <class F>
GALLOP_HD void store_advantage(const GaeRequest& r, int t, int n, int count, F advantage) {
  const long at = long(t) * r.n_envs + n;
  store_lanes(r.advantage + at, advantage, count);
  if (r.target != nullptr) {
    store_lanes(r.target + at, advantage + load_lanes(r.value + at, count, F()), count);
  }
}

// One sweep from the last step to the first.
template <class F>
GALLOP_HD void gae_sequential(const GaeRequest& r, int n, int count) {
  F advantage = F(0.0f);
  for (int t = r.n_steps - 1; t >= 0; t--) {
    F delta, factor;
    gae_terms(r, t, n, count, delta, factor);
    advantage = fmadd(factor, advantage, delta);
    store_advantage(r, t, n, count, advantage);
  }
}

// One chunk of the scan as if nothing followed it: local[k] is A[first + k] without the carry, and
// weight[k] the factor of the carry in it. Steps [first, last).
template <class F>
GALLOP_HD void gae_chunk(const GaeRequest& r, int first, int last, int n, int count, F* local,
                         F* weight) {
  F advantage = F(0.0f), product = F(1.0f);
  for (int t = last - 1; t >= first; t--) {
    F delta, factor;
    gae_terms(r, t, n, count, delta, factor);
    advantage = fmadd(factor, advantage, delta);
    product = product * factor;
    local[t - first] = advantage;
    weight[t - first] = product;
  }
}

template <class F>
GALLOP_HD void gae_scan(const GaeRequest& r, int n, int count) {
  F carry = F(0.0f), local[kGaeChunk], weight[kGaeChunk];
  const int n_chunks = (r.n_steps + kGaeChunk - 1) / kGaeChunk;
  for (int c = n_chunks - 1; c >= 0; c--) {
    const int first = c * kGaeChunk;
    const int last = first + kGaeChunk < r.n_steps ? first + kGaeChunk : r.n_steps;
    gae_chunk(r, first, last, n, count, local, weight);
    for (int t = last - 1; t >= first; t--) {
      store_advantage(r, t, n, count, fmadd(weight[t - first], carry, local[t - first]));
    }
    carry = fmadd(weight[0], carry, local[0]);
  }
}

template <class F>
void gae(const GaeRequest& r) {
  constexpr int kW = kLanesOf<F>;
  for (int n = r.begin; n < r.end; n += kW) {
    const int count = r.end - n < kW ? r.end - n : kW;
    if (gae_scans(r))
      gae_scan<F>(r, n, count);
    else
      gae_sequential<F>(r, n, count);
  }
}

}  // namespace gallop::inline GALLOP_ISA
