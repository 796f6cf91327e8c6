// Gradients of policy and value losses over chunks of 128 samples.
#pragma once

#include <gallop/kernels/gradients/chunk_network.h>
#include <gallop/kernels/gradients/over_chunks.h>
#include <gallop/kernels/gradients/policy_loss.h>

namespace gallop::inline GALLOP_ISA {

// A head of bounded actions is not learnt by likelihood ratios.
GALLOP_HD const char* refusal(const PolicyGradientRequest& r) {
  if (!is_bounded(r.policy.shape.head)) return nullptr;
  return "policy_gradient: a head of bounded actions; expected one that is learnt by likelihood "
         "ratios";
}

// Floats of scratch for either gradient.
GALLOP_HD long gradient_scratch(const NetworkShape& shape, int n_actions) {
  return chunk_network_scratch(shape, n_actions + kPolicyStatistics) +
         long(kChunkSamples) * (2 + n_actions);
}

// The head's own parameters, scaled together.
GALLOP_HD void append_head_segment(const PolicyShape& shape, Segments& to, int& at) {
  const int n = head_parameters(shape.head, shape.n_actions);
  if (n == 0) return;
  to.begin[to.count++] = at;
  at += n;
}

// Segments of a policy's gradient: those of the network, log sigma, then each statistic alone.
GALLOP_HD void policy_segments(const PolicyShape& shape, Segments& to) {
  to.count = 0;
  int at = 0;
  append_segments(shape.network, to.count, to.begin, at);
  append_head_segment(shape, to, at);
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

// Actions of n samples from number `first` on, and 0 behind them, into action [A, kChunkSamples].
inline void load_actions(const Samples& from, long first, int n, float* action) {
  long at[kChunkSamples];
  SamplePlaces(from).elements(first, n, from.action_rows, at);
  for (int k = 0; k < from.action_rows; k++) {
    const float* const acted = from.action + long(k) * from.n_envs;
    for (int s = 0; s < n; s++) action[k * kChunkSamples + s] = acted[at[s]];
    for (int s = n; s < kChunkSamples; s++) action[k * kChunkSamples + s] = 0.0f;
  }
}

template <class F>
struct PolicyGradient {
  const OverChunks<PolicyGradientRequest>& r;
  ChunkNetwork<F> network;
  const float* log_std_parameter;
  float *action, *log_prob, *advantage;  // [A, kChunkSamples], [kChunkSamples]
  // Columns after those of the outputs' gradients, as their sums come in the partial gradient.
  float *d_log_std, *statistic;  // [A, kChunkSamples], [kPolicyStatistics, kChunkSamples]
  int n_columns;
  Segments segments;

  explicit PolicyGradient(const OverChunks<PolicyGradientRequest>& request) : r(request) {
    float* s = r.scratch;
    const int n = r.policy.shape.n_actions;
    const int n_log_std = head_parameters(r.policy.shape.head, n);
    n_columns = n_log_std + kPolicyStatistics;
    network.begin(r.policy.shape.network, r.policy.parameters, s, n_columns);
    d_log_std = network.d_output + long(outputs_of(network.shape)) * kChunkSamples;
    statistic = d_log_std + long(n_log_std) * kChunkSamples;
    action = network.take(s, long(kChunkSamples) * n);
    log_prob = network.take(s, kChunkSamples);
    advantage = network.take(s, kChunkSamples);
    log_std_parameter = r.policy.parameters + layer_offset(network.shape, network.shape.n_layers);
    policy_segments(r.policy.shape, segments);
  }

  void load(long first, int n) {
    const Samples& from = r.samples;
    network.load(from, r.policy.normalization, first, n);
    load_actions(from, first, n, action);
    long at[kChunkSamples];
    SamplePlaces(from).elements(first, n, 1, at);
    for (int s = 0; s < n; s++) log_prob[s] = from.log_prob[at[s]];
    for (int s = 0; s < n; s++) advantage[s] = from.advantage[at[s]];
    for (int s = n; s < kChunkSamples; s++) log_prob[s] = advantage[s] = 0.0f;
  }

  // Lanes of samples from s on in column j.
  static GALLOP_HD F at_sample(const float* columns, int j, int s) {
    return load_lanes(columns + long(j) * kChunkSamples + s, kLanesOf<F>, F());
  }
  static GALLOP_HD void to_sample(float* columns, int j, int s, F x) {
    store_lanes(columns + long(j) * kChunkSamples + s, x, kLanesOf<F>);
  }

  // Losses of n samples and their derivatives by the outputs.
  void losses(int n) {
    const PolicyShape& shape = r.policy.shape;
    const int n_out = outputs_of(shape.network);
    const int n_log_std = head_parameters(shape.head, shape.n_actions);
    const float* const outputs = network.unit[shape.network.n_layers];
    for (int s = 0; s < n; s += kLanesOf<F>) {
      F output[kMaxOutputs], log_std[kMaxOutputs], a[kMaxOutputs], d[kMaxOutputs], ds[kMaxOutputs];
      for (int j = 0; j < n_out; j++) output[j] = at_sample(outputs, j, s);
      log_std_of(shape.head, shape.n_actions, output, log_std_parameter, log_std);
      for (int j = 0; j < shape.n_actions; j++) ds[j] = F(0.0f);
      for (int j = 0; j < r.samples.action_rows; j++) a[j] = at_sample(action, j, s);
      const SampleLoss<F> loss = policy_loss(r, output, log_std, a, at_sample(log_prob, 0, s),
                                             at_sample(advantage, 0, s), d, ds);
      for (int j = 0; j < n_out; j++) to_sample(network.d_output, j, s, d[j]);
      for (int j = 0; j < n_log_std; j++) to_sample(d_log_std, j, s, ds[j]);
      for (int j = 0; j < kPolicyStatistics; j++) to_sample(statistic, j, s, loss.statistic[j]);
    }
  }

  void chunk(int c) {
    const long first = long(c) * kChunkSamples;
    const long left = r.samples.count - first;
    const int n = left < kChunkSamples ? int(left) : kChunkSamples;
    load(first, n);
    network.forward(n);
    losses(n);
    float* const to = r.partial + long(c) * r.stride;
    network.backward(n, n_columns, to);
    note_greatest<F>(segments, to, r.greatest + long(c) * kMaxSegments);
  }
};

template <class F>
void policy_gradient_chunks(const OverChunks<PolicyGradientRequest>& request) {
  PolicyGradient<F> gradient(request);
  for (int c = request.begin; c < request.end; c++) gradient.chunk(c);
}
template <class F>
void policy_gradient(const PolicyGradientRequest& r, const CpuWork& on) {
  Segments segments;
  policy_segments(r.policy.shape, segments);
  sum_over_chunks<F>(r, segments, r.gradient,
                     gradient_scratch(r.policy.shape.network, r.policy.shape.n_actions), on,
                     policy_gradient_chunks<F>);
}

template <class F>
void value_gradient_chunks(const OverChunks<ValueGradientRequest>& r) {
  constexpr int kW = kLanesOf<F>;
  ChunkNetwork<F> network;
  float* s = r.scratch;
  network.begin(r.shape, r.parameters, s, 1);
  float* const target = network.take(s, kChunkSamples);
  float before[kChunkSamples] = {};
  const int n_out = outputs_of(r.shape);
  float* const squared = network.d_output + long(n_out) * kChunkSamples;  // its sum comes last
  Segments segments;
  value_segments(r.shape, segments);
  const SamplePlaces places(r.samples);
  long at[kChunkSamples];
  for (int c = r.begin; c < r.end; c++) {
    const long first = long(c) * kChunkSamples;
    const long left = r.samples.count - first;
    const int n = left < kChunkSamples ? int(left) : kChunkSamples;
    network.load(r.samples, r.normalization, first, n);
    network.forward(n);
    places.elements(first, n, n_out, at);
    for (int j = 0; j < n_out; j++) {
      const float* const wanted = r.samples.target + long(j) * r.samples.n_envs;
      const long column = long(j) * kChunkSamples;
      for (int k = 0; k < n; k++) target[k] = wanted[at[k]];
      for (int k = 0; k < n && r.before != nullptr; k++) {
        before[k] = r.before[long(j) * r.samples.n_envs + at[k]];
      }
      for (int k = 0; k < n; k += kW) {
        const F value = load_lanes(network.unit[r.shape.n_layers] + column + k, kW, F());
        const F goal = load_lanes(target + k, kW, F());
        const ValueResidual<F> of =
            r.before == nullptr
                ? value_residual(value, goal)
                : clipped_value_residual(value, goal, load_lanes(before + k, kW, F()), F(r.clip));
        store_lanes(network.d_output + column + k, of.slope * F(r.weight), kW);
        const F others = j == 0 ? F(0.0f) : load_lanes(squared + k, kW, F());
        const F square = j == 0 ? of.error * of.error : fmadd(of.error, of.error, others);
        store_lanes(squared + k, square, kW);
      }
    }
    float* const to = r.partial + long(c) * r.stride;
    network.backward(n, 1, to);
    note_greatest<F>(segments, to, r.greatest + long(c) * kMaxSegments);
  }
}
template <class F>
void value_gradient(const ValueGradientRequest& r, const CpuWork& on) {
  Segments segments;
  value_segments(r.shape, segments);
  sum_over_chunks<F>(r, segments, r.gradient, gradient_scratch(r.shape, 1), on,
                     value_gradient_chunks<F>);
}

}  // namespace gallop::inline GALLOP_ISA
