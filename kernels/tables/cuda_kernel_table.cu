// The launchers of kernels/tables/cuda_kernel_table.h, compiled by nvcc; the tests compile the same
// file for their executor.
#define GALLOP_LAUNCHERS
#include <gallop/kernels/tables/cuda_kernel_table.h>

namespace gallop::inline GALLOP_ISA {

static LaunchStatus usable() {
#ifdef GALLOP_CUDA_EXECUTOR
  return {};
#else
  cudaFuncAttributes attributes;
  return {static_cast<int>(cudaFuncGetAttributes(&attributes, begin_moments_kernel)), "any"};
#endif
}

static constexpr CudaKernels kCudaKernels = {
    &usable,
#define GALLOP_ENTRY(name, Request) &name,
    GALLOP_OPERATIONS(GALLOP_ENTRY)         //
    GALLOP_JOINED_OPERATIONS(GALLOP_ENTRY)  //
    GALLOP_DEVICE_OPERATIONS(GALLOP_ENTRY)  //
#undef GALLOP_ENTRY
};

}  // namespace gallop::inline GALLOP_ISA

#ifdef GALLOP_CUDA_EXECUTOR
extern "C" const gallop::CudaKernels* gallop_executor_kernels() {
#else
extern "C" const gallop::CudaKernels* gallop_cuda_kernels() {
#endif
  return &gallop::GALLOP_ISA::kCudaKernels;
}

#ifndef GALLOP_CUDA_EXECUTOR
// Compute capabilities that this file was compiled for, as 900 for 9.0.
extern "C" const int* gallop_cuda_architectures(int* count) {
  static constexpr int kBuilt[] = {__CUDA_ARCH_LIST__};
  *count = sizeof(kBuilt) / sizeof(kBuilt[0]);
  return kBuilt;
}
#endif
