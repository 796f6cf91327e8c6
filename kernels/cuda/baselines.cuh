// Estimators and baselines of which every thread computes an instance, a sample or a component
// (kernels/estimators/, kernels/baselines/).
#pragma once

#include "kernels/baselines/linear.h"
#include "kernels/baselines/optimal.h"
#include "kernels/cuda/for_each.cuh"
#include "kernels/estimators/age.h"
#include "kernels/estimators/n_step.h"
#include "kernels/estimators/path_returns.h"

namespace gallop::inline GALLOP_ISA {

struct NStepElement {
  NStepRequest r;
  GALLOP_HD void operator()(long k) const {
    n_step_at<float>(r, int(k / r.n_envs), int(k % r.n_envs), 1);
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
struct FeaturesSample {
  FeaturesRequest r;
  GALLOP_HD void operator()(long s) const { write_features(r, s); }
};
struct GramElement {
  GramRequest r;
  GALLOP_HD void operator()(long p) const { gram_element(r, p); }
};
struct LinearValueSample {
  LinearValuesRequest r;
  GALLOP_HD void operator()(long s) const { linear_value(r, s); }
};
struct OptimalBaselineComponent {
  OptimalBaselineRequest r;
  GALLOP_HD void operator()(long j) const { optimal_baseline_component(r, j); }
};

inline LaunchStatus n_step(const NStepRequest& r, void* stream) {
  return for_each("n_step", long(r.n_steps) * r.n_envs, stream, NStepElement{r});
}
inline LaunchStatus path_returns(const PathReturnsRequest& r, void* stream) {
  return for_each("path_returns", r.n_envs, stream, PathReturnsInstance{r});
}
inline LaunchStatus ages(const AgeRequest& r, void* stream) {
  return for_each("ages", r.n_envs, stream, AgeInstance{r});
}
inline LaunchStatus discount_by_age(const AgeDiscountRequest& r, void* stream) {
  return for_each("discount_by_age", r.end, stream, AgeDiscountElement{r});
}
inline LaunchStatus features(const FeaturesRequest& r, void* stream) {
  return for_each("features", r.count, stream, FeaturesSample{r});
}
inline LaunchStatus gram(const GramRequest& r, void* stream) {
  return for_each("gram", gram_count(r.n_features), stream, GramElement{r});
}
inline LaunchStatus linear_values(const LinearValuesRequest& r, void* stream) {
  return for_each("linear_values", r.count, stream, LinearValueSample{r});
}
inline LaunchStatus optimal_baseline(const OptimalBaselineRequest& r, void* stream) {
  return for_each("optimal_baseline", r.end, stream, OptimalBaselineComponent{r});
}

}  // namespace gallop::inline GALLOP_ISA
