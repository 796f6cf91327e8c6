// Products of the empirical Fisher matrix of a policy with a vector: the covariance of the
// gradients of log pi at the actions that were taken, in place of the expectation over all actions
// that the policy might take (fisher.h).
//
//   F v = mean over samples of psi (psi^T v),   psi = grad log pi(a | s)
//
// psi^T v is the tangent of the outputs along v times the derivative of log pi by the outputs, so a
// product is a pass forward of the tangent and one backward, and no gradient of a sample is kept.
// In expectation over actions it is the same matrix; of finitely many samples it depends on what
// was drawn. Units are those of fisher_prepare.
//
// Source: Schulman, Levine, Moritz, Jordan and Abbeel, arXiv:1502.05477v5, section 6 and appendix
// C, where it is the alternative ("empirical FIM" of figure 4) that the analytic one is compared
// with.
//
// Verified: products against sums over the gradients of single samples in double
// (tests/learning/empirical_fisher_test.cpp), the kernel against the CPU
// (tests/cuda/fisher_test.cpp).
#pragma once

#include <gallop/kernels/gradients/fisher.h>

namespace gallop::inline GALLOP_ISA {

// u = weight (psi^T v) d log pi / d outputs for one register of samples, and `own` the same by the
// head's own parameters: t is the tangent of the outputs, `along` the vector's part of those
// parameters.
template <class F>
GALLOP_HD void empirical_metric(const PolicyShape& shape, const F* output, const F* log_std,
                                const F* action, const F* t, const float* along, F weight, F* u,
                                F* own) {
  const int n_out = outputs_of(shape.network), n = shape.n_actions;
  const int n_own = head_parameters(shape.head, n);
  for (int i = 0; i < n; i++) own[i] = F(0.0f);
  with_head(shape.head, [&](auto h) {
    const typename decltype(h)::template At<F> at(n, output, log_std);
    at.loss_slope(action, F(1.0f), F(0.0f), u, own);
  });
  F product = F(0.0f);
  for (int j = 0; j < n_out; j++) product = fmadd(u[j], t[j], product);
  for (int i = 0; i < n_own; i++) product = fmadd(own[i], F(along[i]), product);
  product = product * weight;
  for (int j = 0; j < n_out; j++) u[j] = u[j] * product;
  for (int i = 0; i < n_own; i++) own[i] = own[i] * product;
}

// The parts of a chunk's network, of its tangent and of its actions, with the columns of the head's
// own parameters behind those of the outputs.
GALLOP_HD long empirical_scratch(const PolicyShape& shape) {
  return chunk_network_scratch(shape.network, shape.n_actions) +
         chunk_network_scratch(shape.network) + long(kChunkSamples) * shape.n_actions;
}

template <class F>
void empirical_metric_of_chunk(const FisherRequest& r, const ChunkNetwork<F>& network,
                               const ChunkNetwork<F>& direction, const float* action, int n) {
  const PolicyShape& shape = r.policy.shape;
  const int last = shape.network.n_layers, n_out = outputs_of(shape.network);
  const int n_own = head_parameters(shape.head, shape.n_actions);
  const long behind = layer_offset(shape.network, last);
  constexpr int kW = kLanesOf<F>;
  for (int s = 0; s < n; s += kW) {
    F output[kMaxOutputs], log_std[kMaxOutputs], a[kMaxOutputs], t[kMaxOutputs];
    F u[kMaxOutputs], own[kMaxOutputs];
    for (int j = 0; j < n_out; j++) {
      output[j] = load_lanes(network.unit[last] + j * kChunkSamples + s, kW, F());
      t[j] = load_lanes(direction.unit[last] + j * kChunkSamples + s, kW, F());
    }
    for (int j = 0; j < r.samples.action_rows; j++) {
      a[j] = load_lanes(action + j * kChunkSamples + s, kW, F());
    }
    log_std_of(shape.head, shape.n_actions, output, r.policy.parameters + behind, log_std);
    empirical_metric(shape, output, log_std, a, t, r.vector + behind, F(r.weight), u, own);
    for (int j = 0; j < n_out; j++) {
      store_lanes(network.d_output + j * kChunkSamples + s, u[j], kW);
    }
    for (int i = 0; i < n_own; i++) {
      store_lanes(network.d_output + (n_out + i) * kChunkSamples + s, own[i], kW);
    }
  }
}

template <class F>
void empirical_fisher_chunks(const OverChunks<FisherRequest>& r) {
  const PolicyShape& shape = r.policy.shape;
  const int n_own = head_parameters(shape.head, shape.n_actions);
  ChunkNetwork<F> network, direction;
  float* s = r.scratch;
  network.begin(shape.network, r.policy.parameters, s, n_own);
  direction.begin(shape.network, r.vector, s);
  float* const action = network.take(s, long(kChunkSamples) * shape.n_actions);
  Segments segments;
  fisher_segments(shape, segments);
  for (int c = r.begin; c < r.end; c++) {
    const int n = chunk_size(r.samples, c);
    use_units(network, r.units + long(c) * r.unit_stride);
    load_actions(r.samples, long(c) * kChunkSamples, n, action);
    forward_tangent<F>(network, direction, n, nullptr);
    empirical_metric_of_chunk(r, network, direction, action, n);
    float* const to = r.partial + long(c) * r.stride;
    network.backward(n, n_own, to);
    note_greatest<F>(segments, to, r.greatest + long(c) * kMaxSegments);
  }
}
template <class F>
void empirical_fisher_product(const FisherRequest& r, const CpuWork& on) {
  if (r.active != nullptr && *r.active == 0) return;
  Segments segments;
  fisher_segments(r.policy.shape, segments);
  sum_over_chunks<F>(r, segments, r.product, empirical_scratch(r.policy.shape), on,
                     empirical_fisher_chunks<F>);
}

}  // namespace gallop::inline GALLOP_ISA
