// Single calls on a batch: reset, observe and step, one thread an instance, with the meanings of
// kernels/cpu/environment_table.h.
#pragma once

#include "kernels/cuda/for_each.cuh"
#include "kernels/cuda/rollout_instance.cuh"

namespace gallop::inline GALLOP_ISA {

template <class Env>
struct ResetInstance {
  EnvironmentBatch batch;
  int begin;
  const std::uint8_t* mask;

  GALLOP_HD void operator()(long column) const {
    if (mask != nullptr && mask[column] == 0) return;
    const int i = begin + int(column);
    typename Env::template Parameters<float> p;
    load_parameters<Env>(batch, i, p);
    Instances<Env, float> in;
    load_instances<Env, float>(batch, i, in);
    in.episode = mask == nullptr ? 0u : in.episode + 1u;
    begin_episode<Env, float>(batch, p, in, true);
    store_instances<Env, float>(batch, i, in, 1);
    batch.ended[i] = 0;
  }
};

template <class Env>
struct ObserveInstance {
  EnvironmentBatch batch;
  int begin;
  float* observation;
  long stride;

  GALLOP_HD void operator()(long column) const {
    const int i = begin + int(column);
    typename Env::template Parameters<float> p;
    load_parameters<Env>(batch, i, p);
    typename Env::template State<float> s;
    load_struct<float>(s, batch.state + i, batch.stride, 1);
    float o[Traits<Env>::kObservationRows];
    observe<Env, float>(batch.shared, p, s, o);
    store_rows<Traits<Env>::kObservationRows>(observation + column, stride,
                                              observation_rows<Env>(batch.shared), o);
  }
};

template <class Env, KernelMode kMode>
struct StepInstance {
  EnvironmentBatch batch;
  int begin;
  const float* action;
  long action_stride;
  int clip;
  ResetMode asked;
  StepOutput out;

  GALLOP_HD void operator()(long column) const {
    using T = Traits<Env>;
    const int i = begin + int(column);
    typename Env::template Parameters<float> p;
    load_parameters<Env>(batch, i, p);
    Instances<Env, float> in;
    load_instances<Env, float>(batch, i, in);
    const int rows = action_rows<Env>(batch.shared);
    float a[T::kActionRows];
    GALLOP_UNROLL(32)
    for (int k = 0; k < T::kActionRows; k++) {
      a[k] = k < rows ? action[k * action_stride + column] : 0.0f;
    }
    if (clip != 0) clip_action<Env, float>(a);
    const ResetMode mode = reset_mode<kMode>(asked);
    const bool was_ended = mode == ResetMode::kNextStep && batch.ended[i] != 0;
    Transition<Env, float> to;
    advance<Env, float>(batch, p, in, mode, was_ended, a, to);
    store_instances<Env, float>(batch, i, in, 1);
    if (mode != ResetMode::kSameStep) batch.ended[i] = to.ended ? 1 : 0;
    if (!to.finite) note_nonfinite(batch, i, out.time);
    write(to, column);
  }

  GALLOP_HD void write(const Transition<Env, float>& from, long column) const {
    constexpr int kRows = Traits<Env>::kObservationRows;
    const int rows = observation_rows<Env>(batch.shared);
    if (out.reward != nullptr) out.reward[column] = from.reward;
    if (out.terminated != nullptr) out.terminated[column] = from.terminated ? 1 : 0;
    if (out.truncated != nullptr) out.truncated[column] = from.truncated ? 1 : 0;
    if (out.observation != nullptr) {
      store_rows<kRows>(out.observation + column, out.observation_stride, rows, from.observation);
    }
    if (!from.ended) return;
    if (out.ended_return != nullptr) out.ended_return[column] = from.ended_return;
    if (out.ended_length != nullptr) out.ended_length[column] = from.ended_length;
    if (out.final_observation != nullptr) {
      store_rows<kRows>(out.final_observation + column, out.observation_stride, rows,
                        from.final_observation);
    }
  }
};

template <class Env>
LaunchStatus reset_instances(const EnvironmentBatch& batch, int begin, int end,
                             const std::uint8_t* mask, void* stream) {
  return for_each("reset", end - begin, stream, ResetInstance<Env>{batch, begin, mask});
}

template <class Env>
LaunchStatus observe_instances(const EnvironmentBatch& batch, int begin, int end,
                               float* observation, long stride, void* stream) {
  return for_each("observe", end - begin, stream,
                  ObserveInstance<Env>{batch, begin, observation, stride});
}

template <class Env>
LaunchStatus step_instances(const EnvironmentBatch& batch, int begin, int end, const float* action,
                            long action_stride, int clip, ResetMode mode, const StepOutput& out,
                            void* stream) {
  return launch_in_mode<Env>(mode, [&]<KernelMode kMode>() {
    return for_each("step", end - begin, stream,
                    StepInstance<Env, kMode>{batch, begin, action, action_stride, clip, mode, out});
  });
}

}  // namespace gallop::inline GALLOP_ISA
