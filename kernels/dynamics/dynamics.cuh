// The operations of kernels/dynamics/: a thread a transition or an instance.
#pragma once

#include <gallop/kernels/device/cuda_work.h>
#include <gallop/kernels/dynamics/adjoint.h>
#include <gallop/kernels/dynamics/model_step.h>
#include <gallop/kernels/dynamics/replayed.h>
#include <gallop/kernels/dynamics/transitions.h>
#include <gallop/kernels/device/for_each.cuh>

namespace gallop::inline GALLOP_ISA {

struct KeepTransition {
  KeepTransitionsRequest r;
  GALLOP_HD void operator()(long i) const { keep_transition(r, i); }
};
inline LaunchStatus keep_transitions(const KeepTransitionsRequest& r, const CudaWork& on) {
  return for_each("keep_transitions", long(r.n_steps) * r.n_envs, on.stream, KeepTransition{r});
}

struct ModelTarget {
  ModelTargetsRequest r;
  GALLOP_HD void operator()(long i) const { model_target(r, i); }
};
inline LaunchStatus model_targets(const ModelTargetsRequest& r, const CudaWork& on) {
  return for_each("model_targets", long(r.n_steps) * r.n_envs, on.stream, ModelTarget{r});
}

struct GatherTransition {
  GatherRequest r;
  GALLOP_HD void operator()(long i) const { gather_transition(r, i); }
};
inline LaunchStatus gather_transitions(const GatherRequest& r, const CudaWork& on) {
  return for_each("gather_transitions", r.n, on.stream, GatherTransition{r});
}

struct ModelStepInstance {
  ModelStepRequest r;
  GALLOP_HD void operator()(long i) const { model_step_lanes<float>(r, i, 1); }
};
inline LaunchStatus model_step(const ModelStepRequest& r, const CudaWork& on) {
  return for_each("model_step", r.n, on.stream, ModelStepInstance{r});
}

struct ClipActionInstance {
  ClipActionsRequest r;
  GALLOP_HD void operator()(long i) const { clip_action_lanes<float>(r, i, 1); }
};
inline LaunchStatus clip_actions(const ClipActionsRequest& r, const CudaWork& on) {
  return for_each("clip_actions", r.n, on.stream, ClipActionInstance{r});
}

struct ModelSlopesInstance {
  ModelSlopesRequest r;
  GALLOP_HD void operator()(long i) const { model_slope_lanes<float>(r, i, 1); }
};
inline LaunchStatus model_slopes(const ModelSlopesRequest& r, const CudaWork& on) {
  return for_each("model_slopes", r.n, on.stream, ModelSlopesInstance{r});
}

struct PolicySlopesInstance {
  PolicySlopesRequest r;
  GALLOP_HD void operator()(long i) const { policy_slope_lanes<float>(r, i, 1); }
};
inline LaunchStatus policy_slopes(const PolicySlopesRequest& r, const CudaWork& on) {
  return for_each("policy_slopes", r.n, on.stream, PolicySlopesInstance{r});
}

struct AdjointStepInstance {
  AdjointStepRequest r;
  GALLOP_HD void operator()(long i) const { adjoint_step_lanes<float>(r, i, 1); }
};
inline LaunchStatus adjoint_step(const AdjointStepRequest& r, const CudaWork& on) {
  return for_each("adjoint_step", r.n, on.stream, AdjointStepInstance{r});
}

struct SequenceErrorsInstance {
  SequenceErrorsRequest r;
  GALLOP_HD void operator()(long i) const { sequence_error_lanes<float>(r, i, 1); }
};
inline LaunchStatus sequence_errors(const SequenceErrorsRequest& r, const CudaWork& on) {
  return for_each("sequence_errors", r.n, on.stream, SequenceErrorsInstance{r});
}

struct ImportanceInstance {
  ImportanceRequest r;
  GALLOP_HD void operator()(long i) const { importance_lanes<float>(r, i, 1); }
};
inline LaunchStatus importance_weights(const ImportanceRequest& r, const CudaWork& on) {
  return for_each("importance_weights", r.n, on.stream, ImportanceInstance{r});
}

struct BackupInstance {
  BackupRequest r;
  GALLOP_HD void operator()(long i) const { backup_lanes<float>(r, i, 1); }
};
inline LaunchStatus one_step_targets(const BackupRequest& r, const CudaWork& on) {
  return for_each("one_step_targets", r.n, on.stream, BackupInstance{r});
}

}  // namespace gallop::inline GALLOP_ISA
