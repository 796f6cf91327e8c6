// Gradients with their steps (kernels/optimizers/gradient_step.h): two launches, one over the
// chunks and one that adds them up, of which the last block takes the step. With more parameters
// than one block is for, the step is an operation of its own.
#pragma once

#include <gallop/kernels/optimizers/gradient_step.h>
#include <gallop/kernels/device/last_block.cuh>
#include <gallop/kernels/gradients/gradient.cuh>
#include <gallop/kernels/optimizers/step.cuh>

namespace gallop::inline GALLOP_ISA {

static __global__ void __launch_bounds__(kSumBlock)
    sum_and_step_kernel(const __grid_constant__ ReduceRequest r,
                        const __grid_constant__ StepRequest step, int elements, unsigned* arrived) {
  sum_partials_of_block(r, elements);
  if (is_last_block(arrived)) step_of_block(step);
}

inline LaunchStatus sum_and_step(const ReduceRequest& r, const StepRequest& step, unsigned* arrived,
                                 const CudaWork& on) {
  const LaunchConfig config{
      .name = "sum_and_step", .grid = sum_grid(r), .block = kSumBlock, .stream = on.stream};
  return launch(config, sum_and_step_kernel, r, step,
                elements_of_block(r.segments.begin[r.segments.count]), arrived);
}

inline bool is_step_of_block(const StepRequest& step, const Samples& samples) {
  return step.n <= kStepAlone && samples.count > 0;
}

inline LaunchStatus policy_step(const PolicyStepRequest& r, const CudaWork& on) {
  if (!is_step_of_block(r.step, r.gradient.samples)) {
    const LaunchStatus status = policy_gradient(r.gradient, on);
    return status.ok() ? optimizer_step(r.step, on) : status;
  }
  return policy_gradient(r.gradient, on, [&](const ReduceRequest& all, unsigned* arrived) {
    return sum_and_step(all, r.step, arrived, on);
  });
}
inline LaunchStatus value_step(const ValueStepRequest& r, const CudaWork& on) {
  if (!is_step_of_block(r.step, r.gradient.samples)) {
    const LaunchStatus status = value_gradient(r.gradient, on);
    return status.ok() ? optimizer_step(r.step, on) : status;
  }
  return value_gradient(r.gradient, on, [&](const ReduceRequest& all, unsigned* arrived) {
    return sum_and_step(all, r.step, arrived, on);
  });
}

}  // namespace gallop::inline GALLOP_ISA
