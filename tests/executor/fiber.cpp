#include "tests/executor/fiber.h"

#include <boost/context/preallocated.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <utility>

#include "tests/executor/sanitizer.h"

#if GALLOP_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace gallop::executor {
namespace {

// Only touched pages cost memory. Instrumented frames are several times larger than plain ones.
constexpr std::size_t kStackBytes = GALLOP_ADDRESS_SANITIZER ? 1024 * 1024 : 256 * 1024;

// The context library takes its stack from an allocator; this one hands it to the pool.
struct PoolAllocator {
  StackPool* pool;
  void deallocate(boost::context::stack_context& stack) { pool->give(stack); }
};

void* stack_bottom(const boost::context::stack_context& stack) {
  return static_cast<char*>(stack.sp) - stack.size;
}

// The three calls below are empty without AddressSanitizer.
void start_switch([[maybe_unused]] void** fake_stack, [[maybe_unused]] const void* bottom,
                  [[maybe_unused]] std::size_t size) {
#if GALLOP_ADDRESS_SANITIZER
  __sanitizer_start_switch_fiber(fake_stack, bottom, size);
#endif
}

void finish_switch([[maybe_unused]] void* fake_stack, [[maybe_unused]] const void** old_bottom,
                   [[maybe_unused]] std::size_t* old_size) {
#if GALLOP_ADDRESS_SANITIZER
  __sanitizer_finish_switch_fiber(fake_stack, old_bottom, old_size);
#endif
}

// The first frames of a fiber never return, so their red zones would meet the stack's next user.
void unpoison([[maybe_unused]] const boost::context::stack_context& stack) {
#if GALLOP_ADDRESS_SANITIZER
  ASAN_UNPOISON_MEMORY_REGION(stack_bottom(stack), stack.size);
#endif
}

}  // namespace

StackPool::~StackPool() {
  boost::context::protected_fixedsize_stack mapper(kStackBytes);
  for (auto& stack : free_) mapper.deallocate(stack);
}

boost::context::stack_context StackPool::take() {
  if (free_.empty()) return boost::context::protected_fixedsize_stack(kStackBytes).allocate();
  boost::context::stack_context stack = free_.back();
  free_.pop_back();
  return stack;
}

void StackPool::give(const boost::context::stack_context& stack) {
  unpoison(stack);
  free_.push_back(stack);
}

Fiber::Fiber(StackPool& pool, std::function<void()> body)
    : body_(std::move(body)), stack_(pool.take()) {
  const boost::context::preallocated whole(stack_.sp, stack_.size, stack_);
  self_ = boost::context::fiber(
      std::allocator_arg, whole, PoolAllocator{&pool},
      [this](boost::context::fiber&& caller) { return enter(std::move(caller)); });
}

boost::context::fiber Fiber::enter(boost::context::fiber&& caller) {
  finish_switch(nullptr, &caller_stack_bottom_, &caller_stack_size_);
  caller_ = std::move(caller);
  body_();
  start_switch(nullptr, caller_stack_bottom_, caller_stack_size_);  // nullptr: leaves for good
  return std::move(caller_);
}

void Fiber::resume() {
  void* fake_stack = nullptr;
  // The guard page is the lowest page of the mapping, outside what the fiber may touch.
  start_switch(&fake_stack, stack_bottom(stack_), stack_.size);
  self_ = std::move(self_).resume();
  finish_switch(fake_stack, nullptr, nullptr);
}

void Fiber::suspend() {
  void* fake_stack = nullptr;
  start_switch(&fake_stack, caller_stack_bottom_, caller_stack_size_);
  caller_ = std::move(caller_).resume();
  finish_switch(fake_stack, &caller_stack_bottom_, &caller_stack_size_);
}

}  // namespace gallop::executor
