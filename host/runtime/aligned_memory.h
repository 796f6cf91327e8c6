#pragma once

#include <cstddef>

namespace gallop {

// Memory for arrays, aligned to 64 bytes; from 4 MiB on it stands on huge pages where the system
// gives them, so that a stream over many arrays does not wait for the translation of addresses.
// Null where there is none. Freed by std::free.
void* allocate_aligned(std::size_t bytes) noexcept;

}  // namespace gallop
