#include "tests/executor/block.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace gallop::executor {
namespace {

constexpr unsigned kWarpSize = 32;
constexpr std::size_t kDefaultSharedBytes = 48 * 1024;
constexpr std::uint64_t kUndefined = ~std::uint64_t{0};

thread_local Block* current_block = nullptr;

std::string text(const CallSite& site) {
  return std::string(site.function) + " at " + site.file + ":" + std::to_string(site.line);
}

std::string hex(unsigned value) {
  char digits[16];
  std::snprintf(digits, sizeof digits, "0x%08x", value);
  return digits;
}

uint3 unflatten(unsigned number, dim3 extent) {
  return {number % extent.x, number / extent.x % extent.y, number / (extent.x * extent.y)};
}

}  // namespace

Block::Block(const GridLaunch& launch, const Options& options, unsigned block_number,
             StackPool& stacks)
    : launch_(launch),
      options_(options),
      stacks_(stacks),
      block_number_(block_number),
      block_index_(unflatten(block_number, launch.grid)),
      shared_(launch.shared_bytes, options.poison) {
  const unsigned n_threads = launch.block.x * launch.block.y * launch.block.z;
  threads_ = std::vector<Thread>(n_threads);
  warps_ = std::vector<Warp>((n_threads + kWarpSize - 1) / kWarpSize);
  for (unsigned i = 0; i < n_threads; ++i) {
    Thread& thread = threads_[i];
    thread.index = unflatten(i, launch.block);
    thread.lane = i % kWarpSize;
    thread.warp = &warps_[i / kWarpSize];
    thread.warp->first_thread = i - thread.lane;
    thread.warp->existing |= 1u << thread.lane;
  }
}

Block& Block::current() {
  if (current_block == nullptr) {
    throw std::logic_error("a CUDA intrinsic was called outside of a launched kernel");
  }
  return *current_block;
}

void Block::run() {
  Block* const outer = std::exchange(current_block, this);
  const std::vector<unsigned> order = turn_order();
  bool any_ran = true;
  while (n_returned_ < threads_.size() && failure_ == nullptr && any_ran) {
    any_ran = false;
    for (const unsigned i : order) {
      if (threads_[i].state != ThreadState::kReady) continue;
      any_ran = true;
      resume(threads_[i]);
      if (failure_ != nullptr) break;
    }
  }
  if (failure_ == nullptr && n_returned_ < threads_.size()) failure_ = deadlock();
  abandon();
  current_block = outer;
  if (failure_ != nullptr) std::rethrow_exception(failure_);
  const std::string overrun = shared_.overrun();
  if (!overrun.empty()) fault(threads_.front(), overrun + " (found when the block had ended)");
  check_shared();
}

// What static arrays take is known only now. A device refuses such a launch.
void Block::check_shared() const {
  const std::size_t fixed = shared_.static_bytes(), total = launch_.shared_bytes + fixed;
  const std::size_t most = launch_.asks ? options_.device.shared_bytes : kDefaultSharedBytes;
  if (fixed == 0 || total <= most) return;
  fault(threads_.front(),
        "has " + std::to_string(launch_.shared_bytes) + " bytes of dynamic and " +
            std::to_string(fixed) + " of static shared memory, expected at most " +
            std::to_string(most) + " together" +
            (launch_.asks ? "" : ", since the launch did not ask the device for more"));
}

std::vector<unsigned> Block::turn_order() const {
  std::vector<unsigned> order(threads_.size());
  std::iota(order.begin(), order.end(), 0u);
  if (options_.order == ThreadOrder::kReverse) std::reverse(order.begin(), order.end());
  if (options_.order == ThreadOrder::kScattered) {
    // Fisher-Yates with a fixed generator: the same order on every machine.
    std::uint32_t state = 0x9e3779b9u + block_number_;
    for (std::size_t i = order.size(); i > 1; --i) {
      state = state * 1664525u + 1013904223u;
      std::swap(order[i - 1], order[(state >> 8) % i]);
    }
  }
  return order;
}

void Block::resume(Thread& thread) {
  threadIdx = thread.index;
  blockIdx = block_index_;
  blockDim = launch_.block;
  gridDim = launch_.grid;
  running_ = &thread;
  if (!thread.fiber) thread.fiber.emplace(stacks_, [this, &thread] { thread_main(thread); });
  thread.fiber->resume();
}

void Block::thread_main(Thread& thread) {
  try {
    launch_.body();
    check_exit(thread);
  } catch (const Abandoned&) {
  } catch (...) {
    if (failure_ == nullptr) failure_ = std::current_exception();
  }
  thread.state = ThreadState::kDone;
  thread.warp->returned |= 1u << thread.lane;
  ++n_returned_;
}

// The hardware lets the rest of the block go on without a thread that has returned. Code that
// relies on it deadlocks on older devices, so it is refused here.
void Block::check_exit(const Thread& thread) {
  if (n_arrived_ > 0) {
    fault(thread, "returned from the kernel while others wait in " + text(barrier_site_));
  }
  for (const WarpCollective& collective : thread.warp->pending) {
    if ((collective.mask >> thread.lane & 1u) == 0) continue;
    fault(thread,
          "returned from the kernel while its warp waits for it in " + text(collective.site));
  }
}

void Block::suspend() {
  running_->fiber->suspend();
  if (abandoning_) throw Abandoned{};
}

void Block::wait(CallSite site) {
  running_->site = site;
  running_->state = ThreadState::kWaiting;
}

BarrierResult Block::barrier(bool predicate, CallSite site) {
  if (n_returned_ > 0) {
    fault(*running_, "waits in " + text(site) + " after another thread returned from the kernel");
  }
  if (n_arrived_ == 0) {
    barrier_site_ = site;
    n_true_ = 0;
  } else if (barrier_site_.line != site.line || std::strcmp(barrier_site_.file, site.file) != 0) {
    fault(*running_, "divergent barrier: waits in " + text(site) + " while others wait in " +
                         text(barrier_site_));
  }
  n_true_ += predicate ? 1 : 0;
  wait(site);
  if (++n_arrived_ == threads_.size()) release_barrier();
  suspend();
  return barrier_result_;
}

void Block::release_barrier() {
  barrier_result_ = {n_true_, static_cast<int>(threads_.size())};
  n_arrived_ = 0;
  for (Thread& thread : threads_) thread.state = ThreadState::kReady;
}

WarpResult Block::warp_collective(unsigned mask, const WarpGift& gift, CallSite site) {
  Thread& self = *running_;
  if ((mask >> self.lane & 1u) == 0) {
    fault(self, "lane " + std::to_string(self.lane) + " is missing from its own mask " + hex(mask) +
                    " in " + text(site));
  }
  Warp& warp = *self.warp;
  if ((mask & warp.returned) != 0) {
    fault(self, "mask " + hex(mask) + " in " + text(site) + " names lanes " +
                    hex(mask & warp.returned) + " that have returned from the kernel");
  }
  self.gift = gift;
  WarpCollective& collective = join(warp, mask & warp.existing, site);
  collective.arrived |= 1u << self.lane;
  wait(site);
  if (collective.arrived == collective.mask) complete(warp, collective.mask);
  suspend();
  return self.result;
}

// Lanes meet where they call the same function with the same mask, in any line.
Block::WarpCollective& Block::join(Warp& warp, unsigned mask, CallSite site) {
  for (WarpCollective& pending : warp.pending) {
    if ((pending.mask & mask) == 0) continue;
    if (pending.mask == mask && std::strcmp(pending.site.function, site.function) == 0) {
      return pending;
    }
    fault(*running_, "waits in " + text(site) + " with mask " + hex(mask) +
                         " while lanes of it wait in " + text(pending.site) + " with mask " +
                         hex(pending.mask));
  }
  return warp.pending.emplace_back(WarpCollective{mask, 0u, site});
}

void Block::complete(Warp& warp, unsigned mask) {
  Thread* const lanes = &threads_[warp.first_thread];
  unsigned votes = 0;
  std::uint64_t greatest = 0;
  for (unsigned l = 0; l < kWarpSize; ++l) {
    if ((mask >> l & 1u) == 0) continue;
    if (lanes[l].gift.predicate) votes |= 1u << l;
    greatest = std::max(greatest, lanes[l].gift.bits);
  }
  for (unsigned l = 0; l < kWarpSize; ++l) {
    if ((mask >> l & 1u) == 0) continue;
    const int source = lanes[l].gift.source_lane;
    const bool takes_part = source >= 0 && source < 32 && (mask >> source & 1u) != 0;
    lanes[l].result = {votes, mask, takes_part ? lanes[source].gift.bits : kUndefined, greatest};
    lanes[l].state = ThreadState::kReady;
  }
  std::erase_if(warp.pending, [mask](const WarpCollective& c) { return c.mask == mask; });
}

std::exception_ptr Block::deadlock() const {
  const Thread* first = nullptr;
  std::vector<std::pair<std::string, unsigned>> sites;  // where threads wait, and how many
  for (const Thread& thread : threads_) {
    if (thread.state == ThreadState::kDone) continue;
    if (first == nullptr) first = &thread;
    const std::string site = text(thread.site);
    auto found = std::find_if(sites.begin(), sites.end(),
                              [&](const auto& known) { return known.first == site; });
    if (found == sites.end()) found = sites.insert(found, {site, 0u});
    ++found->second;
  }
  std::string reason = "deadlock, divergent barrier:";
  for (const auto& [site, count] : sites) {
    reason += ' ';
    reason += std::to_string(count) + " threads wait in " + site + ";";
  }
  reason += ' ';
  reason += std::to_string(n_returned_) + " have returned";
  return std::make_exception_ptr(KernelFault(launch_.kernel, block_index_, first->index, reason));
}

// Unwinds the threads that still stand on their stacks, so that destructors run and stacks are
// free.
void Block::abandon() {
  abandoning_ = true;
  for (Thread& thread : threads_) {
    if (thread.state != ThreadState::kDone && thread.fiber) resume(thread);
  }
  running_ = nullptr;
}

void Block::fault(const Thread& thread, const std::string& reason) const {
  throw KernelFault(launch_.kernel, block_index_, thread.index, reason);
}

}  // namespace gallop::executor
