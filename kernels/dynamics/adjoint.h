// The backward sweep through a learned model and a policy, a step at a time. With the adjoint
// lambda[t] = d(rewards from t on) / d s[t] and the reparameterised action u = pi(s, v),
//
//   lambda[t] = r_s + pi_s' (r_u + gamma f_u' lambda[t + 1]) + gamma f_s' lambda[t + 1]
//   dU/dtheta = sum over t of pi_theta' (r_u + gamma f_u' lambda[t + 1])
//
// model_slopes turns lambda[t + 1] into slopes by the outputs of the model's network, whose
// input_gradient are those by s and u; policy_slopes takes those by u to the outputs of the
// policy's network; its input_gradient leads to s, and adjoint_step adds up lambda[t]. Slopes by
// the parameters are one network_gradient over all steps.
//
// Source: the lecture's pathwise derivatives, with df/du in the second term of ds/dtheta; Heess et
// al., arXiv:1510.09142v1.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/policy/heads.h>

namespace gallop {

// The slope by the state that a step leads to,
//
//   state_slope = discount * continues * (kept carried + taken tail)
//
// where kept is 1 - cut, and taken is 1 where nothing is carried or `adds_tail`, else cut. And
// those by the outputs of the model: scale * state_slope, and scale_r times the slope by the
// reward.
struct ModelSlopesRequest {
  long n;
  int observation_rows;
  float discount;
  const float* carried;        // [O, n] lambda of the next step, or null for 0
  const float* tail;           // [O, n] slopes by a value of the state that follows, or null for 0
  int adds_tail;               // 1: the tail counts beside what is carried
  const float* cut;            // [n], or null for 0: 1 where the next step goes on from elsewhere
  const float* continues;      // [n], or null for 1: 0 where the state is terminal
  const float* reward_slopes;  // [n], or null for 1
  const float* scale;          // [O + 1]
  float* state_slope;          // [O, n]
  float* output_slope;         // [O + 1, n]
};

// Slopes by the outputs of a policy's network, and by its head's own parameters, of actions that
// have slopes of something to be maximised: weight * (slope du + entropy_coefficient dH). Actions
// are reparameterised: those that were drawn long ago have the noise under which the policy of now
// would have taken them. Beyond the bounds of the actions, which an environment takes for them, a
// slope counts only where it leads back.
//
// A value error for a head of discrete actions, which have no derivative, or of bounded ones.
struct PolicySlopesRequest {
  PolicyShape shape;
  const float* parameters;  // [D] of the policy
  long n;
  const float* output;        // [outputs, n] of its network
  const float* action;        // [A, n] as the policy took it, unclipped
  const float* action_slope;  // [A, n] by the action within its bounds
  const float *low, *high;    // [A]
  const float* weight;        // [n], or null for 1
  float entropy_coefficient;
  float* output_slope;  // [outputs, n]
  float* own_slope;     // [own, n]; unused where the head has no parameters of its own
};

// lambda = state_slope + by_model + by_policy, each [O, n]; by_policy may be null. Where its norm
// is above max_norm, which is not 0, it is scaled down to that.
struct AdjointStepRequest {
  long n;
  int observation_rows;
  const float *state_slope, *by_model, *by_policy;
  float max_norm;
  float* adjoint;  // [O, n]
};

// Errors of predictions along recorded steps, in units of the model's scales, and what they give a
// sweep: of weight / 2 * sum of error^2,
//
//   error = (predicted - next) / scale, of rewards their difference over their scale
//
// the slope by the predicted state and by the reward. Steps behind a cut have no error: `alive` [n]
// is read, and becomes 0 where this step was cut.
struct SequenceErrorsRequest {
  long n;
  int observation_rows;
  float weight;
  const float* predicted;         // [O, n]
  const float* next;              // [O, n] as it was recorded
  const float* predicted_reward;  // [n]
  const float* reward;            // [n]
  const float* inverse_scale;     // [O + 1]
  const float* cut;               // [n]
  float* alive;                   // [n]
  float* state_slope;             // [O, n]
  float* reward_slope;            // [n]
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

// Component k of n instances, those of a register from i on.
template <class F>
GALLOP_HD F component(const float* from, long k, long n, long i, int count) {
  return load_lanes(from + k * n + i, count, F());
}
template <class F>
GALLOP_HD F component_or(const float* from, float otherwise, long i, int count) {
  return from == nullptr ? F(otherwise) : load_lanes(from + i, count, F());
}

template <class F>
GALLOP_HD void model_slope_lanes(const ModelSlopesRequest& r, long i, int count) {
  const F cut = component_or<F>(r.cut, 0.0f, i, count);
  const Mask<F> goes_on = cut < F(0.5f);
  const bool always = r.carried == nullptr || r.adds_tail != 0;
  const Mask<F> terminal = component_or<F>(r.continues, 1.0f, i, count) < F(0.5f);
  for (long k = 0; k < r.observation_rows; k++) {
    F slope = F(0.0f);
    if (r.carried != nullptr) {
      slope = select(goes_on, component<F>(r.carried, k, r.n, i, count), slope);
    }
    if (r.tail != nullptr) {
      const F tail = component<F>(r.tail, k, r.n, i, count);
      slope = slope + (always ? tail : select(goes_on, F(0.0f), tail));
    }
    slope = select(terminal, F(0.0f), F(r.discount) * slope);
    store_lanes(r.state_slope + k * r.n + i, slope, count);
    store_lanes(r.output_slope + k * r.n + i, F(r.scale[k]) * slope, count);
  }
  const long k = r.observation_rows;
  const F by_reward = component_or<F>(r.reward_slopes, 1.0f, i, count);
  store_lanes(r.output_slope + k * r.n + i, F(r.scale[k]) * by_reward, count);
}

// Why a request is refused, or null.
GALLOP_HD const char* refusal(const PolicySlopesRequest& r) {
  if (!is_discrete(r.shape.head) && !is_bounded(r.shape.head)) return nullptr;
  return "policy_slopes: the head's actions are discrete or bounded; expected a Gaussian or "
         "deterministic head";
}

// A slope by an action, where the action is beyond its bounds and that does not lead back: 0.
template <class F>
GALLOP_HD F inward(F slope, F action, F low, F high) {
  const F zero(0.0f);
  const Mask<F> out = ((action > high) & (slope > zero)) | ((action < low) & (slope < zero));
  return select(out, zero, slope);
}

template <class F>
GALLOP_HD void policy_slope_lanes(const PolicySlopesRequest& r, long i, int count) {
  const PolicyShape& shape = r.shape;
  const float* const own = r.parameters + layer_offset(shape.network, shape.network.n_layers);
  const int n_out = outputs_of(shape.network);
  const int n_own = head_parameters(shape.head, shape.n_actions);
  F output[kMaxOutputs], log_std[kMaxOutputs], action[kMaxOutputs], slope[kMaxOutputs];
  F d[kMaxOutputs], ds[kMaxOutputs], bonus[kMaxOutputs], bonus_s[kMaxOutputs];
  for (int j = 0; j < n_out; j++) {
    output[j] = component<F>(r.output, j, r.n, i, count);
    d[j] = bonus[j] = F(0.0f);
  }
  for (int j = 0; j < shape.n_actions; j++) {
    action[j] = component<F>(r.action, j, r.n, i, count);
    slope[j] = inward(component<F>(r.action_slope, j, r.n, i, count), action[j], F(r.low[j]),
                      F(r.high[j]));
    ds[j] = bonus_s[j] = F(0.0f);
  }
  log_std_of(shape.head, shape.n_actions, output, own, log_std);
  with_head(shape.head, [&](auto head) {
    using Type = decltype(head);
    if constexpr (!Type::kDiscrete) {
      const typename Type::template At<F> at(shape.n_actions, output, log_std);
      at.loss_slope(action, F(0.0f), F(-r.entropy_coefficient), bonus, bonus_s);
      at.pull_back(action, slope, d, ds);
    }
  });
  const F weight = component_or<F>(r.weight, 1.0f, i, count);
  for (int j = 0; j < n_out; j++) {
    store_lanes(r.output_slope + j * r.n + i, weight * (d[j] + bonus[j]), count);
  }
  for (int j = 0; j < n_own; j++) {
    store_lanes(r.own_slope + j * r.n + i, weight * (ds[j] + bonus_s[j]), count);
  }
}

template <class F>
GALLOP_HD void adjoint_step_lanes(const AdjointStepRequest& r, long i, int count) {
  F squares(0.0f);
  for (long k = 0; k < r.observation_rows; k++) {
    F sum =
        component<F>(r.state_slope, k, r.n, i, count) + component<F>(r.by_model, k, r.n, i, count);
    if (r.by_policy != nullptr) sum = sum + component<F>(r.by_policy, k, r.n, i, count);
    store_lanes(r.adjoint + k * r.n + i, sum, count);
    squares = fmadd(sum, sum, squares);
  }
  if (r.max_norm <= 0.0f) return;
  const F norm = sqrt(squares);
  const F factor = select(norm > F(r.max_norm), F(r.max_norm) * reciprocal(norm), F(1.0f));
  for (long k = 0; k < r.observation_rows; k++) {
    const F sum = component<F>(r.adjoint, k, r.n, i, count);
    store_lanes(r.adjoint + k * r.n + i, sum * factor, count);
  }
}

template <class F>
GALLOP_HD void sequence_error_lanes(const SequenceErrorsRequest& r, long i, int count) {
  const F alive = component_or<F>(r.alive, 1.0f, i, count);
  const F weight = F(r.weight) * alive;
  const Mask<F> dead = alive < F(0.5f);
  for (long k = 0; k < r.observation_rows; k++) {
    const F inverse(r.inverse_scale[k]);
    const F error =
        (component<F>(r.predicted, k, r.n, i, count) - component<F>(r.next, k, r.n, i, count)) *
        inverse;
    // A prediction behind a cut can be anything.
    store_lanes(r.state_slope + k * r.n + i, select(dead, F(0.0f), weight * (error * inverse)),
                count);
  }
  const F inverse(r.inverse_scale[r.observation_rows]);
  const F error = (component_or<F>(r.predicted_reward, 0.0f, i, count) -
                   component_or<F>(r.reward, 0.0f, i, count)) *
                  inverse;
  store_lanes(r.reward_slope + i, select(dead, F(0.0f), weight * (error * inverse)), count);
  const F cut = component_or<F>(r.cut, 0.0f, i, count);
  store_lanes(r.alive + i, select(cut < F(0.5f), alive, F(0.0f)), count);
}

template <class F>
void model_slopes(const ModelSlopesRequest& r, const CpuWork& on) {
  split_registers<F>(on, r.n, kInstanceGrain,
                     [&](long i, int count) { model_slope_lanes<F>(r, i, count); });
}
template <class F>
void policy_slopes(const PolicySlopesRequest& r, const CpuWork& on) {
  split_registers<F>(on, r.n, kInstanceGrain,
                     [&](long i, int count) { policy_slope_lanes<F>(r, i, count); });
}
template <class F>
void adjoint_step(const AdjointStepRequest& r, const CpuWork& on) {
  split_registers<F>(on, r.n, kInstanceGrain,
                     [&](long i, int count) { adjoint_step_lanes<F>(r, i, count); });
}
template <class F>
void sequence_errors(const SequenceErrorsRequest& r, const CpuWork& on) {
  split_registers<F>(on, r.n, kInstanceGrain,
                     [&](long i, int count) { sequence_error_lanes<F>(r, i, count); });
}

}  // namespace gallop::inline GALLOP_ISA
