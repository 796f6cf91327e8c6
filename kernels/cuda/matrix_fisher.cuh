// What a product with the Fisher matrix as products of matrices (host/runtime/matrix_fisher.h)
// computes element by element. Arrays are [row, sample] with n samples in a row: the count rounded
// up to whole chunks, so that rows are aligned.
#pragma once

#include "kernels/cuda/chunk_backward.cuh"
#include "kernels/cuda/for_each.cuh"
#include "kernels/gradients/fisher.h"

namespace gallop::inline GALLOP_ISA {

GALLOP_HD long whole_chunks(long count) {
  return (count + kChunkSamples - 1) / kChunkSamples * kChunkSamples;
}

// From the units of chunks, [chunk, row, sample of the chunk]. The row of ones multiplies the
// biases, which stand after the weights as one more row of them.
struct GatherUnits {
  const float* from;  // the layer's rows in the first chunk
  long chunk_stride, count, n;
  int width;
  float* to;  // [width + 1, n]

  GALLOP_HD void operator()(long i) const {
    const long row = i / n, s = i % n;
    float x = row < width ? 0.0f : 1.0f;
    if (row < width) {
      x = from[s / kChunkSamples * chunk_stride + row * kChunkSamples + s % kChunkSamples];
    }
    to[i] = s < count ? x : 0.0f;
  }
};
inline LaunchStatus matrix_units(const FisherRequest& r, int layer, float* to, void* stream) {
  const NetworkShape& shape = r.policy.shape.network;
  const long n = whole_chunks(r.samples.count);
  const float* const from = r.units + long(unit_row(shape, layer)) * kChunkSamples;
  const int width = shape.width[layer];
  return for_each("matrix_units", (long(width) + 1) * n, stream,
                  GatherUnits{from, r.unit_stride, r.samples.count, n, width, to});
}

// Four elements a thread: with one, the requests would bind and not the memory.
struct ScaleBySlope {
  Activation activation;
  const float4* unit;
  float4* x;

  GALLOP_HD void operator()(long i) const {
    const float4 y = unit[i], t = x[i];
    x[i] = make_float4(t.x * slope_of(activation, y.x), t.y * slope_of(activation, y.y),
                       t.z * slope_of(activation, y.z), t.w * slope_of(activation, y.w));
  }
};
inline LaunchStatus scale_by_slope(Activation activation, const float* unit, long quads, float* x,
                                   void* stream) {
  return for_each("scale_by_slope", quads, stream,
                  ScaleBySlope{activation, reinterpret_cast<const float4*>(unit),
                               reinterpret_cast<float4*>(x)});
}

// One sample: its outputs from the units of its chunk, its tangents in place.
struct MatrixMetric {
  FisherRequest r;
  long n;
  float* tangent;  // [outputs, n]

  GALLOP_HD void operator()(long s) const {
    const PolicyShape& shape = r.policy.shape;
    const int n_out = outputs_of(shape.network);
    if (s >= r.samples.count) {
      for (int j = 0; j < n_out; j++) tangent[j * n + s] = 0.0f;
      return;
    }
    const float* const outputs =
        r.units + s / kChunkSamples * r.unit_stride +
        long(unit_row(shape.network, shape.network.n_layers)) * kChunkSamples + s % kChunkSamples;
    float output[kMaxOutputs], spread[kMaxOutputs], t[kMaxOutputs], u[kMaxOutputs];
    for (int j = 0; j < n_out; j++) {
      output[j] = outputs[j * kChunkSamples];
      t[j] = tangent[j * n + s];
    }
    log_std_of(shape.head, shape.n_actions, output,
               r.policy.parameters + layer_offset(shape.network, shape.network.n_layers), spread);
    head_metric(shape.head, shape.n_actions, output, spread, t, u);
    for (int j = 0; j < n_out; j++) tangent[j * n + s] = u[j] * r.weight;
  }
};
inline LaunchStatus matrix_metric(const FisherRequest& r, float* tangent, void* stream) {
  const long n = whole_chunks(r.samples.count);
  return for_each("matrix_metric", n, stream, MatrixMetric{r, n, tangent});
}

struct MatrixProductElement {
  FisherRequest r;
  const float* network;
  float* to;

  GALLOP_HD void operator()(long i) const {
    if (r.active != nullptr && *r.active == 0) return;
    const NetworkShape& shape = r.policy.shape.network;
    const long n_network = layer_offset(shape, shape.n_layers);
    to[i] = i < n_network ? network[i]
                          : float(r.samples.count) * log_std_product(r, 1, int(i - n_network));
  }
};
inline LaunchStatus matrix_product(const FisherRequest& r, const float* network, float* to,
                                   void* stream) {
  return for_each("matrix_product", parameter_count(r.policy.shape), stream,
                  MatrixProductElement{r, network, to});
}

}  // namespace gallop::inline GALLOP_ISA
