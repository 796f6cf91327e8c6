// The gradient of a policy through Q networks, at actions that the policy gives: deterministic
// policy gradients (Silver et al. 2014, eq. 9; Lillicrap et al., arXiv:1509.02971v6, eq. 6) and the
// soft actor-critic's (Haarnoja et al., arXiv:1812.05905v2, eq. 10), in one pass over the samples.
#pragma once

#include <gallop/kernels/gradients/given_slopes.h>
#include <gallop/kernels/off_policy/sample_actions.h>

namespace gallop {

// Sums that come with the gradient, over the samples.
enum QPolicyStatistic : int {
  kStatQ,            // Q at the policy's actions, the lower one of two
  kStatLogPi,        // log pi of them; 0 for a deterministic head
  kStatTemperature,  // weight * -(log pi + target_entropy): the derivative of the loss of alpha by
                     // log alpha, eq. 18 but for the factor alpha
  kQPolicyStatistics
};

// Gradient of the sum over samples of weight * (alpha log pi(a | s) - Q(s, a)), a = pi(s, eps), by
// the parameters of the policy; of the numbers behind its network it is 0. Q is the lower one of
// two critics where the second is given, whose derivative then counts, and the first one's where
// both are equal.
//
// Of the samples observation, order and count are read; the critics see observations as the policy
// does, normalised or not, and actions as they are. The temperature is 0 where log_alpha is null. A
// value error for a head without a draw of its own, a table, and critics of other inputs than
// observation and action or of more than one output; on CUDA an Error (cuda) for more samples than
// 32 bits count. Returns before it is done. Strict: the same bits on every backend and for any
// number of threads. Random numbers: those of the noise, number in the batch: that of the sample's
// place in the order.
struct QPolicyGradientRequest {
  PolicyView policy;
  Samples samples;
  NetworkShape critic;
  const float* critic1;  // parameters
  const float* critic2;  // or null
  UpdateNoise noise;
  const float* log_alpha;  // [1] or null
  float target_entropy;
  float weight;     // of each sample
  float* gradient;  // [D], and behind it the kQPolicyStatistics sums
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

inline const char* refusal(const QPolicyGradientRequest& r) {
  const PolicyShape& policy = r.policy.shape;
  if (!draws_actions(policy.head)) {
    return "q_policy_gradient: a head that has no draw of its own; expected a squashed or "
           "deterministic one";
  }
  if (policy.network.kind != NetworkKind::kMlp || r.critic.kind != NetworkKind::kMlp) {
    return "q_policy_gradient: a network is a table; expected an MLP";
  }
  const bool fits = r.critic.width[0] == policy.network.width[0] + policy.n_actions;
  if (fits && outputs_of(r.critic) == 1) return nullptr;
  return "q_policy_gradient: the critic's network does not map observation and action to one "
         "number";
}

// Numbers behind those of the network in the gradient: the head's, then the statistics.
GALLOP_HD int q_policy_columns(const PolicyShape& shape) {
  return head_parameters(shape.head, shape.n_actions) + kQPolicyStatistics;
}
GALLOP_HD void q_policy_segments(const PolicyShape& shape, Segments& to) {
  to.count = 0;
  int at = 0;
  append_segments(shape.network, to.count, to.begin, at);
  append_head_segment(shape, to, at);
  for (int k = 0; k < kQPolicyStatistics; k++) to.begin[to.count++] = at++;
  to.begin[to.count] = at;
}

// Slopes by the values of two critics of a sample's loss, and the value that counts.
template <class F>
GALLOP_HD F q_slopes(F q1, F q2, float weight, F& d1, F& d2) {
  const Mask<F> second = q2 < q1;
  d1 = select(second, F(0.0f), F(-weight));
  d2 = select(second, F(-weight), F(0.0f));
  return select(second, q2, q1);
}

// Derivatives by the policy's outputs of a sample's loss, from those of -weight Q by its action.
template <class F>
GALLOP_HD void q_policy_slopes(const QPolicyGradientRequest& r, const F* output, const F* u,
                               const F* d_action, F* d_output) {
  F numbers[kMaxOutputs];
  const PolicyShape& shape = r.policy.shape;
  head_numbers(shape, r.policy.parameters, output, numbers);
  const F alpha = r.log_alpha == nullptr ? F(0.0f) : F(r.weight) * exp(F(*r.log_alpha));
  with_drawing_head(shape.head, [&](auto h) {
    h.pull_back_draw(shape.n_actions, output, numbers, u, d_action, alpha, d_output);
  });
}
template <class F>
GALLOP_HD F temperature_slope(const QPolicyGradientRequest& r, F log_prob) {
  return F(-r.weight) * (log_prob + F(r.target_entropy));
}
// Draws the action of samples from place b on; returns log pi.
template <class F>
GALLOP_HD F draw_action(const QPolicyGradientRequest& r, long b, const F* output, F* u, F* action) {
  F numbers[kMaxOutputs], log_prob(0.0f);
  const PolicyShape& shape = r.policy.shape;
  head_numbers(shape, r.policy.parameters, output, numbers);
  Rng<F> rng = update_noise<F>(r.noise, b);
  with_drawing_head(shape.head, [&](auto h) {
    log_prob = h.draw(shape.n_actions, output, numbers, shape.head != Head::kSquashedGaussian, rng,
                      u, action);
  });
  return log_prob;
}

GALLOP_HD long q_policy_scratch(const QPolicyGradientRequest& r) {
  const PolicyShape& shape = r.policy.shape;
  return chunk_network_scratch(shape.network, q_policy_columns(shape)) +
         2 * chunk_network_scratch(r.critic) + 3L * kChunkSamples * (shape.n_actions + 1);
}

template <class F>
struct QPolicyGradient {
  static constexpr int kW = kLanesOf<F>;
  const OverChunks<QPolicyGradientRequest>& r;
  ChunkNetwork<F> policy, critic[2];
  int n_critics, n_actions, n_out;
  float *u, *action, *d_action;  // [A, kChunkSamples]
  float *own, *statistic;        // columns behind the outputs' slopes
  Segments segments;

  explicit QPolicyGradient(const OverChunks<QPolicyGradientRequest>& request)
      : r(request),
        n_critics(r.critic2 == nullptr ? 1 : 2),
        n_actions(r.policy.shape.n_actions),
        n_out(outputs_of(r.policy.shape.network)) {
    const PolicyShape& shape = r.policy.shape;
    float* s = r.scratch;
    policy.begin(shape.network, r.policy.parameters, s, q_policy_columns(shape));
    for (int c = 0; c < n_critics; c++) critic[c].begin(r.critic, c ? r.critic2 : r.critic1, s);
    critic[1].unit[0] = critic[0].unit[0];
    u = policy.take(s, long(n_actions) * kChunkSamples);
    action = policy.take(s, long(n_actions) * kChunkSamples);
    d_action = policy.take(s, long(n_actions) * kChunkSamples);
    own = policy.d_output + long(n_out) * kChunkSamples;
    statistic = own + long(head_parameters(shape.head, n_actions)) * kChunkSamples;
    for (float* x = own; x < statistic; x++) *x = 0.0f;
    q_policy_segments(shape, segments);
  }

  static GALLOP_HD F at_sample(const float* columns, int j, int s) {
    return load_lanes(columns + long(j) * kChunkSamples + s, kW, F());
  }
  static GALLOP_HD void to_sample(float* columns, int j, int s, F x) {
    store_lanes(columns + long(j) * kChunkSamples + s, x, kW);
  }
  void load_outputs(int s, F* output) const {
    for (int j = 0; j < n_out; j++) {
      output[j] = at_sample(policy.unit[r.policy.shape.network.n_layers], j, s);
    }
  }

  // Actions of n samples from number `first` on, and beside the observations the critics' inputs.
  void act(long first, int n) {
    for (int s = 0; s < n; s += kW) {
      F output[kMaxOutputs], us[kMaxOutputs], as[kMaxOutputs];
      load_outputs(s, output);
      const F log_prob = draw_action<F>(r, first + s, output, us, as);
      for (int k = 0; k < n_actions; k++) to_sample(u, k, s, us[k]);
      for (int k = 0; k < n_actions; k++) to_sample(action, k, s, as[k]);
      to_sample(statistic, kStatLogPi, s, log_prob);
      to_sample(statistic, kStatTemperature, s, temperature_slope(r, log_prob));
    }
    const int rows = r.policy.shape.network.width[0];
    const long from = policy.pad(0), to = critic[0].pad(0);
    for (int s = 0; s < n; s++) {
      float* const x = critic[0].unit[0] + s * to;
      __builtin_memcpy(x, policy.unit[0] + s * from, sizeof(float) * std::size_t(rows));
      for (int k = 0; k < n_actions; k++) x[rows + k] = action[k * kChunkSamples + s];
    }
  }

  // Values of n samples, and the slopes by them.
  void judge(int n) {
    for (int c = 0; c < n_critics; c++) critic[c].forward(n);
    const int last = r.critic.n_layers;
    for (int s = 0; s < n; s += kW) {
      const F q1 = at_sample(critic[0].unit[last], 0, s);
      F d1(-r.weight), d2, q = q1;
      if (n_critics == 2) q = q_slopes(q1, at_sample(critic[1].unit[last], 0, s), r.weight, d1, d2);
      to_sample(statistic, kStatQ, s, q);
      to_sample(critic[0].d_output, 0, s, d1);
      if (n_critics == 2) to_sample(critic[1].d_output, 0, s, d2);
    }
    for (int c = 0; c < n_critics; c++) {
      for (int s = n; s < kChunkSamples; s++) critic[c].d_output[s] = 0.0f;
    }
  }

  // Slopes by the actions, of each critic in turn.
  void blame(int n) {
    const int rows = r.policy.shape.network.width[0];
    for (int c = 0; c < n_critics; c++) {
      const float* const d = backward_to_inputs(critic[c], n);
      const long stride = critic[c].pad(0);
      for (int k = 0; k < n_actions; k++) {
        float* const to = d_action + k * kChunkSamples;
        for (int s = 0; s < n; s++) {
          const float x = d[s * stride + rows + k];
          to[s] = c == 0 ? x : to[s] + x;
        }
      }
    }
  }

  void chunk(int c) {
    const long first = long(c) * kChunkSamples;
    const int n = chunk_size(r.samples, c);
    policy.load(r.samples, r.policy.normalization, first, n);
    policy.forward(n);
    act(first, n);
    judge(n);
    blame(n);
    for (int s = 0; s < n; s += kW) {
      F output[kMaxOutputs], us[kMaxOutputs], as[kMaxOutputs], d[kMaxOutputs];
      load_outputs(s, output);
      for (int k = 0; k < n_actions; k++) us[k] = at_sample(u, k, s);
      for (int k = 0; k < n_actions; k++) as[k] = at_sample(d_action, k, s);
      q_policy_slopes(r, output, us, as, d);
      for (int j = 0; j < n_out; j++) to_sample(policy.d_output, j, s, d[j]);
    }
    float* const to = r.partial + long(c) * r.stride;
    policy.backward(n, q_policy_columns(r.policy.shape), to);
    note_greatest<F>(segments, to, r.greatest + long(c) * kMaxSegments);
  }
};

template <class F>
void q_policy_gradient_chunks(const OverChunks<QPolicyGradientRequest>& request) {
  QPolicyGradient<F> gradient(request);
  for (int c = request.begin; c < request.end; c++) gradient.chunk(c);
}
template <class F>
void q_policy_gradient(const QPolicyGradientRequest& r, const CpuWork& on) {
  Segments segments;
  q_policy_segments(r.policy.shape, segments);
  sum_over_chunks<F>(r, segments, r.gradient, q_policy_scratch(r), on, q_policy_gradient_chunks<F>);
}

}  // namespace gallop::inline GALLOP_ISA
