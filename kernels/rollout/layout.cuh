// Observations and actions in the layouts of others (kernels/rollout/layout.h): a thread an
// instance.
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/rollout/layout.h>
#include <gallop/kernels/device/for_each.cuh>

namespace gallop::inline GALLOP_ISA {

struct RearrangeInstance {
  RearrangeRequest r;
  GALLOP_HD void operator()(long i) const {
    with_kinds(r, [&](auto to, auto from) {
      for (int k = 0; k < r.components; k++) rearrange_row(r, k, i, i + 1, to, from);
    });
  }
};
inline LaunchStatus rearrange(const RearrangeRequest& r, const CudaWork& on) {
  return for_each("rearrange", r.n, on.stream, RearrangeInstance{r});
}

}  // namespace gallop::inline GALLOP_ISA
