// What a thread reads of several recorded steps of one instance at once.
#pragma once

#include <gallop/kernels/numerics/scalar.h>

namespace gallop::inline GALLOP_ISA {

// Of kSteps steps from step `first` on. The last step stands for those beyond it.
template <int kSteps>
struct RecordedSteps {
  float reward[kSteps];
  std::uint8_t terminated[kSteps], truncated[kSteps];

  // Calls also(k, at) for the k-th step, whose element of the arrays is `at`.
  template <class Request, class Also>
  GALLOP_HD void load_with(const Request& r, int first, long i, const Also& also) {
    GALLOP_UNROLL(16)
    for (int k = 0; k < kSteps; k++) {
      const int t = first + k < r.n_steps ? first + k : r.n_steps - 1;
      const long at = long(t) * r.n_envs + i;
      terminated[k] = r.terminated[at];
      truncated[k] = r.truncated[at];
      reward[k] = r.reward[at];
      also(k, at);
    }
  }

  GALLOP_HD bool is_open(int k) const { return terminated[k] == 0; }
  GALLOP_HD bool is_running(int k) const { return (terminated[k] | truncated[k]) == 0; }
  GALLOP_HD bool is_cut(int k) const { return is_open(k) && !is_running(k); }
};

}  // namespace gallop::inline GALLOP_ISA
