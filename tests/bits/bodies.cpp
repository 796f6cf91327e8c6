// Articulated bodies: contacts with the floor and with itself (hopper), the drag of a fluid
// (swimmer), a free root (ant), contacts between limbs in space (humanoid).
// check_bits: from -O1 on, since unrolled bodies that are not optimised take 15 GB.
#include "sims/ant.h"
#include "sims/hopper.h"
#include "sims/humanoid.h"
#include "sims/swimmer.h"
#include "tests/bits/environment_hash.h"

namespace gallop::bits {

void print_bodies() {
  print_environment<Hopper>(30, 60);
  print_environment<Swimmer>(30, 60);
  print_environment<Ant>(15, 30);
  print_environment<Humanoid>(15, 30);
}

}  // namespace gallop::bits
