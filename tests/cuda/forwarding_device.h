// The executor's device behind another one, of which a test replaces what it wants to watch.
#pragma once

#include "tests/cuda/executor_device.h"

namespace gallop::testing {

class ForwardingDevice : public KernelDevice {
 public:
  ForwardingDevice() : inner_(make_executor_device()) {}
  explicit ForwardingDevice(DeviceMemory memory) : inner_(make_executor_device(memory)) {}

  void* allocate(std::size_t bytes) override { return inner_->allocate(bytes); }
  void release(void* memory) noexcept override { inner_->release(memory); }
  void fill(void* memory, int byte, std::size_t bytes) override {
    inner_->fill(memory, byte, bytes);
  }
  void copy(void* to, const void* from, std::size_t bytes) override {
    inner_->copy(to, from, bytes);
  }
  void to_device(void* to, const void* from, std::size_t bytes) override {
    inner_->to_device(to, from, bytes);
  }
  void to_host(void* to, const void* from, std::size_t bytes) override {
    inner_->to_host(to, from, bytes);
  }
  void* stream() const override { return inner_->stream(); }
  void* fork() override { return inner_->fork(); }
  void join() override { inner_->join(); }
  std::unique_ptr<KernelGraph> capture(const std::function<void()>& launches) override {
    return inner_->capture(launches);
  }
  double seconds(const std::function<void()>& launches) override {
    return inner_->seconds(launches);
  }
  std::unique_ptr<MatrixProducts> matrix_products(std::string& why) override {
    return inner_->matrix_products(why);
  }
  void check(const LaunchStatus& status) const override { inner_->check(status); }
  const CudaKernels& kernels() const override { return inner_->kernels(); }
  const CudaEnvironmentTable& environment(const EnvironmentEntry& entry) const override {
    return inner_->environment(entry);
  }

 private:
  std::unique_ptr<KernelDevice> inner_;
};

}  // namespace gallop::testing
