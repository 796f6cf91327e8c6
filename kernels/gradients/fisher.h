// Products of the Fisher matrix of a policy with a vector, in Gauss-Newton form: the curvature of
// the divergence (divergence.h) by which a trust region measures a step.
//
//   F v = mean over samples of J^T M J v
//
// J is the derivative of the head's inputs (logits; means and log sigma) by the parameters and M
// the Fisher matrix of the distribution in them: diag(p) - p p^T for a category; 1 / sigma^2 for
// the means and 2 for log sigma of a normal. No second derivatives. F is taken at the policy that
// acted, so hidden units are computed once (fisher_prepare) and read by every product. So are the
// outputs' derivatives by them where outputs are few (sensitivities.h), which halves the work;
// elsewhere a product is a pass forward of the tangent and one backward.
//
// Source: Schulman, Levine, Moritz, Jordan and Abbeel, arXiv:1502.05477v5, appendix C.
//
// Verified: products against a reference written out, and the natural gradient of a decision
// process (tests/learning/fisher_test.cpp); solutions against the full matrix
// (tests/learning/trust_region_test.cpp); products by matrices (tests/cuda/matrix_fisher_test.cpp).
#pragma once

#include <gallop/kernels/gradients/gradient.h>
#include <gallop/kernels/gradients/sensitivities.h>

namespace gallop {

struct FisherRequest {
  PolicyView policy;
  Samples samples;
  float weight;                // of each sample: 1 / count for a mean
  float* units;                // [chunks, unit_stride] written by fisher_prepare
  long unit_stride;            // unit_floats of the policy
  const float* vector;         // [D]; read by fisher_product
  float* product;              // [D] written by fisher_product
  const std::int32_t* active;  // of the device, or null; 0: the product is not wanted
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// Floats that inputs, hidden units and outputs of one chunk take, rows padded.
GALLOP_HD long network_unit_floats(const NetworkShape& shape) {
  long floats = 0;
  for (int l = 0; l <= shape.n_layers; l++) {
    const bool state = shape.kind == NetworkKind::kTabular && l == 0;
    floats += long(kChunkSamples) * padded(state ? 1 : shape.width[l]);
  }
  return floats;
}
// The same with the sensitivities, which stand behind them.
GALLOP_HD long unit_floats(const PolicyShape& shape) {
  return network_unit_floats(shape.network) + sensitivity_floats(shape);
}
GALLOP_HD long fisher_scratch(const PolicyShape& shape) {
  const int last = shape.network.n_layers - 1;
  return 2 * chunk_network_scratch(shape.network) +
         gradient_scratch(shape.network, shape.n_actions) +
         sensitivity_count(shape) *
             (long(kChunkSamples) * (kColumnPad + 1) + padded(shape.network.width[last]));
}

GALLOP_HD void fisher_segments(const PolicyShape& shape, Segments& to) {
  to.count = 0;
  int at = 0;
  append_segments(shape.network, to.count, to.begin, at);
  append_head_segment(shape, to, at);
  to.begin[to.count] = at;
}

// Multiply-adds of the matrix products of one sample: derivatives along the vector and gradients by
// the weights, and in passes the tangent and the gradient through the units, which the first layer
// does not need.
inline double product_multiply_adds(const NetworkShape& shape, bool by_passes) {
  double sum = 0;
  for (int l = 0; l < shape.n_layers; l++) {
    sum += (by_passes && l > 0 ? 4.0 : 2.0) * shape.width[l] * shape.width[l + 1];
  }
  return sum;
}

// Points the units of a network at those of a chunk.
template <class F>
GALLOP_HD void use_units(ChunkNetwork<F>& network, float* units) {
  for (int l = 0; l <= network.shape.n_layers; l++) {
    network.unit[l] = units;
    const bool state = network.shape.kind == NetworkKind::kTabular && l == 0;
    units += long(kChunkSamples) * padded(state ? 1 : network.shape.width[l]);
  }
}

inline Sensitivities sensitivities_of(const FisherRequest& r, int chunk, float* weights) {
  const long first = network_unit_floats(r.policy.shape.network);
  return {r.policy.shape, r.units + long(chunk) * r.unit_stride + first, weights};
}

template <class F>
void fisher_prepare_chunks(const OverChunks<FisherRequest>& r) {
  ChunkNetwork<F> network;
  float* s = r.scratch;
  network.begin(r.policy.shape.network, r.policy.parameters, s);
  for (int c = r.begin; c < r.end; c++) {
    const int n = chunk_size(r.samples, c);
    use_units(network, r.units + long(c) * r.unit_stride);
    network.load(r.samples, r.policy.normalization, long(c) * kChunkSamples, n);
    network.forward(n);
    write_sensitivities(r.policy.shape, network, n, sensitivities_of(r, c, nullptr));
  }
}
template <class F>
void fisher_prepare(const FisherRequest& r, const CpuWork& on) {
  over_chunks(r, fisher_scratch(r.policy.shape), on, fisher_prepare_chunks<F>);
}

// Derivative of the outputs along `direction`, a network whose weights are the vector: leaves it in
// direction.unit[n_layers]. Layer by layer T' = (c + X V + T W) * slope, one chain for each sum.
template <class F>
void forward_tangent(const ChunkNetwork<F>& at, ChunkNetwork<F>& direction, int n,
                     Prefetch* ahead) {
  const NetworkShape& shape = at.shape;
  if (shape.kind == NetworkKind::kTabular) {
    for (int s = 0; s < n * padded(1); s++) direction.unit[0][s] = at.unit[0][s];
    direction.forward(n);
    return;
  }
  const int last = shape.n_layers - 1;
  for (int l = 0; l <= last; l++) {
    const int pad_in = at.pad(l), pad_out = at.pad(l + 1);
    Product p = {n,
                 shape.width[l],
                 shape.width[l + 1],
                 at.unit[l],
                 pad_in,
                 1,
                 direction.weight[l],
                 pad_out,
                 direction.bias[l],
                 l < last ? direction.unit[l + 1] : direction.delta[0],
                 pad_out};
    if (l > 0) {
      p.a2 = direction.unit[l];
      p.b2 = at.weight[l];
    }
    if (l < last) {
      p.activation = shape.hidden;
      p.value = at.unit[l + 1];
    }
    p.next = ahead;
    multiply<F>(p);
  }
  transpose(direction.delta[0], at.pad(last + 1), kChunkSamples, outputs_of(shape),
            direction.unit[last + 1], kChunkSamples);
}

// u = M t for one register of samples; `output` and t, u [outputs].
template <class F>
GALLOP_HD void head_metric(Head head, int n, const F* output, const F* log_std, const F* t, F* u) {
  with_head(head,
            [&](auto h) { typename decltype(h)::template At<F>(n, output, log_std).metric(t, u); });
}

// Writes weight * M t into delta[0] of the network; `tangent(s, t)` fills in t [outputs] of a
// register of samples.
template <class F, class Tangent>
void apply_metric(const FisherRequest& r, ChunkNetwork<F>& network, int n, const Tangent& tangent) {
  const PolicyShape& shape = r.policy.shape;
  const int last = shape.network.n_layers, n_out = outputs_of(shape.network);
  const float* log_std_parameter = r.policy.parameters + layer_offset(shape.network, last);
  constexpr int kW = kLanesOf<F>;
  for (int s = 0; s < n; s += kW) {
    F output[kMaxOutputs], log_std[kMaxOutputs], t[kMaxOutputs], u[kMaxOutputs];
    for (int j = 0; j < n_out; j++) {
      output[j] = load_lanes(network.unit[last] + j * kChunkSamples + s, kW, F());
    }
    tangent(s, t);
    log_std_of(shape.head, shape.n_actions, output, log_std_parameter, log_std);
    head_metric(shape.head, shape.n_actions, output, log_std, t, u);
    for (int j = 0; j < n_out; j++) {
      store_lanes(network.d_output + j * kChunkSamples + s, u[j] * F(r.weight), kW);
    }
  }
}

// Component i of the block of the head's own parameters, which no output depends on: their metric
// times the vector, for each of n samples.
GALLOP_HD float head_parameter_product(const FisherRequest& r, int n, int i) {
  const NetworkShape& network = r.policy.shape.network;
  const long at = layer_offset(network, network.n_layers) + i;
  const float x = r.policy.parameters[at];
  const float metric = with_head(r.policy.shape.head, [x](auto h) {
    if constexpr (decltype(h)::kParameters > 0) return h.parameter_metric(x);
    return 0.0f;
  });
  return metric == 0.0f ? 0.0f : float(n) * r.weight * metric * r.vector[at];
}

// The product of one chunk into `to`: forward and backward.
template <class F>
void product_by_passes(const FisherRequest& r, ChunkNetwork<F>& network, ChunkNetwork<F>& direction,
                       int n, float* to, Prefetch* ahead) {
  forward_tangent(network, direction, n, ahead);
  const int last = r.policy.shape.network.n_layers;
  const int n_out = outputs_of(r.policy.shape.network);
  apply_metric(r, network, n, [&](int s, F* t) {
    for (int j = 0; j < n_out; j++) {
      t[j] = load_lanes(direction.unit[last] + j * kChunkSamples + s, kLanesOf<F>, F());
    }
  });
  network.backward(n, 0, to, ahead);
}

// Work of a product by sensitivities.
struct SensitivityWork {
  float* weights;  // [count, padded width of the last hidden layer] of the outputs
  float* sums;     // [count][kChunkSamples, kColumnPad]
  float* total;    // [count][kChunkSamples]

  SensitivityWork(const PolicyShape& shape, float* s) {
    const int count = sensitivity_count(shape);
    sums = s;
    total = sums + long(count) * kChunkSamples * kColumnPad;
    weights = total + long(count) * kChunkSamples;
  }
};

template <class F>
void product_by_sensitivities(const FisherRequest& r, const Sensitivities& by,
                              ChunkNetwork<F>& network, ChunkNetwork<F>& direction, int n,
                              const SensitivityWork& work, float* to, Prefetch* ahead) {
  const NetworkShape& shape = r.policy.shape.network;
  const int last = shape.n_layers - 1;
  const int first = first_free_output(r.policy.shape);
  free_tangents(r.policy.shape, network, direction, by, n, work.sums, work.total, ahead);
  const float* const bias = direction.bias[last];
  apply_metric(r, network, n, [&](int s, F* t) {
    t[0] = F(0.0f);
    for (int j = 0; j < by.count; j++) {
      const F own = load_lanes(work.total + j * kChunkSamples + s, kLanesOf<F>, F());
      t[first + j] = own + F(output_weight(r.policy.shape, bias, j));
    }
  });
  network.output_weight_gradient(n, to + layer_offset(shape, last), ahead);
  sum_columns(network.d_output, n, outputs_of(shape), network.bias_gradient(to, last));
  const float* const u = network.d_output + long(first) * kChunkSamples;
  float* const d = network.delta[0];
  for (int l = last; l > 0; l--) {
    float* const weight = to + layer_offset(shape, l - 1);
    float* const bias_sum = weight + long(shape.width[l - 1]) * shape.width[l];
    combine_sensitivities(network, by, l, n, u, d, bias_sum);
    network.weight_gradient(l - 1, n, d, weight, ahead);
  }
}

template <class F>
void fisher_product_chunks(const OverChunks<FisherRequest>& r) {
  const PolicyShape& shape = r.policy.shape;
  ChunkNetwork<F> network, direction;
  float* s = r.scratch;
  network.begin(shape.network, r.policy.parameters, s);
  direction.begin(shape.network, r.vector, s);
  const SensitivityWork work(shape, s);
  for (int j = 0; j < sensitivity_count(shape); j++) {
    output_weights(shape, network, j,
                   work.weights + long(j) * network.pad(shape.network.n_layers - 1));
  }
  Segments segments;
  fisher_segments(shape, segments);
  for (int c = r.begin; c < r.end; c++) {
    const int n = chunk_size(r.samples, c);
    use_units(network, r.units + long(c) * r.unit_stride);
    const char* next = reinterpret_cast<const char*>(r.units + long(c + 1) * r.unit_stride);
    Prefetch ahead = {next, next + (c + 1 < r.end ? sizeof(float) * r.unit_stride : 0)};
    float* to = r.partial + long(c) * r.stride;
    const Sensitivities by = sensitivities_of(r, c, work.weights);
    if (by.count > 0) {
      product_by_sensitivities(r, by, network, direction, n, work, to, &ahead);
    } else {
      product_by_passes(r, network, direction, n, to, &ahead);
    }
    float* const own = to + layer_offset(shape.network, shape.network.n_layers);
    for (int i = 0; i < head_parameters(shape.head, shape.n_actions); i++) {
      own[i] = head_parameter_product(r, n, i);
    }
    note_greatest<F>(segments, to, r.greatest + long(c) * kMaxSegments);
  }
}
template <class F>
void fisher_product(const FisherRequest& r, const CpuWork& on) {
  if (r.active != nullptr && *r.active == 0) return;
  Segments segments;
  fisher_segments(r.policy.shape, segments);
  sum_over_chunks<F>(r, segments, r.product, fisher_scratch(r.policy.shape), on,
                     fisher_product_chunks<F>);
}

}  // namespace gallop::inline GALLOP_ISA
