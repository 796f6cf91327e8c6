// One decision under the policy u ~ N(theta, sigma^2). Parameter: theta.
//
//   bandit       R = -(u - c)^2     dU/dtheta = -2 (theta - c)
//   bandit_step  R = 1[u > c]       dU/dtheta = phi((theta - c) / sigma) / sigma
//
// The second reward has a jump and is flat elsewhere: its pathwise derivative is 0 everywhere.
#pragma once

#include "kernels/laboratory/noise.h"

namespace gallop {

struct BanditModel : LaboratoryModel {
  double sigma = 1, c = 0;
};

}  // namespace gallop

namespace gallop::inline GALLOP_ISA {

struct QuadraticReward {
  static constexpr bool kSmooth = true;
  static GALLOP_HD double reward(double u, double c) { return -((u - c) * (u - c)); }
  static GALLOP_HD double slope(double u, double c) { return -2 * (u - c); }
};
struct StepReward {
  static constexpr bool kSmooth = false;
  static GALLOP_HD double reward(double u, double c) { return u > c ? 1 : 0; }
  static GALLOP_HD double slope(double, double) { return 0; }
};

template <class Reward>
struct OneStep {
  using F = double;
  using Model = BanditModel;
  static constexpr int kParameters = 1, kFeatures = 1;
  static constexpr int kDraws = 1, kInitialDraws = 0;
  static constexpr int kRow = 2;  // eps, reward
  static constexpr bool kSmoothReward = Reward::kSmooth;

  static const Model& model_of(const LaboratoryModel& m) { return static_cast<const Model&>(m); }
  static int path_doubles(const LaboratoryModel&) { return kRow; }

  template <class G>
  static GALLOP_HD void draw(Rng<G>& action, Rng<G>&, G* to) {
    to[0] = action.normal();
  }
  static GALLOP_HD double simulate(const LaboratoryModel& base, const double* theta,
                                   const Noise<OneStep>& noise, double* record) {
    const Model& m = model_of(base);
    const double eps = noise.step(0, 0);
    const double reward = Reward::reward(fmadd(m.sigma, eps, theta[0]), m.c);
    if (record != nullptr) record[0] = eps, record[1] = reward;
    return reward;
  }

  struct Path {
    const Model& m;
    const double* record;

    GALLOP_HD Path(const LaboratoryModel& base, const double* from)
        : m(model_of(base)), record(from) {}
    GALLOP_HD double reward(int) const { return record[1]; }
    GALLOP_HD void score(int, double* psi) const { psi[0] = record[0] / m.sigma; }
    GALLOP_HD double old_score(const double* old, int, double* psi) const {
      const double z = record[0] + (old[0] - m.theta[0]) / m.sigma;
      psi[0] = z / m.sigma;
      return 0.5 * (record[0] * record[0] - z * z);
    }
    GALLOP_HD double value(Discounting, int t) const { return t == 0 ? m.expected_return : 0; }
    GALLOP_HD double advantage(int) const { return record[1] - m.expected_return; }
    GALLOP_HD void features(int, double* phi) const { phi[0] = 1; }
    GALLOP_HD void pathwise(double* gradient) const {
      gradient[0] = Reward::slope(fmadd(m.sigma, record[0], m.theta[0]), m.c);
    }
  };
};

}  // namespace gallop::inline GALLOP_ISA
