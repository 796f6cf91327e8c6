// Divergences of candidate policies (kernels/gradients/divergence.h): one block a chunk of 128
// samples.
#pragma once

#include <gallop/kernels/gradients/divergence.h>
#include <gallop/kernels/gradients/chunk_launch.cuh>

namespace gallop::inline GALLOP_ISA {

// Rows of a block that measures a candidate: the network's, then the terms of the sums.
GALLOP_HD int divergence_rows(const NetworkShape& shape) {
  return network_rows(shape) + kDivergenceSums;
}

// Terms of this thread's sample; `outputs` and `old` are rows of the outputs.
__device__ __forceinline__ void divergence_chunk(const DivergenceRequest& r, long id, int s,
                                                 const float* outputs, const float* old,
                                                 float* terms) {
  const PolicyShape& shape = r.candidate.shape;
  const int n_out = outputs_of(shape.network), n_actions = shape.n_actions;
  float output[kMaxOutputs], log_std[kMaxOutputs], before[kMaxOutputs], old_log_std[kMaxOutputs];
  float action[kMaxOutputs], term[kDivergenceSums];
  for (int j = 0; j < n_out; j++) {
    output[j] = outputs[j * kSampleStride + s];
    before[j] = old[j * kChunkSamples + s];
  }
  log_std_of(shape.head, n_actions, output,
             r.candidate.parameters + layer_offset(shape.network, shape.network.n_layers), log_std);
  log_std_of(shape.head, n_actions, before, r.old_log_std, old_log_std);
  const SamplePlace place = place_of(r.samples, id);
  for (int k = 0; k < r.samples.action_rows; k++) {
    action[k] =
        r.samples
            .action[(place.step * r.samples.action_rows + k) * r.samples.n_envs + place.instance];
  }
  divergence_terms(shape.head, n_actions, before, old_log_std, output, log_std, action,
                   r.samples.log_prob[id], r.samples.advantage[id], term);
  for (int k = 0; k < kDivergenceSums; k++) terms[k * kSampleStride + s] = term[k];
}

template <bool kShared>
__global__ void __launch_bounds__(kGradientThreads, 2)
    divergence_kernel(const __grid_constant__ OverChunks<DivergenceRequest> r,
                      const __grid_constant__ Segments segments) {
  if (!is_wanted(r.active)) return;
  const NetworkShape& network = r.candidate.shape.network;
  float* const work = chunk_work<kShared>(r.scratch, divergence_rows(network));
  const int output_row = unit_row(network, network.n_layers);
  float* const outputs = work + long(output_row) * kSampleStride;
  float* const terms = outputs + long(outputs_of(network)) * kSampleStride;
  const int s = int(threadIdx.x);
  GALLOP_UNROLL(1)
  for (int c = r.begin + int(blockIdx.x); c < r.end; c += int(gridDim.x)) {
    const long first = long(c) * kChunkSamples;
    const int n = chunk_size(r.samples, c);
    load_chunk(network, r.samples, r.candidate.normalization, first, n, work);
    forward_chunk(network, r.candidate.parameters, work);
    if (s < n) {
      const float* const units = r.old_units + long(c) * r.unit_stride;
      divergence_chunk(r, sample_id(r.samples, first + s), s, outputs,
                       units + long(output_row) * kChunkSamples, terms);
    }
    __syncthreads();
    float* const partial = r.partial + long(c) * r.stride;
    sum_sample_rows(terms, kDivergenceSums, n, partial);
    if (r.chunk_kl != nullptr && s < 32) {
      float kl = greatest_of_samples(terms + kSumKl * kSampleStride, s, n, 32);
      for (int half = 16; half > 0; half /= 2) {
        const float other = __shfl_down_sync(0xffffffffu, kl, unsigned(half));
        kl = other > kl ? other : kl;
      }
      if (s == 0) r.chunk_kl[c] = kl;
    }
    __syncthreads();
    note_segments(segments, partial, r.greatest + long(c) * kMaxSegments);
  }
}

inline LaunchStatus policy_divergence(const DivergenceRequest& r, const CudaWork& on) {
  const int rows = divergence_rows(r.candidate.shape.network);
  Segments segments;
  divergence_segments(segments);
  return sum_over_chunks(r, segments, r.sums, chunk_scratch(rows, r.samples.count), r.active, on,
                         [&](const OverChunks<DivergenceRequest>& all) {
                           return launch_chunks<DivergenceRequest, Segments>(
                               "divergence", rows, all, divergence_kernel<true>,
                               divergence_kernel<false>, on, segments);
                         });
}

}  // namespace gallop::inline GALLOP_ISA
