// The launchers that the build compiles for each environment. All pointers of a request are of the
// device; every function puts its kernels on `stream` (a cudaStream_t) and returns at once.
#pragma once

#include "kernels/cuda/launch_status.h"
#include "kernels/rollout/rollout.h"

namespace gallop {

struct CudaEnvironmentTable {
  // The meanings of kernels/cpu/environment_table.h. Instances [begin, end) of the batch, any
  // begin.
  LaunchStatus (*reset)(const EnvironmentBatch&, int begin, int end, const std::uint8_t* mask,
                        void* stream);
  LaunchStatus (*observe)(const EnvironmentBatch&, int begin, int end, float* observation,
                          long stride, void* stream);
  LaunchStatus (*step)(const EnvironmentBatch&, int begin, int end, const float* action,
                       long action_stride, int clip, ResetMode, const StepOutput&, void* stream);
  // `environment` and `scratch` are not read. Refuses a policy whose shape does not fit the
  // environment.
  LaunchStatus (*rollout)(const RolloutRequest&, void* stream);
  // Whether the rollout has a kernel of its own for Arithmetic::kFast; else it takes the strict one.
  bool (*has_fast_rollout)(const RolloutRequest&);
};

}  // namespace gallop
