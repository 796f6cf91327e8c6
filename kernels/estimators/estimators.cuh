// Returns of recorded rollouts, and what else an estimator makes of each instance or element of
// them (kernels/estimators/); advantages stand in gae.cuh.
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/estimators/age.h>
#include <gallop/kernels/estimators/n_step.h>
#include <gallop/kernels/estimators/path_returns.h>
#include <gallop/kernels/estimators/returns.h>
#include <gallop/kernels/estimators/standardize.h>
#include <gallop/kernels/device/for_each.cuh>
#include <gallop/kernels/estimators/recorded_steps.cuh>

namespace gallop::inline GALLOP_ISA {

// One sweep of one instance from the last step to the first; what it reads of sixteen steps is
// under way at once, as in gae.cuh.
struct ReturnsInstance {
  ReturnsRequest r;
  GALLOP_HD void operator()(long i) const {
    constexpr int kSteps = 16;
    float next = r.last_value == nullptr ? 0.0f : r.last_value[i];
    GALLOP_UNROLL(1)
    for (int first = (r.n_steps - 1) / kSteps * kSteps; first >= 0; first -= kSteps) {
      RecordedSteps<kSteps> steps;
      steps.load_with(r, first, i, [](int, long) {});
      GALLOP_UNROLL(16)
      for (int k = kSteps - 1; k >= 0; k--) {
        const long at = long(first + k) * r.n_envs + i;
        if (first + k < r.n_steps) {
          if (steps.is_cut(k)) next = r.final_value == nullptr ? 0.0f : r.final_value[at];
          next = discounted_return<float>(r, steps.reward[k], next, steps.is_open(k));
          r.returns[at] = next;
        }
      }
    }
  }
};

struct StandardizeElement {
  StandardizeRequest r;
  GALLOP_HD void operator()(long i) const { r.x[i] = standardized(r.x[i], r.mean, r.inverse_std); }
};

struct NStepElement {
  NStepRequest r;
  GALLOP_HD void operator()(long k) const {
    const unsigned at = unsigned(k), n_envs = unsigned(r.n_envs);
    n_step_at<float>(r, int(at / n_envs), int(at % n_envs), 1);
  }
};

struct PathReturnsInstance {
  PathReturnsRequest r;
  GALLOP_HD void operator()(long i) const { path_returns_of<float>(r, int(i), 1); }
};

struct AgeInstance {
  AgeRequest r;
  GALLOP_HD void operator()(long i) const { ages_of<float>(r, int(i), 1); }
};

struct AgeDiscountElement {
  AgeDiscountRequest r;
  GALLOP_HD void operator()(long i) const {
    r.advantage[i] = discounted_by_age(r.advantage[i], r.age[i], r.gamma);
  }
};

inline LaunchStatus returns(const ReturnsRequest& r, const CudaWork& on) {
  if (r.n_steps <= 0) return {0, "returns"};
  return for_each("returns", r.n_envs, on.stream, ReturnsInstance{r});
}

inline LaunchStatus standardize(const StandardizeRequest& r, const CudaWork& on) {
  return for_each("standardize", r.n, on.stream, StandardizeElement{r});
}

inline LaunchStatus n_step(const NStepRequest& r, const CudaWork& on) {
  const long n = long(r.n_steps) * r.n_envs;
  if (n > kMostElements) return {kLaunchRefused, "n_step"};
  return for_each("n_step", n, on.stream, NStepElement{r});
}

inline LaunchStatus path_returns(const PathReturnsRequest& r, const CudaWork& on) {
  return for_each("path_returns", r.n_envs, on.stream, PathReturnsInstance{r});
}

inline LaunchStatus ages(const AgeRequest& r, const CudaWork& on) {
  return for_each("ages", r.n_envs, on.stream, AgeInstance{r});
}

inline LaunchStatus discount_by_age(const AgeDiscountRequest& r, const CudaWork& on) {
  return for_each("discount_by_age", r.n, on.stream, AgeDiscountElement{r});
}

}  // namespace gallop::inline GALLOP_ISA
