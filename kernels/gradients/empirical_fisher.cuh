// Products with the empirical Fisher matrix of a policy (kernels/gradients/empirical_fisher.h): one
// block a chunk of 128 samples, by a pass forward of the tangent and one backward as in
// fisher_product_kernel. Behind the tangents stand the rows of the head's own parameters.
#pragma once

#include <gallop/kernels/gradients/empirical_fisher.h>
#include <gallop/kernels/gradients/fisher.cuh>

namespace gallop::inline GALLOP_ISA {

GALLOP_HD int empirical_tangent_rows(const NetworkShape& shape) {
  return tangent_rows(shape) * (tangents_in_place(shape) ? 1 : 2);
}
GALLOP_HD int empirical_rows(const PolicyShape& shape) {
  return network_rows(shape.network) + empirical_tangent_rows(shape.network) + shape.n_actions;
}

// This thread's sample: derivatives by the outputs into their rows, by the head's own parameters
// into `own`.
__device__ __forceinline__ void empirical_metric_chunk(const FisherRequest& r, long first, int n,
                                                       const float* tangent, float* outputs,
                                                       float* own) {
  const PolicyShape& shape = r.policy.shape;
  const int s = int(threadIdx.x), n_out = outputs_of(shape.network), n_actions = shape.n_actions;
  if (s >= kChunkSamples) return;
  if (s >= n) {
    for (int j = 0; j < n_out; j++) outputs[j * kSampleStride + s] = 0.0f;
    return;
  }
  float output[kMaxOutputs], log_std[kMaxOutputs], a[kMaxOutputs], t[kMaxOutputs];
  float u[kMaxOutputs], by_own[kMaxOutputs];
  for (int j = 0; j < n_out; j++) {
    output[j] = outputs[j * kSampleStride + s];
    t[j] = tangent[j * kSampleStride + s];
  }
  const SamplePlace place = place_of(r.samples, sample_id(r.samples, first + s));
  for (int k = 0; k < r.samples.action_rows; k++) {
    a[k] =
        r.samples
            .action[(place.step * r.samples.action_rows + k) * r.samples.n_envs + place.instance];
  }
  const long behind = layer_offset(shape.network, shape.network.n_layers);
  log_std_of(shape.head, n_actions, output, r.policy.parameters + behind, log_std);
  empirical_metric(shape, output, log_std, a, t, r.vector + behind, r.weight, u, by_own);
  for (int j = 0; j < n_out; j++) outputs[j * kSampleStride + s] = u[j];
  for (int i = 0; i < n_actions; i++) own[i * kSampleStride + s] = by_own[i];
}

template <bool kShared>
__global__ void __launch_bounds__(kGradientThreads, 2)
    empirical_fisher_kernel(const __grid_constant__ OverChunks<FisherRequest> r,
                            const __grid_constant__ Segments segments) {
  if (!is_wanted(r.active)) return;
  const PolicyShape& shape = r.policy.shape;
  const NetworkShape& network = shape.network;
  const int rows = network_rows(network), n_own = head_parameters(shape.head, shape.n_actions);
  float* const units = chunk_work<kShared>(r.scratch, empirical_rows(shape));
  float* const outputs = units + long(unit_row(network, network.n_layers)) * kSampleStride;
  float* const tangents = units + long(rows) * kSampleStride;
  float* const own = tangents + long(empirical_tangent_rows(network)) * kSampleStride;
  GALLOP_UNROLL(1)
  for (int c = r.begin + int(blockIdx.x); c < r.end; c += int(gridDim.x)) {
    const int n = chunk_size(r.samples, c);
    __syncthreads();  // the chunk before has been read
    load_units(r.units + long(c) * r.unit_stride, rows, units);
    const float* const tangent = forward_tangent_chunk(r, units, tangents);
    empirical_metric_chunk(r, long(c) * kChunkSamples, n, tangent, outputs, own);
    float* const partial = r.partial + long(c) * r.stride;
    backward_chunk(network, r.policy.parameters, n, units, partial);
    sum_sample_rows(own, n_own, n, partial + layer_offset(network, network.n_layers));
    __syncthreads();
    note_segments(segments, partial, r.greatest + long(c) * kMaxSegments);
  }
}

inline LaunchStatus empirical_fisher_product(const FisherRequest& r, const CudaWork& on) {
  const int rows = empirical_rows(r.policy.shape);
  Segments segments;
  fisher_segments(r.policy.shape, segments);
  return sum_over_chunks(r, segments, r.product, chunk_scratch(rows, r.samples.count), r.active, on,
                         [&](const OverChunks<FisherRequest>& all) {
                           return launch_chunks<FisherRequest, Segments>(
                               "empirical_fisher", rows, all, empirical_fisher_kernel<true>,
                               empirical_fisher_kernel<false>, on, segments);
                         });
}

}  // namespace gallop::inline GALLOP_ISA
