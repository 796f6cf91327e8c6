// Implements CudaEnvironmentTable for one environment. Included only by generated files.
#pragma once

#include <gallop/kernels/tables/cuda_environment_table.h>
#include <gallop/kernels/rollout/population.cuh>
#include <gallop/kernels/rollout/pull_back.cuh>
#include <gallop/kernels/rollout/rollout.cuh>
#include <gallop/kernels/rollout/step.cuh>

namespace gallop::inline GALLOP_ISA {

template <class Env>
struct CudaEnvironmentFunctions {
  static constexpr CudaEnvironmentTable kTable = {
#define GALLOP_ENTRY(name, Request) &name<Env>,
      GALLOP_ENVIRONMENT_OPERATIONS(GALLOP_ENTRY)
#undef GALLOP_ENTRY
      & RolloutChoice<Env>::has_fast_rollout};
};

}  // namespace gallop::inline GALLOP_ISA

// Defines gallop_environment_<Type>_cuda(), found by the generated registry; ..._executor() where
// the tests' executor stands in for the device.
#ifdef GALLOP_CUDA_EXECUTOR
#define GALLOP_CUDA_SUFFIX executor
#else
#define GALLOP_CUDA_SUFFIX cuda
#endif
#define GALLOP_INSTANTIATE_CUDA(Type)                                                       \
  extern "C" const gallop::CudaEnvironmentTable* GALLOP_JOIN(gallop_environment_##Type,     \
                                                             GALLOP_CUDA_SUFFIX)() {        \
    return &gallop::GALLOP_ISA::CudaEnvironmentFunctions<gallop::GALLOP_ISA::Type>::kTable; \
  }
