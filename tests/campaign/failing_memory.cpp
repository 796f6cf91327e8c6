#include "tests/campaign/failing_memory.h"

#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<long> left{-1};  // negative: none fails
std::atomic<long> count{0};

bool fails() {
  count.fetch_add(1, std::memory_order_relaxed);
  return left.load(std::memory_order_relaxed) >= 0 &&
         left.fetch_sub(1, std::memory_order_relaxed) == 0;
}

}  // namespace

// All forms that the standard library calls are replaced, as the sanitizers demand, and not
// inlined, lest the compiler see a free() without its malloc().
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (fails()) throw std::bad_alloc();
  void* memory = std::malloc(std::max<std::size_t>(size, 1));
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  if (fails()) return nullptr;
  return std::malloc(std::max<std::size_t>(size, 1));
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new[](std::size_t size, const std::nothrow_t& tag) noexcept {
  return operator new(size, tag);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
void operator delete[](void* memory) noexcept { operator delete(memory); }
void operator delete[](void* memory, std::size_t) noexcept { operator delete(memory); }

// Of the arrays of a backend.
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  static const auto real =
      reinterpret_cast<void* (*)(std::size_t, std::size_t)>(dlsym(RTLD_NEXT, "aligned_alloc"));
  return fails() ? nullptr : real(alignment, size);
}

namespace gallop::campaign {

void fail_allocation(long at) {
  count = 0;
  left = at;
}

long stop_failing() {
  left = -1;
  return count;
}

}  // namespace gallop::campaign
