#pragma once

#include <memory>

#include <gallop/host/runtime/cuda_backend.h>
#include <gallop/host/runtime/device_memory.h>

namespace gallop::testing {

// A device whose memory is the host's and whose kernels run in the executor of CUDA blocks. Memory
// is of exactly the size asked for, so that AddressSanitizer sees what is read or written beyond
// it, and begins as GALLOP_DEVICE_MEMORY says, or as given.
std::unique_ptr<KernelDevice> make_executor_device();
std::unique_ptr<KernelDevice> make_executor_device(DeviceMemory memory);

}  // namespace gallop::testing
