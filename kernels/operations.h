// The operations of a device, each named once. An operation is a request, a plain struct of
// pointers and numbers; arithmetic and a function for the CPU beside it in the header of its noun,
//
//   template <class F> void name(const Request&, const CpuWork&);
//
// and kernels with their launcher for CUDA in the .cuh beside that,
//
//   LaunchStatus name(const Request&, const CudaWork&);
//
// A request that can be wrong has `const char* refusal(const Request&)` beside it, which says why
// or gives null: backends throw that as a value error.
//
// Its line below makes it a method of every backend (host/runtime/backend.h), an entry of both
// tables (kernels/tables/), and part of what recordings are known by. All pointers of a request are
// of the backend's memory; both functions give the same bits.
#pragma once

#include <gallop/kernels/baselines/linear.h>
#include <gallop/kernels/baselines/optimal.h>
#include <gallop/kernels/dynamics/adjoint.h>
#include <gallop/kernels/dynamics/model_step.h>
#include <gallop/kernels/dynamics/replayed.h>
#include <gallop/kernels/dynamics/transitions.h>
#include <gallop/kernels/estimators/age.h>
#include <gallop/kernels/estimators/episodes.h>
#include <gallop/kernels/estimators/gae.h>
#include <gallop/kernels/estimators/n_step.h>
#include <gallop/kernels/estimators/path_returns.h>
#include <gallop/kernels/estimators/returns.h>
#include <gallop/kernels/estimators/standardize.h>
#include <gallop/kernels/gradients/divergence.h>
#include <gallop/kernels/gradients/empirical_fisher.h>
#include <gallop/kernels/gradients/fisher.h>
#include <gallop/kernels/gradients/given_slopes.h>
#include <gallop/kernels/gradients/gradient.h>
#include <gallop/kernels/gradients/matrix_fisher.h>
#include <gallop/kernels/gradients/policy_pull_back.h>
#include <gallop/kernels/gradients/values.h>
#include <gallop/kernels/graphs/tape.h>
#include <gallop/kernels/off_policy/noise.h>
#include <gallop/kernels/off_policy/q_policy_gradient.h>
#include <gallop/kernels/off_policy/q_targets.h>
#include <gallop/kernels/off_policy/sample_actions.h>
#include <gallop/kernels/optimizers/conjugate_gradient.h>
#include <gallop/kernels/optimizers/gradient_step.h>
#include <gallop/kernels/optimizers/line_search.h>
#include <gallop/kernels/optimizers/step.h>
#include <gallop/kernels/optimizers/vector.h>
#include <gallop/kernels/policy/choose.h>
#include <gallop/kernels/population/members.h>
#include <gallop/kernels/population/ranks.h>
#include <gallop/kernels/population/sums.h>
#include <gallop/kernels/random/shuffle.h>
#include <gallop/kernels/reduce/moments.h>
#include <gallop/kernels/reduce/partials.h>
#include <gallop/kernels/replay/replay.h>
#include <gallop/kernels/rollout/adjoint.h>
#include <gallop/kernels/rollout/layout.h>
#include <gallop/kernels/rollout/population.h>
#include <gallop/kernels/rollout/pull_back.h>
#include <gallop/kernels/rollout/rollout.h>
#include <gallop/kernels/rollout/step.h>
#include <gallop/kernels/tetris/play.h>

#ifdef GALLOP_LAUNCHERS  // for the table of the launchers
#include <gallop/kernels/baselines/baselines.cuh>
#include <gallop/kernels/dynamics/dynamics.cuh>
#include <gallop/kernels/estimators/episodes.cuh>
#include <gallop/kernels/estimators/estimators.cuh>
#include <gallop/kernels/estimators/gae.cuh>
#include <gallop/kernels/gradients/empirical_fisher.cuh>
#include <gallop/kernels/gradients/fisher.cuh>
#include <gallop/kernels/gradients/given_slopes.cuh>
#include <gallop/kernels/gradients/gradient.cuh>
#include <gallop/kernels/gradients/matrix_fisher.cuh>
#include <gallop/kernels/gradients/policy_pull_back.cuh>
#include <gallop/kernels/gradients/values.cuh>
#include <gallop/kernels/graphs/tape.cuh>
#include <gallop/kernels/off_policy/off_policy.cuh>
#include <gallop/kernels/off_policy/q_policy_gradient.cuh>
#include <gallop/kernels/optimizers/gradient_step.cuh>
#include <gallop/kernels/optimizers/step.cuh>
#include <gallop/kernels/optimizers/trust_region.cuh>
#include <gallop/kernels/optimizers/vector.cuh>
#include <gallop/kernels/policy/choose.cuh>
#include <gallop/kernels/population/population.cuh>
#include <gallop/kernels/random/shuffle.cuh>
#include <gallop/kernels/reduce/moments.cuh>
#include <gallop/kernels/reduce/partials.cuh>
#include <gallop/kernels/replay/replay.cuh>
#include <gallop/kernels/rollout/adjoint.cuh>
#include <gallop/kernels/rollout/layout.cuh>
#include <gallop/kernels/tetris/play.cuh>
#endif

// clang-format off
#define GALLOP_OPERATIONS(operation)                            \
  operation(values, ValuesRequest)                              \
  operation(gae, GaeRequest)                                    \
  operation(returns, ReturnsRequest)                            \
  operation(n_step, NStepRequest)                               \
  operation(path_returns, PathReturnsRequest)                   \
  operation(ages, AgeRequest)                                   \
  operation(discount_by_age, AgeDiscountRequest)                \
  operation(episodes, EpisodesRequest)                          \
  operation(standardize, StandardizeRequest)                    \
  operation(moments, MomentsRequest)                            \
  operation(reduce_partials, ReduceRequest)                     \
  operation(policy_gradient, PolicyGradientRequest)             \
  operation(value_gradient, ValueGradientRequest)               \
  operation(network_gradient, NetworkGradientRequest)           \
  operation(input_gradient, InputGradientRequest)               \
  operation(policy_pull_back, PolicyPullBackRequest)            \
  operation(begin_adjoint, AdjointRequest)                      \
  operation(end_adjoint, AdjointRequest)                        \
  operation(difference_adjoint, DifferenceAdjointRequest)       \
  operation(optimizer_step, StepRequest)                        \
  operation(shuffle, ShuffleRequest)                            \
  operation(features, FeaturesRequest)                          \
  operation(gram, GramRequest)                                  \
  operation(linear_values, LinearValuesRequest)                 \
  operation(optimal_baseline, OptimalBaselineRequest)           \
  operation(fisher_prepare, FisherRequest)                      \
  operation(fisher_product, FisherRequest)                      \
  operation(empirical_fisher_product, FisherRequest)            \
  operation(policy_divergence, DivergenceRequest)               \
  operation(conjugate_gradient_begin, ConjugateGradientRequest) \
  operation(conjugate_gradient_step, ConjugateGradientRequest)  \
  operation(conjugate_gradient_end, ConjugateGradientRequest)   \
  operation(line_search_begin, LineSearchRequest)               \
  operation(line_search_step, LineSearchRequest)                \
  operation(make_members, MembersRequest)                       \
  operation(sum_members, SumMembersRequest)                     \
  operation(rank_members, RankRequest)                          \
  operation(copy, CopyRequest)                                  \
  operation(add_scaled, AddScaledRequest)                       \
  operation(rearrange, RearrangeRequest)                        \
  operation(keep_transitions, KeepTransitionsRequest)           \
  operation(model_targets, ModelTargetsRequest)                 \
  operation(gather_transitions, GatherRequest)                  \
  operation(model_step, ModelStepRequest)                       \
  operation(clip_actions, ClipActionsRequest)                   \
  operation(model_slopes, ModelSlopesRequest)                   \
  operation(policy_slopes, PolicySlopesRequest)                 \
  operation(adjoint_step, AdjointStepRequest)                   \
  operation(sequence_errors, SequenceErrorsRequest)             \
  operation(importance_weights, ImportanceRequest)              \
  operation(one_step_targets, BackupRequest)                    \
  operation(play_tetris, TetrisRequest)                         \
  operation(choose_actions, ChooseRequest)                      \
  operation(replay_write, ReplayWriteRequest)                   \
  operation(replay_draw, ReplayDrawRequest)                     \
  operation(sample_actions, SampleActionsRequest)               \
  operation(q_targets, QTargetsRequest)                         \
  operation(q_policy_gradient, QPolicyGradientRequest)          \
  operation(ou_noise, OuNoiseRequest)                           \
  operation(polyak, PolyakRequest)                              \
  operation(run_tape, TapeRequest)
// clang-format on

// Two operations in one, which a device has in fewer launches: policy_gradient or value_gradient,
// then optimizer_step. On the CPU they are those two (host/runtime/cpu_backend.cpp).
#define GALLOP_JOINED_OPERATIONS(operation) \
  operation(policy_step, PolicyStepRequest) operation(value_step, ValueStepRequest)

// Those that CUDA has alone.
#define GALLOP_DEVICE_OPERATIONS(operation)                                           \
  operation(matrix_units, MatrixUnitsRequest) operation(scale_by_slope, SlopeRequest) \
      operation(matrix_metric, MatrixMetricRequest) operation(matrix_product, MatrixSumRequest)

// Those on the instances of an environment, whose launchers are compiled for each environment.
#define GALLOP_ENVIRONMENT_OPERATIONS(operation)                                        \
  operation(reset_instances, ResetRequest) operation(observe_instances, ObserveRequest) \
      operation(step_instances, TransitionRequest) operation(rollout, RolloutRequest)   \
          operation(evaluate_population, PopulationRequest)                             \
              operation(pull_back_instances, PullBackRequest)
