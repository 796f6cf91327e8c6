// A rollout of any registered environment with everything recorded into poisoned arrays, and random
// policies of every kind that fit it.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include <gallop/host/registry/registry.h>
#include <gallop/host/runtime/environments.h>

namespace gallop::testing {

// Everything a trajectory records, for a batch on the CPU. Flags and numbers that nothing wrote are
// what the constructor put there.
struct RecordedRollout {
  static constexpr float kPoison = -12345.75f;
  static constexpr std::uint8_t kPoisonFlag = 0xa5;

  int n_steps, n_envs, observation_rows, action_rows;
  std::vector<float> observation, action, log_prob, reward, final_observation, ended_return;
  std::vector<std::uint8_t> terminated, truncated;
  std::vector<std::int32_t> ended_length;

  RecordedRollout(int steps, int envs, int o, int a);
  RecordedRollout(const Environments& e, int steps)
      : RecordedRollout(steps, e.n_envs(), e.observation_rows(), e.action_rows()) {}

  Trajectory trajectory();
  bool ended(long at) const { return (terminated[at] | truncated[at]) != 0; }
  long n_ended() const;
  // The columns [begin, end) alone.
  RecordedRollout columns(int begin, int end) const;
  // Where the first difference in bits is; empty where there is none.
  std::string difference(const RecordedRollout& other) const;
};

// A random policy. `parameters` and the normalisation own what the view points to.
struct RandomPolicy {
  PolicyShape shape = {};
  std::vector<float> parameters, mean, inverse_std;
  PolicyView view() const;
};

// Kinds of policies that fit an environment: one for each head and shape that its spaces allow.
std::vector<RandomPolicy> policies_for(const Environments& environments, std::uint64_t seed);

// A batch of an environment, reset.
Environments make_batch(Backend& backend, const EnvironmentEntry& entry, int n_envs,
                        std::uint32_t id_offset = 0, ResetMode mode = ResetMode::kSameStep,
                        int time_limit = -1);

// Steps after which episodes of most environments end within a short test.
constexpr int kShortLimit = 9;

}  // namespace gallop::testing
