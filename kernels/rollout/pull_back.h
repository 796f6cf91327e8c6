// Derivatives of one recorded step of all instances, backwards: from adjoints of what the step gave
// to those of what it took. The step is run again from its recorded state by numbers that carry
// derivatives (environment/pull_back.h); its noise comes from the same counters, so that it is that
// of the rollout, to the bit.
#pragma once

#include <gallop/kernels/device/cpu_work.h>
#include <gallop/kernels/environment/environment_table.h>

namespace gallop {

// For smooth environments: another one is a value error on the CPU (`refusal`) and an Error (cuda)
// on CUDA; EnvironmentSpec::not_smooth tells before. Returns before it is done. Strict: the same
// bits on every backend and for any number of threads. Random numbers: those of the step, purpose
// kRandomDynamics.
struct PullBackRequest {
  const EnvironmentTable* environment;  // the CPU backend's to fill in
  Scenario scenario;
  int n_envs;
  int clip;            // whether the step clipped actions: derivatives by what was cut off are 0
  const float* state;  // [S, state_stride] where the step began
  long state_stride;
  const float* action;               // [A, N]
  const std::uint32_t* episode;      // [N] counters where the step began
  const std::int32_t* elapsed;       // [N]
  const float* reward_adjoint;       // [N]
  const float* observation_adjoint;  // [O, N] of the observation after the step
  // In: adjoints of the state after the step. Out: of the state where it began.
  float* state_adjoint;   // [S, N]
  float* action_adjoint;  // [A, N] out, of the action as the policy gave it
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

GALLOP_HD const char* refusal(const PullBackRequest& r) {
  if (r.environment == nullptr || r.environment->pull_back != nullptr) return nullptr;
  return "pull_back_instances: the environment is not smooth, its steps have no derivatives; "
         "expected one that declares kSmooth";
}

template <class F>
void pull_back_instances(const PullBackRequest& r, const CpuWork& on) {
  split(on, r.n_envs, kInstanceGrain,
        [&](int, long begin, long end) { r.environment->pull_back(r, int(begin), int(end)); });
}

}  // namespace gallop::inline GALLOP_ISA
