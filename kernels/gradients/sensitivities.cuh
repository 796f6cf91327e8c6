// Fisher products by sensitivities (kernels/gradients/sensitivities.h) of a chunk of samples by one
// block. In global memory the sensitivities of a chunk follow its units: rows of kChunkSamples, the
// hidden layers but the last of one free output after the other. A product reads each twice, by the
// thread that needs it: they never enter the work memory.
#pragma once

#include <gallop/kernels/gradients/fisher.h>
#include <gallop/kernels/gradients/tangent_layer.cuh>

namespace gallop::inline GALLOP_ISA {

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

// Sensitivities of free output j of a chunk: its rows.
GALLOP_HD float* sensitivities_of(const FisherRequest& r, int chunk, int j) {
  const NetworkShape& network = r.policy.shape.network;
  return r.units + long(chunk) * r.unit_stride +
         (long(network_rows(network)) + long(j) * sensitivity_rows(network)) * kChunkSamples;
}

// Writes the sensitivities of a chunk whose units are in the work memory and in global memory.
__device__ __forceinline__ void write_sensitivities_chunk(const FisherRequest& r, int chunk,
                                                          float* work) {
  const PolicyShape& shape = r.policy.shape;
  const NetworkShape& network = shape.network;
  const int count = sensitivity_count(shape), first = first_free_output(shape);
  const int rows = network_rows(network), n_out = outputs_of(network);
  GALLOP_UNROLL(1)
  for (int j = 0; j < count; j++) {
    __syncthreads();
    if (j > 0) load_units(r.units + long(chunk) * r.unit_stride, rows, work);
    float* const outputs = work + long(unit_row(network, network.n_layers)) * kSampleStride;
    __syncthreads();
    for (int at = int(threadIdx.x); at < n_out * kChunkSamples; at += kGradientThreads) {
      const int output = at / kChunkSamples;
      const float seed = output == first + j ? 1.0f : output < first ? -1.0f : 0.0f;
      outputs[long(output) * kSampleStride + at % kChunkSamples] = seed;
    }
    GALLOP_UNROLL(1)
    for (int l = network.n_layers - 1; l > 0; l--) {
      float* const unit = work + long(unit_row(network, l)) * kSampleStride;
      __syncthreads();
      unit_gradient(unit + long(network.width[l]) * kSampleStride, network.width[l + 1],
                    r.policy.parameters + layer_offset(network, l), network.width[l],
                    network.hidden, unit);
    }
    __syncthreads();
    store_units(work + long(unit_row(network, 1)) * kSampleStride, sensitivity_rows(network),
                sensitivities_of(r, chunk, j));
  }
}

// A thread's terms of the derivatives of one sample's outputs along the vector: those of the units
// whose number has one of eight remainders by kColumnPad.
struct TangentTerms {
  static constexpr int kTerms = kColumnPad / 2;
  int s, first;  // the sample, and the first remainder
  float sum[kMostSensitivities][kTerms];

  __device__ __forceinline__ TangentTerms()
      : s(int(threadIdx.x) % kChunkSamples), first(int(threadIdx.x) / kChunkSamples * kTerms) {
    static_assert(kGradientThreads == 2 * kChunkSamples);
    GALLOP_UNROLL(4)
    for (int j = 0; j < kMostSensitivities; j++) {
      GALLOP_UNROLL(8)
      for (int k = 0; k < kTerms; k++) sum[j][k] = 0.0f;
    }
  }

  // Adds x[k, s] factor(j, k, s) for the thread's units k of `width`, ascending, and each free
  // output j.
  template <class Factor>
  __device__ __forceinline__ void add(int count, const float* x, int width, const Factor& factor) {
    GALLOP_UNROLL(1)
    for (int group = first; group < width; group += kColumnPad) {
      GALLOP_UNROLL(8)
      for (int q = 0; q < kTerms; q++) {
        const int k = group + q;
        if (k >= width) break;
        const float own = x[long(k) * kSampleStride + s];
        GALLOP_UNROLL(4)
        for (int j = 0; j < kMostSensitivities; j++) {
          if (j < count) sum[j][q] = fmadd(own, factor(j, k, s), sum[j][q]);
        }
      }
    }
  }

  // The totals, to the threads of the first half: total[j] of the sample. `rows` of the work memory
  // are free, count * kTerms of them.
  __device__ __forceinline__ void total(int count, float* rows, float (&to)[kMostSensitivities]) {
    __syncthreads();
    GALLOP_UNROLL(4)
    for (int j = 0; j < kMostSensitivities; j++) {
      GALLOP_UNROLL(8)
      for (int q = 0; q < kTerms; q++) {
        if (j < count && first > 0) rows[long(j * kTerms + q) * kSampleStride + s] = sum[j][q];
      }
    }
    __syncthreads();
    GALLOP_UNROLL(4)
    for (int j = 0; j < kMostSensitivities; j++) {
      if (j >= count || first > 0) continue;
      float term[kColumnPad];
      GALLOP_UNROLL(8)
      for (int q = 0; q < kTerms; q++) {
        term[q] = sum[j][q];
        term[kTerms + q] = rows[long(j * kTerms + q) * kSampleStride + s];
      }
      to[j] = total_of_terms(term);
    }
  }
};

// Derivatives of the outputs along the vector into the rows of `tangent`, each by the thread of its
// sample; those of a category less that of the first one.
__device__ __forceinline__ void sensitivity_tangents(const FisherRequest& r, int chunk,
                                                     const float* work, float* tangent) {
  const PolicyShape& shape = r.policy.shape;
  const NetworkShape& network = shape.network;
  const int count = sensitivity_count(shape), first = first_free_output(shape);
  const int last = network.n_layers - 1, n_out = outputs_of(network);
  const float* const along = r.vector + layer_offset(network, last);
  const float* const weight = r.policy.parameters + layer_offset(network, last);
  TangentTerms terms;
  terms.add(count, work + long(unit_row(network, last)) * kSampleStride, network.width[last],
            [&](int j, int k, int) { return output_weight(shape, along + long(k) * n_out, j); });
  int row = 0;  // of the layer's sensitivities
  GALLOP_UNROLL(1)
  for (int l = 1; l <= last; l++) {
    const float* const x = work + long(unit_row(network, l - 1)) * kSampleStride;
    const TangentLayer layer = {
        network.width[l - 1],
        network.width[l],
        x,
        nullptr,
        l == last ? x + long(network.width[l - 1]) * kSampleStride : nullptr,
        r.vector + layer_offset(network, l - 1),
        nullptr,
        network.hidden,
        tangent};
    tangent_layer(layer);
    if (l == last) {
      terms.add(count, tangent, network.width[l], [&](int j, int k, int) {
        return output_weight(shape, weight + long(k) * n_out, j);
      });
    } else {
      const float* const from = sensitivities_of(r, chunk, 0) + long(row) * kChunkSamples;
      const long step = long(sensitivity_rows(network)) * kChunkSamples;
      terms.add(count, tangent, network.width[l],
                [&](int j, int k, int s) { return from[j * step + long(k) * kChunkSamples + s]; });
      row += network.width[l];
    }
  }
  float total[kMostSensitivities];
  terms.total(count, tangent, total);
  if (terms.first > 0) return;
  const float* const bias = along + long(network.width[last]) * n_out;
  if (first > 0) tangent[terms.s] = 0.0f;
  GALLOP_UNROLL(4)
  for (int j = 0; j < kMostSensitivities; j++) {
    if (j < count) {
      tangent[long(first + j) * kSampleStride + terms.s] = total[j] + output_weight(shape, bias, j);
    }
  }
}

// Given the derivatives by the outputs in their rows, the gradient by the parameters; the units
// stay as they are.
__device__ __forceinline__ void backward_sensitivities(const FisherRequest& r, int chunk, int n,
                                                       const float* work, float* d,
                                                       float* gradient) {
  const PolicyShape& shape = r.policy.shape;
  const NetworkShape& network = shape.network;
  const int count = sensitivity_count(shape), last = network.n_layers - 1;
  const int n_out = outputs_of(network);
  const float* const u = work + long(unit_row(network, last + 1)) * kSampleStride;
  const float* const free = u + long(first_free_output(shape)) * kSampleStride;
  const float* const weight = r.policy.parameters + layer_offset(network, last);
  __syncthreads();
  layer_gradient(work + long(unit_row(network, last)) * kSampleStride, network.width[last], u,
                 n_out, n, gradient + layer_offset(network, last));
  int row = sensitivity_rows(network);
  GALLOP_UNROLL(1)
  for (int l = last; l > 0; l--) {
    const int width = network.width[l];
    if (l < last) row -= width;
    const float* const from = sensitivities_of(r, chunk, 0) + long(row) * kChunkSamples;
    const long step = long(sensitivity_rows(network)) * kChunkSamples;
    const float* const unit = work + long(unit_row(network, l)) * kSampleStride;
    __syncthreads();  // d has been read
    for (int at = int(threadIdx.x); at < width * kChunkSamples; at += kGradientThreads) {
      const int k = at / kChunkSamples, s = at % kChunkSamples;
      const auto sensitivity = [&](int j) {
        return l == last ? output_weight(shape, weight + long(k) * n_out, j)
                         : from[j * step + long(k) * kChunkSamples + s];
      };
      float x = free[s] * sensitivity(0);
      for (int j = 1; j < count; j++) {
        x = fmadd(free[long(j) * kSampleStride + s], sensitivity(j), x);
      }
      if (l == last) x = x * slope_of(network.hidden, unit[long(k) * kSampleStride + s]);
      d[long(k) * kSampleStride + s] = x;
    }
    __syncthreads();
    layer_gradient(work + long(unit_row(network, l - 1)) * kSampleStride, network.width[l - 1], d,
                   width, n, gradient + layer_offset(network, l - 1));
  }
}

}  // namespace gallop::inline GALLOP_ISA
