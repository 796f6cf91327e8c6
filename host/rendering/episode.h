#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include <gallop/host/runtime/environments.h>
#include <gallop/kernels/rollout/rollout.h>

namespace gallop {

// One episode as it was: row t of states is what action t was taken in, the last row what it ended
// with.
struct Episode {
  const EnvironmentEntry* environment = nullptr;
  std::vector<double> parameters;           // in the order of the specification
  Sizes sizes = {};                         // of observation and action
  std::vector<std::vector<float>> states;   // [T + 1, S]
  std::vector<std::vector<float>> actions;  // [T, A] as the environment was given them
  std::vector<float> rewards;               // [T]
  bool terminated = false, truncated = false;
  // The step before whose state, the first one that is not finite, the recording ends; -1 for none.
  // At 0 there is but that state.
  long nonfinite_step = -1;

  const EnvironmentSpec& spec() const;
  int length() const { return int(rewards.size()); }
  bool ended() const { return terminated || truncated; }
  double return_before(int step) const;  // sum of the rewards of the steps before it
  // By name. An internal error for a name that the environment does not have.
  double parameter(std::string_view name) const;
  double state(int step, std::string_view name) const;
  // Seconds between two steps; 0 where the environment declares none.
  double time_step() const;
};

// Who acts, and which episode it is: `number` k is that of instance k of an evaluation with the
// same seed.
struct EpisodeRequest {
  const EnvironmentEntry* environment = nullptr;
  std::function<void(Environments&)> configure;  // sets the parameters
  enum class Actions { kPolicy, kRandom, kZero } actions = Actions::kPolicy;
  PolicyView policy = {};     // of kPolicy, in the backend's memory
  bool deterministic = true;  // takes the most probable action or the mean
  std::uint64_t seed = 1;
  std::uint32_t number = 0;
  long max_steps = 10000;  // the recording ends there where the episode has not
};

// Plays an episode on the backend, then steps it once more with the same actions on the CPU, whose
// states have the same bits. Throws a value error for a policy that does not fit.
Episode record_episode(Backend& backend, const EpisodeRequest& request);

}  // namespace gallop
