#include <gallop/host/runtime/aligned_memory.h>

#include <sys/mman.h>

#include <cstdlib>

namespace gallop {
namespace {

constexpr std::size_t kLine = 64, kHugePage = std::size_t(2) << 20, kLarge = 2 * kHugePage;

std::size_t rounded(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

}  // namespace

void* allocate_aligned(std::size_t bytes) noexcept {
  const std::size_t unit = bytes < kLarge ? kLine : kHugePage;
  const std::size_t size = rounded(bytes, unit);
  if (size < bytes) return nullptr;  // beyond what a number holds
  void* const memory = std::aligned_alloc(unit, size);
  if (memory != nullptr && unit == kHugePage) (void)madvise(memory, size, MADV_HUGEPAGE);
  return memory;
}

}  // namespace gallop
