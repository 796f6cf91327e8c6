#pragma once

#include <boost/context/fiber.hpp>
#include <boost/context/stack_context.hpp>
#include <cstddef>
#include <functional>
#include <vector>

namespace gallop::executor {

// Stacks with a guard page below each, so that an overflow faults instead of overwriting a
// neighbour. A stack given back is kept for the next fiber: mapping one costs more than a block.
class StackPool {
 public:
  StackPool() = default;
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;
  ~StackPool();

  boost::context::stack_context take();
  void give(const boost::context::stack_context& stack);

 private:
  std::vector<boost::context::stack_context> free_;
};

// One CUDA thread: a body on a stack of its own, which runs only inside resume(). Tells
// AddressSanitizer of every change of stack. The body must not throw, and has to run to its end
// before the fiber is destroyed.
class Fiber {
 public:
  Fiber(StackPool& pool, std::function<void()> body);
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // From outside: runs the body until it suspends or ends.
  void resume();

  // From inside the body: returns to the caller of resume() until the next resume().
  void suspend();

 private:
  boost::context::fiber enter(boost::context::fiber&& caller);

  std::function<void()> body_;
  boost::context::stack_context stack_;
  boost::context::fiber self_;
  boost::context::fiber caller_;
  const void* caller_stack_bottom_ = nullptr;
  std::size_t caller_stack_size_ = 0;
};

}  // namespace gallop::executor
