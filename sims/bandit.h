// Bandits of one real action, whose gradients are known exactly: an episode is one step, and there
// is nothing to observe but a constant 1.
//
//   bandit       reward -(u - c)^2
//   bandit_step  reward 1 where u > c, else 0: a jump, flat on both sides
//
// Under u ~ N(theta, sigma^2) the expected rewards are -((theta - c)^2 + sigma^2) and
// Phi((theta - c) / sigma). No estimator that differentiates the reward sees the second one's
// slope.
#pragma once

#include <gallop/kernels/environment/contract.h>

namespace gallop::inline GALLOP_ISA {

// What both have.
struct OneAction {
  static constexpr const char* kSource = "one-step problem with exact answers";
  static constexpr int kTimeLimit = 1;
  static constexpr ComponentSpec kObservation[] = {{"one", 1, 1}};
  static constexpr ComponentSpec kAction[] = {{"u", -__builtin_inf(), __builtin_inf()}};
  static constexpr const char* kStateNames[] = {"one"};

  template <class F>
  struct Parameters {
    F c;
  };
  template <class F>
  struct State {
    F started;  // always 1: an environment has some state
  };

  static StateRange state_range(int, const Sizes&) { return {1, 1, true}; }

  template <class F>
  static GALLOP_HD void reset(const Parameters<F>&, State<F>& s, Rng<F>&) {
    s.started = real<F>(1.0);
  }
  template <class F>
  static GALLOP_HD void observe(const Parameters<F>&, const State<F>& s, F* observation) {
    observation[0] = s.started;
  }
};

struct Bandit : OneAction {
  static constexpr const char* kName = "bandit";
  static constexpr const char* kAliases = "";
  static constexpr bool kSmooth = true;
  static constexpr ParameterSpec kParameters[] = {{"c", 1, -1e6, 1e6, "", "best action"}};

  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>&, const F* action, Rng<F>&) {
    const F distance = action[0] - p.c;
    const F cost = distance * distance;
    const Mask<F> never = cost < real<F>(0.0);
    return {-cost, never};
  }
};

struct BanditStep : OneAction {
  static constexpr const char* kName = "bandit_step";
  static constexpr const char* kAliases = "";
  static constexpr const char* kNotSmooth =
      "its reward is a jump, flat on both sides, which no derivative sees";
  static constexpr ParameterSpec kParameters[] = {
      {"c", 0, -1e6, 1e6, "", "where the reward jumps"}};

  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>&, const F* action, Rng<F>&) {
    // A NaN goes through to the reward, where the runner finds it.
    const F u = action[0];
    const F reward = select(u > p.c, real<F>(1.0), select(u <= p.c, real<F>(0.0), u));
    const Mask<F> never = reward < real<F>(0.0);
    return {reward, never};
  }
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_ENVIRONMENT(Bandit)
GALLOP_ENVIRONMENT(BanditStep)
