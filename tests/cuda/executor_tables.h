#pragma once

#include <gallop/kernels/tables/cuda_environment_table.h>
#include <gallop/kernels/tables/cuda_kernel_table.h>

// The CUDA kernels compiled for the executor; the build writes the list.
extern "C" const gallop::CudaKernels* gallop_executor_kernels();

namespace gallop::testing {

struct ExecutorEnvironment {
  const char* type;  // name of the C++ struct
  const CudaEnvironmentTable* (*table)();
};

extern const ExecutorEnvironment kExecutorEnvironments[];
extern const int kNumExecutorEnvironments;

}  // namespace gallop::testing
