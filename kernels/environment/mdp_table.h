// Layout of the shared table of a tabular Markov decision process with n states and m actions:
//
//   cumulative  [n, m, n]  probability of a next state up to and including k, the last one 1
//   reward      [n, m]
//   start       [n]        cumulative probabilities of the initial state, the last one 1
//   terminal    [n]        1 where the episode ends on arrival, else 0
#pragma once

#include <gallop/kernels/numerics/scalar.h>

namespace gallop::inline GALLOP_ISA {

struct MdpTable {
  static constexpr int kStates = 64, kActions = 16;
  int n_states, n_actions;

  GALLOP_HD constexpr int cumulative() const { return 0; }
  GALLOP_HD constexpr int reward() const { return n_states * n_actions * n_states; }
  GALLOP_HD constexpr int start() const { return reward() + n_states * n_actions; }
  GALLOP_HD constexpr int terminal() const { return start() + n_states; }
  GALLOP_HD constexpr int size() const { return terminal() + n_states; }
};

inline constexpr int kMdpTableCapacity = MdpTable{MdpTable::kStates, MdpTable::kActions}.size();

// Writes running sums of `probabilities` [n]; the last one is 1 whatever rounding left.
constexpr void write_cumulative(const double* probabilities, int n, float* to) {
  double sum = 0;
  for (int k = 0; k < n; k++) {
    sum += probabilities[k];
    to[k] = k + 1 < n ? float(sum) : 1.0f;
  }
}

}  // namespace gallop::inline GALLOP_ISA
