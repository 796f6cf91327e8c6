// The estimators of a problem P, one row each. A row more is an estimator more: the host, the
// command, its report and the tests take them from here.
#pragma once

#include "kernels/laboratory/critic.h"
#include "kernels/laboratory/importance.h"
#include "kernels/laboratory/leave_one_out.h"
#include "kernels/laboratory/own_rollouts.h"
#include "kernels/laboratory/pilot.h"

namespace gallop::inline GALLOP_ISA {

template <class P>
struct LaboratoryRows {
  static constexpr auto kPaths = EstimatorData::kPaths;
  static constexpr auto kOld = EstimatorData::kOldPaths;
  static constexpr auto kOwn = EstimatorData::kOwnRollouts;
  static constexpr auto kUnbiased = EstimatorBias::kUnbiased;
  static constexpr auto kBiased = EstimatorBias::kBiased;
  static constexpr auto kByDiscount = EstimatorBias::kBiasedByDiscount;
  static constexpr auto kReturn = EstimatorTarget::kReturn;
  static constexpr auto kUnknown = EstimatorTarget::kUnknown;

  static constexpr EstimatorRow kLikelihoodRatio[] = {
      {"reinforce", "REINFORCE", "Psi R", kPaths, kUnbiased, kReturn, false, false, 1,
       &reinforce<P, PathBaseline::kNone>},
      {"reinforce_expected", "REINFORCE", "Psi (R - E[R])", kPaths, kUnbiased, kReturn, false,
       false, 1, &reinforce<P, PathBaseline::kExpected>},
      {"reinforce_mean", "REINFORCE", "Psi (R - mean of the other paths)", kPaths, kUnbiased,
       kReturn, false, false, 1, &reinforce_leave_one_out<P>},
      {"reinforce_optimal", "REINFORCE", "Psi_d (R - b_d), b_d = E[Psi_d^2 R] / E[Psi_d^2]", kPaths,
       kUnbiased, kReturn, true, false, 1, &reinforce<P, PathBaseline::kOptimal>},
      {"reinforce_optimal_scalar", "REINFORCE", "Psi (R - b), b = E[|Psi|^2 R] / E[|Psi|^2]",
       kPaths, kUnbiased, kReturn, true, false, 1, &reinforce<P, PathBaseline::kOptimalScalar>},
      {"gpomdp", "GPOMDP", "sum psi_t G_t", kPaths, kUnbiased, kReturn, false, false, 1,
       &gpomdp<P, StepBaseline::kNone>},
      {"gpomdp_expected", "GPOMDP", "sum psi_t (G_t - E[G_t])", kPaths, kUnbiased, kReturn, false,
       false, 1, &gpomdp<P, StepBaseline::kExpected>},
      {"gpomdp_mean", "GPOMDP", "sum psi_t (G_t - mean of the other paths)", kPaths, kUnbiased,
       kReturn, false, false, 1, &gpomdp_leave_one_out<P>},
      {"gpomdp_linear", "GPOMDP", "sum psi_t (G_t - w' features(s_t, t))", kPaths, kUnbiased,
       kReturn, true, false, 1, &gpomdp<P, StepBaseline::kLinear>},
      {"gpomdp_fitted", "GPOMDP", "sum psi_t (G_t - fitted V_t(s_t))", kPaths, kUnbiased, kReturn,
       true, false, 1, &gpomdp<P, StepBaseline::kFitted>},
      {"gpomdp_value", "GPOMDP", "sum psi_t (G_t - V_t(s_t))", kPaths, kUnbiased, kReturn, false,
       false, 1, &gpomdp<P, StepBaseline::kValue>},
      {"advantage", "advantage", "sum psi_t (Q_t(s_t, u_t) - V_t(s_t))", kPaths, kUnbiased, kReturn,
       false, false, 1, &exact_advantage<P>},
      {"surrogate", "importance", "sum rho_t psi_t G_t, old policy = policy", kPaths, kUnbiased,
       kReturn, false, false, 1, &surrogate<P, true>},
      {"importance_path", "importance", "(prod rho_t) Psi R", kOld, kUnbiased, kReturn, false,
       false, 1, &importance_path<P>},
      {"importance_decision", "importance", "sum (prod_{k<=t} rho_k) r_t sum_{k<=t} psi_k", kOld,
       kUnbiased, kReturn, false, false, 1, &importance_decision<P>},
      {"importance_step", "importance", "sum rho_t psi_t G_t", kOld, kBiased, kUnknown, false,
       false, 1, &surrogate<P, false>},
      {"n_step_fitted", "critic", "n-step advantage, fitted V", kPaths, kBiased, kUnknown, true,
       false, 1, &n_step<P, Critic::kFitted>},
      {"n_step_value", "critic", "n-step advantage, exact V", kPaths, kByDiscount, kUnknown, false,
       false, 1, &n_step<P, Critic::kExact>},
      {"gae_fitted", "critic", "GAE(gamma, lambda), fitted V", kPaths, kBiased, kUnknown, true,
       false, 1, &generalized_advantage<P, Critic::kFitted>},
      {"gae_value", "critic", "GAE(gamma, lambda), exact V", kPaths, kByDiscount, kUnknown, false,
       false, 1, &generalized_advantage<P, Critic::kExact>},
      {"discounted", "discount", "sum gamma^t psi_t G_t, gradient of the discounted return", kPaths,
       kUnbiased, EstimatorTarget::kDiscountedReturn, false, true, 1, &discounted<P, true>},
      {"discounted_no_factor", "discount", "sum psi_t G_t, G_t discounted", kPaths, kBiased,
       kUnknown, false, true, 1, &discounted<P, false>}};

  static constexpr EstimatorRow kReturns[] = {
      {"difference", "finite difference", "(R(theta + e) - R(theta - e)) / 2e, independent", kOwn,
       kBiased, EstimatorTarget::kDifference, false, false, 2, &central_difference<P, false>},
      {"difference_common", "finite difference", "(R(theta + e) - R(theta - e)) / 2e, common noise",
       kOwn, kBiased, EstimatorTarget::kDifference, false, false, 2, &central_difference<P, true>},
      {"evolution", "evolution strategy", "R(theta + s z) z / s", kOwn, kBiased,
       EstimatorTarget::kSmoothed, false, false, 1, &evolution_single<P>},
      {"evolution_mirrored", "evolution strategy",
       "(R(theta + s z) - R(theta - s z)) z / 2s, independent", kOwn, kBiased,
       EstimatorTarget::kSmoothed, false, false, 2, &evolution_mirrored<P, false>},
      {"evolution_common", "evolution strategy",
       "(R(theta + s z) - R(theta - s z)) z / 2s, common noise", kOwn, kBiased,
       EstimatorTarget::kSmoothed, false, false, 2, &evolution_mirrored<P, true>}};

  // Only where the path knows it.
  static constexpr EstimatorRow pathwise_row() {
    if constexpr (requires(const typename P::Path& path, typename P::F* g) { path.pathwise(g); }) {
      return {"pathwise",
              "pathwise",
              "dR/dtheta at fixed noise",
              kPaths,
              P::kSmoothReward ? kUnbiased : kBiased,
              P::kSmoothReward ? kReturn : kUnknown,
              false,
              false,
              1,
              &pathwise<P>};
    } else {
      return {};
    }
  }

  struct Table {
    EstimatorRow rows[40];
    int n;
  };
  static constexpr Table table() {
    Table all = {};
    for (const EstimatorRow& row : kLikelihoodRatio) all.rows[all.n++] = row;
    for (const EstimatorRow& row : kReturns) all.rows[all.n++] = row;
    if (pathwise_row().estimate != nullptr) all.rows[all.n++] = pathwise_row();
    return all;
  }
  static constexpr Table kTable = table();

  static int noise_size(const LaboratoryModel& m) { return 2 * noise_floats<P>(m.horizon); }
  static int record_size(const LaboratoryModel& m) { return P::path_doubles(m); }
  static long scratch_size(const LaboratoryModel& m, int stride) {
    return leave_one_out_scratch<P>(m.horizon, stride);
  }
  static constexpr LaboratoryKernels kKernels = {kTable.rows,      kTable.n,      P::kFeatures,
                                                 &noise_size,      &record_size,  &scratch_size,
                                                 &sample_paths<P>, &pilot_sums<P>};
};

}  // namespace gallop::inline GALLOP_ISA

#define GALLOP_LABORATORY_NAME_(name, isa) gallop_laboratory_##name##_##isa
#define GALLOP_LABORATORY_NAME(name, isa) GALLOP_LABORATORY_NAME_(name, isa)
// The table of one problem for this unit's instruction set; `...` is the problem's type.
#define GALLOP_LABORATORY(name, ...)                                                       \
  extern "C" const gallop::LaboratoryKernels* GALLOP_LABORATORY_NAME(name, GALLOP_ISA)() { \
    return &gallop::GALLOP_ISA::LaboratoryRows<__VA_ARGS__>::kKernels;                     \
  }
