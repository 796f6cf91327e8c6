// Steps of an optimiser (kernels/optimizers/step.h). Up to kStepAlone parameters one block does
// everything in one launch; beyond, the norm's sums go over the whole device.
#pragma once

#include "kernels/cuda/for_each.cuh"
#include "kernels/cuda/moments.cuh"
#include "kernels/optimizers/step.h"

namespace gallop::inline GALLOP_ISA {

constexpr unsigned kStepBlock = 1024;
constexpr long kStepAlone = 16 * long(kStepBlock);

// One parameter; nothing where the step is refused.
struct StepElement {
  StepRequest r;
  GALLOP_HD void operator()(long i) const {
    const StepState& state = *r.state;
    if (state.refused != 0) return;
    if (r.rule == StepRule::kPlain) {
      r.parameters[i] = fmadd(plain_factor(state), r.gradient[i], r.parameters[i]);
      return;
    }
    float parameter = r.parameters[i], m = r.first_moment[i], v = r.second_moment[i];
    adam_element<float>(adam_of(r, state), r.gradient[i], parameter, m, v);
    r.parameters[i] = parameter;
    r.first_moment[i] = m;
    r.second_moment[i] = v;
  }
};

static __global__ void begin_step_kernel(const __grid_constant__ StepRequest r,
                                         const CudaMoments* m) {
  StepState state = *r.state;
  begin_step(r, m->sum_of_squares, state);
  *r.state = state;
}

// The sum of squares has the bits of `moments` about zero: integers under the same exponent.
static __global__ void __launch_bounds__(kStepBlock)
    step_alone_kernel(const __grid_constant__ StepRequest r) {
  GALLOP_SHARED(unsigned, greatest, 1);
  GALLOP_SHARED(unsigned long long, sum, 1);
  if (threadIdx.x == 0) greatest[0] = 0, sum[0] = 0;
  __syncthreads();
  unsigned own = 0;
  for (long i = threadIdx.x; i < r.n; i += kStepBlock) {
    const std::uint32_t bits = magnitude_bits(r.gradient[i]);
    own = bits > own ? bits : own;
  }
  atomicMax(&greatest[0], own);
  __syncthreads();
  const bool bounded = greatest[0] < 0x7f800000u;
  const double bound = bounded ? double(as_float(std::int32_t(greatest[0]))) : 0.0;
  const int exponent = fixed_exponent(bound * bound, r.n);
  std::int64_t squares = 0;
  for (long i = threadIdx.x; bounded && i < r.n; i += kStepBlock) {
    const double g = double(r.gradient[i]);
    squares += to_fixed(g * g, exponent);
  }
  atomicAdd(&sum[0], static_cast<unsigned long long>(squares));
  __syncthreads();
  if (threadIdx.x == 0) {
    StepState state = *r.state;
    begin_step(r, bounded ? from_fixed(std::int64_t(sum[0]), exponent) : __builtin_nan(""), state);
    *r.state = state;
  }
  __syncthreads();
  const StepElement element = {r};
  for (long i = threadIdx.x; i < r.n; i += kStepBlock) element(i);
}

inline LaunchStatus optimizer_step(const StepRequest& r, CudaMoments* scratch, void* stream) {
  if (r.n <= kStepAlone) {
    const LaunchConfig alone{.name = "step_alone", .block = kStepBlock, .stream = stream};
    return launch(alone, step_alone_kernel, r);
  }
  LaunchStatus status = moments({r.gradient, 1, r.n, r.n, 1}, scratch, stream);
  const LaunchConfig begin{.name = "begin_step", .stream = stream};
  if (status.ok())
    status = launch(begin, begin_step_kernel, r, static_cast<const CudaMoments*>(scratch));
  if (status.ok()) status = for_each("step", r.n, stream, StepElement{r});
  return status;
}

}  // namespace gallop::inline GALLOP_ISA
