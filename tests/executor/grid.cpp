#include "tests/executor/grid.h"

#include <atomic>
#include <cstdlib>
#include <exception>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace gallop::executor {
namespace {

// CUDA C++ Programming Guide, table "Technical Specifications per Compute Capability".
constexpr unsigned kMaxThreadsPerBlock = 1024;
constexpr unsigned kMaxBlocksYz = 65535;
constexpr std::size_t kDefaultSharedBytes = 48 * 1024;

thread_local Options options;
thread_local std::vector<GridLaunch>* captured = nullptr;

void refuse(const GridLaunch& launch, const std::string& reason) {
  throw KernelFault(launch.kernel, uint3{}, uint3{}, reason);
}

void check(const GridLaunch& launch) {
  const std::size_t n_threads = std::size_t{launch.block.x} * launch.block.y * launch.block.z;
  if (n_threads == 0 || n_threads > kMaxThreadsPerBlock || launch.block.z > 64) {
    refuse(launch, "launched with " + std::to_string(n_threads) +
                       " threads a block, expected 1 to " + std::to_string(kMaxThreadsPerBlock) +
                       ", at most 64 of them along z");
  }
  const std::size_t n_blocks = std::size_t{launch.grid.x} * launch.grid.y * launch.grid.z;
  if (n_blocks == 0 || n_blocks > std::numeric_limits<int>::max() || launch.grid.y > kMaxBlocksYz ||
      launch.grid.z > kMaxBlocksYz) {
    refuse(launch, "launched with a grid of " + std::to_string(n_blocks) +
                       " blocks, expected 1 to 2^31-1, at most 65535 along y and z");
  }
  const std::size_t most = launch.asks ? options.device.shared_bytes : kDefaultSharedBytes;
  if (launch.shared_bytes > most) {
    refuse(launch, "launched with " + std::to_string(launch.shared_bytes) +
                       " bytes of dynamic shared memory, expected at most " + std::to_string(most));
  }
}

// The blocks of a grid, handed out in the order of the options to the host threads that ask.
class BlockQueue {
 public:
  BlockQueue(unsigned n_blocks, ThreadOrder order) : n_blocks_(n_blocks), order_(order) {}

  bool take(unsigned& block) {
    const unsigned turn = next_.fetch_add(1);
    if (turn >= n_blocks_ || failed_.load()) return false;
    block = turn;
    if (order_ == ThreadOrder::kReverse) block = n_blocks_ - 1 - turn;
    // A permutation: one turn in three from the end, the others from the start.
    if (order_ == ThreadOrder::kScattered) {
      block = turn % 3 == 2 ? n_blocks_ - 1 - turn / 3 : turn - turn / 3;
    }
    return true;
  }

  void fail(unsigned block, std::exception_ptr failure) {
    const std::scoped_lock lock(mutex_);
    if (failed_.load() && block > failed_block_) return;
    failed_block_ = block;
    failure_ = failure;
    failed_.store(true);
  }

  void rethrow() const {
    if (failure_ != nullptr) std::rethrow_exception(failure_);
  }

 private:
  unsigned n_blocks_;
  ThreadOrder order_;
  std::atomic<unsigned> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  unsigned failed_block_ = 0;
  std::exception_ptr failure_;
};

void run_blocks(const GridLaunch& launch, const Options& chosen, BlockQueue& queue) {
  thread_local StackPool stacks;
  for (unsigned i = 0; queue.take(i);) {
    try {
      Block(launch, chosen, i, stacks).run();
    } catch (...) {
      queue.fail(i, std::current_exception());
    }
  }
}

}  // namespace

const DeviceModel& device_model() {
  const char* const asked = std::getenv("GALLOP_EXECUTOR_DEVICE");
  const std::string name = asked == nullptr || *asked == 0 ? "sm_90" : asked;
  for (const DeviceModel& model : kDeviceModels) {
    if (name == model.name) return model;
  }
  throw std::invalid_argument("GALLOP_EXECUTOR_DEVICE is '" + name +
                              "'; expected sm_80, sm_86, sm_89, sm_90, sm_100 or sm_120");
}

const Options& current_options() { return options; }

ScopedOptions::ScopedOptions(const Options& chosen) : previous_(options) { options = chosen; }

ScopedOptions::~ScopedOptions() { options = previous_; }

ScopedCapture::ScopedCapture(std::vector<GridLaunch>& to) { captured = &to; }

ScopedCapture::~ScopedCapture() { captured = nullptr; }

bool is_capturing() { return captured != nullptr; }

void run_grid(const GridLaunch& launch) {
  check(launch);
  if (captured != nullptr) {
    captured->push_back(launch);
    return;
  }
  const Options chosen = options;
  BlockQueue queue(launch.grid.x * launch.grid.y * launch.grid.z, chosen.order);
  std::vector<std::thread> helpers;
  for (int i = 1; i < chosen.n_host_threads; ++i) {
    helpers.emplace_back([&] { run_blocks(launch, chosen, queue); });
  }
  run_blocks(launch, chosen, queue);
  for (std::thread& helper : helpers) helper.join();
  queue.rethrow();
}

}  // namespace gallop::executor
