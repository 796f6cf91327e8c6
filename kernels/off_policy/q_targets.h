// What a Q network is fitted to.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/numerics/math.h>

namespace gallop {

// target = reward_scale r + gamma (1 - terminated) (Q - alpha log pi) for n transitions, where Q is
// that of the next observation and action, the lower one of two where q2 is given (Fujimoto et al.,
// arXiv:1802.09477v3, eq. 10), and the second term is there where log_alpha is (Haarnoja et al.,
// arXiv:1812.05905v2, eq. 6). A value error where only one of log_prob and log_alpha is given.
// Returns before it is done. No random numbers.
struct QTargetsRequest {
  long n;
  const float* reward;      // [n]
  const float* terminated;  // [n] 1 or 0
  const float* q1;          // [n]
  const float* q2;          // [n] or null
  const float* log_prob;    // [n] or null
  const float* log_alpha;   // [1] or null
  float gamma, reward_scale;
  float* target;  // [n]
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

inline const char* refusal(const QTargetsRequest& r) {
  if ((r.log_prob == nullptr) == (r.log_alpha == nullptr)) return nullptr;
  return "q_targets: log_prob and log_alpha do not fit each other; expected both or none";
}

template <class F>
GALLOP_HD void q_target_lanes(const QTargetsRequest& r, long i, int count) {
  F q = load_lanes(r.q1 + i, count, F());
  if (r.q2 != nullptr) q = min(q, load_lanes(r.q2 + i, count, F()));
  if (r.log_alpha != nullptr) {
    q = fmadd(-exp(F(*r.log_alpha)), load_lanes(r.log_prob + i, count, F()), q);
  }
  const F goes_on = F(1.0f) - load_lanes(r.terminated + i, count, F());
  const F reward = F(r.reward_scale) * load_lanes(r.reward + i, count, F());
  store_lanes(r.target + i, fmadd(F(r.gamma) * goes_on, q, reward), count);
}

template <class F>
void q_targets(const QTargetsRequest& r, const CpuWork& on) {
  split_registers<F>(on, r.n, 4096, [&](long i, int count) { q_target_lanes<F>(r, i, count); });
}

}  // namespace gallop::inline GALLOP_ISA
