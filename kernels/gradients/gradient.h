// Gradients of policy and value losses over chunks of 128 samples.
#pragma once

#include "kernels/gradients/chunk_network.h"
#include "kernels/gradients/policy_loss.h"
#include "kernels/reduce/partials.h"

namespace gallop::inline GALLOP_ISA {

GALLOP_HD int chunk_count(long samples) {
  return int((samples + kChunkSamples - 1) / kChunkSamples);
}

// Floats of scratch for either gradient.
GALLOP_HD long gradient_scratch(const NetworkShape& shape, int n_actions) {
  return chunk_network_scratch(shape) +
         long(kChunkSamples) * (2 + n_actions + padded(n_actions) + padded(kPolicyStatistics));
}

// Segments of a policy's gradient: those of the network, log sigma, then each statistic alone.
GALLOP_HD void policy_segments(const PolicyShape& shape, Segments& to) {
  to.count = 0;
  int at = 0;
  append_segments(shape.network, to.count, to.begin, at);
  if (shape.head == Head::kGaussian) {
    to.begin[to.count++] = at;
    at += shape.n_actions;
  }
  for (int k = 0; k < kPolicyStatistics; k++) to.begin[to.count++] = at++;
  to.begin[to.count] = at;
}
GALLOP_HD void value_segments(const NetworkShape& shape, Segments& to) {
  to.count = 0;
  int at = 0;
  append_segments(shape, to.count, to.begin, at);
  to.begin[to.count++] = at++;
  to.begin[to.count] = at;
}

template <class F>
void note_greatest(const Segments& segments, const float* partial, float* greatest) {
  for (int s = 0; s < segments.count; s++) {
    greatest[s] = greatest_magnitude<F>(partial + segments.begin[s],
                                        segments.begin[s + 1] - segments.begin[s]);
  }
}

// Lanes of a column of a row-major array, beginning with row `first`.
template <class F>
GALLOP_HD F load_column(const float* x, int first, int stride, int column) {
  if constexpr (kLanesOf<F> == 1) {
    return x[long(first) * stride + column];
  } else {
    const Int<F> lane =
        Int<F>((typename Int<F>::Vector)consecutive_words<F>(0u).v) * Int<F>(stride);
    return gather(x + long(first) * stride + column, lane);
  }
}
template <class F>
GALLOP_HD void store_column(float* x, int first, int stride, int column, F value) {
  float lanes[kLanesOf<F>];
  store_lanes(lanes, value, kLanesOf<F>);
  for (int k = 0; k < kLanesOf<F>; k++) x[long(first + k) * stride + column] = lanes[k];
}

template <class F>
struct PolicyGradient {
  const PolicyGradientRequest& r;
  ChunkNetwork<F> network;
  const float* log_std_parameter;
  float *action, *log_prob, *advantage;  // [A, kChunkSamples], [kChunkSamples]
  float *d_log_std, *statistic;          // [kChunkSamples, padded]
  Segments segments;

  explicit PolicyGradient(const PolicyGradientRequest& request) : r(request) {
    float* s = r.scratch;
    network.begin(r.policy.shape.network, r.policy.parameters, s);
    const int n = r.policy.shape.n_actions;
    d_log_std = network.take(s, long(kChunkSamples) * padded(n));
    statistic = network.take(s, long(kChunkSamples) * padded(kPolicyStatistics));
    action = network.take(s, long(kChunkSamples) * n);
    log_prob = network.take(s, kChunkSamples);
    advantage = network.take(s, kChunkSamples);
    log_std_parameter = r.policy.parameters + layer_offset(network.shape, network.shape.n_layers);
    policy_segments(r.policy.shape, segments);
  }

  void load(long first, int n) {
    const Samples& from = r.samples;
    network.load(from, r.policy.normalization, first, n);
    for (int s = 0; s < kChunkSamples; s++) {
      const bool used = s < n;
      const long id = !used ? 0 : from.order == nullptr ? first + s : long(from.order[first + s]);
      const long t = id / from.n_envs, i = id % from.n_envs;
      for (int k = 0; k < from.action_rows; k++) {
        action[k * kChunkSamples + s] =
            used ? from.action[(t * from.action_rows + k) * from.n_envs + i] : 0.0f;
      }
      log_prob[s] = used ? from.log_prob[id] : 0.0f;
      advantage[s] = used ? from.advantage[id] : 0.0f;
    }
  }

  // Losses of n samples and their derivatives by the outputs.
  void losses(int n) {
    const PolicyShape& shape = r.policy.shape;
    const int n_out = outputs_of(shape.network), stride = network.pad(shape.network.n_layers);
    const float* outputs = network.unit[shape.network.n_layers];
    for (long i = 0; i < long(n) * stride; i++) network.delta[0][i] = 0.0f;
    for (int s = 0; s < n; s += kLanesOf<F>) {
      F output[kMaxOutputs], spread[kMaxOutputs], a[kMaxOutputs], d[kMaxOutputs], ds[kMaxOutputs];
      for (int j = 0; j < n_out; j++) output[j] = load_column<F>(outputs, s, stride, j);
      log_std_of(shape.head, shape.n_actions, output, log_std_parameter, spread);
      for (int j = 0; j < shape.n_actions; j++) ds[j] = F(0.0f);
      for (int j = 0; j < r.samples.action_rows; j++) {
        a[j] = load_lanes(action + j * kChunkSamples + s, kLanesOf<F>, F());
      }
      const SampleLoss<F> loss =
          policy_loss(r, output, spread, a, load_lanes(log_prob + s, kLanesOf<F>, F()),
                      load_lanes(advantage + s, kLanesOf<F>, F()), d, ds);
      for (int j = 0; j < n_out; j++) store_column(network.delta[0], s, stride, j, d[j]);
      if (shape.head == Head::kGaussian) {
        for (int j = 0; j < shape.n_actions; j++) {
          store_column(d_log_std, s, padded(shape.n_actions), j, ds[j]);
        }
      }
      for (int j = 0; j < kPolicyStatistics; j++) {
        store_column(statistic, s, padded(kPolicyStatistics), j, loss.statistic[j]);
      }
    }
  }

  void chunk(int c) {
    const long first = long(c) * kChunkSamples;
    const long left = r.samples.count - first;
    const int n = left < kChunkSamples ? int(left) : kChunkSamples;
    load(first, n);
    network.forward(n);
    losses(n);
    float* to = r.partial + long(c) * r.stride;
    network.backward(n, to);
    to += layer_offset(network.shape, network.shape.n_layers);
    if (r.policy.shape.head == Head::kGaussian) {
      const int n_actions = r.policy.shape.n_actions;
      network.sum_rows(d_log_std, n, n_actions, padded(n_actions), to);
      to += n_actions;
    }
    network.sum_rows(statistic, n, kPolicyStatistics, padded(kPolicyStatistics), to);
    note_greatest<F>(segments, r.partial + long(c) * r.stride, r.greatest + long(c) * kMaxSegments);
  }
};

template <class F>
void policy_gradient(const PolicyGradientRequest& request) {
  PolicyGradient<F> gradient(request);
  for (int c = request.begin; c < request.end; c++) gradient.chunk(c);
}

template <class F>
void value_gradient(const ValueGradientRequest& r) {
  ChunkNetwork<F> network;
  float* s = r.scratch;
  network.begin(r.shape, r.parameters, s);
  float* squared = network.take(s, long(kChunkSamples) * padded(1));
  Segments segments;
  value_segments(r.shape, segments);
  const int last = r.shape.n_layers, stride = network.pad(last);
  for (int c = r.begin; c < r.end; c++) {
    const long first = long(c) * kChunkSamples;
    const long left = r.samples.count - first;
    const int n = left < kChunkSamples ? int(left) : kChunkSamples;
    network.load(r.samples, r.normalization, first, n);
    network.forward(n);
    for (long i = 0; i < long(n) * stride; i++) network.delta[0][i] = 0.0f;
    for (int k = 0; k < n; k++) {
      const long id = r.samples.order == nullptr ? first + k : long(r.samples.order[first + k]);
      const float error = network.unit[last][long(k) * stride] - r.samples.target[id];
      network.delta[0][long(k) * stride] = error * r.weight;
      squared[long(k) * padded(1)] = error * error;
    }
    float* to = r.partial + long(c) * r.stride;
    network.backward(n, to);
    network.sum_rows(squared, n, 1, padded(1), to + layer_offset(r.shape, r.shape.n_layers));
    note_greatest<F>(segments, to, r.greatest + long(c) * kMaxSegments);
  }
}

}  // namespace gallop::inline GALLOP_ISA
