// Prints one hash a line for functions, random numbers, environments and rollouts, computed with
// the registers of one instruction set. scripts/check_bits.sh builds tests/bits/*.cpp for every
// compiler, optimisation level and instruction set, and expects the same lines of all.
#include "tests/bits/hash.h"

int main() {
  gallop::bits::print_math();
  gallop::bits::print_random();
  gallop::bits::print_environments();
  gallop::bits::print_bodies();
  gallop::bits::print_rollouts();
}
