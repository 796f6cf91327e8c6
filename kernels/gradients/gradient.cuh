// Gradients of policy and value losses (kernels/gradients/): one block a chunk of 128 samples.
#pragma once

#include <gallop/kernels/gradients/gradient.h>
#include <gallop/kernels/gradients/chunk_backward.cuh>
#include <gallop/kernels/gradients/over_chunks.cuh>
#include <gallop/kernels/gradients/tensor_chunk.cuh>
#include <gallop/kernels/reduce/moments.cuh>

namespace gallop::inline GALLOP_ISA {

// Greatest magnitudes of the segments of a chunk's gradient, as bits; 0 after a barrier.
__device__ __forceinline__ unsigned* begin_notes() {
  GALLOP_SHARED(unsigned, bits, kMaxSegments);
  if (threadIdx.x < kMaxSegments) bits[threadIdx.x] = 0;
  return bits;
}
// Those from `first` on, of what all threads have written, then all of them to `greatest`.
__device__ __forceinline__ void end_notes(const Segments& segments, int first, const float* partial,
                                          unsigned* bits, float* greatest) {
  GALLOP_UNROLL(1)
  for (int s = first; s < segments.count; s++) {
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
__device__ __forceinline__ void note_segments(const Segments& segments, const float* partial,
                                              float* greatest) {
  unsigned* const bits = begin_notes();
  __syncthreads();
  end_notes(segments, 0, partial, bits, greatest);
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
template <Arithmetic kArithmetic>
__device__ __forceinline__ void policy_chunk_loss(const PolicyGradientRequest& r, long id,
                                                  const float* log_std_parameter, int s,
                                                  float* outputs, float* after) {
  const PolicyShape& shape = r.policy.shape;
  const int n_out = outputs_of(shape.network), n_actions = shape.n_actions;
  float output[kMaxOutputs], log_std[kMaxOutputs], a[kMaxOutputs], d[kMaxOutputs], ds[kMaxOutputs];
  for (int j = 0; j < n_out; j++) output[j] = outputs[j * kSampleStride + s];
  log_std_of(shape.head, n_actions, output, log_std_parameter, log_std);
  const SamplePlace place = place_of(r.samples, id);
  for (int k = 0; k < r.samples.action_rows; k++) {
    a[k] =
        r.samples
            .action[(place.step * r.samples.action_rows + k) * r.samples.n_envs + place.instance];
  }
  for (int k = 0; k < n_actions; k++) ds[k] = 0.0f;
  const SampleLoss<float> loss = policy_loss<float>(r, output, log_std, a, r.samples.log_prob[id],
                                                    r.samples.advantage[id], d, ds);
  for (int j = 0; j < n_out; j++) outputs[j * kSampleStride + s] = as_operand<kArithmetic>(d[j]);
  for (int k = 0; k < n_actions; k++) after[k * kSampleStride + s] = ds[k];
  for (int k = 0; k < kPolicyStatistics; k++) {
    after[(n_actions + k) * kSampleStride + s] = loss.statistic[k];
  }
}

// Both passes over a chunk in the kernel's arithmetic; tables have one. The way back notes the
// greatest magnitudes of the segments it returns the number of.
template <Arithmetic kArithmetic>
__device__ __forceinline__ void forward_in(const NetworkShape& shape, const float* parameters,
                                           float* work) {
  if (kArithmetic == Arithmetic::kFast) {
    tensor_forward_chunk(shape, parameters, work);
  } else {
    forward_chunk(shape, parameters, work);
  }
}
template <bool kShared, Arithmetic kArithmetic>
__device__ __forceinline__ int backward_in(const NetworkShape& shape, const float* parameters,
                                           int n, float* work, float* gradient, unsigned* notes) {
  if (kArithmetic == Arithmetic::kFast) {
    tensor_backward_chunk<kShared>(shape, parameters, work, gradient, notes);
    return 2 * shape.n_layers;
  }
  backward_chunk<2>(shape, parameters, n, work, gradient);
  return 0;
}

// Calls body(c) for each chunk of a block: its own one where work is in shared memory; else chunks
// in turn, so that scratch is for as many blocks as run at once and not for all chunks.
template <bool kShared, class Request, class Body>
__device__ __forceinline__ void for_chunks(const OverChunks<Request>& r, const Body& body) {
  if constexpr (kShared) {
    body(int(blockIdx.x));
  } else {
    GALLOP_UNROLL(1)
    for (int c = int(blockIdx.x); c < r.end; c += int(gridDim.x)) {
      body(c);
      __syncthreads();  // its work has been read
    }
  }
}

// For what adds up the chunks in a launch that follows (is_last_block).
template <class Request>
__device__ __forceinline__ void clear_arrivals(const OverChunks<Request>& r) {
  if (blockIdx.x == 0 && threadIdx.x == 0) *arrivals(r) = 0;
}

template <bool kShared, Arithmetic kArithmetic>
__global__ void __launch_bounds__(kGradientThreads, 2)
    policy_gradient_kernel(const __grid_constant__ OverChunks<PolicyGradientRequest> r,
                           const __grid_constant__ Segments segments) {
  const PolicyShape& shape = r.policy.shape;
  const NetworkShape& network = shape.network;
  const int n_actions = shape.n_actions;
  float* const work = chunk_work<kShared>(r.scratch, policy_rows(network, n_actions));
  float* const outputs = work + long(unit_row(network, network.n_layers)) * kSampleStride;
  float* const after = outputs + long(outputs_of(network)) * kSampleStride;
  const long n_network = layer_offset(network, network.n_layers);
  clear_arrivals(r);
  for_chunks<kShared>(r, [&](int c) {
    const long first = long(c) * kChunkSamples;
    const int n = chunk_size(r.samples, c);
    unsigned* const notes = begin_notes();
    load_chunk<kArithmetic>(network, r.samples, r.policy.normalization, first, n, work);
    forward_in<kArithmetic>(network, r.policy.parameters, work);
    const int s = int(threadIdx.x);
    if (s < n) {
      policy_chunk_loss<kArithmetic>(r, sample_id(r.samples, first + s),
                                     r.policy.parameters + n_network, s, outputs, after);
    } else if (s < kChunkSamples) {
      for (int j = 0; j < outputs_of(network); j++) outputs[j * kSampleStride + s] = 0.0f;
    }
    float* const partial = r.partial + long(c) * r.stride;
    const int noted =
        backward_in<kShared, kArithmetic>(network, r.policy.parameters, n, work, partial, notes);
    const int skipped = n_actions - head_parameters(shape.head, n_actions);
    sum_sample_rows(after + skipped * kSampleStride, n_actions - skipped + kPolicyStatistics, n,
                    partial + n_network);
    __syncthreads();
    end_notes(segments, noted, partial, notes, r.greatest + long(c) * kMaxSegments);
  });
}

// Errors of this thread's sample, in place of its outputs, and the sum of their squares.
template <Arithmetic kArithmetic>
__device__ __forceinline__ void value_chunk_loss(const ValueGradientRequest& r, long first, int n,
                                                 int s, float* outputs, float* squared) {
  const int n_out = outputs_of(r.shape);
  const SamplePlace place = place_of(r.samples, s < n ? sample_id(r.samples, first + s) : 0);
  const long first_output = place.step * n_out * r.samples.n_envs + place.instance;
  float sum = 0.0f;
  for (int j = 0; j < n_out; j++) {
    ValueResidual<float> of = {0.0f, 0.0f};
    if (s < n) {
      const long at = first_output + long(j) * r.samples.n_envs;
      const float value = outputs[j * kSampleStride + s], goal = r.samples.target[at];
      of = r.before == nullptr ? value_residual(value, goal)
                               : clipped_value_residual(value, goal, r.before[at], r.clip);
    }
    outputs[j * kSampleStride + s] = as_operand<kArithmetic>(of.slope * r.weight);
    sum = j == 0 ? of.error * of.error : fmadd(of.error, of.error, sum);
  }
  squared[s] = sum;
}

template <bool kShared, Arithmetic kArithmetic>
__global__ void __launch_bounds__(kGradientThreads, 2)
    value_gradient_kernel(const __grid_constant__ OverChunks<ValueGradientRequest> r,
                          const __grid_constant__ Segments segments) {
  float* const work = chunk_work<kShared>(r.scratch, network_rows(r.shape) + 1);
  float* const outputs = work + long(unit_row(r.shape, r.shape.n_layers)) * kSampleStride;
  float* const squared = outputs + long(outputs_of(r.shape)) * kSampleStride;
  clear_arrivals(r);
  for_chunks<kShared>(r, [&](int c) {
    const long first = long(c) * kChunkSamples;
    const int n = chunk_size(r.samples, c);
    unsigned* const notes = begin_notes();
    load_chunk<kArithmetic>(r.shape, r.samples, r.normalization, first, n, work);
    forward_in<kArithmetic>(r.shape, r.parameters, work);
    const int s = int(threadIdx.x);
    if (s < kChunkSamples) value_chunk_loss<kArithmetic>(r, first, n, s, outputs, squared);
    float* const partial = r.partial + long(c) * r.stride;
    const int noted =
        backward_in<kShared, kArithmetic>(r.shape, r.parameters, n, work, partial, notes);
    sum_sample_rows(squared, 1, n, partial + layer_offset(r.shape, r.shape.n_layers));
    __syncthreads();
    end_notes(segments, noted, partial, notes, r.greatest + long(c) * kMaxSegments);
  });
}

// Whether so many rows of work fit the shared memory of a block.
inline bool rows_fit_shared(int rows) {
  return long(rows) * kSampleStride * long(sizeof(float)) <= shared_room();
}
// Blocks at once where they do not: two a multiprocessor.
inline int scratch_blocks(long count) {
  const int most = 2 * device_limits().multiprocessors, n_chunks = chunk_count(count);
  return n_chunks < most ? n_chunks : most;
}
// Floats of scratch for `rows` rows a block; none where the work fits shared memory.
inline long chunk_scratch(int rows, long count) {
  return rows_fit_shared(rows) ? 0 : long(rows) * kSampleStride * scratch_blocks(count);
}

// The kernels of one gradient: [arithmetic][in shared memory].
template <class Request>
using GradientKernels = void (*const[2][2])(OverChunks<Request>, Segments);

// One block a chunk, `rows` of work each, or blocks that take chunks in turn where shared memory is
// too small for them. `reduce` as for launch_over_chunks.
template <class Request, class Reduce>
LaunchStatus chunk_gradient(const char* name, const Request& r, const NetworkShape& shape, int rows,
                            const Segments& segments, const GradientKernels<Request>& kernels,
                            const CudaWork& on, const Reduce& reduce) {
  const bool shared = rows_fit_shared(rows);
  const bool fast = r.arithmetic == Arithmetic::kFast && shape.kind == NetworkKind::kMlp;
  const std::size_t row_bytes = sizeof(float) * std::size_t(kSampleStride);
  return launch_over_chunks(
      r, segments, r.gradient, chunk_scratch(rows, r.samples.count), nullptr, on,
      [&](const OverChunks<Request>& all) {
        if (all.end == 0) return LaunchStatus{0, name};
        const LaunchConfig config{
            .name = name,
            .grid = unsigned(shared ? all.end : scratch_blocks(r.samples.count)),
            .block = kGradientThreads,
            .shared_bytes = shared ? std::size_t(rows) * row_bytes : 0,
            .stream = on.stream};
        return launch(config, kernels[fast][shared], all, segments);
      },
      reduce);
}

template <class Reduce>
LaunchStatus policy_gradient(const PolicyGradientRequest& r, const CudaWork& on,
                             const Reduce& reduce) {
  constexpr GradientKernels<PolicyGradientRequest> kKernels = {
      {policy_gradient_kernel<false, Arithmetic::kStrict>,
       policy_gradient_kernel<true, Arithmetic::kStrict>},
      {policy_gradient_kernel<false, Arithmetic::kFast>,
       policy_gradient_kernel<true, Arithmetic::kFast>}};
  const PolicyShape& shape = r.policy.shape;
  Segments segments;
  policy_segments(shape, segments);
  return chunk_gradient("policy_gradient", r, shape.network,
                        policy_rows(shape.network, shape.n_actions), segments, kKernels, on,
                        reduce);
}
template <class Reduce>
LaunchStatus value_gradient(const ValueGradientRequest& r, const CudaWork& on,
                            const Reduce& reduce) {
  constexpr GradientKernels<ValueGradientRequest> kKernels = {
      {value_gradient_kernel<false, Arithmetic::kStrict>,
       value_gradient_kernel<true, Arithmetic::kStrict>},
      {value_gradient_kernel<false, Arithmetic::kFast>,
       value_gradient_kernel<true, Arithmetic::kFast>}};
  Segments segments;
  value_segments(r.shape, segments);
  return chunk_gradient("value_gradient", r, r.shape, network_rows(r.shape) + 1, segments, kKernels,
                        on, reduce);
}

inline LaunchStatus policy_gradient(const PolicyGradientRequest& r, const CudaWork& on) {
  return policy_gradient(
      r, on, [&](const ReduceRequest& all, unsigned*) { return reduce_partials(all, on); });
}
inline LaunchStatus value_gradient(const ValueGradientRequest& r, const CudaWork& on) {
  return value_gradient(
      r, on, [&](const ReduceRequest& all, unsigned*) { return reduce_partials(all, on); });
}

}  // namespace gallop::inline GALLOP_ISA
