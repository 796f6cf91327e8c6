// The functions that the build compiles once for each instruction set of the CPU and that do not
// depend on an environment. Each works on the range it is given; the host splits work over threads.
#pragma once

#include "kernels/baselines/linear.h"
#include "kernels/baselines/optimal.h"
#include "kernels/estimators/age.h"
#include "kernels/estimators/episodes.h"
#include "kernels/estimators/gae.h"
#include "kernels/estimators/n_step.h"
#include "kernels/estimators/path_returns.h"
#include "kernels/estimators/returns.h"
#include "kernels/gradients/divergence.h"
#include "kernels/gradients/samples.h"
#include "kernels/optimizers/adam.h"
#include "kernels/optimizers/line_search.h"
#include "kernels/optimizers/step.h"
#include "kernels/reduce/partials.h"
#include "kernels/rollout/rollout.h"

namespace gallop {

struct CpuKernels {
  int lanes;  // floats in a register
  void (*rollout)(const RolloutRequest&);
  void (*act)(const ActRequest&);
  void (*evaluate)(const EvaluateRequest&);
  void (*gae)(const GaeRequest&);
  void (*returns)(const ReturnsRequest&);
  // Greatest magnitude of x [n], infinity if any is not finite; order-free sums of x and (x -
  // mean)^2 as multiples of 2^-exponent (kernels/reduce/fixed_point.h).
  float (*greatest_magnitude)(const float* x, long n);
  std::int64_t (*fixed_sum)(const float* x, long n, int exponent);
  std::int64_t (*fixed_sum_of_squares)(const float* x, long n, double mean, int exponent);
  void (*standardize)(float* x, long n, float mean, float inverse_std);
  void (*policy_gradient)(const PolicyGradientRequest&);
  void (*value_gradient)(const ValueGradientRequest&);
  void (*reduce_partials)(const ReduceRequest&);
  void (*adam)(const AdamRequest&);
  void (*fisher_prepare)(const FisherRequest&);
  void (*fisher_product)(const FisherRequest&);
  void (*policy_divergence)(const DivergenceRequest&);
  void (*n_step)(const NStepRequest&);
  void (*path_returns)(const PathReturnsRequest&);
  void (*ages)(const AgeRequest&);
  void (*discount_by_age)(const AgeDiscountRequest&);
  // Samples, elements of the product, or components [begin, end).
  void (*features)(const FeaturesRequest&, long begin, long end);
  void (*gram)(const GramRequest&, long begin, long end);
  void (*linear_values)(const LinearValuesRequest&, long begin, long end);
  void (*optimal_baseline)(const OptimalBaselineRequest&);
  void (*conjugate_gradient_begin)(const ConjugateGradientRequest&);
  void (*conjugate_gradient_step)(const ConjugateGradientRequest&);
  void (*conjugate_gradient_end)(const ConjugateGradientRequest&);
  void (*line_search_begin)(const LineSearchRequest&);
  void (*line_search_step)(const LineSearchRequest&);
};

}  // namespace gallop
