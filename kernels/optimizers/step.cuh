// Steps of an optimiser (kernels/optimizers/step.h). Up to kStepAlone parameters one block does
// everything in one launch; beyond, the norm's sums go over the whole device.
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/optimizers/step.h>
#include <gallop/kernels/device/for_each.cuh>
#include <gallop/kernels/reduce/moments.cuh>

namespace gallop::inline GALLOP_ISA {

constexpr unsigned kStepBlock = 1024;
constexpr long kStepAlone = 16 * long(kStepBlock);

// One parameter; nothing where the step is refused.
struct StepElement {
  StepRequest r;
  GALLOP_HD void operator()(long i) const {
    const StepState& state = *r.state;
    if (state.refused == 0) step_elements<float>(r, state, adam_of(r, state), i, 1);
  }
};

static __global__ void begin_step_kernel(const __grid_constant__ StepRequest r,
                                         const MomentSums* m) {
  StepState state = *r.state;
  begin_step(r, m->sum_of_squares, state);
  *r.state = state;
}

// All of a step by one block. The sum of squares has the bits of `moments` about zero: integers
// under the same exponent.
__device__ __forceinline__ void step_of_block(const StepRequest& r) {
  unsigned own = 0;
  GALLOP_UNROLL(4)
  for (long i = threadIdx.x; i < r.n; i += blockDim.x) {
    const std::uint32_t bits = magnitude_bits(r.gradient[i]);
    own = bits > own ? bits : own;
  }
  own = block_greatest(own);
  const bool bounded = own < 0x7f800000u;
  const double bound = bounded ? double(as_float(std::int32_t(own))) : 0.0;
  const int exponent = fixed_exponent(bound * bound, r.n);
  std::int64_t squares = 0;
  GALLOP_UNROLL(4)
  for (long i = threadIdx.x; i < (bounded ? r.n : 0); i += blockDim.x) {
    const double g = double(r.gradient[i]);
    squares += to_fixed(g * g, exponent);
  }
  squares = block_sum(squares);
  if (threadIdx.x == 0) {
    StepState state = *r.state;
    begin_step(r, bounded ? from_fixed(squares, exponent) : __builtin_nan(""), state);
    *r.state = state;
  }
  __syncthreads();
  const StepElement element = {r};
  for (long i = threadIdx.x; i < r.n; i += blockDim.x) element(i);
}

static __global__ void __launch_bounds__(kStepBlock)
    step_alone_kernel(const __grid_constant__ StepRequest r) {
  step_of_block(r);
}

inline LaunchStatus optimizer_step(const StepRequest& r, const CudaWork& on) {
  if (r.n <= kStepAlone) {
    const LaunchConfig alone{.name = "step_alone", .block = kStepBlock, .stream = on.stream};
    return launch(alone, step_alone_kernel, r);
  }
  auto* const sums = on.array<MomentSums>(1);
  LaunchStatus status = moments({r.gradient, 1, r.n, r.n, 1, 1, 0, sums}, on);
  const LaunchConfig begin{.name = "begin_step", .stream = on.stream};
  if (status.ok())
    status = launch(begin, begin_step_kernel, r, static_cast<const MomentSums*>(sums));
  if (status.ok()) status = for_each("step", r.n, on.stream, StepElement{r});
  return status;
}

}  // namespace gallop::inline GALLOP_ISA
