// Backward pass of a policy from slopes by its actions, through the head's reparameterised action
// (policy/heads.h, pull_back) and the network: what the derivatives of whatever stands behind an
// action are by what the policy is made of. The noise of the action is that with which it was
// chosen: it stays fixed.
#pragma once

#include <gallop/kernels/gradients/given_slopes.h>

namespace gallop {

// Writes, for each sample, slopes by the outputs of the network and by the head's own parameters,
// which network_gradient takes, and slopes by the observation as it was recorded, as input_gradient
// writes them.
//
// Of the samples observation, action, order and count are read; the order must not name a sample
// twice. Throws (`refusal`) a value error for a head of discrete or bounded actions, for a table,
// and where own_slope does not fit the head; on CUDA an Error (cuda) for more samples than 32 bits
// count. Returns before it is done. The arithmetic is strict: the same bits on every backend and
// for any number of threads. No random numbers.
struct PolicyPullBackRequest {
  PolicyView policy;
  Samples samples;
  const float* action_slope;  // [T, A, N]
  float* output_slope;        // [T, outputs, N]
  float* own_slope;           // [T, head_parameters, N]; null where the head has none
  float* input_slope;         // [T, O, N]
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

GALLOP_HD const char* refusal(const PolicyPullBackRequest& r) {
  const PolicyShape& shape = r.policy.shape;
  if (is_discrete(shape.head) || is_bounded(shape.head)) {
    return "policy_pull_back: the head's actions are discrete or bounded; expected a Gaussian or "
           "deterministic head";
  }
  if (shape.network.kind == NetworkKind::kTabular) {
    return "policy_pull_back: the network is a table, which has no derivative by its state; "
           "expected an MLP";
  }
  if ((head_parameters(shape.head, shape.n_actions) > 0) == (r.own_slope != nullptr)) {
    return nullptr;
  }
  return "policy_pull_back: own_slope does not fit the head; expected [T, head_parameters, N], or "
         "null for a head without parameters";
}

// Slopes by outputs [outputs] and own parameters [A] of one register of samples.
template <class F>
GALLOP_HD void pull_back_action(const PolicyShape& shape, const F* output,
                                const float* log_std_parameter, const F* action,
                                const F* action_slope, F* d_output, F* d_log_std) {
  F log_std[kMaxOutputs];
  with_head(shape.head, [&](auto head) {
    using Chosen = decltype(head);
    if constexpr (!Chosen::kDiscrete) {
      head.log_std_of(shape.n_actions, output, log_std_parameter, log_std);
      const typename Chosen::template At<F> at(shape.n_actions, output, log_std);
      at.pull_back(action, action_slope, d_output, d_log_std);
    }
  });
}

// Columns [rows, kChunkSamples] of n samples into an array [T, rows, N].
inline void store_columns(const Samples& samples, const float* column, int rows, long first, int n,
                          float* to) {
  long at[kChunkSamples];
  SamplePlaces(samples).elements(first, n, rows, at);
  for (int k = 0; k < rows; k++, to += samples.n_envs, column += kChunkSamples) {
    for (int s = 0; s < n; s++) to[at[s]] = column[s];
  }
}

template <class F>
struct PolicyPullBack {
  const OverChunks<PolicyPullBackRequest>& r;
  const int n_actions, n_out, n_own;
  ChunkNetwork<F> network;
  float *action, *action_slope, *own;  // [A, kChunkSamples]
  const float* log_std_parameter;

  explicit PolicyPullBack(const OverChunks<PolicyPullBackRequest>& request)
      : r(request),
        n_actions(r.policy.shape.n_actions),
        n_out(outputs_of(r.policy.shape.network)),
        n_own(head_parameters(r.policy.shape.head, n_actions)) {
    float* s = r.scratch;
    network.begin(r.policy.shape.network, r.policy.parameters, s);
    action = network.take(s, long(kChunkSamples) * n_actions);
    action_slope = network.take(s, long(kChunkSamples) * n_actions);
    own = network.take(s, long(kChunkSamples) * n_actions);
    log_std_parameter = r.policy.parameters + layer_offset(network.shape, network.shape.n_layers);
  }
  static long scratch(const PolicyShape& shape) {
    return chunk_network_scratch(shape.network) + 3L * kChunkSamples * shape.n_actions;
  }

  void slopes(int n) {
    constexpr int kW = kLanesOf<F>;
    const float* const outputs = network.unit[network.shape.n_layers];
    for (int s = 0; s < n; s += kW) {
      const auto load = [&](const float* columns, int j) {
        return load_lanes(columns + long(j) * kChunkSamples + s, kW, F());
      };
      F output[kMaxOutputs], a[kMaxOutputs], d[kMaxOutputs], by_output[kMaxOutputs],
          by_own[kMaxOutputs];
      for (int j = 0; j < n_out; j++) output[j] = load(outputs, j);
      for (int j = 0; j < n_actions; j++) a[j] = load(action, j);
      for (int j = 0; j < n_actions; j++) d[j] = load(action_slope, j);
      for (int j = 0; j < n_actions; j++) by_own[j] = F(0.0f);
      pull_back_action(r.policy.shape, output, log_std_parameter, a, d, by_output, by_own);
      for (int j = 0; j < n_out; j++) {
        store_lanes(network.d_output + long(j) * kChunkSamples + s, by_output[j], kW);
      }
      for (int j = 0; j < n_own; j++) store_lanes(own + long(j) * kChunkSamples + s, by_own[j], kW);
    }
  }

  void chunk(int c) {
    const long first = long(c) * kChunkSamples;
    const int n = chunk_size(r.samples, c);
    network.load(r.samples, r.policy.normalization, first, n);
    load_actions(r.samples, first, n, action);
    load_slopes(r.samples, r.action_slope, n_actions, 1.0f, first, n, action_slope);
    network.forward(n);
    slopes(n);
    store_columns(r.samples, network.d_output, n_out, first, n, r.output_slope);
    store_columns(r.samples, own, n_own, first, n, r.own_slope);
    store_input_slopes(network, r.samples, r.policy.normalization, first, n,
                       backward_to_inputs(network, n), r.input_slope);
  }
};

template <class F>
void policy_pull_back_chunks(const OverChunks<PolicyPullBackRequest>& request) {
  PolicyPullBack<F> policy(request);
  for (int c = request.begin; c < request.end; c++) policy.chunk(c);
}
template <class F>
void policy_pull_back(const PolicyPullBackRequest& r, const CpuWork& on) {
  over_chunks(r, PolicyPullBack<F>::scratch(r.policy.shape), on, policy_pull_back_chunks<F>);
}

}  // namespace gallop::inline GALLOP_ISA
