#pragma once

#include <memory>

#include "host/runtime/cuda_backend.h"

namespace gallop::testing {

// A device whose memory is the host's and whose kernels run in the executor of CUDA blocks. Memory
// is zeroed as the interface asks, and of exactly the size asked for, so that AddressSanitizer sees
// what is read or written beyond it.
std::unique_ptr<KernelDevice> make_executor_device();

}  // namespace gallop::testing
