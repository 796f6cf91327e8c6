// A tabular Markov decision process of up to 64 states and 16 actions, read from the shared table
// (kernels/environment/mdp_table.h). The built-in one has three states, two actions and four steps;
// its return, gradients and estimator variances are known by enumeration of its 625 trajectories.
#pragma once

#include <gallop/kernels/environment/contract.h>
#include <gallop/kernels/environment/mdp_table.h>
#include <gallop/kernels/environment/three_state_mdp.h>

namespace gallop::inline GALLOP_ISA {

struct Mdp {
  static constexpr const char* kName = "mdp";
  static constexpr const char* kAliases = "";
  static constexpr const char* kSource = "tabular Markov decision process with exact answers";
  static constexpr int kTimeLimit = 4;
  static constexpr int kNumStates = MdpTable::kStates;
  static constexpr int kNumActions = MdpTable::kActions;
  static constexpr int kTableCapacity = kMdpTableCapacity;
  static constexpr const char* kStateNames[] = {"state"};
  static constexpr ParameterSpec kParameters[] = {
      {"n_states", 3, 1, kNumStates, "", "number of states, as the table has it", true},
      {"n_actions", 2, 1, kNumActions, "", "number of actions, as the table has it", true}};

  template <class F>
  struct Parameters {
    F n_states, n_actions;
  };
  template <class F>
  struct State {
    F state;
  };

  static Sizes sizes(const double* parameters) { return {int(parameters[0]), int(parameters[1])}; }
  static StateRange state_range(int, const Sizes& sizes) {
    return {0, sizes.observation - 1.0, true};
  }

  static void default_table(float* table) {
    using BuiltIn = ThreeStateMdp;
    const MdpTable layout = {3, 2};
    for (int s = 0; s < 3; s++) {
      for (int a = 0; a < 2; a++) {
        const int row = s * 2 + a;
        write_cumulative(BuiltIn::kTransitions[s][a], 3, table + layout.cumulative() + row * 3);
        table[layout.reward() + row] = float(BuiltIn::kRewards[s][a]);
      }
      table[layout.terminal() + s] = 0;
    }
    write_cumulative(BuiltIn::kStart, 3, table + layout.start());
  }

  // The smallest k with u < cumulative[k], by bisection: branch-free, the same six reads a lane.
  template <class F>
  static GALLOP_HD Int<F> invert(const float* table, Int<F> row, int n, F u) {
    Int<F> below(0);  // entries that are <= u
    const Int<F> last(n - 1);
    GALLOP_UNROLL(6)
    for (int stride = MdpTable::kStates / 2; stride > 0; stride /= 2) {
      const Int<F> candidate = below + Int<F>(stride);
      const F entry = gather(table, row + min(candidate - Int<F>(1), last));
      below = select(entry <= u, candidate, below);
    }
    return min(below, last);
  }

  template <class F>
  static GALLOP_HD Int<F> limited(Int<F> index, int n) {
    return max(Int<F>(0), min(index, Int<F>(n - 1)));
  }

  template <class F>
  static GALLOP_HD void reset(const Shared& shared, const Parameters<F>&, State<F>& s,
                              Rng<F>& rng) {
    const MdpTable layout = {shared.sizes.observation, shared.sizes.action};
    s.state =
        to_real(invert<F>(shared.table, Int<F>(layout.start()), layout.n_states, rng.uniform()));
  }

  // States and actions are limited to the table, for no caller may make it read beyond.
  template <class F>
  static GALLOP_HD Outcome<F> step(const Shared& shared, const Parameters<F>&, State<F>& s,
                                   Int<F> action, Rng<F>& rng) {
    const MdpTable layout = {shared.sizes.observation, shared.sizes.action};
    const Int<F> state = limited<F>(to_int(s.state), layout.n_states);
    const Int<F> row = state * Int<F>(layout.n_actions) + limited<F>(action, layout.n_actions);
    const F reward = gather(shared.table, Int<F>(layout.reward()) + row);
    const Int<F> next =
        invert<F>(shared.table, row * Int<F>(layout.n_states), layout.n_states, rng.uniform());
    const F ends = gather(shared.table, Int<F>(layout.terminal()) + next);
    s.state = to_real(next);
    const Mask<F> terminated = ends > real<F>(0.0);
    return {reward, terminated};
  }

  template <class F>
  static GALLOP_HD void observe(const Shared&, const Parameters<F>&, const State<F>& s,
                                F* observation) {
    observation[0] = s.state;
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(Mdp)
