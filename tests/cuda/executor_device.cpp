#include "tests/cuda/executor_device.h"

#include <chrono>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "host/registry/generated.h"
#include "tests/cuda/executor_tables.h"
#include "tests/executor/grid.h"

namespace gallop::testing {
namespace {

constexpr std::align_val_t kAlignment{128};

// Launches with their arguments, in order; memory is read when they run.
class ExecutorGraph : public KernelGraph {
 public:
  explicit ExecutorGraph(std::vector<executor::GridLaunch> launches)
      : launches_(std::move(launches)) {}
  void launch() override {
    for (const executor::GridLaunch& launch : launches_) executor::run_grid(launch);
  }

 private:
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
  }
  void* stream() const override { return nullptr; }
  std::unique_ptr<KernelGraph> capture(const std::function<void()>& launches) override {
    refuse_in_capture("another capture");
    std::vector<executor::GridLaunch> captured;
    {
      const executor::ScopedCapture capture(captured);
      launches();
    }
    return std::make_unique<ExecutorGraph>(std::move(captured));
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
  // As CUDA does.
  static void refuse_in_capture(const std::string& what) {
    if (executor::is_capturing()) throw std::runtime_error(what + " while kernels are captured");
  }

  DeviceMemory memory_;
};

}  // namespace

std::unique_ptr<KernelDevice> make_executor_device() {
  return make_executor_device(device_memory());
}
std::unique_ptr<KernelDevice> make_executor_device(DeviceMemory memory) {
  return std::make_unique<ExecutorDevice>(memory);
}

}  // namespace gallop::testing
