// Variants of TRPO's figure 4 (algorithms/trpo.cpp): the bound on the greatest divergence of a
// state, and directions by the empirical Fisher matrix.
#include <gallop/host/learning/trust_region.h>

#include <gtest/gtest.h>

#include "tests/learning/watched.h"

namespace gallop::testing {
namespace {

// With kl = greatest it is the KL of every state that delta bounds, and the measured greatest is
// the reference's; the mean is then far below.
TEST(Trpo, TheGreatestDivergenceIsBoundedWhereThatIsAsked) {
  for (const char* environment : {"cartpole", "pendulum"}) {
    Watched w(environment, "trpo",
              {"n_envs=8", "n_steps=40", "hidden=8", "delta=0.01", "kl=greatest", "backtracks=30"});
    int accepted = 0;
    double mean = 0;
    for (int k = 0; k < 60; k++) {
      const Metrics metrics = w.run();
      if (metric(metrics, "step_scale") == 0) continue;
      accepted++;
      double greatest = 0;
      for (const Vector& x : w.inputs) {
        greatest = std::max(greatest,
                            reference_kl(w.twin.learner.policy().shape(), {x}, w.before, w.after));
      }
      ASSERT_LE(greatest, 0.01 * (1 + 1e-4) + 1e-6) << environment << " update " << k;
      EXPECT_NEAR(metric(metrics, "kl_greatest"), greatest, 1e-3 * greatest + 2e-6);
      mean += metric(metrics, "kl");
    }
    EXPECT_GT(accepted, 30) << environment;
    EXPECT_LT(mean / accepted, 0.008) << environment;
  }
}

// The direction of the empirical matrix solves the system of the mean of psi psi^T.
TEST(TrustRegion, TheDirectionOfTheEmpiricalMatrixSolvesItsSystem) {
  for (const char* environment : {"cartpole", "pendulum"}) {
    LearnerParts p(environment, "trpo", {"n_envs=16", "n_steps=32", "hidden=8"});
    scatter(p, 0.3, 75);
    p.learner.collect();
    p.learner.estimate_advantages();
    const std::vector<Vector> inputs = recorded_inputs(p);
    const PolicyShape shape = p.learner.policy().shape();
    const Vector theta = policy_of(p);
    const long d = long(theta.size()), offset = layer_offset(shape.network, shape.network.n_layers);
    const Samples samples = p.learner.all_samples();
    Eigen::MatrixXd fisher = Eigen::MatrixXd::Zero(d, d);
    for (std::size_t s = 0; s < inputs.size(); s++) {
      const Vector action = {double(samples.action[s])};
      const auto log_prob = [&](const Vector& at) {
        return reference_distribution(shape, reference_forward(shape.network, at, inputs[s]),
                                      at.data() + offset, action)
            .log_prob;
      };
      Eigen::VectorXd psi(d);
      Vector moved = theta;
      for (long j = 0; j < d; j++) {
        moved[j] = theta[j] + 1e-5;
        psi[j] = log_prob(moved);
        moved[j] = theta[j] - 1e-5;
        psi[j] = (psi[j] - log_prob(moved)) / 2e-5;
        moved[j] = theta[j];
      }
      fisher += psi * psi.transpose() / double(inputs.size());
    }
    TrustRegion region(*p.backend, p.learner, {.matrix = FisherMatrix::kEmpirical});
    region.prepare();
    const Eigen::VectorXd g =
        -Eigen::Map<Eigen::VectorXf>(p.learner.policy().parameters().gradient(), d).cast<double>();
    region.natural_direction(0.05, 1000, 1e-14);
    region.try_step(1);
    Eigen::VectorXd x(d);
    for (long j = 0; j < d; j++) x[j] = policy_of(p)[j] - theta[j];
    const Eigen::MatrixXd damped = fisher + 0.05 * Eigen::MatrixXd::Identity(d, d);
    EXPECT_LT((damped * x - g).norm(), 1e-3 * g.norm()) << environment;
  }
}

}  // namespace
}  // namespace gallop::testing
