// Backward passes from given slopes (kernels/gradients/given_slopes.h): one block a chunk of 128
// samples.
#pragma once

#include <gallop/kernels/gradients/given_slopes.h>
#include <gallop/kernels/gradients/chunk_launch.cuh>

namespace gallop::inline GALLOP_ISA {

// weight * slope [T, rows, N] of n samples into rows of samples, 0 behind them.
template <Arithmetic kArithmetic = Arithmetic::kStrict>
__device__ __forceinline__ void load_slope_rows(const Samples& samples, const float* slope,
                                                int rows, float weight, long first, int n,
                                                float* to) {
  const int s = int(threadIdx.x) % kChunkSamples;
  const SamplePlace place = place_of(samples, s < n ? sample_id(samples, first + s) : 0);
  for (int k = int(threadIdx.x) / kChunkSamples; k < rows; k += kGradientThreads / kChunkSamples) {
    float d = 0.0f;
    if (s < n) d = slope[(place.step * rows + k) * samples.n_envs + place.instance] * weight;
    to[k * kSampleStride + s] = as_operand<kArithmetic>(d);
  }
}

template <bool kShared, Arithmetic kArithmetic>
__global__ void __launch_bounds__(kGradientThreads, 2)
    network_gradient_kernel(const __grid_constant__ OverChunks<NetworkGradientRequest> r,
                            const __grid_constant__ Segments segments) {
  const NetworkShape& shape = r.shape;
  float* const work = chunk_work<kShared>(r.scratch, network_rows(shape) + r.n_own);
  const int n_out = outputs_of(shape);
  float* const outputs = work + long(unit_row(shape, shape.n_layers)) * kSampleStride;
  float* const own = outputs + long(n_out) * kSampleStride;
  for_chunks<kShared>(r, [&](int c) {
    const long first = long(c) * kChunkSamples;
    const int n = chunk_size(r.samples, c);
    unsigned* const notes = begin_notes();
    load_chunk<kArithmetic>(shape, r.samples, r.normalization, first, n, work);
    forward_in<kArithmetic>(shape, r.parameters, work);
    load_slope_rows<kArithmetic>(r.samples, r.output_slope, n_out, r.weight, first, n, outputs);
    load_slope_rows(r.samples, r.own_slope, r.n_own, r.weight, first, n, own);
    float* const partial = r.partial + long(c) * r.stride;
    const int noted =
        backward_in<kShared, kArithmetic>(shape, r.parameters, n, work, partial, notes);
    sum_sample_rows(own, r.n_own, n, partial + layer_offset(shape, shape.n_layers));
    __syncthreads();
    end_notes(segments, noted, partial, notes, r.greatest + long(c) * kMaxSegments);
  });
}

// Writes the derivatives by the inputs of n samples, which stand in the first rows, as those by
// their observations.
__device__ __forceinline__ void store_input_slopes(const NetworkShape& shape,
                                                   const Samples& samples, const Normalization& by,
                                                   long first, int n, const float* work,
                                                   float* input_slope) {
  const int s = int(threadIdx.x) % kChunkSamples, rows = shape.width[0];
  if (s >= n) return;
  const SamplePlace place = place_of(samples, sample_id(samples, first + s));
  for (int k = int(threadIdx.x) / kChunkSamples; k < rows; k += kGradientThreads / kChunkSamples) {
    const long at = (place.step * rows + k) * samples.n_envs + place.instance;
    float d = work[k * kSampleStride + s];
    if (by.mean != nullptr) {
      const float x = normalize(by, k, samples.observation[at]);
      d = through_normalization(d, x, by.inverse_std[k], by.limit);
    }
    input_slope[at] = d;
  }
}

// From the derivatives by the outputs, in their rows, to those by the inputs in the first ones.
__device__ __forceinline__ void backward_to_inputs(const NetworkShape& shape,
                                                   const float* parameters, float* work) {
  __syncthreads();
  GALLOP_UNROLL(1)
  for (int l = shape.n_layers - 1; l >= 0; l--) {
    const int n_in = shape.width[l];
    float* const unit = work + long(unit_row(shape, l)) * kSampleStride;
    unit_gradient(unit + long(n_in) * kSampleStride, shape.width[l + 1],
                  parameters + layer_offset(shape, l), n_in,
                  l == 0 ? Activation::kIdentity : shape.hidden, unit);
    __syncthreads();
  }
}

template <bool kShared>
__global__ void __launch_bounds__(kGradientThreads, 2)
    input_gradient_kernel(const __grid_constant__ OverChunks<InputGradientRequest> r) {
  const NetworkShape& shape = r.shape;
  float* const work = chunk_work<kShared>(r.scratch, network_rows(shape));
  float* const outputs = work + long(unit_row(shape, shape.n_layers)) * kSampleStride;
  for_chunks<kShared>(r, [&](int c) {
    const long first = long(c) * kChunkSamples;
    const int n = chunk_size(r.samples, c);
    load_chunk(shape, r.samples, r.normalization, first, n, work);
    forward_chunk(shape, r.parameters, work);
    load_slope_rows(r.samples, r.output_slope, outputs_of(shape), 1.0f, first, n, outputs);
    backward_to_inputs(shape, r.parameters, work);
    store_input_slopes(shape, r.samples, r.normalization, first, n, work, r.input_slope);
  });
}

inline LaunchStatus network_gradient(const NetworkGradientRequest& r, const CudaWork& on) {
  constexpr GradientKernels<NetworkGradientRequest> kKernels = {
      {network_gradient_kernel<false, Arithmetic::kStrict>,
       network_gradient_kernel<true, Arithmetic::kStrict>},
      {network_gradient_kernel<false, Arithmetic::kFast>,
       network_gradient_kernel<true, Arithmetic::kFast>}};
  Segments segments;
  network_segments(r, segments);
  return chunk_gradient(
      "network_gradient", r, r.shape, network_rows(r.shape) + r.n_own, segments, kKernels, on,
      [&](const ReduceRequest& all, unsigned*) { return reduce_partials(all, on); });
}
inline LaunchStatus input_gradient(const InputGradientRequest& r, const CudaWork& on) {
  if (r.samples.count > kMostElements) return {kLaunchRefused, "input_gradient"};
  const int rows = network_rows(r.shape);
  OverChunks<InputGradientRequest> all = all_chunks(r);
  all.scratch = on.array<float>(std::size_t(chunk_scratch(rows, r.samples.count)));
  return launch_chunks("input_gradient", rows, all, input_gradient_kernel<true>,
                       input_gradient_kernel<false>, on);
}

}  // namespace gallop::inline GALLOP_ISA
