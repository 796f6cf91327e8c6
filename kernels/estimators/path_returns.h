// Returns of whole paths, for REINFORCE (Williams 1992; the lecture's likelihood ratio gradient):
// every transition of an episode that ended within the rollout is given the episode's discounted
// return
//
//   R = sum_t gamma^t r[t],  t counted from the episode's beginning,
//
// and `complete` says which those are. Row 0 is taken as the beginning of an episode: the rollout
// follows a reset. Episodes that the rollout cuts have no return.
#pragma once

#include <gallop/kernels/estimators/sweep.h>

namespace gallop {

// Real: float, or double where what is computed is to be exact.
template <class Real>
struct PathReturnsRequestOf {
  int n_steps, n_envs;
  Real gamma, reward_scale;
  const Real* reward;              // [T, N]
  const std::uint8_t* terminated;  // [T, N]
  const std::uint8_t* truncated;   // [T, N]
  Real* path_return;               // [T, N] R where complete, else 0
  std::uint8_t* complete;          // [T, N]
};
using PathReturnsRequest = PathReturnsRequestOf<float>;

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// The discounted rewards of a path so far, and the discount of the next.
template <class F>
struct PathSoFar {
  F sum, discount;

  GALLOP_HD PathSoFar() : sum(0.0f), discount(1.0f) {}
  template <class Real>
  GALLOP_HD void step(const PathReturnsRequestOf<Real>& r, long at, int count) {
    const Mask<F> running =
        load_clear(r.terminated + at, count, F()) & load_clear(r.truncated + at, count, F());
    sum = fmadd(discount, load_lanes(r.reward + at, count, F()) * F(r.reward_scale), sum);
    discount = discount * F(r.gamma);
    store_lanes(r.path_return + at, sum, count);
    sum = zero_unless(running, sum);
    discount = select(running, discount, F(1.0f));
  }
};

// And backwards from its end, where it has one: what the whole of it made.
template <class F>
struct WholePath {
  F path;
  Mask<F> complete;

  GALLOP_HD WholePath() : path(0.0f), complete(path != path) {}
  template <class Real>
  GALLOP_HD void step(const PathReturnsRequestOf<Real>& r, long at, int count) {
    const Mask<F> ended =
        load_mask(r.terminated + at, count, F()) | load_mask(r.truncated + at, count, F());
    path = select(ended, load_lanes(r.path_return + at, count, F()), path);
    complete = complete | ended;
    store_lanes(r.path_return + at, path, count);
    store_mask(r.complete + at, complete, count);
  }
};

template <class F, class Real>
GALLOP_HD void path_returns_of(const PathReturnsRequestOf<Real>& r, int n, int count) {
  PathSoFar<F> so_far;
  for (int t = 0; t < r.n_steps; t++) so_far.step(r, long(t) * r.n_envs + n, count);
  WholePath<F> whole;
  for (int t = r.n_steps - 1; t >= 0; t--) whole.step(r, long(t) * r.n_envs + n, count);
}

constexpr int kPathInstances = 512;

// Row after row of a block of instances, whose states stay in the first cache.
template <class F>
void path_returns(const PathReturnsRequest& r, const CpuWork& on) {
  constexpr int kW = kLanesOf<F>, kRegisters = kPathInstances / kW;
  split(on, r.n_envs, kInstanceGrain, [&](int, long begin, long end) {
    for (long left = begin; left < end; left += kPathInstances) {
      const int n = end - left < kPathInstances ? int(end - left) : kPathInstances;
      PathSoFar<F> so_far[kRegisters];
      WholePath<F> whole[kRegisters];
      const auto row = [&](int t, auto* state) {
        for (int i = 0; i < n; i += kW) {
          state[i / kW].step(r, long(t) * r.n_envs + left + i, n - i < kW ? n - i : kW);
        }
      };
      for (int t = 0; t < r.n_steps; t++) row(t, so_far);
      for (int t = r.n_steps - 1; t >= 0; t--) row(t, whole);
    }
  });
}

}  // namespace gallop::inline GALLOP_ISA
