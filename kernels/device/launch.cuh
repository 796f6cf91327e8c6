#pragma once

#include <cstddef>

#include <gallop/kernels/device/launch_status.h>
#include <gallop/kernels/numerics/platform.h>
#include <gallop/kernels/device/device_limits.cuh>

#ifndef GALLOP_CUDA_EXECUTOR
#include <cuda_runtime.h>
#endif

namespace gallop::inline GALLOP_ISA {

struct LaunchConfig {
  const char* name = "";  // of the kernel, for messages
  dim3 grid = 1;
  dim3 block = 1;
  std::size_t shared_bytes = 0;  // dynamic; beyond 48 KiB the launch asks the device for it
  void* stream = nullptr;        // cudaStream_t
};

// Blocks of `block_size` threads that cover n elements.
inline unsigned blocks_for(std::size_t n, unsigned block_size) {
  return static_cast<unsigned>((n + block_size - 1) / block_size);
}

// Puts the kernel on the stream and returns at once: errors of the kernel itself show at the next
// synchronisation. Never synchronises, and may be captured into a graph.
template <class... Parameters, class... Arguments>
LaunchStatus launch(const LaunchConfig& config, void (*kernel)(Parameters...),
                    const Arguments&... arguments) {
  static_assert(sizeof...(Parameters) == sizeof...(Arguments), "wrong number of kernel arguments");
  static_assert((sizeof(Parameters) + ... + 0) <= 4096, "kernel arguments exceed 4 KiB");
  // The limit counts the static arrays, of which little is known here.
  const bool asks = config.shared_bytes + kStaticSharedBytes > kDefaultSharedBytes;
#ifdef GALLOP_CUDA_EXECUTOR
  // By value: a recorded launch outlives this call.
  executor::run_grid(
      {config.name, config.grid, config.block, config.shared_bytes,
       [kernel, ... values = static_cast<Parameters>(arguments)] { kernel(values...); }, asks,
       config.stream});
  return {0, config.name};
#else
  if (asks) {
    const cudaError_t refused = allow_shared_memory(reinterpret_cast<const void*>(kernel));
    if (refused != cudaSuccess) return {static_cast<int>(refused), config.name};
  }
  kernel<<<config.grid, config.block, config.shared_bytes,
           static_cast<cudaStream_t>(config.stream)>>>(static_cast<Parameters>(arguments)...);
  return {static_cast<int>(cudaGetLastError()), config.name};
#endif
}

}  // namespace gallop::inline GALLOP_ISA
