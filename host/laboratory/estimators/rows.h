// The estimators of a problem, one row each. A row more is an estimator more: the host, the
// command, its report and the tests take them from here.
#pragma once

#include <gallop/host/laboratory/estimators/importance.h>
#include <gallop/host/laboratory/estimators/leave_one_out.h>
#include <gallop/host/laboratory/estimators/own_rollouts.h>
#include <gallop/host/laboratory/estimators/pilot.h>
#include <gallop/host/laboratory/estimators/through_simulator.h>

namespace gallop::inline GALLOP_ISA {

template <class C>
struct LaboratoryRows {
  using Row = EstimatorRowOf<typename C::Real>;
  static constexpr auto kPaths = EstimatorData::kPaths, kPilot = EstimatorData::kPathsAndPilot;
  static constexpr auto kOld = EstimatorData::kOldPaths, kOwn = EstimatorData::kOwnRollouts;
  static constexpr auto kUnbiased = EstimatorBias::kUnbiased, kBiased = EstimatorBias::kBiased;
  static constexpr auto kByDiscount = EstimatorBias::kBiasedByDiscount;
  static constexpr auto kReturn = EstimatorTarget::kReturn, kUnknown = EstimatorTarget::kUnknown;
  static constexpr auto kDiscountedReturn = EstimatorTarget::kDiscountedReturn;
  static constexpr auto kDifference = EstimatorTarget::kDifference;
  static constexpr auto kSmoothed = EstimatorTarget::kSmoothed;
  static constexpr auto kJointlySmoothed = EstimatorTarget::kJointlySmoothed;
  static constexpr auto kAlongPaths = EstimatorTarget::kAlongPaths;

  static constexpr Row kEverywhere[] = {
      {"reinforce", "REINFORCE", "Psi R", &reinforce<C, PathBaseline::kNone>},
      {"reinforce_expected", "REINFORCE", "Psi (R - E[R])", &reinforce<C, PathBaseline::kExpected>},
      {"reinforce_mean", "REINFORCE", "Psi (R - mean of the other paths)",
       &leave_one_out<C, false>},
      {"reinforce_optimal", "REINFORCE", "Psi_d (R - b_d), b_d = E[Psi_d^2 R] / E[Psi_d^2]",
       &reinforce<C, PathBaseline::kOptimal>, kPilot},
      {"reinforce_optimal_scalar", "REINFORCE", "Psi (R - b), b = E[|Psi|^2 R] / E[|Psi|^2]",
       &reinforce<C, PathBaseline::kOptimalScalar>, kPilot},
      {"gpomdp", "GPOMDP", "sum psi_t G_t", &gpomdp<C, StepBaseline::kNone>},
      {"gpomdp_expected", "GPOMDP", "sum psi_t (G_t - E[G_t])",
       &gpomdp<C, StepBaseline::kExpected>},
      {"gpomdp_mean", "GPOMDP", "sum psi_t (G_t - mean of the other paths)",
       &leave_one_out<C, true>},
      {"gpomdp_linear", "GPOMDP", "sum psi_t (G_t - w' features(s_t, t))",
       &gpomdp<C, StepBaseline::kLinear>, kPilot},
      {"gpomdp_fitted", "GPOMDP", "sum psi_t (G_t - fitted V_t(s_t))",
       &gpomdp<C, StepBaseline::kFitted>, kPilot},
      {"gpomdp_value", "GPOMDP", "sum psi_t (G_t - V_t(s_t))", &gpomdp<C, StepBaseline::kValue>},
      {"advantage", "advantage", "sum psi_t (Q_t(s_t, u_t) - V_t(s_t))", &exact_advantage<C>},
      {"surrogate", "importance", "sum rho_t psi_t G_t, old policy = policy", &surrogate<C, true>},
      {"importance_path", "importance", "(prod rho_t) Psi R", &importance_path<C>, kOld},
      {"importance_decision", "importance", "sum (prod_{k<=t} rho_k) r_t sum_{k<=t} psi_k",
       &importance_decision<C>, kOld},
      {"importance_step", "importance", "sum rho_t psi_t G_t", &surrogate<C, false>, kOld, kBiased,
       kUnknown},
      {"n_step_fitted", "critic", "n-step advantage, fitted V",
       &n_step_advantage<C, Critic::kFitted>, kPilot, kBiased, kUnknown},
      {"n_step_value", "critic", "n-step advantage, exact V", &n_step_advantage<C, Critic::kExact>,
       kPaths, kByDiscount, kUnknown},
      {"gae_fitted", "critic", "GAE(gamma, lambda), fitted V",
       &generalized_advantage<C, Critic::kFitted>, kPilot, kBiased, kUnknown},
      {"gae_value", "critic", "GAE(gamma, lambda), exact V",
       &generalized_advantage<C, Critic::kExact>, kPaths, kByDiscount, kUnknown},
      {"discounted", "discount", "sum gamma^t psi_t G_t, gradient of the discounted return",
       &discounted<C, true>, kPaths, kUnbiased, kDiscountedReturn, 1, true},
      {"discounted_no_factor", "discount", "sum psi_t G_t, G_t discounted", &discounted<C, false>,
       kPaths, kBiased, kUnknown, 1, true},
      {"difference", "finite difference", "(R(theta + e) - R(theta - e)) / 2e, independent",
       &central_difference<C, false>, kOwn, kBiased, kDifference, 2},
      {"difference_common", "finite difference", "(R(theta + e) - R(theta - e)) / 2e, common noise",
       &central_difference<C, true>, kOwn, kBiased, kDifference, 2},
      {"difference_averaged", "finite difference", "the same of means of 4 rollouts, independent",
       &central_difference<C, false, kAveraged>, kOwn, kBiased, kDifference, 2 * kAveraged},
      {"difference_scenarios", "finite difference", "the same of means over 8 fixed scenarios",
       &central_difference<C, true, kScenarios>, kOwn, kBiased, kDifference, 2 * kScenarios},
      {"regression", "finite difference", "(Z'Z)^-1 Z'R / s over random directions, and a constant",
       &regression<C>, kOwn, kBiased, kUnknown, kRegressionRollouts<C>},
      {"evolution", "evolution strategy", "R(theta + s z) z / s", &evolution<C, 1, false>, kOwn,
       kBiased, kSmoothed},
      {"evolution_expected", "evolution strategy", "(R(theta + s z) - E[R]) z / s",
       &evolution<C, 1, false, true>, kOwn, kBiased, kSmoothed},
      {"evolution_mirrored", "evolution strategy",
       "(R(theta + s z) - R(theta - s z)) z / 2s, independent", &evolution<C, 2, false>, kOwn,
       kBiased, kSmoothed, 2},
      {"evolution_common", "evolution strategy",
       "(R(theta + s z) - R(theta - s z)) z / 2s, common noise", &evolution<C, 2, true>, kOwn,
       kBiased, kSmoothed, 2},
      {"evolution_joint", "evolution strategy",
       "(R(theta + s z) - R(theta - s z)) z_d / 2s, all parameters moved", &joint_evolution<C>,
       kOwn, kBiased, kJointlySmoothed, 2}};

  struct Table {
    Row rows[40];
    int n;
  };
  static constexpr Table table() {
    Table all = {};
    for (const Row& row : kEverywhere) all.rows[all.n++] = row;
    if constexpr (requires(const typename C::P::Model& m, const C& paths, typename C::F* g) {
                    C::P::pathwise(m, paths, g);
                  }) {
      all.rows[all.n++] = {"pathwise", "pathwise", "dR/dtheta at fixed noise", &pathwise<C>, kPaths,
                           kUnbiased,  kAlongPaths};
    }
    if constexpr (Traits<typename C::Env>::kSmooth) {
      all.rows[all.n++] = {"pathwise_simulator",
                           "pathwise",
                           "the same through the environment's own step",
                           &through_simulator<C>,
                           kPaths,
                           kUnbiased,
                           kAlongPaths};
    }
    if constexpr (requires { C::P::kExactSlopes; }) {
      using Tail = PathwiseTail;
      all.rows[all.n++] = {"pathwise_value", "pathwise", "n steps of dR/dtheta, then exact V",
                           &pathwise_tail<C, Tail::kValue>};
      all.rows[all.n++] = {"pathwise_q", "pathwise", "sum dQ_t(s_t, u_t)/dtheta, exact Q",
                           &pathwise_tail<C, Tail::kActionValue>};
      all.rows[all.n++] = {"pathwise_discounted",
                           "pathwise",
                           "dR/dtheta, later rewards discounted",
                           &pathwise_tail<C, Tail::kDiscounted>,
                           kPaths,
                           kBiased,
                           kUnknown,
                           1,
                           true};
    }
    return all;
  }
  static constexpr Table kTable = table();

  static long record_size(const LaboratoryModel& m) {
    return kLaboratoryChunk / C::kN * C::size(m.horizon);
  }
  // What the estimator and the pilot that need most take.
  static long scratch_size(const LaboratoryModel& m, int stride) {
    return long(m.horizon) * (2L * stride + (C::kD + 1) * kSumSlots) + kLaboratoryChunk;
  }
  static constexpr LaboratoryKernels kernels() {
    return {kTable.rows,   kTable.n,         Features<C>::kCount, &record_size,
            &scratch_size, &sample_paths<C>, &pilot_sums<C>};
  }
};

}  // namespace gallop::inline GALLOP_ISA

// Defines gallop_laboratory_<Type>_<isa>(), which the problem's descriptor names.
#define GALLOP_INSTANTIATE_PROBLEM(Type)                                                        \
  extern "C" const gallop::LaboratoryKernels* GALLOP_OF_ISA(gallop_laboratory_##Type)() {       \
    static constexpr gallop::LaboratoryKernels kKernels =                                       \
        gallop::GALLOP_ISA::LaboratoryRows<gallop::Paths<gallop::GALLOP_ISA::Type>>::kernels(); \
    return &kKernels;                                                                           \
  }
