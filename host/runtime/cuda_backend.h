#pragma once

#include <memory>

#include <gallop/host/runtime/backend.h>
#include <gallop/kernels/tables/cuda_environment_table.h>
#include <gallop/kernels/tables/cuda_kernel_table.h>

namespace gallop {

// Kernels that a device launches again and again with the arguments that they were captured with.
class KernelGraph {
 public:
  virtual ~KernelGraph() = default;
  // Puts the kernels on the device's stream and returns.
  virtual void launch() = 0;
};

// What the CUDA backend needs of a device: memory, one stream, and the compiled kernels. The tests
// put the executor of CUDA blocks in its place.
class KernelDevice {
 public:
  virtual ~KernelDevice() = default;

  // Aligned to at least 128 bytes, with what DeviceMemory says in it. Throws an Error that names
  // the bytes asked for.
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void release(void* memory) noexcept = 0;
  // Both in the order of the stream, within the device's memory.
  virtual void fill(void* memory, int byte, std::size_t bytes) = 0;
  virtual void copy(void* to, const void* from, std::size_t bytes) = 0;
  // In the order of the stream; both wait.
  virtual void to_device(void* to, const void* from, std::size_t bytes) = 0;
  virtual void to_host(void* to, const void* from, std::size_t bytes) = 0;
  virtual void* stream() const = 0;
  // A second stream, behind all that is on the first one; join() puts the first one behind all that
  // is on the second. Both may be captured.
  virtual void* fork() = 0;
  virtual void join() = 0;
  // What `launches` puts on the stream, without running it. It may neither copy, wait nor allocate.
  virtual std::unique_ptr<KernelGraph> capture(const std::function<void()>& launches) = 0;
  // How long the device works on what `launches` puts on the stream. Waits.
  virtual double seconds(const std::function<void()>& launches) = 0;
  // The device's library for products of matrices on its stream; null, with the reason in `why`,
  // where it is absent.
  virtual std::unique_ptr<MatrixProducts> matrix_products(std::string& why) = 0;
  // Throws an Error where the launch failed.
  virtual void check(const LaunchStatus& status) const = 0;

  virtual const CudaKernels& kernels() const = 0;
  virtual const CudaEnvironmentTable& environment(const EnvironmentEntry& entry) const = 0;
};

// The backend on a device: every operation launches kernels on its stream and returns.
std::unique_ptr<Backend> make_kernel_backend(
    std::unique_ptr<KernelDevice> device,
    const std::function<void(const std::string&)>& note = nullptr);

}  // namespace gallop
