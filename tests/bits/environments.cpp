#include "sims/acrobot.h"
#include "sims/bandit.h"
#include "sims/cartpole.h"
#include "sims/lqr.h"
#include "sims/mdp.h"
#include "sims/mountain_car.h"
#include "sims/mountain_car_continuous.h"
#include "sims/pendulum.h"
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
