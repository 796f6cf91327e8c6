#pragma once

#include <cstdint>

namespace gallop {

// Bytes that this process could still write: of the machine's memory and swap, and of the limit of
// the control group that it runs in, where files in the cache do not count as used; the greatest
// number where none is known.
std::uint64_t machine_memory();

}  // namespace gallop
