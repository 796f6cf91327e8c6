#include "tests/cuda/executor_device.h"

#include <cstring>
#include <new>
#include <stdexcept>
#include <string>

#include "host/registry/generated.h"
#include "tests/cuda/executor_tables.h"

namespace gallop::testing {
namespace {

constexpr std::align_val_t kAlignment{128};

class ExecutorDevice : public KernelDevice {
 public:
  void* allocate(std::size_t bytes) override {
    void* memory = ::operator new(bytes, kAlignment);
    std::memset(memory, 0, bytes);
    return memory;
  }
  void release(void* memory) noexcept override { ::operator delete(memory, kAlignment); }
  void to_device(void* to, const void* from, std::size_t bytes) override {
    std::memcpy(to, from, bytes);
  }
  void to_host(void* to, const void* from, std::size_t bytes) override {
    std::memcpy(to, from, bytes);
  }
  void* stream() const override { return nullptr; }
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
};

}  // namespace

std::unique_ptr<KernelDevice> make_executor_device() { return std::make_unique<ExecutorDevice>(); }

}  // namespace gallop::testing
