// Element-wise parts of products by matrices (kernels/gradients/matrix_fisher.h).
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/gradients/matrix_fisher.h>
#include <gallop/kernels/device/for_each.cuh>
#include <gallop/kernels/gradients/chunk_backward.cuh>

namespace gallop::inline GALLOP_ISA {

GALLOP_HD long whole_chunks(long count) {
  return (count + kChunkSamples - 1) / kChunkSamples * kChunkSamples;
}

// One sample's column.
struct GatherUnits {
  const float* from;  // the layer's rows in the first chunk
  long chunk_stride, count, n;
  int width;
  float* to;  // [width + 1, n]

  GALLOP_HD void operator()(long s) const {
    const float* const units = from + s / kChunkSamples * chunk_stride + s % kChunkSamples;
    const bool is_there = s < count;
    GALLOP_UNROLL(8)
    for (int row = 0; row < width; row++) {
      to[row * n + s] = is_there ? units[row * kChunkSamples] : 0.0f;
    }
    to[width * n + s] = is_there ? 1.0f : 0.0f;
  }
};
inline LaunchStatus matrix_units(const MatrixUnitsRequest& r, const CudaWork& on) {
  const NetworkShape& shape = r.fisher.policy.shape.network;
  const long count = r.fisher.samples.count, n = whole_chunks(count);
  const float* const from = r.fisher.units + long(unit_row(shape, r.layer)) * kChunkSamples;
  const int width = shape.width[r.layer];
  return for_each("matrix_units", n, on.stream,
                  GatherUnits{from, r.fisher.unit_stride, count, n, width, r.to});
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
inline LaunchStatus scale_by_slope(const SlopeRequest& r, const CudaWork& on) {
  return for_each("scale_by_slope", r.quads, on.stream,
                  ScaleBySlope{r.activation, reinterpret_cast<const float4*>(r.unit),
                               reinterpret_cast<float4*>(r.x)});
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
    float output[kMaxOutputs], log_std[kMaxOutputs], t[kMaxOutputs], u[kMaxOutputs];
    for (int j = 0; j < n_out; j++) {
      output[j] = outputs[j * kChunkSamples];
      t[j] = tangent[j * n + s];
    }
    log_std_of(shape.head, shape.n_actions, output,
               r.policy.parameters + layer_offset(shape.network, shape.network.n_layers), log_std);
    head_metric(shape.head, shape.n_actions, output, log_std, t, u);
    for (int j = 0; j < n_out; j++) tangent[j * n + s] = u[j] * r.weight;
  }
};
inline LaunchStatus matrix_metric(const MatrixMetricRequest& r, const CudaWork& on) {
  const long n = whole_chunks(r.fisher.samples.count);
  return for_each("matrix_metric", n, on.stream, MatrixMetric{r.fisher, n, r.tangent});
}

struct MatrixProductElement {
  FisherRequest r;
  const float* network;
  float* to;

  GALLOP_HD void operator()(long i) const {
    if (r.active != nullptr && *r.active == 0) return;
    const NetworkShape& shape = r.policy.shape.network;
    const long n_network = layer_offset(shape, shape.n_layers);
    to[i] = i < n_network
                ? network[i]
                : float(r.samples.count) * head_parameter_product(r, 1, int(i - n_network));
  }
};
inline LaunchStatus matrix_product(const MatrixSumRequest& r, const CudaWork& on) {
  return for_each("matrix_product", parameter_count(r.fisher.policy.shape), on.stream,
                  MatrixProductElement{r.fisher, r.network, r.fisher.product});
}

}  // namespace gallop::inline GALLOP_ISA
