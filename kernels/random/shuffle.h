// Minibatch order: samples sorted by (key, id), where the key of a sample is a Philox word. Sorting
// with the id as second criterion leaves no ties, so every sort gives the same order.
#pragma once

#include "kernels/random/stream.h"

namespace gallop::inline GALLOP_ISA {

// Counter (id, counter low, counter high, 0), purpose kRandomShuffle.
GALLOP_HD std::uint32_t shuffle_key(std::uint64_t seed, std::uint64_t counter, std::uint32_t id) {
  return philox<std::uint32_t>(id, std::uint32_t(counter), std::uint32_t(counter >> 32), 0u,
                               key_low(seed), key_high(seed, kRandomShuffle))
      .word[0];
}

}  // namespace gallop::inline GALLOP_ISA
