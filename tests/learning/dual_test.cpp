// Algorithm trpo_dual: its first multiplier against the solution for the quadratic model with the
// Fisher matrix in full, the divergence of its steps measured in double, and refused steps.
#include <gtest/gtest.h>

#include "tests/learning/watched.h"

namespace gallop::testing {
namespace {

TEST(Dual, TheFirstMultiplierSolvesTheQuadraticModel) {
  int undamped = 0;
  for (const auto& [environment, damping] :
       {std::pair("mdp", 0.01), std::pair("cartpole", 0.01), std::pair("pendulum", 0.01),
        std::pair("mdp", 1e-4), std::pair("cartpole", 1e-4), std::pair("pendulum", 1e-4)}) {
    const std::vector<std::string> options = {
        "hidden=8",          "delta=1e-5",         "damping=" + std::to_string(damping),
        "cg_iterations=200", "dual_tolerance=0.1", "n_envs=64"};
    Watched w(environment, "trpo_dual", options);
    const Metrics metrics = w.run();
    // The twin has the policy and the values of before: its gradient is the one that was used.
    w.twin.learner.estimate_advantages();
    PolicyGradientRequest r = w.twin.learner.policy().gradient_request(
        w.twin.learner.samples(nullptr, w.twin.learner.n_samples()));
    r.loss = PolicyLoss::kSurrogate;
    w.twin.backend->policy_gradient(r);
    const long d = w.twin.learner.policy().parameters().size();
    const Eigen::VectorXd g =
        -Eigen::Map<Eigen::VectorXf>(w.twin.learner.policy().parameters().gradient(), d)
             .cast<double>();
    const Eigen::MatrixXd fisher =
        reference_fisher(w.twin.learner.policy().shape(), w.inputs, w.before);
    const Eigen::MatrixXd damped = fisher + damping * Eigen::MatrixXd::Identity(d, d);
    const Eigen::VectorXd natural = damped.ldlt().solve(g);
    const double lambda = std::sqrt(g.dot(natural) / (2 * 1e-5));
    // With damping the step at lambda* has less than delta of KL, and the ascent corrects that.
    const double kl = natural.dot(fisher * natural) / (2 * lambda * lambda);
    if (metric(metrics, "dual_steps") == 0) {
      EXPECT_NEAR(metric(metrics, "lambda") / lambda, 1, 1e-3) << environment;
      EXPECT_GE(kl, 0.89e-5) << environment;
      undamped++;
    } else {
      EXPECT_LE(kl, 0.91e-5) << environment;
      EXPECT_LT(metric(metrics, "lambda"), lambda) << environment;
    }
    // Whatever lambda has become, the step is the natural gradient divided by it.
    const double final_lambda = metric(metrics, "lambda");
    double error = 0;
    for (long j = 0; j < d; j++) {
      error += std::pow(w.after[j] - w.before[j] - natural[j] / final_lambda, 2);
    }
    EXPECT_LT(std::sqrt(error), 2e-3 * natural.norm() / final_lambda + 1e-6) << environment;
    EXPECT_NEAR(w.kl(), natural.dot(fisher * natural) / (2 * final_lambda * final_lambda), 0.06e-5)
        << environment;
    std::printf("%s: %g ascents, lambda %.2f, lambda* %.2f\n", environment,
                metric(metrics, "dual_steps"), final_lambda, lambda);
  }
  EXPECT_GE(undamped, 3);
}

TEST(Dual, TakenStepsHaveTheDivergenceThatWasAskedFor) {
  struct Case {
    const char* environment;
    std::vector<std::string> options;
    double delta, tolerance;
    int most;
  };
  int taken = 0, exhausted = 0, refused = 0;
  for (const Case& c :
       {Case{"mdp", {"delta=0.02", "damping=0.1"}, 0.02, 0.1, 20},
        Case{"cartpole", {"delta=0.01", "dual_tolerance=0.02"}, 0.01, 0.02, 20},
        Case{"cartpole", {"delta=0.5", "dual_steps=2", "n_envs=4"}, 0.5, 0.1, 2},
        Case{"pendulum", {"delta=0.001", "dual_tolerance=0.3"}, 0.001, 0.3, 20},
        Case{"pendulum", {"delta=1", "dual_steps=1", "n_envs=2", "n_steps=4"}, 1, 0.1, 1}}) {
    Watched w(c.environment, "trpo_dual", c.options);
    double last = 0;
    for (int k = 0; k < 60; k++) {
      const Metrics metrics = w.run();
      const double kl = w.kl(), scale = metric(metrics, "step_scale");
      SCOPED_TRACE(::testing::Message() << c.environment << " " << c.delta << ", iteration " << k);
      EXPECT_LE(metric(metrics, "dual_steps"), c.most);
      const double lambda = metric(metrics, "lambda");
      if (last > 0) {
        EXPECT_LE(lambda / last, std::pow(2, c.most) * 1.0001);
        EXPECT_GE(lambda / last, std::pow(0.5, c.most) * 0.9999);
      }
      last = lambda;
      if (scale == 0) {
        refused++;
        EXPECT_EQ(w.after, w.before);
        EXPECT_EQ(metric(metrics, "surrogate_gain"), 0);
        continue;
      }
      taken++;
      EXPECT_EQ(scale, 1 / lambda);
      EXPECT_GT(metric(metrics, "surrogate_gain"), 0);
      EXPECT_NEAR(metric(metrics, "kl"), kl, 1e-3 * c.delta + 1e-6);
      EXPECT_LE(kl, (1 + c.tolerance) * c.delta * 1.001 + 1e-6);
      if (metric(metrics, "dual_steps") < c.most) {
        EXPECT_GE(kl, (1 - c.tolerance) * c.delta * 0.999 - 1e-6);
      } else {
        exhausted++;
      }
    }
  }
  std::printf("%d steps taken, %d of them after the last ascent, %d refused\n", taken, exhausted,
              refused);
  EXPECT_GT(taken, 150);
  EXPECT_GT(refused, 5);
}

// No action changes a reward or a state: the gradient is exactly zero, and so is F^-1 g.
TEST(Dual, WithoutAGradientNothingMoves) {
  for (const char* algorithm : {"trpo_dual", "trpo", "npg"}) {
    Learner learner("bandit_step", algorithm, 1, {"n_envs=4", "n_steps=1", "c=-1000"});
    const TensorFile before = learner.saved();
    for (int k = 0; k < 3; k++) {
      const Metrics metrics = learner.run(1);
      EXPECT_EQ(metric(metrics, "gradient_norm"), 0) << algorithm;
      EXPECT_EQ(metric(metrics, "step_scale"), 0) << algorithm;
    }
    EXPECT_TRUE(differences_under("policy/", learner.saved(), before).empty()) << algorithm;
  }
}

}  // namespace
}  // namespace gallop::testing
