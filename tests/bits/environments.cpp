#include <gallop/sims/acrobot.h>
#include <gallop/sims/bandit.h>
#include <gallop/sims/cartpole.h>
#include <gallop/sims/lqr.h>
#include <gallop/sims/mdp.h>
#include <gallop/sims/mountain_car.h>
#include <gallop/sims/mountain_car_continuous.h>
#include <gallop/sims/pendulum.h>
#include "tests/bits/environment_hash.h"

namespace gallop::bits {
namespace {

template <class Env>
void print() {
  print_environment<Env>(60, 250);
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
