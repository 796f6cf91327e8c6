// The steps of conjugate gradient and of the line search (kernels/optimizers/), each by one block:
// all of a step between two products is one launch. A step reads and writes some 50 bytes a
// parameter at the 64 bytes a cycle of one multiprocessor, 0.5 ns a parameter; a product over 50
// 000 samples takes ten times that of the whole device, so a second block would gain nothing there.
#pragma once

#include "kernels/cuda/block_team.cuh"
#include "kernels/cuda/for_each.cuh"
#include "kernels/cuda/launch.cuh"
#include "kernels/optimizers/line_search.h"

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

inline LaunchStatus conjugate_gradient_begin(const ConjugateGradientRequest& r, void* stream) {
  return launch({.name = "conjugate_gradient_begin", .block = kTeamThreads, .stream = stream},
                conjugate_gradient_begin_kernel, r);
}
inline LaunchStatus conjugate_gradient_step(const ConjugateGradientRequest& r, void* stream) {
  return launch({.name = "conjugate_gradient_step", .block = kTeamThreads, .stream = stream},
                conjugate_gradient_step_kernel, r);
}
inline LaunchStatus conjugate_gradient_end(const ConjugateGradientRequest& r, void* stream) {
  return launch({.name = "conjugate_gradient_end", .block = kTeamThreads, .stream = stream},
                conjugate_gradient_end_kernel, r);
}
inline LaunchStatus line_search_begin(const LineSearchRequest& r, void* stream) {
  return launch({.name = "line_search_begin", .block = kTeamThreads, .stream = stream},
                line_search_begin_kernel, r);
}
inline LaunchStatus line_search_step(const LineSearchRequest& r, void* stream) {
  return launch({.name = "line_search_step", .block = kTeamThreads, .stream = stream},
                line_search_step_kernel, r);
}

struct CopyElement {
  float* to;
  const float* from;
  GALLOP_HD void operator()(long i) const { to[i] = from[i]; }
};
inline LaunchStatus copy(float* to, const float* from, long n, void* stream) {
  return for_each("copy", n, stream, CopyElement{to, from});
}

struct AddScaledElement {
  float* y;
  float a;
  const float* x;
  GALLOP_HD void operator()(long i) const { y[i] = fmadd(a, x[i], y[i]); }
};
inline LaunchStatus add_scaled(float* y, float a, const float* x, long n, void* stream) {
  return for_each("add_scaled", n, stream, AddScaledElement{y, a, x});
}

}  // namespace gallop::inline GALLOP_ISA
