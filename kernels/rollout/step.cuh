// Single calls on a batch (kernels/rollout/step.h), one thread an instance.
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/rollout/step.h>
#include <gallop/kernels/device/for_each.cuh>
#include <gallop/kernels/rollout/instance.cuh>

namespace gallop::inline GALLOP_ISA {

template <class Env>
struct ResetInstance {
  ResetRequest r;

  GALLOP_HD void operator()(long k) const {
    if (r.mask != nullptr && r.mask[k] == 0) return;
    const int i = int(k);
    typename Env::template Parameters<float> p;
    load_parameters<Env>(r.batch, i, p);
    Instances<Env, float> in;
    load_instances<Env, float>(r.batch, i, in);
    in.episode = r.mask == nullptr ? 0u : in.episode + 1u;
    begin_episode<Env, float>(r.batch, p, in, true);
    store_instances<Env, float>(r.batch, i, in, 1);
    r.batch.ended[i] = 0;
  }
};

template <class Env>
struct ObserveInstance {
  ObserveRequest r;

  GALLOP_HD void operator()(long i) const {
    typename Env::template Parameters<float> p;
    load_parameters<Env>(r.batch, int(i), p);
    typename Env::template State<float> s;
    load_struct<float>(s, r.batch.state + i, r.batch.stride, 1);
    float o[Traits<Env>::kObservationRows];
    observe<Env, float>(r.batch.shared, p, s, o);
    store_rows<Traits<Env>::kObservationRows>(r.observation + i, r.stride,
                                              observation_rows<Env>(r.batch.shared), o);
  }
};

template <class Env, KernelMode kMode>
struct StepInstance {
  TransitionRequest r;

  GALLOP_HD void operator()(long k) const {
    using T = Traits<Env>;
    const EnvironmentBatch& batch = r.batch;
    const int i = int(k);
    typename Env::template Parameters<float> p;
    load_parameters<Env>(batch, i, p);
    Instances<Env, float> in;
    load_instances<Env, float>(batch, i, in);
    const int rows = action_rows<Env>(batch.shared);
    float a[T::kActionRows];
    GALLOP_UNROLL(32)
    for (int j = 0; j < T::kActionRows; j++) {
      a[j] = j < rows ? r.action[j * r.action_stride + i] : 0.0f;
    }
    const ResetMode mode = reset_mode<kMode>(r.mode);
    const bool was_ended = mode != ResetMode::kSameStep && batch.ended[i] != 0;
    const bool checks = r.out.checks_actions != 0;
    const bool was_action =
        take_action<Env, float>(batch.shared, checks, r.clip != 0, a) || was_ended;
    Transition<Env, float> to;
    advance<Env, float>(batch, p, in, mode, was_ended, a, to);
    if (!was_action) spoil<Env, float>(was_action, mode, in, to);
    store_instances<Env, float>(batch, i, in, 1);
    if (mode != ResetMode::kSameStep) batch.ended[i] = is_ended(mode, was_ended, to.ended) ? 1 : 0;
    if (!to.finite) note_nonfinite(batch, i, r.out.time);
    write(to, i);
  }

  GALLOP_HD void write(const Transition<Env, float>& from, long column) const {
    constexpr int kRows = Traits<Env>::kObservationRows;
    const StepOutput& out = r.out;
    const int rows = observation_rows<Env>(r.batch.shared);
    if (out.reward != nullptr) out.reward[column] = from.reward;
    if (out.terminated != nullptr) out.terminated[column] = from.terminated ? 1 : 0;
    if (out.truncated != nullptr) out.truncated[column] = from.truncated ? 1 : 0;
    if (out.observation != nullptr) {
      store_rows<kRows>(out.observation + column, out.observation_stride, rows, from.observation);
    }
    constexpr int kTerms = Traits<Env>::kTerms;
    if (kTerms > 0 && out.terms != nullptr) {
      store_rows<kTerms + 1>(out.terms + column, out.observation_stride, kTerms, from.terms);
    }
    if (!from.ended) return;
    if (out.ended_return != nullptr) out.ended_return[column] = from.ended_return;
    if (out.ended_length != nullptr) out.ended_length[column] = from.ended_length;
    record_first(out, column, from);
    if (out.final_observation != nullptr && (out.final_of_cut == 0 || from.truncated)) {
      store_rows<kRows>(out.final_observation + column, out.observation_stride, rows,
                        from.final_observation);
    }
  }
};

template <class Env>
LaunchStatus reset_instances(const ResetRequest& r, const CudaWork& on) {
  return for_each("reset", r.batch.n_envs, on.stream, ResetInstance<Env>{r});
}

template <class Env>
LaunchStatus observe_instances(const ObserveRequest& r, const CudaWork& on) {
  return for_each("observe", r.batch.n_envs, on.stream, ObserveInstance<Env>{r});
}

template <class Env>
LaunchStatus step_instances(const TransitionRequest& r, const CudaWork& on) {
  return launch_in_mode<Env>(r.mode, [&]<KernelMode kMode>() {
    return for_each("step", r.batch.n_envs, on.stream, StepInstance<Env, kMode>{r});
  });
}

}  // namespace gallop::inline GALLOP_ISA
