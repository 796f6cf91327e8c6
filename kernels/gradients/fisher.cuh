// Products with the Fisher matrix of a policy and divergences of candidates
// (kernels/gradients/fisher.h): one block a chunk of 128 samples.
//
// Hidden units, and where outputs are few their sensitivities, are kept in global memory and read
// by each product: 134 + 64 rows of 128 floats a chunk at 4-64-64-2, 101 KB, which is 0.17 ms for a
// million samples at 4.8 TB/s (and about the second-level cache for 50 000), next to the 8 700
// fused multiply-adds a sample of a product, 0.26 ms at 132 multiprocessors x 128 a cycle. By
// passes a product takes 17 300 of them and reads 134 rows.
//
// Work memory of a block: the units, whose rows become derivatives on the way back of a pass, and
// the tangents or derivatives of one layer. In passes up to 64 units a thread holds all that it
// computes of a layer in registers, and the tangents are replaced in place: 198 rows of 528 bytes
// at 4-64-64-2, two blocks a multiprocessor.
#pragma once

#include <gallop/kernels/gradients/fisher.h>
#include <gallop/kernels/gradients/divergence.cuh>
#include <gallop/kernels/gradients/sensitivities.cuh>
#include <gallop/kernels/gradients/tangent_layer.cuh>

namespace gallop::inline GALLOP_ISA {

// Whether each layer after the first takes one round of the block (tangent_layer).
GALLOP_HD bool tangents_in_place(const NetworkShape& shape) {
  constexpr int kColumns = kGradientThreads / (kChunkSamples / 4) * kBlockColumns;
  for (int l = 2; l <= shape.n_layers; l++) {
    if (shape.width[l] > kColumns) return false;
  }
  return true;
}
GALLOP_HD int tangent_rows(const NetworkShape& shape) {
  int rows = 0;
  for (int l = 1; l <= shape.n_layers; l++) rows = rows > shape.width[l] ? rows : shape.width[l];
  return rows;
}
GALLOP_HD int fisher_rows(const PolicyShape& shape) {
  const NetworkShape& network = shape.network;
  const bool once = sensitivity_count(shape) > 0 || tangents_in_place(network);
  return network_rows(network) + tangent_rows(network) * (once ? 1 : 2);
}

// Derivative of the outputs along r.vector: returns its rows, which all threads may read. `tangent`
// has the rows that fisher_rows counts.
__device__ __forceinline__ float* forward_tangent_chunk(const FisherRequest& r, const float* work,
                                                        float* tangent) {
  const NetworkShape& shape = r.policy.shape.network;
  __syncthreads();
  if (shape.kind == NetworkKind::kTabular) {
    const int n_out = shape.width[1];
    for (int task = int(threadIdx.x); task < kChunkSamples * n_out; task += kGradientThreads) {
      const int s = task % kChunkSamples, j = task / kChunkSamples;
      tangent[j * kSampleStride + s] = r.vector[long(work[s]) * n_out + j];
    }
    __syncthreads();
    return tangent;
  }
  float* other =
      tangents_in_place(shape) ? tangent : tangent + long(tangent_rows(shape)) * kSampleStride;
  GALLOP_UNROLL(1)
  for (int l = 0; l < shape.n_layers; l++) {
    const bool last = l + 1 == shape.n_layers;
    const float* const x = work + long(unit_row(shape, l)) * kSampleStride;
    const float* const y = x + long(shape.width[l]) * kSampleStride;
    const long offset = layer_offset(shape, l);
    const TangentLayer layer = {shape.width[l],
                                shape.width[l + 1],
                                x,
                                l == 0 ? nullptr : tangent,
                                last ? nullptr : y,
                                r.vector + offset,
                                r.policy.parameters + offset,
                                shape.hidden,
                                l == 0 ? tangent : other};
    tangent_layer(layer);
    if (l == 0) continue;
    float* const swap = tangent;
    tangent = other;
    other = swap;
  }
  return tangent;
}

// weight M t of this thread's sample, into the rows of the outputs.
__device__ __forceinline__ void metric_chunk(const FisherRequest& r, int n, const float* tangent,
                                             float* outputs) {
  const PolicyShape& shape = r.policy.shape;
  const int s = int(threadIdx.x), n_out = outputs_of(shape.network);
  if (s >= kChunkSamples) return;
  if (s >= n) {
    for (int j = 0; j < n_out; j++) outputs[j * kSampleStride + s] = 0.0f;
    return;
  }
  float output[kMaxOutputs], log_std[kMaxOutputs], t[kMaxOutputs], u[kMaxOutputs];
  for (int j = 0; j < n_out; j++) {
    output[j] = outputs[j * kSampleStride + s];
    t[j] = tangent[j * kSampleStride + s];
  }
  log_std_of(shape.head, shape.n_actions, output,
             r.policy.parameters + layer_offset(shape.network, shape.network.n_layers), log_std);
  head_metric(shape.head, shape.n_actions, output, log_std, t, u);
  for (int j = 0; j < n_out; j++) outputs[j * kSampleStride + s] = u[j] * r.weight;
}

// What both ways of a product write behind the gradient by the network, and for the reduction.
__device__ __forceinline__ void finish_product(const OverChunks<FisherRequest>& r,
                                               const Segments& segments, int chunk, int n,
                                               float* partial) {
  const PolicyShape& shape = r.policy.shape;
  float* const own = partial + layer_offset(shape.network, shape.network.n_layers);
  const int n_own = head_parameters(shape.head, shape.n_actions);
  for (int i = int(threadIdx.x); i < n_own; i += kGradientThreads) {
    own[i] = head_parameter_product(r, n, i);
  }
  __syncthreads();
  note_segments(segments, partial, r.greatest + long(chunk) * kMaxSegments);
}

// A chunk's units, where the outputs stand among them, and behind them the tangent.
template <bool kShared>
struct ProductWork {
  int rows;
  float *units, *outputs, *tangent;

  __device__ __forceinline__ explicit ProductWork(const OverChunks<FisherRequest>& r) {
    const NetworkShape& network = r.policy.shape.network;
    rows = network_rows(network);
    units = chunk_work<kShared>(r.scratch, fisher_rows(r.policy.shape));
    outputs = units + long(unit_row(network, network.n_layers)) * kSampleStride;
    tangent = units + long(rows) * kSampleStride;
  }
};

// The two kernels repeat their loop: shared, it leaves the first one a register too few.
template <bool kShared>
__global__ void __launch_bounds__(kGradientThreads, 2)
    fisher_product_kernel(const __grid_constant__ OverChunks<FisherRequest> r,
                          const __grid_constant__ Segments segments) {
  if (!is_wanted(r.active)) return;
  const NetworkShape& network = r.policy.shape.network;
  const ProductWork<kShared> w(r);
  GALLOP_UNROLL(1)
  for (int c = r.begin + int(blockIdx.x); c < r.end; c += int(gridDim.x)) {
    const int n = chunk_size(r.samples, c);
    load_units(r.units + long(c) * r.unit_stride, w.rows, w.units);
    const float* const tangent = forward_tangent_chunk(r, w.units, w.tangent);
    metric_chunk(r, n, tangent, w.outputs);
    float* const partial = r.partial + long(c) * r.stride;
    backward_chunk(network, r.policy.parameters, n, w.units, partial);
    finish_product(r, segments, c, n, partial);
  }
}

template <bool kShared>
__global__ void __launch_bounds__(kGradientThreads, 2)
    fisher_sensitivity_kernel(const __grid_constant__ OverChunks<FisherRequest> r,
                              const __grid_constant__ Segments segments) {
  if (!is_wanted(r.active)) return;
  const ProductWork<kShared> w(r);
  GALLOP_UNROLL(1)
  for (int c = r.begin + int(blockIdx.x); c < r.end; c += int(gridDim.x)) {
    const int n = chunk_size(r.samples, c);
    __syncthreads();  // the chunk before has been read
    load_units(r.units + long(c) * r.unit_stride, w.rows, w.units);
    __syncthreads();
    sensitivity_tangents(r, c, w.units, w.tangent);
    metric_chunk(r, n, w.tangent, w.outputs);
    float* const partial = r.partial + long(c) * r.stride;
    backward_sensitivities(r, c, n, w.units, w.tangent, partial);
    finish_product(r, segments, c, n, partial);
  }
}

template <bool kShared>
__global__ void __launch_bounds__(kGradientThreads, 2)
    fisher_prepare_kernel(const __grid_constant__ OverChunks<FisherRequest> r) {
  const NetworkShape& network = r.policy.shape.network;
  const int rows = network_rows(network);
  float* const work = chunk_work<kShared>(r.scratch, rows);
  GALLOP_UNROLL(1)
  for (int c = r.begin + int(blockIdx.x); c < r.end; c += int(gridDim.x)) {
    __syncthreads();  // the chunk before has been stored
    load_chunk(network, r.samples, r.policy.normalization, long(c) * kChunkSamples,
               chunk_size(r.samples, c), work);
    forward_chunk(network, r.policy.parameters, work);
    store_units(work, rows, r.units + long(c) * r.unit_stride);
    write_sensitivities_chunk(r, c, work);
  }
}

inline LaunchStatus fisher_prepare(const FisherRequest& r, const CudaWork& on) {
  if (r.samples.count > kMostElements) return {kLaunchRefused, "fisher_prepare"};
  const int rows = network_rows(r.policy.shape.network);
  OverChunks<FisherRequest> all = all_chunks(r);
  all.scratch = on.array<float>(std::size_t(chunk_scratch(rows, r.samples.count)));
  return launch_chunks("fisher_prepare", rows, all, fisher_prepare_kernel<true>,
                       fisher_prepare_kernel<false>, on);
}
inline LaunchStatus fisher_product(const FisherRequest& r, const CudaWork& on) {
  const int rows = fisher_rows(r.policy.shape);
  Segments segments;
  fisher_segments(r.policy.shape, segments);
  return sum_over_chunks(r, segments, r.product, chunk_scratch(rows, r.samples.count), r.active, on,
                         [&](const OverChunks<FisherRequest>& all) {
                           if (sensitivity_count(r.policy.shape) > 0) {
                             return launch_chunks<FisherRequest, Segments>(
                                 "fisher_sensitivity", rows, all, fisher_sensitivity_kernel<true>,
                                 fisher_sensitivity_kernel<false>, on, segments);
                           }
                           return launch_chunks<FisherRequest, Segments>(
                               "fisher_product", rows, all, fisher_product_kernel<true>,
                               fisher_product_kernel<false>, on, segments);
                         });
}

}  // namespace gallop::inline GALLOP_ISA
