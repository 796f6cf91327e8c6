// The launchers of kernels/cuda/kernel_table.h, compiled by nvcc; the tests compile the same file
// for their executor.
#include "kernels/cuda/kernel_table.h"

#include "kernels/cuda/baselines.cuh"
#include "kernels/cuda/episodes.cuh"
#include "kernels/cuda/estimators.cuh"
#include "kernels/cuda/fisher.cuh"
#include "kernels/cuda/gradient.cuh"
#include "kernels/cuda/matrix_fisher.cuh"
#include "kernels/cuda/moments.cuh"
#include "kernels/cuda/optimizer_step.cuh"
#include "kernels/cuda/shuffle.cuh"
#include "kernels/cuda/trust_region.cuh"
#include "kernels/cuda/update.cuh"
#include "kernels/cuda/values.cuh"

namespace gallop::inline GALLOP_ISA {

static LaunchStatus usable() {
#ifdef GALLOP_CUDA_EXECUTOR
  return {};
#else
  cudaFuncAttributes attributes;
  return {static_cast<int>(cudaFuncGetAttributes(&attributes, begin_moments_kernel)), "any"};
#endif
}

static constexpr CudaKernels kCudaKernels = {&usable,
                                             &values,
                                             &gae,
                                             &returns,
                                             &moments,
                                             &episodes,
                                             &standardize,
                                             &policy_gradient,
                                             &value_gradient,
                                             &gradient_scratch_floats,
                                             &reduce_partials,
                                             &optimizer_step,
                                             &shuffle,
                                             &shuffle_scratch,
                                             &n_step,
                                             &path_returns,
                                             &ages,
                                             &discount_by_age,
                                             &features,
                                             &gram,
                                             &linear_values,
                                             &optimal_baseline,
                                             &fisher_prepare,
                                             &fisher_product,
                                             &policy_divergence,
                                             &fisher_scratch_floats,
                                             &matrix_units,
                                             &scale_by_slope,
                                             &matrix_metric,
                                             &matrix_product,
                                             &conjugate_gradient_begin,
                                             &conjugate_gradient_step,
                                             &conjugate_gradient_end,
                                             &line_search_begin,
                                             &line_search_step,
                                             &copy,
                                             &add_scaled};

}  // namespace gallop::inline GALLOP_ISA

#ifdef GALLOP_CUDA_EXECUTOR
extern "C" const gallop::CudaKernels* gallop_executor_kernels() {
#else
extern "C" const gallop::CudaKernels* gallop_cuda_kernels() {
#endif
  return &gallop::GALLOP_ISA::kCudaKernels;
}
