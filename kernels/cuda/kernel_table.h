// The launchers that do not depend on an environment. All pointers of a request are of the device;
// every function puts its kernels on `stream` (a cudaStream_t) and returns at once. The bits of
// every result are those of the CPU's kernels (kernels/cpu/kernel_table.h).
#pragma once

#include "kernels/baselines/linear.h"
#include "kernels/baselines/optimal.h"
#include "kernels/cuda/launch_status.h"
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
#include "kernels/policy/act.h"
#include "kernels/reduce/partials.h"

namespace gallop {

// Outputs of a network for rows of N inputs.
struct CudaValuesRequest {
  NetworkShape shape;
  const float* parameters;
  Normalization normalization;
  int n_rows, n_envs;
  const float* observation;        // [rows, O, N]
  const std::uint8_t* terminated;  // [rows, N] or null
  const std::uint8_t* truncated;   // [rows, N] or null
  float* output;  // [rows, outputs, N]; given both flags, only where truncated and not terminated
  Arithmetic arithmetic = Arithmetic::kStrict;  // kFast without flags only
};

// Order-free moments of `rows` rows of n numbers that stand `stride` apart; of several such groups,
// which begin `group_stride` apart.
struct CudaMomentsRequest {
  const float* x;
  long rows, n, stride;
  int about_zero;  // 1: the mean is taken as 0, and sum_of_squares is that of x
  int groups = 1;
  long group_stride = 0;
};
// Where they are computed, in device memory.
struct CudaMoments {
  double mean, sum_of_squares;  // NaN where a number is not finite
  std::int64_t fixed_sum, fixed_sum_of_squares;
  std::uint32_t greatest;  // magnitude, as bits
  std::uint32_t unused;    // so that all of it is written
};
// Where sums over episodes are computed, in device memory.
struct CudaEpisodes {
  EpisodeSums sums;
  std::int64_t fixed_returns;
  std::uint32_t greatest;  // magnitude of a return, as bits
};

struct CudaShuffleRequest {
  std::uint64_t seed, counter;
  long n;
  std::uint32_t* order;  // [n] the numbers 0 .. n - 1 sorted by (key, number)
  void* scratch;         // [shuffle_scratch] bytes
  std::size_t scratch_bytes;
};

struct CudaKernels {
  // Whether the current device can run these kernels: they are compiled for some architectures.
  LaunchStatus (*usable)();
  LaunchStatus (*values)(const CudaValuesRequest&, void* stream);
  LaunchStatus (*gae)(const GaeRequest&, void* stream);
  LaunchStatus (*returns)(const ReturnsRequest&, void* stream);
  LaunchStatus (*moments)(const CudaMomentsRequest&, CudaMoments* result /* [groups] */,
                          void* stream);
  LaunchStatus (*episodes)(const EpisodesRequest&, CudaEpisodes* result, void* stream);
  LaunchStatus (*standardize)(float* x, long n, float mean, float inverse_std, void* stream);
  // `scratch` holds gradient_scratch floats, or is null where that is 0.
  LaunchStatus (*policy_gradient)(const PolicyGradientRequest&, void* stream);
  LaunchStatus (*value_gradient)(const ValueGradientRequest&, void* stream);
  long (*gradient_scratch)(const NetworkShape&, int n_actions, int n_chunks);
  // `bound` [kMaxSegments] is overwritten.
  LaunchStatus (*reduce_partials)(const ReduceRequest&, float* bound, void* stream);
  LaunchStatus (*optimizer_step)(const StepRequest&, CudaMoments* scratch, void* stream);
  LaunchStatus (*shuffle)(const CudaShuffleRequest&, void* stream);
  std::size_t (*shuffle_scratch)(long n);  // bytes
  LaunchStatus (*n_step)(const NStepRequest&, void* stream);
  LaunchStatus (*path_returns)(const PathReturnsRequest&, void* stream);
  LaunchStatus (*ages)(const AgeRequest&, void* stream);
  LaunchStatus (*discount_by_age)(const AgeDiscountRequest&, void* stream);
  LaunchStatus (*features)(const FeaturesRequest&, void* stream);
  LaunchStatus (*gram)(const GramRequest&, void* stream);
  LaunchStatus (*linear_values)(const LinearValuesRequest&, void* stream);
  LaunchStatus (*optimal_baseline)(const OptimalBaselineRequest&, void* stream);
  // `scratch` of the next three holds fisher_scratch floats, or is null where that is 0. Nothing is
  // written where `active` of a request, or of a reduction, is set and the number there is 0.
  LaunchStatus (*fisher_prepare)(const FisherRequest&, void* stream);
  LaunchStatus (*fisher_product)(const FisherRequest&, void* stream);
  LaunchStatus (*policy_divergence)(const DivergenceRequest&, void* stream);
  long (*fisher_scratch)(const PolicyShape&, int n_chunks);
  // What a product by matrices (host/runtime/matrix_fisher.h) is made of besides those; n is the
  // count of samples rounded up to whole chunks.
  //
  // to [width + 1, n] = the units that layer `layer` reads and a row of ones, 0 beyond the count.
  LaunchStatus (*matrix_units)(const FisherRequest&, int layer, float* to, void* stream);
  // x *= slope of the activation where it gave `unit`; both [4 quads], aligned to 16 bytes.
  LaunchStatus (*scale_by_slope)(Activation, const float* unit, long quads, float* x, void* stream);
  // tangent [outputs, n]: replaced by weight M tangent, 0 beyond the count.
  LaunchStatus (*matrix_metric)(const FisherRequest&, float* tangent, void* stream);
  // to [D] = the network's part of the product and the block of log sigma, where it is wanted.
  LaunchStatus (*matrix_product)(const FisherRequest&, const float* network, float* to,
                                 void* stream);
  LaunchStatus (*conjugate_gradient_begin)(const ConjugateGradientRequest&, void* stream);
  LaunchStatus (*conjugate_gradient_step)(const ConjugateGradientRequest&, void* stream);
  LaunchStatus (*conjugate_gradient_end)(const ConjugateGradientRequest&, void* stream);
  LaunchStatus (*line_search_begin)(const LineSearchRequest&, void* stream);
  LaunchStatus (*line_search_step)(const LineSearchRequest&, void* stream);
  LaunchStatus (*copy)(float* to, const float* from, long n, void* stream);
  LaunchStatus (*add_scaled)(float* y, float a, const float* x, long n, void* stream);
};

}  // namespace gallop
