// The launchers that the build compiles for each environment. Every one puts its kernels on the
// stream and returns at once.
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/device/launch_status.h>
#include <gallop/kernels/operations.h>

namespace gallop {

struct CudaEnvironmentTable {
#define GALLOP_ENTRY(name, Request) LaunchStatus (*name)(const Request&, const CudaWork&);
  GALLOP_ENVIRONMENT_OPERATIONS(GALLOP_ENTRY)
#undef GALLOP_ENTRY
  // Whether the rollout has a kernel of its own for Arithmetic::kFast; else it takes the strict
  // one.
  bool (*has_fast_rollout)(const RolloutRequest&);
};

}  // namespace gallop
