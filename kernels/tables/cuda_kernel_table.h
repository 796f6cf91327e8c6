// The launchers of the operations that do not depend on an environment. Every one puts its kernels
// on the stream and returns at once.
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/device/launch_status.h>
#include <gallop/kernels/operations.h>

namespace gallop {

struct CudaKernels {
  // Whether the current device can run these kernels: they are compiled for some architectures.
  LaunchStatus (*usable)();
#define GALLOP_ENTRY(name, Request) LaunchStatus (*name)(const Request&, const CudaWork&);
  GALLOP_OPERATIONS(GALLOP_ENTRY)
  GALLOP_JOINED_OPERATIONS(GALLOP_ENTRY)
  GALLOP_DEVICE_OPERATIONS(GALLOP_ENTRY)
#undef GALLOP_ENTRY
};

}  // namespace gallop
