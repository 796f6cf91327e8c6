// `bandit` and `bandit_step` (sims/bandit.h) under the policy u ~ N(theta, sigma^2). Parameter:
// theta.
//
//   bandit       R = -(u - c)^2     dU/dtheta = -2 (theta - c)
//   bandit_step  R = 1[u > c]       dU/dtheta = phi((theta - c) / sigma) / sigma
//
// The second reward has a jump and is flat elsewhere: its pathwise derivative is 0 everywhere.
#pragma once

#include <cmath>
#include <numbers>

#include <gallop/host/laboratory/estimators/paths.h>
#include <gallop/host/laboratory/problem.h>
#include <gallop/host/options/option_rows.h>
#include <gallop/sims/bandit.h>

namespace gallop::inline GALLOP_ISA {

struct BanditModel : LaboratoryModel {
  double c = 0;
};

// What both have in common.
template <class Environment_>
struct BanditPaths {
  using Environment = Environment_;
  using Model = BanditModel;
  template <class F>
  using Policy = LinearGaussian<F, 1, 1, 1, false>;
  static constexpr Sizes kSizes = {1, 1};
  static constexpr const char* kDisplacement = "0.1";

  template <class F>
  static GALLOP_HD F value(const LaboratoryModel& m, Discounting, int, const F*) {
    return real<F>(m.expected_return);
  }
  template <class F>
  static GALLOP_HD F action_value(const LaboratoryModel&, int, const F*, const F*, F reward) {
    return reward;
  }

  static constexpr auto rows_of(double theta, double sigma, double c, const char* help_of_c) {
    return rows(
        real_row("theta", theta, {.min = -1e6, .max = 1e6}, "mean of the action"),
        real_row("sigma", sigma, {.min = kMinSigma, .max = kMaxSigma}, "its standard deviation"),
        real_row("c", c, {.min = -1e6, .max = 1e6}, help_of_c),
        real_row("old_theta", 0.1, {.min = -1e3, .max = 1e3},
                 "the older policy of importance sampling has theta plus this many sigma"));
  }
};

// Exact answers, of which Problem has the formulas.
template <class Problem>
class BanditAnswers : public LaboratoryProblem {
 public:
  explicit BanditAnswers(const Options& options) : LaboratoryProblem({"theta"}) {
    model_.horizon = 1;
    model_.sigma = options.real("sigma");
    model_.c = options.real("c");
    model_.theta[0] = options.real("theta");
    model_.old_theta[0] = model_.theta[0] + options.real("old_theta") * model_.sigma;
    set_environment<typename Problem::Environment>({{"c", model_.c}});
    model_.expected_return = expected_return(model_.theta);
    model_.expected_rest = &model_.expected_return;
    // One reward, at once: discounting changes nothing.
    gradient_[kPlain] =
        gradient_[kDiscounted] = {Problem::exact_slope(model_.theta[0], model_.sigma, model_.c)};
    if (Problem::kJumps) along_paths_ = {0.0};
  }

  LaboratoryModel& model() override { return model_; }
  double expected_return(const double* theta) const override {
    return Problem::exact_return(theta[0], model_.sigma, model_.c);
  }

 private:
  BanditModel model_;
};

struct BanditProblem : BanditPaths<Bandit> {
  using Answers = BanditAnswers<BanditProblem>;
  static constexpr const char* kName = "bandit";
  static constexpr const char* kSummary = "one action u ~ N(theta, sigma^2), reward -(u - c)^2";
  static constexpr bool kJumps = false;
  static constexpr auto kOptions = rows_of(0.5, 0.5, 1, "best action: reward -(u - c)^2");

  static double exact_return(double theta, double sigma, double c) {
    return -((theta - c) * (theta - c) + sigma * sigma);
  }
  static double exact_slope(double theta, double, double c) { return -2 * (theta - c); }

  template <class C, class F>
  static GALLOP_HD void pathwise(const Model& m, const C& paths, F* gradient) {
    gradient[0] = F(-2.0f) * (C::at(paths.action, 0) - real<F>(m.c));
  }
};

struct BanditStepProblem : BanditPaths<BanditStep> {
  using Answers = BanditAnswers<BanditStepProblem>;
  static constexpr const char* kName = "bandit_step";
  static constexpr const char* kSummary = "one action u ~ N(theta, sigma^2), reward 1 where u > c";
  static constexpr bool kJumps = true;
  static constexpr auto kOptions = rows_of(0, 1, 0, "where the reward 1[u > c] jumps");

  static double exact_return(double theta, double sigma, double c) {
    return 0.5 * std::erfc((c - theta) / (sigma * std::sqrt(2.0)));
  }
  static double exact_slope(double theta, double sigma, double c) {
    const double z = (theta - c) / sigma;
    return std::exp(-0.5 * z * z) / (sigma * std::sqrt(2 * std::numbers::pi));
  }

  template <class C, class F>
  static GALLOP_HD void pathwise(const Model&, const C&, F*) {}
};

}  // namespace gallop::inline GALLOP_ISA

GALLOP_PROBLEM(BanditProblem)
GALLOP_PROBLEM(BanditStepProblem)
