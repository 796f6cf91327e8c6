// The functions that the build compiles once for each instruction set of the CPU and that do not
// depend on an environment. Each works on the range it is given; the host splits work over threads.
#pragma once

#include "kernels/rollout/rollout.h"

namespace gallop {

struct CpuKernels {
  int lanes;  // floats in a register
  void (*rollout)(const RolloutRequest&);
  void (*act)(const ActRequest&);
  void (*evaluate)(const EvaluateRequest&);
};

}  // namespace gallop
