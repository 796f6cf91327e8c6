// What the current device gives a block, asked at run time: kernels are the same for all devices,
// how they are launched is not. The bits of a result depend on none of it in mode strict.
#pragma once

#include <cstddef>

#include <gallop/kernels/numerics/platform.h>

#ifndef GALLOP_CUDA_EXECUTOR
#include <cuda_runtime_api.h>
#endif

namespace gallop::inline GALLOP_ISA {

// Of shared memory, what any kernel may have without asking.
constexpr std::size_t kDefaultSharedBytes = 48 * 1024;
// The static arrays of a kernel that has dynamic shared memory besides take no more than this.
constexpr std::size_t kStaticSharedBytes = 1024;

// What a block of any device may have at most: of compute capability 9.0 and 10.0.
constexpr std::size_t kGreatestSharedBytes = 227 * 1024;
constexpr std::size_t kLeastSharedBytes = 99 * 1024;  // of 8.6, 8.9 and 12.0, the least from 8.0 on

struct DeviceLimits {
  std::size_t shared_bytes;  // that a block may ask for: static and dynamic arrays together
  int multiprocessors;
};

#ifdef GALLOP_CUDA_EXECUTOR

inline DeviceLimits device_limits() {
  const executor::DeviceModel& device = executor::current_options().device;
  return {device.shared_bytes, device.multiprocessors};
}

#else

// Where the device does not tell, what every device has.
inline DeviceLimits device_limits() {
  int device = 0, shared_bytes = 0, multiprocessors = 0;
  if (cudaGetDevice(&device) != cudaSuccess ||
      cudaDeviceGetAttribute(&shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device) !=
          cudaSuccess ||
      cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device) !=
          cudaSuccess) {
    static_cast<void>(cudaGetLastError());  // or the next launch would report it again
    return {kDefaultSharedBytes, 1};
  }
  return {std::size_t(shared_bytes), multiprocessors};
}

// Lets a kernel have all shared memory that the device gives a block: once for good, so that no
// later launch lowers what an earlier one in the same graph needs. Such kernels want as many blocks
// on a multiprocessor as shared memory has room for; what is left of it is cache.
inline cudaError_t allow_shared_memory(const void* kernel) {
  cudaFuncAttributes has = {};
  cudaError_t refused = cudaFuncGetAttributes(&has, kernel);
  if (refused == cudaSuccess) {
    const int most = int(device_limits().shared_bytes) - int(has.sharedSizeBytes);
    if (has.maxDynamicSharedSizeBytes == most) return cudaSuccess;
    refused = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, most);
  }
  if (refused == cudaSuccess) {
    refused = cudaFuncSetAttribute(kernel, cudaFuncAttributePreferredSharedMemoryCarveout,
                                   cudaSharedmemCarveoutMaxShared);
  }
  if (refused != cudaSuccess) static_cast<void>(cudaGetLastError());  // as above
  return refused;
}

#endif

// Bytes of dynamic shared memory that a block of any kernel may have.
inline long shared_room() { return long(device_limits().shared_bytes - kStaticSharedBytes); }

}  // namespace gallop::inline GALLOP_ISA
