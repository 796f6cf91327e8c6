// Actions, targets and noise of off-policy learners (kernels/off_policy/): a thread a transition or
// an instance.
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/off_policy/noise.h>
#include <gallop/kernels/off_policy/q_targets.h>
#include <gallop/kernels/off_policy/sample_actions.h>
#include <gallop/kernels/device/for_each.cuh>

namespace gallop::inline GALLOP_ISA {

struct SampleActionElement {
  SampleActionsRequest r;
  GALLOP_HD void operator()(long i) const { sample_action_lanes<float>(r, i, 1); }
};
inline LaunchStatus sample_actions(const SampleActionsRequest& r, const CudaWork& on) {
  return for_each("sample_actions", r.n, on.stream, SampleActionElement{r});
}

struct QTargetElement {
  QTargetsRequest r;
  GALLOP_HD void operator()(long i) const { q_target_lanes<float>(r, i, 1); }
};
inline LaunchStatus q_targets(const QTargetsRequest& r, const CudaWork& on) {
  return for_each("q_targets", r.n, on.stream, QTargetElement{r});
}

struct OuNoiseInstance {
  OuNoiseRequest r;
  GALLOP_HD void operator()(long i) const { ou_noise_lanes<float>(r, i, 1); }
};
inline LaunchStatus ou_noise(const OuNoiseRequest& r, const CudaWork& on) {
  return for_each("ou_noise", r.n, on.stream, OuNoiseInstance{r});
}

}  // namespace gallop::inline GALLOP_ISA
