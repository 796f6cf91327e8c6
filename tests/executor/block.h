#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/executor/cuda_language.h"
#include "tests/executor/fiber.h"
#include "tests/executor/kernel_fault.h"
#include "tests/executor/options.h"
#include "tests/executor/shared_arena.h"

namespace gallop::executor {

// A launch as the executor sees it: the kernel with its arguments bound.
struct GridLaunch {
  std::string kernel;
  dim3 grid;
  dim3 block;
  std::size_t shared_bytes = 0;
  std::function<void()> body;
  bool asks = false;  // the device for more shared memory than every kernel may have
  void* stream = nullptr;
};

// The call that a thread waits in.
struct CallSite {
  const char* function = "";
  const char* file = "";
  int line = 0;
};

// How a barrier of the block combines the predicates of its threads.
struct BarrierResult {
  int n_true = 0;
  int n_threads = 0;
};

// What a lane brings to a collective of its warp, and what it takes away.
struct WarpGift {
  bool predicate = false;
  std::uint64_t bits = 0;
  int source_lane = 0;
};

struct WarpResult {
  unsigned votes = 0;          // bit l: lane l takes part and its predicate is true
  unsigned participants = 0;   // bit l: lane l takes part
  std::uint64_t bits = 0;      // of the source lane; all ones where that takes no part
  std::uint64_t greatest = 0;  // bits of all that take part
};

// One block: its threads as fibers that take turns on one host thread, its barriers, its shared
// memory. A thread runs until it waits; then the next one in the chosen order does. Barriers never
// let the last thread to arrive run on, so every phase of a kernel runs in that order.
class Block {
 public:
  Block(const GridLaunch& launch, const Options& options, unsigned block_number, StackPool& stacks);

  // Runs the block to its end. Throws KernelFault, or what the kernel threw.
  void run();

  // The rest is called by the intrinsics, from inside a thread.
  static Block& current();

  BarrierResult barrier(bool predicate, CallSite site);
  WarpResult warp_collective(unsigned mask, const WarpGift& gift, CallSite site);

  unsigned lane() const { return running_->lane; }
  SharedArena& shared() { return shared_; }

 private:
  enum class ThreadState { kReady, kWaiting, kDone };

  // A collective of a warp that some of its lanes have reached.
  struct WarpCollective {
    unsigned mask;
    unsigned arrived;
    CallSite site;
  };

  struct Warp {
    unsigned first_thread = 0;
    unsigned existing = 0;  // lanes that the block has
    unsigned returned = 0;  // lanes that have left the kernel
    std::vector<WarpCollective> pending;
  };

  struct Thread {
    uint3 index{};
    unsigned lane = 0;
    Warp* warp = nullptr;
    ThreadState state = ThreadState::kReady;
    CallSite site;
    WarpGift gift;
    WarpResult result;
    std::optional<Fiber> fiber;
  };

  struct Abandoned {};  // unwinds the threads that are left after a fault

  void thread_main(Thread& thread);
  void resume(Thread& thread);
  void wait(CallSite site);
  void suspend();
  void check_exit(const Thread& thread);
  WarpCollective& join(Warp& warp, unsigned mask, CallSite site);
  void complete(Warp& warp, unsigned mask);
  void release_barrier();
  void abandon();
  void check_shared() const;
  std::vector<unsigned> turn_order() const;
  [[noreturn]] void fault(const Thread& thread, const std::string& reason) const;
  std::exception_ptr deadlock() const;

  const GridLaunch& launch_;
  const Options& options_;
  StackPool& stacks_;
  unsigned block_number_;
  uint3 block_index_{};
  SharedArena shared_;
  // Both keep their size for life: fibers and threads point into them.
  std::vector<Warp> warps_;
  std::vector<Thread> threads_;
  Thread* running_ = nullptr;
  unsigned n_returned_ = 0;

  unsigned n_arrived_ = 0;  // at the barrier of the block
  int n_true_ = 0;
  CallSite barrier_site_;
  BarrierResult barrier_result_;

  bool abandoning_ = false;
  std::exception_ptr failure_;
};

}  // namespace gallop::executor
