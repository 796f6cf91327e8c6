// Gradients of policy and value losses (kernels/gradients/): one block a chunk of 128 samples.
#pragma once

#include "kernels/cuda/chunk_backward.cuh"
#include "kernels/cuda/moments.cuh"
#include "kernels/cuda/tensor_chunk.cuh"
#include "kernels/gradients/gradient.h"

namespace gallop::inline GALLOP_ISA {

// Greatest magnitude of each segment of a chunk's gradient.
__device__ __forceinline__ void note_segments(const Segments& segments, const float* partial,
                                              float* greatest) {
  GALLOP_SHARED(unsigned, bits, kMaxSegments);
  if (threadIdx.x < kMaxSegments) bits[threadIdx.x] = 0;
  __syncthreads();
  for (int s = 0; s < segments.count; s++) {
    unsigned own = 0;
    for (int k = segments.begin[s] + int(threadIdx.x); k < segments.begin[s + 1];
         k += kGradientThreads) {
      const unsigned x = magnitude_bits(partial[k]);
      own = x > own ? x : own;
    }
    if (own > 0) atomicMax(&bits[s], own);
  }
  __syncthreads();
  if (int(threadIdx.x) < segments.count) {
    greatest[threadIdx.x] = as_float(std::int32_t(bits[threadIdx.x]));
  }
}

// Work memory of a block: in shared memory, or one part of the scratch for each block.
template <bool kShared>
__device__ __forceinline__ float* chunk_work(float* scratch, int rows) {
  if constexpr (kShared) {
    GALLOP_DYNAMIC_SHARED(float, work);
    return work;
  } else {
    return scratch + long(blockIdx.x) * rows * kSampleStride;
  }
}

// After the network's rows: derivatives by log sigma [A], then the statistics.
GALLOP_HD int policy_rows(const NetworkShape& shape, int n_actions) {
  return network_rows(shape) + n_actions + kPolicyStatistics;
}

// Loss of this thread's sample and its derivatives, into the rows of the outputs and those after.
__device__ __forceinline__ void policy_chunk_loss(const PolicyGradientRequest& r, long id,
                                                  const float* log_std_parameter, int s,
                                                  float* outputs, float* after) {
  const PolicyShape& shape = r.policy.shape;
  const int n_out = outputs_of(shape.network), n_actions = shape.n_actions;
  float output[kMaxOutputs], spread[kMaxOutputs], a[kMaxOutputs], d[kMaxOutputs], ds[kMaxOutputs];
  for (int j = 0; j < n_out; j++) output[j] = outputs[j * kSampleStride + s];
  log_std_of(shape.head, n_actions, output, log_std_parameter, spread);
  const long t = id / r.samples.n_envs, i = id % r.samples.n_envs;
  for (int k = 0; k < r.samples.action_rows; k++) {
    a[k] = r.samples.action[(t * r.samples.action_rows + k) * r.samples.n_envs + i];
  }
  for (int k = 0; k < n_actions; k++) ds[k] = 0.0f;
  const SampleLoss<float> loss = policy_loss<float>(r, output, spread, a, r.samples.log_prob[id],
                                                    r.samples.advantage[id], d, ds);
  for (int j = 0; j < n_out; j++) outputs[j * kSampleStride + s] = d[j];
  for (int k = 0; k < n_actions; k++) after[k * kSampleStride + s] = ds[k];
  for (int k = 0; k < kPolicyStatistics; k++) {
    after[(n_actions + k) * kSampleStride + s] = loss.statistic[k];
  }
}

// Both passes over a chunk in the kernel's arithmetic; tables have one.
template <Arithmetic kArithmetic>
__device__ __forceinline__ void forward_in(const NetworkShape& shape, const float* parameters,
                                           float* work) {
  if (kArithmetic == Arithmetic::kFast) {
    tensor_forward_chunk(shape, parameters, work);
  } else {
    forward_chunk(shape, parameters, work);
  }
}
template <Arithmetic kArithmetic>
__device__ __forceinline__ void backward_in(const NetworkShape& shape, const float* parameters,
                                            int n, float* work, float* gradient) {
  if (kArithmetic == Arithmetic::kFast) {
    tensor_backward_chunk(shape, parameters, work, gradient);
  } else {
    backward_chunk<2>(shape, parameters, n, work, gradient);
  }
}

template <bool kShared, Arithmetic kArithmetic>
__global__ void __launch_bounds__(kGradientThreads, 2)
    policy_gradient_kernel(const __grid_constant__ PolicyGradientRequest r,
                           const __grid_constant__ Segments segments) {
  const PolicyShape& shape = r.policy.shape;
  const NetworkShape& network = shape.network;
  const int n_actions = shape.n_actions;
  float* const work = chunk_work<kShared>(r.scratch, policy_rows(network, n_actions));
  const int c = r.begin + int(blockIdx.x);
  const long first = long(c) * kChunkSamples;
  const int n =
      int(r.samples.count - first < kChunkSamples ? r.samples.count - first : long(kChunkSamples));
  load_chunk(network, r.samples, r.policy.normalization, first, n, work);
  forward_in<kArithmetic>(network, r.policy.parameters, work);
  float* const outputs = work + long(unit_row(network, network.n_layers)) * kSampleStride;
  float* const after = outputs + long(outputs_of(network)) * kSampleStride;
  const long n_network = layer_offset(network, network.n_layers);
  const int s = int(threadIdx.x);
  if (s < n) {
    policy_chunk_loss(r, sample_id(r.samples, first + s), r.policy.parameters + n_network, s,
                      outputs, after);
  } else if (s < kChunkSamples) {
    for (int j = 0; j < outputs_of(network); j++) outputs[j * kSampleStride + s] = 0.0f;
  }
  float* const partial = r.partial + long(c) * r.stride;
  backward_in<kArithmetic>(network, r.policy.parameters, n, work, partial);
  const int skipped = shape.head == Head::kGaussian ? 0 : n_actions;
  sum_sample_rows(after + skipped * kSampleStride, n_actions - skipped + kPolicyStatistics, n,
                  partial + n_network);
  __syncthreads();
  note_segments(segments, partial, r.greatest + long(c) * kMaxSegments);
}

template <bool kShared, Arithmetic kArithmetic>
__global__ void __launch_bounds__(kGradientThreads, 2)
    value_gradient_kernel(const __grid_constant__ ValueGradientRequest r,
                          const __grid_constant__ Segments segments) {
  float* const work = chunk_work<kShared>(r.scratch, network_rows(r.shape) + 1);
  const int c = r.begin + int(blockIdx.x);
  const long first = long(c) * kChunkSamples;
  const int n =
      int(r.samples.count - first < kChunkSamples ? r.samples.count - first : long(kChunkSamples));
  load_chunk(r.shape, r.samples, r.normalization, first, n, work);
  forward_in<kArithmetic>(r.shape, r.parameters, work);
  float* const outputs = work + long(unit_row(r.shape, r.shape.n_layers)) * kSampleStride;
  float* const squared = outputs + long(outputs_of(r.shape)) * kSampleStride;
  const int s = int(threadIdx.x);
  if (s < kChunkSamples) {
    float error = 0.0f;
    if (s < n) error = outputs[s] - r.samples.target[sample_id(r.samples, first + s)];
    outputs[s] = error * r.weight;
    squared[s] = error * error;
    for (int j = 1; j < outputs_of(r.shape); j++) outputs[j * kSampleStride + s] = 0.0f;
  }
  float* const partial = r.partial + long(c) * r.stride;
  backward_in<kArithmetic>(r.shape, r.parameters, n, work, partial);
  sum_sample_rows(squared, 1, n, partial + layer_offset(r.shape, r.shape.n_layers));
  __syncthreads();
  note_segments(segments, partial, r.greatest + long(c) * kMaxSegments);
}

// What one block may have of shared memory on compute capability 9.0, less its static arrays.
constexpr long kGradientSharedFloats = (227 * 1024 - 1024) / long(sizeof(float));

inline long chunk_floats(const NetworkShape& shape, int n_actions) {
  return long(policy_rows(shape, n_actions)) * kSampleStride;
}

// Floats of scratch that n_chunks blocks need; none where the work fits shared memory.
inline long gradient_scratch_floats(const NetworkShape& shape, int n_actions, int n_chunks) {
  const long floats = chunk_floats(shape, n_actions);
  return floats <= kGradientSharedFloats ? 0 : floats * n_chunks;
}

// The kernels of one gradient: [arithmetic][in shared memory].
template <class Request>
using GradientKernels = void (*const[2][2])(Request, Segments);

template <class Request>
LaunchStatus launch_gradient(const char* name, const Request& r, const NetworkShape& shape,
                             const Segments& segments, long floats,
                             const GradientKernels<Request>& kernels, void* stream) {
  if (r.begin >= r.end) return {0, name};
  const bool shared = floats <= kGradientSharedFloats;
  const bool fast = r.arithmetic == Arithmetic::kFast && shape.kind == NetworkKind::kMlp;
  const LaunchConfig config{.name = name,
                            .grid = unsigned(r.end - r.begin),
                            .block = kGradientThreads,
                            .shared_bytes = shared ? sizeof(float) * std::size_t(floats) : 0,
                            .stream = stream};
  return launch(config, kernels[fast][shared], r, segments);
}

inline LaunchStatus policy_gradient(const PolicyGradientRequest& r, void* stream) {
  constexpr GradientKernels<PolicyGradientRequest> kKernels = {
      {policy_gradient_kernel<false, Arithmetic::kStrict>,
       policy_gradient_kernel<true, Arithmetic::kStrict>},
      {policy_gradient_kernel<false, Arithmetic::kFast>,
       policy_gradient_kernel<true, Arithmetic::kFast>}};
  const NetworkShape& network = r.policy.shape.network;
  Segments segments;
  policy_segments(r.policy.shape, segments);
  return launch_gradient<PolicyGradientRequest>("policy_gradient", r, network, segments,
                                                chunk_floats(network, r.policy.shape.n_actions),
                                                kKernels, stream);
}

inline LaunchStatus value_gradient(const ValueGradientRequest& r, void* stream) {
  constexpr GradientKernels<ValueGradientRequest> kKernels = {
      {value_gradient_kernel<false, Arithmetic::kStrict>,
       value_gradient_kernel<true, Arithmetic::kStrict>},
      {value_gradient_kernel<false, Arithmetic::kFast>,
       value_gradient_kernel<true, Arithmetic::kFast>}};
  Segments segments;
  value_segments(r.shape, segments);
  return launch_gradient<ValueGradientRequest>("value_gradient", r, r.shape, segments,
                                               chunk_floats(r.shape, 1), kKernels, stream);
}

}  // namespace gallop::inline GALLOP_ISA
