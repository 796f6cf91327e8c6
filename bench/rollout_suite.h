#pragma once

#include <functional>
#include <string>
#include <vector>

#include <gallop/host/runtime/environments.h>
#include "bench/plain/baseline.h"
#include "bench/row.h"

namespace gallop {

struct RolloutSuite {
  std::vector<std::string> environments;  // names or aliases; empty for all
  std::vector<std::string> policies;      // of kRolloutPolicies; empty for all
  std::vector<bool> stored = {false, true};
  Arithmetic arithmetic = Arithmetic::kStrict;  // kFast: only rows where that is another rollout
  std::string device = "cpu";
  int threads = 1;       // of the CPU backend
  int instances = 0;     // 0: 8192 on a CPU, 131072 on a GPU
  double seconds = 0.3;  // for each side of a row
};

extern const std::vector<std::string> kRolloutPolicies;  // random, linear, 64-64, 256-256

// Measures and hands out row after row. Throws a usage or value error before anything is measured.
void run_rollout_suite(const RolloutSuite& suite, const std::function<void(const BenchRow&)>& show);

// What an environment does under a policy in our rollouts and in a baseline: means of reward,
// length and return of episodes, over `n_steps` steps of `n_envs` instances.
struct RolloutMeans {
  double reward = 0, ended_return = 0, ended_length = 0;
  long episodes = 0;
};
RolloutMeans our_means(const std::string& environment, const std::string& policy, int n_envs,
                       int n_steps);
RolloutMeans baseline_means(const std::string& environment, const std::string& policy,
                            bool with_eigen, int n_envs, int n_steps);

}  // namespace gallop
