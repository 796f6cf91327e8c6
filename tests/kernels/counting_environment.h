// An environment made for tests of the runner: everything it does is easily foretold. A value grows
// by 1 + action a step; the episode terminates once it reaches `end_at`; the observation is not
// finite while the value equals `blow_at`; `luck` shows which random numbers were drawn.
#pragma once

#include <gallop/kernels/environment/contract.h>

namespace gallop::inline GALLOP_ISA {

struct Counting {
  static constexpr const char* kName = "counting";
  static constexpr const char* kAliases = "";
  static constexpr const char* kSource = "tests";
  static constexpr int kTimeLimit = 0;
  static constexpr int kNumActions = 3;
  static constexpr ComponentSpec kObservation[] = {{"value", 0, 1e9}, {"luck", 0, 1}};
  static constexpr const char* kStateNames[] = {"value", "luck"};
  static constexpr ParameterSpec kParameters[] = {
      {"end_at", 1e9, 0, 1e9, "", "the episode terminates at this value"},
      {"blow_at", -1, -1, 1e9, "", "value whose observation is not finite"},
      {"reward_scale", 1, -1e9, 1e9, "", "the reward is the new value times this"}};

  template <class F>
  struct Parameters {
    F end_at, blow_at, reward_scale;
  };
  template <class F>
  struct State {
    F value, luck;
  };

  template <class F>
  static GALLOP_HD void reset(const Parameters<F>&, State<F>& s, Rng<F>& rng) {
    s.value = real<F>(0.0);
    s.luck = rng.uniform();
  }
  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>& p, State<F>& s, Int<F> action,
                                   Rng<F>& rng) {
    s.value = s.value + to_real(action + Int<F>(1));
    s.luck = rng.uniform();
    return {s.value * p.reward_scale, s.value >= p.end_at};
  }
  template <class F>
  static GALLOP_HD void observe(const Parameters<F>& p, const State<F>& s, F* observation) {
    const F infinity = real<F>(__builtin_inf());
    observation[0] = select(s.value == p.blow_at, infinity, s.value);
    observation[1] = s.luck;
  }
};

// A continuous action of two components that the reward repeats, to see what the runner clips.
struct Echo {
  static constexpr const char* kName = "echo";
  static constexpr const char* kAliases = "";
  static constexpr const char* kSource = "tests";
  static constexpr int kTimeLimit = 0;
  static constexpr ComponentSpec kObservation[] = {{"first", -9, 9}, {"second", -9, 9}};
  static constexpr ComponentSpec kAction[] = {{"first", -1, 1}, {"second", -0.5, 2}};
  static constexpr const char* kStateNames[] = {"first", "second"};
  static constexpr ParameterSpec kParameters[] = {{"unused", 0, 0, 1, "", "nothing"}};

  template <class F>
  struct Parameters {
    F unused;
  };
  template <class F>
  struct State {
    F first, second;
  };
  template <class F>
  static GALLOP_HD void reset(const Parameters<F>&, State<F>& s, Rng<F>&) {
    s.first = s.second = real<F>(0.0);
  }
  template <class F>
  static GALLOP_HD Outcome<F> step(const Parameters<F>&, State<F>& s, const F* action, Rng<F>&) {
    s.first = action[0];
    s.second = action[1];
    const Mask<F> never = s.first < s.first;
    return {real<F>(0.0), never};
  }
  template <class F>
  static GALLOP_HD void observe(const Parameters<F>&, const State<F>& s, F* observation) {
    observation[0] = s.first;
    observation[1] = s.second;
  }
};

}  // namespace gallop::inline GALLOP_ISA
