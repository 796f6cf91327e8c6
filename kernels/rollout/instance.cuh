// One instance of a rollout as one CUDA thread holds it: its state in registers, its column of the
// trajectory. Every rollout kernel differs only in how it comes from observations to outputs of the
// policy.
#pragma once

#include <gallop/kernels/environment/runner.h>
#include <gallop/kernels/policy/act.h>
#include <gallop/kernels/policy/uniform_action.h>
#include <gallop/kernels/rollout/rollout.h>

namespace gallop::inline GALLOP_ISA {

// Sizes of a policy for this environment: constants, unless the environment has run-time sizes.
template <class Env>
struct PolicySizes {
  using T = Traits<Env>;
  static constexpr int kOutputs = T::kDiscreteAction ? T::kAction : 2 * T::kAction;  // at most

  static __device__ __forceinline__ int actions(const PolicyShape& shape) {
    return T::kHasSizes ? shape.n_actions : T::kAction;
  }
  static __device__ __forceinline__ int outputs(const PolicyShape& shape) {
    if constexpr (T::kDiscreteAction) return actions(shape);
    return head_outputs(shape.head, actions(shape));
  }
  static __device__ __forceinline__ Head head(const PolicyShape& shape) {
    return T::kDiscreteAction ? Head::kCategorical : shape.head;
  }
};

template <class Env>
struct RolloutInstance {
  using T = Traits<Env>;
  int i;  // column
  Instances<Env, float> in;
  bool ended;
  float observation[T::kObservationRows];
};

// Loads instance i and its first observation.
template <class Env>
__device__ __forceinline__ void begin_instance(const RolloutRequest& r,
                                               const typename Env::template Parameters<float>& p,
                                               int i, RolloutInstance<Env>& me) {
  me.i = i;
  load_instances<Env, float>(r.batch, i, me.in);
  me.ended = r.mode != ResetMode::kSameStep && r.batch.ended[i] != 0;
  observe<Env, float>(r.batch.shared, p, me.in.state, me.observation);
}

template <class Env>
__device__ __forceinline__ void end_instance(const RolloutRequest& r,
                                             const RolloutInstance<Env>& me) {
  store_instances<Env, float>(r.batch, me.i, me.in, 1);
  if (r.mode != ResetMode::kSameStep && r.out.n_steps > 0) r.batch.ended[me.i] = me.ended ? 1 : 0;
}

// Stores the first `rows` of kCapacity numbers `stride` apart. The loop unrolls, so that x can stay
// in registers.
template <int kCapacity>
GALLOP_HD void store_rows(float* to, long stride, int rows, const float* x) {
  GALLOP_UNROLL(64)
  for (int k = 0; k < kCapacity; k++) {
    if (k < rows) to[k * stride] = x[k];
  }
}

// Writes `rows` numbers of an array [T, rows, N].
template <int kCapacity>
__device__ __forceinline__ void record(float* array, long t, int rows, int n_envs, int i,
                                       const float* x) {
  store_rows<kCapacity>(array + t * rows * n_envs + i, n_envs, rows, x);
}

// What an instance is before step t. Only kernels with kStates record its state: in the others that
// would take registers of every rollout.
template <class Env, bool kStates = false>
__device__ __forceinline__ void record_begin(const RolloutRequest& r, int t,
                                             const RolloutInstance<Env>& me) {
  if (kStates && r.out.state != nullptr) {
    constexpr int kState = Traits<Env>::kState;
    store_struct<float>(me.in.state, r.out.state + long(t) * kState * r.out.n_envs + me.i,
                        r.out.n_envs, 1);
  }
  if (r.out.observation == nullptr) return;
  record<Traits<Env>::kObservationRows>(r.out.observation, t, observation_rows<Env>(r.batch.shared),
                                        r.out.n_envs, me.i, me.observation);
}

// Of the first episode of instance i that ends; `out` is a Trajectory or a StepOutput.
template <class Out, class Env>
GALLOP_HD void record_first(const Out& out, long i, const Transition<Env, float>& from) {
#if GALLOP_ON_DEVICE  // else ptxas keeps both addresses from step to step, and spills
  asm volatile("" : "+l"(i));
#endif
  if (out.first_return == nullptr || out.first_length[i] != 0) return;
  out.first_return[i] = from.ended_return;
  out.first_length[i] = from.ended_length;
}

// What ended episodes leave behind.
template <class Env>
__device__ __forceinline__ void record_end(const RolloutRequest& r, int t, int i,
                                           const Transition<Env, float>& from) {
  const long at = long(t) * r.out.n_envs + i;
  if (r.out.ended_return != nullptr) r.out.ended_return[at] = from.ended_return;
  if (r.out.ended_length != nullptr) r.out.ended_length[at] = from.ended_length;
  record_first(r.out, i, from);
  if (r.out.final_observation != nullptr && (r.out.final_interval == 1 || from.truncated)) {
    record<Traits<Env>::kObservationRows>(r.out.final_observation, final_row(r.out, t),
                                          observation_rows<Env>(r.batch.shared), r.out.n_envs, i,
                                          from.final_observation);
  }
}

// The reset modes that a kernel is compiled for: one, or, where a step is long, all of them.
enum class KernelMode : int { kSameStep, kNextStep, kDisabled, kAny };

template <KernelMode kMode>
GALLOP_HD ResetMode reset_mode(ResetMode asked) {
  return kMode == KernelMode::kAny ? asked : ResetMode(int(kMode));
}

// Calls launch.operator()<KernelMode>() with that of the kernel that serves `mode`.
template <class Env, class Launch>
LaunchStatus launch_in_mode(ResetMode mode, const Launch& launch) {
  if constexpr (Traits<Env>::kLongSteps) {
    return launch.template operator()<KernelMode::kAny>();
  } else {
    if (mode == ResetMode::kSameStep) return launch.template operator()<KernelMode::kSameStep>();
    if (mode == ResetMode::kNextStep) return launch.template operator()<KernelMode::kNextStep>();
    return launch.template operator()<KernelMode::kDisabled>();
  }
}

// Steps one instance with `action` [A] and records transition t, but for its observation and
// log-probability.
template <class Env>
__device__ __forceinline__ void step_instance(const RolloutRequest& r,
                                              const typename Env::template Parameters<float>& p,
                                              ResetMode mode, int t, const float* action,
                                              RolloutInstance<Env>& me) {
  using Sizes = Traits<Env>;
  const int rows = action_rows<Env>(r.batch.shared);
  float applied[Sizes::kActionRows];
  GALLOP_UNROLL(64)
  for (int k = 0; k < Sizes::kActionRows; k++) applied[k] = k < rows ? action[k] : 0.0f;
  if (r.out.action != nullptr) {
    record<Sizes::kActionRows>(r.out.action, t, rows, r.out.n_envs, me.i, applied);
  }
  if (r.clip != 0) clip_action<Env, float>(applied);
  Transition<Env, float> to;
  advance<Env, float>(r.batch, p, me.in, mode, me.ended, applied, to);
  me.ended = is_ended(mode, me.ended, to.ended);
  const long at = long(t) * r.out.n_envs + me.i;
  if (r.out.reward != nullptr) r.out.reward[at] = to.reward;
  if (r.out.terminated != nullptr) r.out.terminated[at] = to.terminated ? 1 : 0;
  if (r.out.truncated != nullptr) r.out.truncated[at] = to.truncated ? 1 : 0;
  if (to.ended) record_end<Env>(r, t, me.i, to);
  if (!to.finite) note_nonfinite(r.batch, me.i, r.time + std::uint32_t(t) + 1u);
  GALLOP_UNROLL(64)
  for (int k = 0; k < Sizes::kObservationRows; k++) me.observation[k] = to.observation[k];
}

// Chooses the action of one instance from the policy's outputs and returns its log-probability.
// `log_std_parameter` [A] is the parameter of a Gaussian head. Without kLogStd log sigma is never
// among the outputs, so there need not be room for it, and actions are not bounded.
template <class Env, bool kLogStd = true>
__device__ __forceinline__ float choose_one(const PolicyShape& shape, bool deterministic,
                                            const float* output, const float* log_std_parameter,
                                            Rng<float>& rng, float* action) {
  using Sizes = PolicySizes<Env>;
  float log_std[(kLogStd ? kHeadNumbers : 1) * Traits<Env>::kAction];
  Head head = Sizes::head(shape);
  const int n = Sizes::actions(shape);
  if constexpr (!kLogStd && !Traits<Env>::kDiscreteAction) {
    // Named outright: the registers of fused kernels have no room for the other heads.
    if (head != Head::kGaussian) {
      return Deterministic::choose<float>(n, output, log_std, deterministic, rng, action);
    }
    Gaussian::log_std_of<float>(n, output, log_std_parameter, log_std);
    return Gaussian::choose<float>(n, output, log_std, deterministic, rng, action);
  }
  if constexpr (!Traits<Env>::kDiscreteAction) {
    log_std_of(head, n, output, log_std_parameter, log_std);
  }
  // Normals choose alike, wherever log sigma came from: one copy of that code.
  if (head == Head::kGaussianNetwork) head = Head::kGaussian;
  return choose_action<float>(head, n, output, log_std, deterministic, rng, action);
}

// The same for a rollout, which records the log-probability.
template <class Env, bool kLogStd = true>
__device__ __forceinline__ void choose(const RolloutRequest& r, int t, const float* output,
                                       const float* log_std_parameter,
                                       const RolloutInstance<Env>& me, float* action) {
  Rng<float> rng(r.batch.seed ^ r.action_seed_bits, kRandomAction, me.in.id, me.in.episode,
                 to_word(me.in.elapsed));
  const float log_prob = choose_one<Env, kLogStd>(r.policy.shape, r.deterministic != 0, output,
                                                  log_std_parameter, rng, action);
  if (r.out.log_prob != nullptr) r.out.log_prob[long(t) * r.out.n_envs + me.i] = log_prob;
}

// An action by the outputs of the fused kernels' policies, and the step.
template <class Env>
__device__ __forceinline__ void act_and_step(const RolloutRequest& r,
                                             const typename Env::template Parameters<float>& p,
                                             int t, const float* output,
                                             const float* log_std_parameter,
                                             RolloutInstance<Env>& me) {
  float action[Traits<Env>::kAction];
  choose<Env, false>(r, t, output, log_std_parameter, me, action);
  step_instance<Env>(r, p, ResetMode::kSameStep, t, action, me);
}

// After the last step.
template <class Env, bool kStates = false>
__device__ __forceinline__ void finish_instance(const RolloutRequest& r,
                                                const RolloutInstance<Env>& me) {
  record_begin<Env, kStates>(r, r.out.n_steps, me);
  end_instance<Env>(r, me);
}

// The parameters of instance i; shared ones were put into registers by `broadcast_struct`.
template <class Env>
GALLOP_HD void load_parameters(const EnvironmentBatch& batch, int i,
                               typename Env::template Parameters<float>& p) {
  if (batch.parameters_per_instance == 0) {
    broadcast_struct<float>(p, batch.parameters);
  } else {
    load_struct<float>(p, batch.parameters + i, batch.stride, 1);
  }
}

// Both: parameters and state of instance i, and its first observation.
template <class Env>
__device__ __forceinline__ void load_instance(const RolloutRequest& r, int i,
                                              typename Env::template Parameters<float>& p,
                                              RolloutInstance<Env>& me) {
  load_parameters<Env>(r.batch, i, p);
  begin_instance<Env>(r, p, i, me);
}

// True where the policy has the shapes that the environment asks for, which the kernels rely on.
template <class Env>
bool policy_fits(const PolicyShape& shape, const Shared& shared) {
  using T = Traits<Env>;
  const NetworkShape& network = shape.network;
  if (network.n_layers < 1 || network.n_layers > kMaxLayers) return false;
  for (int l = 0; l <= network.n_layers; l++) {
    if (network.width[l] < 1 || network.width[l] > kMaxWidth) return false;
  }
  const bool tabular = network.kind == NetworkKind::kTabular;
  if (tabular && (network.n_layers != 1 || !T::kIndexObservation)) return false;
  const int n_in = tabular ? shared.sizes.observation : observation_rows<Env>(shared);
  const int n_actions = shared.sizes.action;
  if (T::kDiscreteAction != is_discrete(shape.head)) return false;
  const int n_out = head_outputs(shape.head, n_actions);
  return n_actions <= T::kAction && shape.n_actions == n_actions && network.width[0] == n_in &&
         outputs_of(network) == n_out;
}

}  // namespace gallop::inline GALLOP_ISA
