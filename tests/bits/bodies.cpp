// Articulated bodies: in the plane (hopper) and in space with a free root and contacts between
// limbs (humanoid). check_bits: one level, since they take long to compile, and unrolled bodies
// that are not optimised 15 GB.
#include <gallop/sims/hopper.h>
#include <gallop/sims/humanoid.h>
#include "tests/bits/environment_hash.h"

namespace gallop::bits {

void print_bodies() {
  print_environment<Hopper>(30, 60);
  print_environment<Humanoid>(15, 30);
}

}  // namespace gallop::bits
