// Returns of whole paths, for REINFORCE (Williams 1992; the lecture's likelihood ratio gradient):
// every transition of an episode that ended within the rollout is given the episode's discounted
// return
//
//   R = sum_t gamma^t r[t],  t counted from the episode's beginning,
//
// and `complete` says which those are. Row 0 is taken as the beginning of an episode: the rollout
// follows a reset. Episodes that the rollout cuts have no return.
#pragma once

#include "kernels/numerics/scalar.h"

namespace gallop {

struct PathReturnsRequest {
  int n_steps, n_envs;
  float gamma, reward_scale;
  const float* reward;             // [T, N]
  const std::uint8_t* terminated;  // [T, N]
  const std::uint8_t* truncated;   // [T, N]
  float* path_return;              // [T, N] R where complete, else 0
  std::uint8_t* complete;          // [T, N]
  int begin, end;                  // instances
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

template <class F>
GALLOP_HD void path_returns_of(const PathReturnsRequest& r, int n, int count) {
  F sum = F(0.0f), discount = F(1.0f);
  for (int t = 0; t < r.n_steps; t++) {
    const long at = long(t) * r.n_envs + n;
    const Mask<F> ended =
        load_mask(r.terminated + at, count, F()) | load_mask(r.truncated + at, count, F());
    sum = fmadd(discount, load_lanes(r.reward + at, count, F()) * F(r.reward_scale), sum);
    discount = discount * F(r.gamma);
    store_lanes(r.path_return + at, sum, count);
    sum = select(ended, F(0.0f), sum);
    discount = select(ended, F(1.0f), discount);
  }
  F path = F(0.0f);
  Mask<F> complete = path != path;
  for (int t = r.n_steps - 1; t >= 0; t--) {
    const long at = long(t) * r.n_envs + n;
    const Mask<F> ended =
        load_mask(r.terminated + at, count, F()) | load_mask(r.truncated + at, count, F());
    path = select(ended, load_lanes(r.path_return + at, count, F()), path);
    complete = complete | ended;
    store_lanes(r.path_return + at, path, count);
    store_mask(r.complete + at, complete, count);
  }
}

template <class F>
void path_returns(const PathReturnsRequest& r) {
  constexpr int kW = kLanesOf<F>;
  for (int n = r.begin; n < r.end; n += kW) {
    path_returns_of<F>(r, n, r.end - n < kW ? r.end - n : kW);
  }
}

}  // namespace gallop::inline GALLOP_ISA
