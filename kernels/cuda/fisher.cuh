// Products with the Fisher matrix of a policy and divergences of candidates
// (kernels/gradients/fisher.h): one block a chunk of 128 samples.
//
// Hidden units are kept in global memory and read by each product: 134 rows of 128 floats a chunk
// at 4-64-64-2, 69 KB, which is 0.11 ms for a million samples at 4.8 TB/s (and in the second-level
// cache for 50 000), next to the 17 300 fused multiply-adds a sample of a product, 0.52 ms at 132
// multiprocessors x 128 a cycle. Computing them anew would add 4 400 of those and 128 tanh of some
// 20 instructions, 0.2 ms of the issue slots that bound the kernel.
//
// Work memory of a block: the units, whose rows become derivatives on the way back, and the
// tangents of one layer. Up to 64 units a thread holds all that it computes of a layer in
// registers, and the tangents are replaced in place: 198 rows of 528 bytes at 4-64-64-2, two blocks
// a multiprocessor.
#pragma once

#include "kernels/cuda/gradient.cuh"
#include "kernels/gradients/fisher.h"

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
GALLOP_HD int fisher_rows(const NetworkShape& shape) {
  return network_rows(shape) + tangent_rows(shape) * (tangents_in_place(shape) ? 1 : 2);
}

__device__ __forceinline__ bool is_wanted(const std::int32_t* active) {
  return active == nullptr || *active != 0;
}

// The units of a chunk between their rows in global memory, [rows, kChunkSamples], and in the work
// memory.
__device__ __forceinline__ void load_units(const float* units, int rows, float* work) {
  constexpr int kQuads = kChunkSamples / 4;
  GALLOP_UNROLL(4)
  for (int at = int(threadIdx.x); at < rows * kQuads; at += kGradientThreads) {
    float x[4];
    load_aligned<4>(units + long(at) * 4, x);
    store_aligned<4>(work + long(at / kQuads) * kSampleStride + at % kQuads * 4, x);
  }
}
__device__ __forceinline__ void store_units(const float* work, int rows, float* units) {
  constexpr int kQuads = kChunkSamples / 4;
  for (int at = int(threadIdx.x); at < rows * kQuads; at += kGradientThreads) {
    float x[4];
    load_aligned<4>(work + long(at / kQuads) * kSampleStride + at % kQuads * 4, x);
    store_aligned<4>(units + long(at) * 4, x);
  }
}

// One layer of the derivative along a vector: out = (c + x V + t W) * slope(y); t is null in the
// first layer, y in the last.
struct TangentLayer {
  int n_in, n_out;
  const float *x, *t, *y;  // rows of the work memory
  const float *vector, *weight;
  Activation activation;
  float* out;  // may be t where the layer takes one round

  __device__ __forceinline__ float slope(int j, int s) const {
    return y == nullptr ? 1.0f : slope_of(activation, y[long(j) * kSampleStride + s]);
  }
};

// Adds x W for 4 samples from s on and 8 outputs from j on: inputs ascending.
__device__ __forceinline__ void add_columns(const float* x, int n_in, const float* weight,
                                            int n_out, int j, int s, bool aligned,
                                            float (&sum)[4][kBlockColumns]) {
  const int valid = n_out - j < kBlockColumns ? n_out - j : kBlockColumns;
  const bool whole = aligned && valid == kBlockColumns;
  GALLOP_UNROLL(2)
  for (int k = 0; k < n_in; k++) {
    float xs[4], w[kBlockColumns];
    load_aligned<4>(x + long(k) * kSampleStride + s, xs);
    load_columns(weight + long(k) * n_out + j, valid, whole, w);
    GALLOP_UNROLL(4)
    for (int e = 0; e < 4; e++) {
      GALLOP_UNROLL(8)
      for (int c = 0; c < kBlockColumns; c++) sum[e][c] = fmadd(xs[e], w[c], sum[e][c]);
    }
  }
}

// A thread takes 4 samples and 8 outputs in each round.
__device__ __forceinline__ void wide_tangent_layer(const TangentLayer& r) {
  constexpr int kGroups = kChunkSamples / 4;
  const int tasks = kGroups * ((r.n_out + kBlockColumns - 1) / kBlockColumns);
  const bool rows = r.n_out % 4 == 0;
  const float* const bias = r.vector + long(r.n_in) * r.n_out;
  GALLOP_UNROLL(1)
  for (int first = 0; first < tasks; first += kGradientThreads) {
    const int task = first + int(threadIdx.x), s = task % kGroups * 4;
    const int j = task / kGroups * kBlockColumns;
    const bool used = task < tasks;
    float sum[4][kBlockColumns];
    if (used) {
      GALLOP_UNROLL(8)
      for (int c = 0; c < kBlockColumns; c++) {
        const float start = j + c < r.n_out ? bias[j + c] : 0.0f;
        GALLOP_UNROLL(4)
        for (int e = 0; e < 4; e++) sum[e][c] = start;
      }
      add_columns(r.x, r.n_in, r.vector, r.n_out, j, s, rows && is_aligned(r.vector), sum);
      if (r.t != nullptr) {
        add_columns(r.t, r.n_in, r.weight, r.n_out, j, s, rows && is_aligned(r.weight), sum);
      }
    }
    __syncthreads();  // all of t has been read where it is replaced
    if (!used) continue;
    GALLOP_UNROLL(8)
    for (int c = 0; c < kBlockColumns; c++) {
      if (j + c >= r.n_out) break;
      float to[4];
      GALLOP_UNROLL(4)
      for (int e = 0; e < 4; e++) to[e] = sum[e][c] * r.slope(j + c, s + e);
      store_aligned<4>(r.out + long(j + c) * kSampleStride + s, to);
    }
  }
  __syncthreads();
}

// Fewer than 8 outputs: a thread takes one of one sample, up to four times.
__device__ __forceinline__ void narrow_tangent_layer(const TangentLayer& r) {
  constexpr int kRounds = kBlockColumns * kChunkSamples / kGradientThreads;
  const int s = int(threadIdx.x) % kChunkSamples, j = int(threadIdx.x) / kChunkSamples;
  constexpr int kStep = kGradientThreads / kChunkSamples;
  float sum[kRounds];
  GALLOP_UNROLL(4)
  for (int q = 0; q < kRounds; q++) {
    const int column = j + q * kStep;
    if (column >= r.n_out) break;
    float own = r.vector[long(r.n_in) * r.n_out + column];
    GALLOP_UNROLL(4)
    for (int k = 0; k < r.n_in; k++) {
      own = fmadd(r.x[long(k) * kSampleStride + s], r.vector[long(k) * r.n_out + column], own);
    }
    if (r.t != nullptr) {
      GALLOP_UNROLL(4)
      for (int k = 0; k < r.n_in; k++) {
        own = fmadd(r.t[long(k) * kSampleStride + s], r.weight[long(k) * r.n_out + column], own);
      }
    }
    sum[q] = own * r.slope(column, s);
  }
  __syncthreads();  // as above
  GALLOP_UNROLL(4)
  for (int q = 0; q < kRounds; q++) {
    const int column = j + q * kStep;
    if (column < r.n_out) r.out[long(column) * kSampleStride + s] = sum[q];
  }
  __syncthreads();
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
    if (layer.n_out < kBlockColumns) {
      narrow_tangent_layer(layer);
    } else {
      wide_tangent_layer(layer);
    }
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
  float output[kMaxOutputs], spread[kMaxOutputs], t[kMaxOutputs], u[kMaxOutputs];
  for (int j = 0; j < n_out; j++) {
    output[j] = outputs[j * kSampleStride + s];
    t[j] = tangent[j * kSampleStride + s];
  }
  log_std_of(shape.head, shape.n_actions, output,
             r.policy.parameters + layer_offset(shape.network, shape.network.n_layers), spread);
  head_metric(shape.head, shape.n_actions, output, spread, t, u);
  for (int j = 0; j < n_out; j++) outputs[j * kSampleStride + s] = u[j] * r.weight;
}

template <bool kShared>
__global__ void __launch_bounds__(kGradientThreads, 2)
    fisher_product_kernel(const __grid_constant__ FisherRequest r,
                          const __grid_constant__ Segments segments) {
  if (!is_wanted(r.active)) return;
  const PolicyShape& shape = r.policy.shape;
  const NetworkShape& network = shape.network;
  float* const work = chunk_work<kShared>(r.scratch, fisher_rows(network));
  const int rows = network_rows(network);
  float* const outputs = work + long(unit_row(network, network.n_layers)) * kSampleStride;
  GALLOP_UNROLL(1)
  for (int c = r.begin + int(blockIdx.x); c < r.end; c += int(gridDim.x)) {
    const int n = chunk_size(r.samples, c);
    load_units(r.units + long(c) * r.unit_stride, rows, work);
    const float* const tangent = forward_tangent_chunk(r, work, work + long(rows) * kSampleStride);
    metric_chunk(r, n, tangent, outputs);
    float* const partial = r.partial + long(c) * r.stride;
    backward_chunk(network, r.policy.parameters, n, work, partial);
    if (shape.head == Head::kGaussian) {
      float* const log_std = partial + layer_offset(network, network.n_layers);
      for (int i = int(threadIdx.x); i < shape.n_actions; i += kGradientThreads) {
        log_std[i] = log_std_product(r, n, i);
      }
    }
    __syncthreads();
    note_segments(segments, partial, r.greatest + long(c) * kMaxSegments);
  }
}

template <bool kShared>
__global__ void __launch_bounds__(kGradientThreads, 2)
    fisher_prepare_kernel(const __grid_constant__ FisherRequest r) {
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
  }
}

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
  float output[kMaxOutputs], spread[kMaxOutputs], before[kMaxOutputs], old_spread[kMaxOutputs];
  float action[kMaxOutputs], term[kDivergenceSums];
  for (int j = 0; j < n_out; j++) {
    output[j] = outputs[j * kSampleStride + s];
    before[j] = old[j * kChunkSamples + s];
  }
  log_std_of(shape.head, n_actions, output,
             r.candidate.parameters + layer_offset(shape.network, shape.network.n_layers), spread);
  log_std_of(shape.head, n_actions, before, r.old_log_std, old_spread);
  const long t = id / r.samples.n_envs, i = id % r.samples.n_envs;
  for (int k = 0; k < r.samples.action_rows; k++) {
    action[k] = r.samples.action[(t * r.samples.action_rows + k) * r.samples.n_envs + i];
  }
  divergence_terms(shape.head, n_actions, before, old_spread, output, spread, action,
                   r.samples.log_prob[id], r.samples.advantage[id], term);
  for (int k = 0; k < kDivergenceSums; k++) terms[k * kSampleStride + s] = term[k];
}

template <bool kShared>
__global__ void __launch_bounds__(kGradientThreads, 2)
    divergence_kernel(const __grid_constant__ DivergenceRequest r,
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
    float* const partial = r.partial + long(c) * kColumnPad;
    sum_sample_rows(terms, kDivergenceSums, n, partial);
    __syncthreads();
    note_segments(segments, partial, r.greatest + long(c) * kMaxSegments);
  }
}

// Blocks at once where their work is in scratch: two a multiprocessor of a large device.
constexpr int kScratchBlocks = 264;

inline long fisher_scratch_floats(const NetworkShape& shape, int n_chunks) {
  const int rows =
      fisher_rows(shape) > divergence_rows(shape) ? fisher_rows(shape) : divergence_rows(shape);
  const long floats = long(rows) * kSampleStride;
  return floats <= kGradientSharedFloats
             ? 0
             : floats * (n_chunks < kScratchBlocks ? n_chunks : kScratchBlocks);
}

template <class Request, class... Rest>
LaunchStatus launch_chunks(const char* name, int rows, const Request& r,
                           void (*in_shared)(Request, Rest...),
                           void (*in_scratch)(Request, Rest...), void* stream,
                           const Rest&... rest) {
  const int n = r.end - r.begin;
  if (n <= 0) return {0, name};
  LaunchConfig config{
      .name = name, .grid = unsigned(n), .block = kGradientThreads, .stream = stream};
  const long floats = long(rows) * kSampleStride;
  if (floats > kGradientSharedFloats) {
    config.grid = unsigned(n < kScratchBlocks ? n : kScratchBlocks);
    return launch(config, in_scratch, r, rest...);
  }
  config.shared_bytes = sizeof(float) * std::size_t(floats);
  return launch(config, in_shared, r, rest...);
}

inline LaunchStatus fisher_prepare(const FisherRequest& r, void* stream) {
  return launch_chunks("fisher_prepare", network_rows(r.policy.shape.network), r,
                       fisher_prepare_kernel<true>, fisher_prepare_kernel<false>, stream);
}
inline LaunchStatus fisher_product(const FisherRequest& r, void* stream) {
  Segments segments;
  fisher_segments(r.policy.shape, segments);
  return launch_chunks<FisherRequest, Segments>(
      "fisher_product", fisher_rows(r.policy.shape.network), r, fisher_product_kernel<true>,
      fisher_product_kernel<false>, stream, segments);
}
inline LaunchStatus policy_divergence(const DivergenceRequest& r, void* stream) {
  Segments segments;
  divergence_segments(segments);
  return launch_chunks<DivergenceRequest, Segments>(
      "divergence", divergence_rows(r.candidate.shape.network), r, divergence_kernel<true>,
      divergence_kernel<false>, stream, segments);
}

}  // namespace gallop::inline GALLOP_ISA
