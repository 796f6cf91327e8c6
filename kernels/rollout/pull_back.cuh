// Adjoints of a recorded rollout (kernels/rollout/pull_back.h), one thread an instance.
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/rollout/pull_back_lanes.h>
#include <gallop/kernels/device/for_each.cuh>

namespace gallop::inline GALLOP_ISA {

template <class Env>
struct PullBackInstance {
  PullBackRequest r;

  GALLOP_HD void operator()(long i) const {
    using D = Dual<float, kTangents>;
    typename Env::template Parameters<D> p;
    if (r.scenario.parameters_per_instance == 0) {
      broadcast_struct<D>(p, r.scenario.parameters);
    } else {
      load_struct<D>(p, r.scenario.parameters + i, r.scenario.stride, 1);
    }
    pull_back_lanes<Env, float>(r, p, int(i), 1);
  }
};

template <class Env>
LaunchStatus pull_back_instances(const PullBackRequest& r, const CudaWork& on) {
  if constexpr (Traits<Env>::kSmooth) {
    return for_each("pull_back", r.n_envs, on.stream, PullBackInstance<Env>{r});
  } else {
    return {kLaunchRefused, "pull_back"};
  }
}

}  // namespace gallop::inline GALLOP_ISA
