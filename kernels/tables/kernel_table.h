// The operations that the build compiles once for each instruction set of the CPU.
#pragma once

#include <gallop/kernels/operations.h>

namespace gallop {

struct CpuKernels {
#define GALLOP_ENTRY(name, Request) void (*name)(const Request&, const CpuWork&);
  GALLOP_OPERATIONS(GALLOP_ENTRY)
  GALLOP_ENVIRONMENT_OPERATIONS(GALLOP_ENTRY)
#undef GALLOP_ENTRY
  // A policy on a block of instances, as a rollout runs it at each step.
  void (*act)(const ActRequest&);
};

}  // namespace gallop
