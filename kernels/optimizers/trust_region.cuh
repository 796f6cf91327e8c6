// The steps of conjugate gradient and of the line search (kernels/optimizers/), each by one block:
// all of a step between two products is one launch. A step reads and writes some 50 bytes a
// parameter at the 64 bytes a cycle of one multiprocessor, 0.5 ns a parameter; a product over 50
// 000 samples takes ten times that of the whole device, so a second block would gain nothing there.
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/optimizers/line_search.h>
#include <gallop/kernels/device/block_team.cuh>
#include <gallop/kernels/device/launch.cuh>

namespace gallop::inline GALLOP_ISA {

static __global__ void __launch_bounds__(kTeamThreads)
    conjugate_gradient_begin_kernel(const __grid_constant__ ConjugateGradientRequest r) {
  GALLOP_SHARED(double, partial, kTeamThreads);
  conjugate_gradient_begin(r, BlockTeam{partial});
}
static __global__ void __launch_bounds__(kTeamThreads)
    conjugate_gradient_step_kernel(const __grid_constant__ ConjugateGradientRequest r) {
  GALLOP_SHARED(double, partial, kTeamThreads);
  conjugate_gradient_step(r, BlockTeam{partial});
}
static __global__ void __launch_bounds__(kTeamThreads)
    conjugate_gradient_end_kernel(const __grid_constant__ ConjugateGradientRequest r) {
  GALLOP_SHARED(double, partial, kTeamThreads);
  conjugate_gradient_end(r, BlockTeam{partial});
}
static __global__ void __launch_bounds__(kTeamThreads)
    line_search_begin_kernel(const __grid_constant__ LineSearchRequest r) {
  line_search_begin(r, BlockTeam{nullptr});
}
static __global__ void __launch_bounds__(kTeamThreads)
    line_search_step_kernel(const __grid_constant__ LineSearchRequest r) {
  line_search_step(r, BlockTeam{nullptr});
}

inline LaunchStatus conjugate_gradient_begin(const ConjugateGradientRequest& r,
                                             const CudaWork& on) {
  return launch({.name = "conjugate_gradient_begin", .block = kTeamThreads, .stream = on.stream},
                conjugate_gradient_begin_kernel, r);
}
inline LaunchStatus conjugate_gradient_step(const ConjugateGradientRequest& r, const CudaWork& on) {
  return launch({.name = "conjugate_gradient_step", .block = kTeamThreads, .stream = on.stream},
                conjugate_gradient_step_kernel, r);
}
inline LaunchStatus conjugate_gradient_end(const ConjugateGradientRequest& r, const CudaWork& on) {
  return launch({.name = "conjugate_gradient_end", .block = kTeamThreads, .stream = on.stream},
                conjugate_gradient_end_kernel, r);
}
inline LaunchStatus line_search_begin(const LineSearchRequest& r, const CudaWork& on) {
  return launch({.name = "line_search_begin", .block = kTeamThreads, .stream = on.stream},
                line_search_begin_kernel, r);
}
inline LaunchStatus line_search_step(const LineSearchRequest& r, const CudaWork& on) {
  return launch({.name = "line_search_step", .block = kTeamThreads, .stream = on.stream},
                line_search_step_kernel, r);
}

}  // namespace gallop::inline GALLOP_ISA
