// Actions of a policy in batches from a replay buffer: what targets and losses are taken at,
// outside of any episode.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/policy/heads.h>
#include <gallop/kernels/replay/replay.h>

namespace gallop {

// Noise of one batch: purpose kRandomUpdate, counter (number in the batch, batches drawn so far,
// 2^16 slot and on). Two slots of one batch are independent.
struct UpdateNoise {
  std::uint64_t seed;
  const ReplayState* state;
  std::uint32_t slot;
};

// Actions [0, n) from outputs of the policy's network: a SquashedGaussian draws from itself; a
// deterministic head gives its action, and where `smoothing` is above 0 adds normal noise of that
// deviation within +-smoothing_limit, both in units of half the range, and limits the sum to the
// bounds (TD3, arXiv:1802.09477v3, eq. 14). A value error for a head that has no draw of its own
// (draws_actions), and for smoothing of a head without bounds. Returns before it is done. The same
// bits on every backend and for any number of threads.
struct SampleActionsRequest {
  PolicyShape shape;
  const float* parameters;  // [D] of the policy
  UpdateNoise noise;
  float smoothing, smoothing_limit;
  long n;
  const float* output;  // [outputs, n]
  float* action;        // [A, n]
  float* log_prob;      // [n] or null
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// Heads with `draw` and `pull_back_draw`: those of bounded actions, and the deterministic one.
GALLOP_HD bool draws_actions(Head head) {
  return head == Head::kSquashedGaussian || head == Head::kSquashedDeterministic ||
         head == Head::kDeterministic;
}
// body(Type{}) of such a head.
template <class Body>
GALLOP_HD void with_drawing_head(Head head, const Body& body) {
  if (head == Head::kSquashedGaussian) {
    body(SquashedGaussian{});
  } else if (head == Head::kSquashedDeterministic) {
    body(SquashedDeterministic{});
  } else {
    body(Deterministic{});
  }
}

inline const char* refusal(const SampleActionsRequest& r) {
  if (!draws_actions(r.shape.head)) {
    return "sample_actions: a head that has no draw of its own; expected a squashed or "
           "deterministic one";
  }
  if (r.smoothing == 0.0f || r.shape.head == Head::kSquashedDeterministic) return nullptr;
  return "sample_actions: smoothing of a head other than the squashed deterministic one";
}

// Draws of the batch's rows from number b on.
template <class F>
GALLOP_HD Rng<F> update_noise(const UpdateNoise& of, long b) {
  const std::uint64_t draws = of.state->draws;
  Rng<F> rng(of.seed, kRandomUpdate, consecutive_words<F>(std::uint32_t(b)),
             Word<F>(std::uint32_t(draws)), Word<F>(std::uint32_t(draws >> 32)));
  rng.draw = of.slot << 16;
  return rng;
}

// Numbers of a head beside the outputs, those behind the network's parameters among them.
template <class F>
GALLOP_HD void head_numbers(const PolicyShape& shape, const float* parameters, const F* output,
                            F* numbers) {
  log_std_of(shape.head, shape.n_actions, output,
             parameters + layer_offset(shape.network, shape.network.n_layers), numbers);
}

// The action of a squashed deterministic head with noise on it.
template <class F>
GALLOP_HD void smoothed_action(const SampleActionsRequest& r, const F* output, const F* numbers,
                               Rng<F>& rng, F* action) {
  const int n = r.shape.n_actions;
  const F limit(r.smoothing_limit);
  for (int i = 0; i < n; i++) {
    const F noise = min(limit, max(-limit, F(r.smoothing) * rng.normal()));
    const F y = min(F(1.0f), max(F(-1.0f), squash(output[i]) + noise));
    action[i] = fmadd(numbers[i], y, numbers[n + i]);
  }
}

// The rows of one register, from number b on.
template <class F>
GALLOP_HD void sample_action_lanes(const SampleActionsRequest& r, long b, int count) {
  const int n_out = outputs_of(r.shape.network), n = r.shape.n_actions;
  F output[kMaxOutputs], numbers[kMaxOutputs], u[kMaxOutputs], action[kMaxOutputs];
  for (int j = 0; j < n_out; j++) output[j] = load_lanes(r.output + j * r.n + b, count, F());
  head_numbers(r.shape, r.parameters, output, numbers);
  Rng<F> rng = update_noise<F>(r.noise, b);
  F log_prob(0.0f);
  if (r.smoothing > 0.0f) {
    smoothed_action(r, output, numbers, rng, action);
  } else {
    with_drawing_head(r.shape.head, [&](auto h) {
      log_prob =
          h.draw(n, output, numbers, r.shape.head != Head::kSquashedGaussian, rng, u, action);
    });
  }
  for (int j = 0; j < n; j++) store_lanes(r.action + j * r.n + b, action[j], count);
  if (r.log_prob != nullptr) store_lanes(r.log_prob + b, log_prob, count);
}

template <class F>
void sample_actions(const SampleActionsRequest& r, const CpuWork& on) {
  split_registers<F>(on, r.n, kInstanceGrain,
                     [&](long b, int count) { sample_action_lanes<F>(r, b, count); });
}

}  // namespace gallop::inline GALLOP_ISA
