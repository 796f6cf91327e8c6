#include "tests/cuda/executor_device.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include <gallop/host/registry/generated.h>
#include "tests/cuda/executor_tables.h"
#include "tests/executor/grid.h"

namespace gallop::testing {
namespace {

constexpr std::align_val_t kAlignment{128};

// Launches [begin, end) of two streams, of which either may run first.
struct Fork {
  std::size_t begin, end;
};

// Launches with their arguments; memory is read when they run: in order, those of two streams by
// turns, so that what they share is found.
class ExecutorGraph : public KernelGraph {
 public:
  ExecutorGraph(const std::vector<executor::GridLaunch>& launches, const std::vector<Fork>& forks) {
    std::size_t at = 0;
    for (const Fork& fork : forks) {
      append(launches, at, fork.begin);
      append_by_turns(launches, fork);
      at = fork.end;
    }
    append(launches, at, launches.size());
  }
  void launch() override {
    for (const executor::GridLaunch& launch : launches_) executor::run_grid(launch);
  }

 private:
  void append(const std::vector<executor::GridLaunch>& from, std::size_t begin, std::size_t end) {
    launches_.insert(launches_.end(), from.begin() + long(begin), from.begin() + long(end));
  }
  void append_by_turns(const std::vector<executor::GridLaunch>& from, const Fork& fork) {
    std::vector<executor::GridLaunch> of[2];
    for (std::size_t k = fork.begin; k < fork.end; k++) {
      of[from[k].stream == nullptr ? 0 : 1].push_back(from[k]);
    }
    for (std::size_t k = 0; k < std::max(of[0].size(), of[1].size()); k++) {
      for (const auto& launches : of) {
        if (k < launches.size()) launches_.push_back(launches[k]);
      }
    }
  }

  std::vector<executor::GridLaunch> launches_;
};

// In the place of a library: sums in double, so that only the order of operands can be wrong. One
// launch of one thread, which is captured as a kernel is.
class LoopProducts : public MatrixProducts {
 public:
  std::string name() const override { return "loops"; }
  void multiply(const MatrixProduct& product) override {
    executor::run_grid({"loops", dim3(1), dim3(1), 0, [p = product] { run(p); }});
  }

 private:
  static void run(const MatrixProduct& p) {
    for (long j = 0; j < p.columns; j++) {
      for (long i = 0; i < p.rows; i++) {
        double sum = p.adds ? double(p.c[i + j * p.c_stride]) : 0.0;
        for (long k = 0; k < p.inner; k++) {
          const float a = p.a_transposed ? p.a[k + i * p.a_stride] : p.a[i + k * p.a_stride];
          const float b = p.b_transposed ? p.b[j + k * p.b_stride] : p.b[k + j * p.b_stride];
          sum += double(a) * double(b);
        }
        p.c[i + j * p.c_stride] = float(sum);
      }
    }
  }
};

class ExecutorDevice : public KernelDevice {
 public:
  explicit ExecutorDevice(DeviceMemory memory) : memory_(memory) {}

  void* allocate(std::size_t bytes) override {
    refuse_in_capture("an allocation");
    void* memory = ::operator new(bytes, kAlignment);
    if (memory_ != DeviceMemory::kRaw) {
      fill(memory, memory_ == DeviceMemory::kPoison ? kPoisonByte : 0, bytes);
    }
    return memory;
  }
  void release(void* memory) noexcept override { ::operator delete(memory, kAlignment); }
  void fill(void* memory, int byte, std::size_t bytes) override {
    refuse_in_capture("a fill");
    std::memset(memory, byte, bytes);
  }
  void copy(void* to, const void* from, std::size_t bytes) override {
    refuse_in_capture("a copy");
    std::memcpy(to, from, bytes);
  }
  void to_device(void* to, const void* from, std::size_t bytes) override {
    refuse_in_capture("a copy to the device");
    std::memcpy(to, from, bytes);
  }
  void to_host(void* to, const void* from, std::size_t bytes) override {
    refuse_in_capture("a copy to the host");
    std::memcpy(to, from, bytes);
    make_nans_of_a_device(to, bytes);
  }
  void* stream() const override { return nullptr; }
  void* fork() override {
    if (is_forked_) throw std::runtime_error("a fork before the last one was joined");
    is_forked_ = true;
    if (executor::is_capturing()) forks_.push_back({captured_.size(), 0});
    return this;
  }
  void join() override {
    if (!is_forked_) throw std::runtime_error("a join without a fork");
    is_forked_ = false;
    if (executor::is_capturing()) forks_.back().end = captured_.size();
  }
  std::unique_ptr<KernelGraph> capture(const std::function<void()>& launches) override {
    refuse_in_capture("another capture");
    captured_.clear();
    forks_.clear();
    {
      const executor::ScopedCapture capture(captured_);
      launches();
    }
    return std::make_unique<ExecutorGraph>(captured_, forks_);
  }
  double seconds(const std::function<void()>& launches) override {
    refuse_in_capture("a look at the clock");
    const auto start = std::chrono::steady_clock::now();
    launches();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  std::unique_ptr<MatrixProducts> matrix_products(std::string&) override {
    return std::make_unique<LoopProducts>();
  }
  void check(const LaunchStatus& status) const override {
    if (!status.ok()) throw std::runtime_error(std::string("refused: ") + status.kernel);
  }
  const CudaKernels& kernels() const override { return *gallop_executor_kernels(); }
  const CudaEnvironmentTable& environment(const EnvironmentEntry& entry) const override {
    for (int k = 0; k < kNumExecutorEnvironments; k++) {
      if (std::string(kExecutorEnvironments[k].type) == entry.type) {
        return *kExecutorEnvironments[k].table();
      }
    }
    throw std::runtime_error(std::string("no kernels for ") + entry.type);
  }

 private:
  // The NaN that x86 makes, and that of a literal, as the one that a GPU has in their place.
  // Integers of these bits do not occur.
  static void make_nans_of_a_device(void* words, std::size_t bytes) {
    for (std::size_t at = 0; at + sizeof(std::uint32_t) <= bytes; at += sizeof(std::uint32_t)) {
      char* const word = static_cast<char*>(words) + at;
      std::uint32_t bits;
      std::memcpy(&bits, word, sizeof(bits));
      if ((bits & 0x7fffffffu) != 0x7fc00000u) continue;
      bits = 0x7fffffffu;
      std::memcpy(word, &bits, sizeof(bits));
    }
  }

  // As CUDA does.
  static void refuse_in_capture(const std::string& what) {
    if (executor::is_capturing()) throw std::runtime_error(what + " while kernels are captured");
  }

  DeviceMemory memory_;
  std::vector<executor::GridLaunch> captured_;
  std::vector<Fork> forks_;
  bool is_forked_ = false;
};

}  // namespace

std::unique_ptr<KernelDevice> make_executor_device() {
  return make_executor_device(device_memory());
}
std::unique_ptr<KernelDevice> make_executor_device(DeviceMemory memory) {
  return std::make_unique<ExecutorDevice>(memory);
}

}  // namespace gallop::testing
