// Adjoints of a recorded rollout (kernels/rollout/adjoint.h), one thread an instance.
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/rollout/adjoint.h>
#include <gallop/kernels/device/for_each.cuh>

namespace gallop::inline GALLOP_ISA {

struct BeginAdjoint {
  AdjointRequest r;
  GALLOP_HD void operator()(long i) const { begin_adjoint_lanes<float>(r, i, 1); }
};
struct EndAdjoint {
  AdjointRequest r;
  GALLOP_HD void operator()(long i) const { end_adjoint_lanes<float>(r, i, 1); }
};
struct DifferenceAdjoint {
  DifferenceAdjointRequest r;
  GALLOP_HD void operator()(long i) const { difference_adjoint_lanes<float>(r, i, 1); }
};

inline LaunchStatus begin_adjoint(const AdjointRequest& r, const CudaWork& on) {
  return for_each("begin_adjoint", r.n_envs, on.stream, BeginAdjoint{r});
}
inline LaunchStatus end_adjoint(const AdjointRequest& r, const CudaWork& on) {
  return for_each("end_adjoint", r.n_envs, on.stream, EndAdjoint{r});
}
inline LaunchStatus difference_adjoint(const DifferenceAdjointRequest& r, const CudaWork& on) {
  return for_each("difference_adjoint", r.n_envs, on.stream, DifferenceAdjoint{r});
}

}  // namespace gallop::inline GALLOP_ISA
