// Actions from the outputs of a policy's network (kernels/policy/choose.h): a thread an instance.
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/policy/choose.h>
#include <gallop/kernels/device/for_each.cuh>

namespace gallop::inline GALLOP_ISA {

struct ChooseInstance {
  ChooseRequest r;
  GALLOP_HD void operator()(long i) const { choose_lanes<float>(r, i, 1); }
};
inline LaunchStatus choose_actions(const ChooseRequest& r, const CudaWork& on) {
  return for_each("choose_actions", r.n, on.stream, ChooseInstance{r});
}

}  // namespace gallop::inline GALLOP_ISA
