// Single calls on all instances of a batch: reset, observe and step.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/environment/environment_table.h>

namespace gallop {

// `environment` of these requests is the CPU backend's to fill in.
struct ResetRequest {
  const EnvironmentTable* environment;
  EnvironmentBatch batch;
  // [N] where the next episode begins; null: episode 0 of every instance.
  const std::uint8_t* mask;
};

struct ObserveRequest {
  const EnvironmentTable* environment;
  EnvironmentBatch batch;
  float* observation;  // [O, stride]
  long stride;
};

struct TransitionRequest {
  const EnvironmentTable* environment;
  EnvironmentBatch batch;
  const float* action;  // [A, action_stride]
  long action_stride;
  int clip;  // 1: continuous actions are limited to the bounds of the action space
  ResetMode mode;
  StepOutput out;
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

template <class F>
void reset_instances(const ResetRequest& r, const CpuWork& on) {
  split(on, r.batch.n_envs, kInstanceGrain, [&](int, long begin, long end) {
    const std::uint8_t* const mask = r.mask == nullptr ? nullptr : r.mask + begin;
    r.environment->reset(r.batch, int(begin), int(end), mask);
  });
}

template <class F>
void observe_instances(const ObserveRequest& r, const CpuWork& on) {
  split(on, r.batch.n_envs, kInstanceGrain, [&](int, long begin, long end) {
    r.environment->observe(r.batch, int(begin), int(end), r.observation + begin, r.stride);
  });
}

// What instances from `begin` on write of the output of all.
inline StepOutput part_of(const StepOutput& all, long begin) {
  const auto from = [begin](auto* array) { return array == nullptr ? nullptr : array + begin; };
  return {all.time,
          all.checks_actions,
          from(all.observation),
          all.observation_stride,
          from(all.final_observation),
          from(all.reward),
          from(all.terminated),
          from(all.truncated),
          from(all.ended_return),
          from(all.ended_length),
          from(all.first_return),
          from(all.first_length),
          from(all.terms),
          all.final_of_cut};
}

template <class F>
void step_instances(const TransitionRequest& r, const CpuWork& on) {
  split(on, r.batch.n_envs, kInstanceGrain, [&](int, long begin, long end) {
    r.environment->step(r.batch, int(begin), int(end), r.action + begin, r.action_stride, r.clip,
                        r.mode, part_of(r.out, begin));
  });
}

}  // namespace gallop::inline GALLOP_ISA
