// Whole rollouts of every environment: fixed actions, the three reset modes, a last register that
// is not full.
#include "kernels/cpu/environment_table_impl.h"
#include "sims/acrobot.h"
#include "sims/bandit.h"
#include "sims/cartpole.h"
#include "sims/lqr.h"
#include "sims/mdp.h"
#include "sims/mountain_car.h"
#include "sims/mountain_car_continuous.h"
#include "sims/pendulum.h"
#include "tests/bits/hash.h"
#include "tests/sims/instance_batch.h"

namespace gallop::bits {
namespace {

constexpr int kEnvs = 83, kSteps = 250;

void add(Hash& hash, const testing::StepArrays& step) {
  hash.add(step.observation);
  hash.add(step.final_observation);
  hash.add(step.reward);
  hash.add(step.terminated);
  hash.add(step.truncated);
  hash.add(step.ended_return);
  hash.add(step.ended_length);
}

template <class Env>
void print() {
  const EnvironmentTable& table = EnvironmentFunctions<Env>::kTable;
  Hash hash;
  for (const ResetMode mode : {ResetMode::kSameStep, ResetMode::kNextStep, ResetMode::kDisabled}) {
    testing::InstanceBatch instances(table, kEnvs, 20260801, 1000);
    instances.batch.time_limit = 60;
    instances.reset();
    hash.add(instances.observe());
    for (int t = 0; t < kSteps; t++) {
      if (mode == ResetMode::kDisabled) instances.reset(instances.ended.data());
      add(hash, instances.step(instances.some_actions(), mode, t % 2 == 0));
    }
    for (int k = 0; k < table.spec->n_state; k++) {
      for (int i = 0; i < kEnvs; i++) hash.add(instances.state[k * instances.batch.stride + i]);
    }
  }
  hash.print("environment", table.spec->name);
}

}  // namespace

void print_environments() {
  print<CartPole>();
  print<Pendulum>();
  print<MountainCar>();
  print<MountainCarContinuous>();
  print<Acrobot>();
  print<Lqr>();
  print<LqrDean>();
  print<Mdp>();
  print<Bandit>();
  print<BanditStep>();
}

}  // namespace gallop::bits
