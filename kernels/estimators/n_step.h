// n-step returns and advantages (Mnih et al., arXiv:1602.01783v2, section 4; the lecture's A3C):
//
//   Q[t] = sum_{i < k} gamma^i r[t + i] + gamma^k V(s[t + k]),   A[t] = Q[t] - V[t]
//
// k is n, or fewer where the episode or the rollout ends before: a terminated episode has no value
// after its last reward, a truncated one that of its final observation, and the end of the rollout
// that of obs[T].
#pragma once

#include <gallop/kernels/estimators/sweep.h>

namespace gallop {

// Real: float, or double where what is computed is to be exact.
template <class Real>
struct NStepRequestOf {
  int n_steps, n_envs;
  int n;  // of the n-step return; at least 1
  Real gamma, reward_scale;
  const Real* reward;              // [T, N]
  const std::uint8_t* terminated;  // [T, N]
  const std::uint8_t* truncated;   // [T, N]
  const Real* value;               // [T + 1, N]
  const Real* final_value;         // [T, N] V(final_obs), read where truncated and not terminated
  Real* advantage;                 // [T, N]
  Real* target;                    // [T, N] Q, or null
};
using NStepRequest = NStepRequestOf<float>;

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// Instances of a block: the rows of a window of five steps stay in the first cache.
constexpr int kWindowInstances = 512;

template <class F, class Real>
GALLOP_HD void n_step_at(const NStepRequestOf<Real>& r, int t, int n, int count) {
  F sum = F(0.0f), discount = F(1.0f);
  Mask<F> running = sum == F(0.0f);
  int last = t;
  for (; last < r.n_steps && last < t + r.n; last++) {
    const long at = long(last) * r.n_envs + n;
    const Mask<F> terminated = load_mask(r.terminated + at, count, F());
    const Mask<F> truncated = load_mask(r.truncated + at, count, F());
    const F reward = load_lanes(r.reward + at, count, F()) * F(r.reward_scale);
    sum = select(running, fmadd(discount, reward, sum), sum);
    discount = discount * F(r.gamma);
    const F final_value = load_lanes(r.final_value + at, count, F());
    const F with_final = select(terminated, sum, fmadd(discount, final_value, sum));
    sum = select(running & truncated, with_final, sum);
    running = running & !(terminated | truncated);
  }
  const long at = long(t) * r.n_envs + n;
  const F after = load_lanes(r.value + long(last) * r.n_envs + n, count, F());
  sum = select(running, fmadd(discount, after, sum), sum);
  store_lanes(r.advantage + at, sum - load_lanes(r.value + at, count, F()), count);
  if (r.target != nullptr) store_lanes(r.target + at, sum, count);
}

// The same for rows of a block of instances, from the last to the first. When the episode of an
// instance ends next, and with which value, stands in rows that change where one ends, which is
// seldom; a window of rewards is then added without a look at flags.
template <class F, bool kFar, bool kScaled>
class NStepRows {
 public:
  static constexpr int kInstances = kFar ? kFarInstances : kWindowInstances;

  // Instances [left, left + n).
  void block(const NStepRequest r, long left, int n) {
    for (int i = 0; i < n; i++) {
      end_[i] = kNever;
      end_value_[i] = end_discount_[i] = 0.0f;
    }
    EndedInstances ended = {instance_, 0};
    long at = long(r.n_steps - 1) * r.n_envs + left;
    ended.find_all(r.terminated + at, r.truncated + at, n);
    for (int t = r.n_steps - 1; t >= 0; t--, at -= r.n_envs) {
      for (int k = 0; k < ended.count; k++) end_episode(r, t, at, ended.instance[k]);
      ended.count = 0;
      if (t > 0) look_ahead(r, at - r.n_envs, n, ended);
      const int steps = r.n_steps - t < r.n ? r.n_steps - t : r.n;
      int i = 0;
      for (; i + kTogether * kW <= n; i += kTogether * kW) {
        windows<F, kTogether>(r, t, steps, at + i, i);
      }
      for (; i + kW <= n; i += kW) windows<F, 1>(r, t, steps, at + i, i);
      for (; i < n; i++) windows<float, 1>(r, t, steps, at + i, i);
    }
  }

 private:
  static constexpr int kW = kLanesOf<F>, kTogether = 8;
  static constexpr std::int32_t kNever = 0x7fffffff;

  // A terminated episode has no value at its end: minus zero changes no sum, not even one of minus
  // zero.
  GALLOP_HD void end_episode(const NStepRequest& r, int t, long row, int i) {
    end_[i] = t;
    end_discount_[i] = 1.0f;
    end_value_[i] = r.terminated[row + i] != 0 ? -0.0f : r.final_value[row + i];
  }

  static GALLOP_HD void look_ahead(const NStepRequest& r, long row, int n, EndedInstances& ended) {
    ended.find_all(r.terminated + row, r.truncated + row, n);
    for (int k = 0; k < ended.count && r.final_value != nullptr; k++) {
      fetch_elements(r.final_value + row + ended.instance[k], 1);
    }
    if constexpr (kFar) {
      fetch_elements(r.reward + row, n);
      fetch_elements(r.value + row, n);
      fetch_elements(r.terminated + row - (row > r.n_envs ? r.n_envs : 0), n);
      fetch_elements(r.truncated + row - (row > r.n_envs ? r.n_envs : 0), n);
    }
  }

  // R registers of instances, or R instances, from number i of the block on.
  template <class G, int R>
  GALLOP_HD void windows(const NStepRequest& r, int t, int steps, long at, int i) {
    constexpr int kL = kLanesOf<G>;
    const std::int32_t* const end = end_ + i;
    const G gamma(r.gamma);
    G sum[R], discount = gamma;
    GALLOP_UNROLL(8)
    for (int e = 0; e < R; e++) sum[e] = fmadd(G(1.0f), reward(r, at + e * kL, G()), G(0.0f));
    long from = at + r.n_envs;
    for (int u = 1; u < steps; u++, from += r.n_envs) {
      GALLOP_UNROLL(8)
      for (int e = 0; e < R; e++) {
        const auto ended = Int<G>(t + u) > load_words(end + e * kL, kL, Int<G>());
        sum[e] = select(ended, sum[e], fmadd(discount, reward(r, from + e * kL, G()), sum[e]));
      }
      discount = discount * gamma;
    }
    float* const target = r.target != nullptr ? r.target : r.advantage;
    GALLOP_UNROLL(8)
    for (int e = 0; e < R; e++) {
      const auto ended = Int<G>(t + steps) > load_words(end + e * kL, kL, Int<G>());
      float* const own = end_discount_ + i + e * kL;
      const G end_discount = load_lanes(own, kL, G()) * gamma;
      store_lanes(own, end_discount, kL);
      const G after = select(ended, load_lanes(end_value_ + i + e * kL, kL, G()),
                             load_lanes(r.value + from + e * kL, kL, G()));
      sum[e] = fmadd(select(ended, end_discount, discount), after, sum[e]);
      const G value = load_lanes(r.value + at + e * kL, kL, G());
      store_result<kFar>(target + at + e * kL, sum[e]);
      store_result<kFar>(r.advantage + at + e * kL, sum[e] - value);
    }
  }

  template <class G>
  static GALLOP_HD G reward(const NStepRequest& r, long at, G) {
    const G x = load_lanes(r.reward + at, kLanesOf<G>, G());
    return kScaled ? x * G(r.reward_scale) : x;
  }

  alignas(64) std::int32_t end_[kInstances + 16];    // the step at which the episode ends next
  alignas(64) float end_value_[kInstances + 16];     // the value of what it leads to
  alignas(64) float end_discount_[kInstances + 16];  // and its discount, at the step after
  std::uint16_t instance_[kInstances + EndedInstances::kAtOnce];
};

template <class F, bool kFar, bool kScaled>
void n_step_rows(const NStepRequest& r, const CpuWork& on) {
  split(on, r.n_envs, kInstanceGrain, [&](int, long begin, long end) {
    NStepRows<F, kFar, kScaled> rows;
    for (long left = begin; left < end; left += rows.kInstances) {
      rows.block(r, left, end - left < rows.kInstances ? int(end - left) : rows.kInstances);
    }
#if defined(__SSE2__)
    if constexpr (kFar) _mm_sfence();
#endif
  });
}

template <class F>
void n_step(const NStepRequest& r, const CpuWork& on) {
  if (r.n_steps <= 0) return;
  const bool far = is_far(r.n_steps, r.n_envs, 4 * sizeof(float) + 2), scaled = r.reward_scale != 1;
  if (far && scaled) return n_step_rows<F, true, true>(r, on);
  if (far) return n_step_rows<F, true, false>(r, on);
  if (scaled) return n_step_rows<F, false, true>(r, on);
  n_step_rows<F, false, false>(r, on);
}

}  // namespace gallop::inline GALLOP_ISA
