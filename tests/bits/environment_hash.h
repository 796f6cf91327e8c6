// Whole rollouts of one environment: fixed actions, the three reset modes, a last register that is
// not full.
#pragma once

#include <gallop/kernels/tables/environment_table_impl.h>
#include "tests/bits/hash.h"
#include "tests/sims/instance_batch.h"

namespace gallop::bits {

inline void add(Hash& hash, const testing::StepArrays& step) {
  hash.add(step.observation);
  hash.add(step.final_observation);
  hash.add(step.reward);
  hash.add(step.terminated);
  hash.add(step.truncated);
  hash.add(step.ended_return);
  hash.add(step.ended_length);
}

template <class Env>
void print_environment(int time_limit, int n_steps) {
  constexpr int kEnvs = 83;
  const EnvironmentTable& table = EnvironmentFunctions<Env>::kTable;
  Hash hash;
  for (const ResetMode mode : {ResetMode::kSameStep, ResetMode::kNextStep, ResetMode::kDisabled}) {
    testing::InstanceBatch instances(table, kEnvs, 20260801, 1000);
    instances.batch.time_limit = time_limit;
    instances.reset();
    hash.add(instances.observe());
    for (int t = 0; t < n_steps; t++) {
      if (mode == ResetMode::kDisabled) instances.reset(instances.ended.data());
      add(hash, instances.step(instances.some_actions(), mode, t % 2 == 0));
    }
    for (int k = 0; k < table.spec->n_state; k++) {
      for (int i = 0; i < kEnvs; i++) hash.add(instances.state[k * instances.batch.stride + i]);
    }
  }
  hash.print("environment", table.spec->name);
}

}  // namespace gallop::bits
