// host/learning/trust_region.h and algorithms trpo and npg: steps against the Fisher matrix in
// full, known answers of the natural gradient, and the bound on the divergence over many updates.
#include <gallop/host/learning/trust_region.h>

#include <gtest/gtest.h>

#include "tests/learning/kernel_sets.h"
#include "tests/learning/watched.h"
#include "tests/reference/mdp_exact.h"

namespace gallop::testing {
namespace {

// "Every accepted TRPO step has mean KL <= delta, measured, over 10^4 updates."
TEST(Trpo, EveryAcceptedStepIsWithinTheTrustRegion) {
  struct Case {
    const char* environment;
    std::vector<std::string> options;
    double delta;
    int updates;
  };
  long updates = 0, accepted = 0;
  double greatest = 0, least_reported = 1;
  for (const Case& c :
       {Case{"mdp", {"n_envs=8", "n_steps=4", "damping=1e-3"}, 0.01, 4000},
        Case{"cartpole", {"n_envs=8", "n_steps=8", "hidden=4"}, 0.05, 2000},
        Case{"cartpole", {"n_envs=4", "n_steps=8", "hidden=8", "damping=0"}, 0.01, 1000},
        Case{"pendulum", {"n_envs=8", "n_steps=8", "hidden=4", "damping=0.01"}, 0.01, 2000},
        Case{"pendulum", {"n_envs=2", "n_steps=16", "hidden=4", "log_std=network"}, 0.1, 1000}}) {
    std::vector<std::string> options = c.options;
    options.insert(options.end(),
                   {"value_epochs=1", "cg_iterations=5", "delta=" + std::to_string(c.delta)});
    Watched w(c.environment, "trpo", options);
    for (int k = 0; k < c.updates; k++) {
      const Metrics metrics = w.run();
      updates++;
      if (metric(metrics, "step_scale") == 0) {
        ASSERT_EQ(w.after, w.before) << c.environment << " update " << k;
        continue;
      }
      accepted++;
      ASSERT_LE(metric(metrics, "kl"), c.delta) << c.environment << " update " << k;
      ASSERT_GT(metric(metrics, "surrogate_gain"), 0);
      // What float rounds in a mean KL: some 1e-7 of the log-probabilities that it is taken of.
      const double kl = w.kl();
      ASSERT_LE(kl, c.delta * (1 + 1e-4) + 1e-6) << c.environment << " update " << k;
      greatest = std::max(greatest, kl / c.delta);
      least_reported = std::min(least_reported, metric(metrics, "kl"));
    }
  }
  std::printf("%ld of %ld steps accepted, greatest KL %.6f delta\n", accepted, updates, greatest);
  EXPECT_EQ(updates, 10000);
  EXPECT_GT(accepted, 7000);
  EXPECT_GT(greatest, 0.8);
}

// About a hundred parameters: the conjugate gradient on products against the matrix in full.
TEST(TrustRegion, TheDirectionSolvesTheSystemOfTheFullMatrix) {
  struct Case {
    const char* environment;
    const char* hidden;
    double damping;
  };
  for (const Case& c :
       {Case{"cartpole", "16", 0.1}, Case{"cartpole", "16", 0.02}, Case{"cartpole", "16", 1e-5},
        Case{"pendulum", "16", 0.01}, Case{"pendulum", "16", 3e-3}, Case{"pendulum", "16", 1e-5},
        Case{"acrobot", "8,4", 0.1}, Case{"mdp", "8", 1e-4}}) {
    SCOPED_TRACE(std::string(c.environment) + " " + std::to_string(c.damping));
    LearnerParts p(c.environment, "trpo",
                   {"n_envs=16", "n_steps=32", std::string("hidden=") + c.hidden, "activation=tanh",
                    "normalize_observations=false"});
    scatter(p, 0.3, 71);
    p.learner.collect();
    p.learner.estimate_advantages();
    const std::vector<Vector> inputs = recorded_inputs(p);
    const Vector theta = policy_of(p);
    const long d = long(theta.size());
    TrustRegion region(*p.backend, p.learner);
    region.prepare();
    const Eigen::VectorXd g =
        -Eigen::Map<Eigen::VectorXf>(p.learner.policy().parameters().gradient(), d).cast<double>();
    const double curvature = region.natural_direction(c.damping, 1000, 1e-14);
    region.try_step(1);
    Eigen::VectorXd x(d);
    for (long j = 0; j < d; j++) x[j] = policy_of(p)[j] - theta[j];
    region.restore();
    EXPECT_EQ(policy_of(p), theta) << "restored bit for bit";
    const Eigen::MatrixXd fisher = reference_fisher(p.learner.policy().shape(), inputs, theta);
    const Eigen::MatrixXd damped = fisher + c.damping * Eigen::MatrixXd::Identity(d, d);
    // Products and vectors are of float: the residual stays at some of its roundings.
    EXPECT_LT((damped * x - g).norm(), 1e-4 * g.norm());
    EXPECT_NEAR(curvature, g.dot(damped.ldlt().solve(g)), 1e-3 * curvature);
    EXPECT_NEAR(region.slope(), g.dot(x), 1e-4 * region.slope());

    // The part of the curvature that damping has no share in: KL is that part of delta.
    const double share = x.dot(fisher * x) / x.dot(damped * x);
    const double delta = 1e-4, beta = std::sqrt(2 * delta / curvature);
    const TrustRegion::Candidate stepped = region.try_step(beta);
    const double kl = reference_kl(p.learner.policy().shape(), inputs, theta, policy_of(p));
    EXPECT_NEAR(stepped.kl, kl, 1e-3 * kl + 2e-7);
    EXPECT_LT(share, 1);
    // Less damped, the step goes far along directions in which the quadratic model ends early.
    if (c.damping > 1e-5 || p.learner.environments().has_index_observations()) {
      EXPECT_GE(kl, 0.9 * share * delta);
      EXPECT_LE(kl, 1.1 * share * delta);
      region.try_step(beta / std::sqrt(share));
      const double undamped = reference_kl(p.learner.policy().shape(), inputs, theta, policy_of(p));
      EXPECT_GE(undamped, 0.9 * delta);
      EXPECT_LE(undamped, 1.1 * delta);
    }
    std::printf("%s, %ld parameters, damping %g: residual %.1e, KL %.3f delta for %.3f\n",
                c.environment, d, c.damping, (damped * x - g).norm() / g.norm(), kl / delta, share);
  }
}

// KL after a full step without damping is delta (1 + O(sqrt delta)).
TEST(TrustRegion, TheDivergenceScalesWithDelta) {
  LearnerParts p("cartpole", "trpo", {"n_envs=32", "n_steps=32", "hidden="});
  scatter(p, 0.1, 72);
  p.learner.collect();
  p.learner.estimate_advantages();
  const std::vector<Vector> inputs = recorded_inputs(p);
  const Vector theta = policy_of(p);
  TrustRegion region(*p.backend, p.learner);
  region.prepare();
  const double curvature = region.natural_direction(1e-6, 100, 1e-14);
  for (const double delta : {1e-2, 1e-3, 1e-4, 1e-5}) {
    region.try_step(std::sqrt(2 * delta / curvature));
    const double kl = reference_kl(p.learner.policy().shape(), inputs, theta, policy_of(p));
    EXPECT_NEAR(kl / delta, 1, 3 * std::sqrt(delta) + 1e-3) << delta;
  }
}

// Observations and weights in other units are the same policies: the natural gradient makes the
// same step, whatever the units.
TEST(TrustRegion, TheNaturalGradientDoesNotDependOnTheParametrisation) {
  std::vector<std::vector<Vector>> outputs;
  for (const Vector& unit : {Vector{1, 1, 1, 1}, Vector{4, 0.5, 8, 0.25}}) {
    LearnerParts p("cartpole", "trpo", {"n_envs=32", "n_steps=32", "hidden="});
    p.learner.collect();
    p.learner.estimate_advantages();
    auto* observation = const_cast<float*>(p.arrays().observation);
    for (long s = 0; s < p.learner.n_samples(); s++) {
      for (int k = 0; k < 4; k++) observation[(s / 32 * 4 + k) * 32 + s % 32] *= float(unit[k]);
    }
    std::vector<float> theta = p.learner.policy().parameters().values();
    for (int k = 0; k < 4; k++) {
      for (int i = 0; i < 2; i++) theta[2 * k + i] /= float(unit[k]);
    }
    p.backend->to_device(p.learner.policy().parameters().mutable_data(), theta.data(),
                         theta.size() * sizeof(float));
    TrustRegion region(*p.backend, p.learner);
    region.prepare();
    const double curvature = region.natural_direction(0, 200, 1e-14);
    region.try_step(std::sqrt(2 * 0.01 / curvature));
    std::vector<Vector> of_samples;
    for (const Vector& x : recorded_inputs(p)) {
      const Vector y = reference_forward(p.learner.policy().shape().network, policy_of(p), x);
      of_samples.push_back({y[1] - y[0]});
    }
    outputs.push_back(of_samples);
  }
  double difference = 0, size = 0;
  for (std::size_t s = 0; s < outputs[0].size(); s++) {
    difference = std::max(difference, std::abs(outputs[0][s][0] - outputs[1][s][0]));
    size = std::max(size, std::abs(outputs[0][s][0]));
  }
  EXPECT_LT(difference, 1e-4 * size);
  EXPECT_GT(size, 0.1);
}

// Three states, two actions: six parameters, along three of which the policy does not change. Three
// iterations solve the system, two do not.
TEST(TrustRegion, TheConjugateGradientEndsWithTheRankOfTheMatrix) {
  LearnerParts p("mdp", "trpo", {"n_envs=64", "n_steps=32"});
  scatter(p, 0.3, 73);
  p.learner.collect();
  p.learner.estimate_advantages();
  const Vector theta = policy_of(p);
  TrustRegion region(*p.backend, p.learner);
  region.prepare();
  const Eigen::VectorXd g =
      -Eigen::Map<Eigen::VectorXf>(p.learner.policy().parameters().gradient(), 6).cast<double>();
  const Eigen::MatrixXd fisher =
      reference_fisher(p.learner.policy().shape(), recorded_inputs(p), theta) +
      1e-3 * Eigen::MatrixXd::Identity(6, 6);
  const auto residual = [&](int iterations) {
    region.natural_direction(1e-3, iterations, 0);
    region.try_step(1);
    Eigen::VectorXd x(6);
    for (long j = 0; j < 6; j++) x[j] = policy_of(p)[j] - theta[j];
    region.restore();
    return (fisher * x - g).norm() / g.norm();
  };
  EXPECT_LT(residual(3), 1e-5);
  EXPECT_LT(residual(50), 1e-5) << "more do no harm";
  EXPECT_GT(residual(2), 1e-3);
  EXPECT_GT(residual(1), residual(2));
}

// A bandit pi = N(theta, sigma^2): three nodes of Gauss-Hermite quadrature, weights 1/6, 2/3, 1/6,
// stand for all samples, for they have the moments of a normal up to the fifth.
TEST(TrustRegion, TheGaussianBandit) {
  const double sigma = 0.5, mean = 0.7, c = -0.4;
  PolicyShape shape = {{NetworkKind::kMlp, Activation::kTanh, 1, {1, 1}}, Head::kGaussian, 1};
  const std::vector<float> theta = {0, float(mean), float(std::log(sigma))};
  const double nodes[] = {-std::sqrt(3.0), 0, 0, 0, 0, std::sqrt(3.0)};
  const std::unique_ptr<Backend> backend = make_cpu_backend(1);
  for (const bool quadratic : {true, false}) {
    std::vector<float> observation(6, 0.0f), action, log_prob(6, 0.0f), advantage;
    for (const double z : nodes) {
      action.push_back(float(mean + sigma * z));
      advantage.push_back(float(quadratic ? -std::pow(mean + sigma * z - c, 2) : z));
    }
    PolicyGradientRequest r = {};
    r.policy = {shape, theta.data(), {nullptr, nullptr, 0}};
    r.samples = {
        6,       1,       1, observation.data(), action.data(), log_prob.data(), advantage.data(),
        nullptr, nullptr, 6};
    r.loss = PolicyLoss::kLikelihoodRatio;
    r.weight = 1.0f / 6;
    std::vector<float> gradient(3 + kPolicyStatistics);
    r.gradient = gradient.data();
    backend->policy_gradient(r);
    EXPECT_NEAR(-gradient[1], quadratic ? -2 * (mean - c) : 1 / sigma, 2e-6);
    EXPECT_NEAR(-gradient[2], quadratic ? -2 * sigma * sigma : 0, 2e-6);
    // F^-1 g is known: its product with F is g.
    const double along_mean = quadratic ? -2 * sigma * sigma * (mean - c) : sigma;
    const std::vector<float> natural = {0, float(along_mean),
                                        float(quadratic ? -sigma * sigma : 0)};
    FisherRequest f = {};
    f.policy = r.policy;
    f.samples = r.samples;
    f.weight = r.weight;
    std::vector<float> units(unit_floats(shape)), product(3);
    f.units = units.data();
    f.unit_stride = unit_floats(shape);
    f.vector = natural.data();
    f.product = product.data();
    backend->fisher_prepare(f);
    backend->fisher_product(f);
    double curvature = 0;
    for (int j = 0; j < 3; j++) {
      EXPECT_NEAR(product[j], -gradient[j], 4e-6) << j;
      curvature += double(natural[j]) * double(product[j]);
    }
    if (quadratic) continue;
    const double delta = 0.01, beta = std::sqrt(2 * delta / curvature);
    EXPECT_NEAR(beta * along_mean, sigma * std::sqrt(2 * delta), 1e-6);
  }
}

// KL(N(0, 1) || N(0.3, 1.2^2)) and the reverse.
TEST(Divergence, OfTwoGaussians) {
  const PolicyShape shape = {{NetworkKind::kMlp, Activation::kTanh, 1, {1, 1}}, Head::kGaussian, 1};
  const std::vector<float> a = {0, 0, 0}, b = {0, 0.3f, float(std::log(1.2))};
  const std::unique_ptr<Backend> backend = make_cpu_backend(1);
  for (const auto& [old, now, exact] :
       {std::tuple(a, b, 0.060793779), std::tuple(b, a, 0.082678443)}) {
    const Vector from(old.begin(), old.end()), to(now.begin(), now.end());
    EXPECT_NEAR(reference_kl(shape, {{0.0}}, from, to), exact, 3e-8) << "parameters are floats";
    std::vector<float> x(5, 0.0f), units(unit_floats(shape));
    FisherRequest f = {};
    f.policy = {shape, old.data(), {nullptr, nullptr, 0}};
    f.samples = {5, 1, 1, x.data(), x.data(), x.data(), x.data(), nullptr, nullptr, 5};
    f.units = units.data();
    f.unit_stride = unit_floats(shape);
    backend->fisher_prepare(f);
    DivergenceRequest r = {};
    r.candidate = {shape, now.data(), {nullptr, nullptr, 0}};
    r.samples = f.samples;
    r.old_units = units.data();
    r.unit_stride = unit_floats(shape);
    r.old_log_std = old.data() + 2;
    float sums[kDivergenceSums];
    r.sums = sums;
    backend->policy_divergence(r);
    EXPECT_NEAR(sums[kSumKl] / 5, exact, 2e-7);
  }
}

// The natural gradient of the three-state process in double, by enumeration: the reference's own
// numbers, and that damping converges to them although F is singular.
TEST(NaturalGradient, OfTheDecisionProcessByEnumeration) {
  ThreeStateMdp mdp;
  double occupancy[3] = {}, now[3] = {1, 0, 0};
  Eigen::VectorXd g = Eigen::VectorXd::Zero(6);
  for (int t = 0; t < 4; t++) {
    double next[3] = {};
    for (int s = 0; s < 3; s++) {
      occupancy[s] += now[s];
      double q[2], v = 0;
      for (int a = 0; a < 2; a++) {
        q[a] = mdp.reward[s][a];
        for (int k = 0; k < 3; k++) {
          q[a] += mdp.transition[s][a][k] * mdp.value(k, 3 - t);
          next[k] += now[s] * mdp.probability(s, a) * mdp.transition[s][a][k];
        }
        v += mdp.probability(s, a) * q[a];
      }
      for (int a = 0; a < 2; a++) g[2 * s + a] += now[s] * mdp.probability(s, a) * (q[a] - v) / 4;
    }
    std::copy(next, next + 3, now);
  }
  Eigen::MatrixXd fisher = Eigen::MatrixXd::Zero(6, 6);
  for (int s = 0; s < 3; s++) {
    const double p = mdp.probability(s, 0) * mdp.probability(s, 1) * occupancy[s] / 4;
    fisher.block<2, 2>(2 * s, 2 * s) << p, -p, -p, p;
  }
  const Eigen::VectorXd natural = fisher.completeOrthogonalDecomposition().solve(g);
  const double expected[] = {.174004917, .208271144, .755178721};
  const double exact_g[] = {0.194890228173, 0.119017164742, 0.199507935135};
  for (int s = 0; s < 3; s++) {
    EXPECT_NEAR(g[2 * s + 1] * 4, exact_g[s], 1e-11);
    EXPECT_NEAR(natural[2 * s + 1], expected[s], 1e-8);
    EXPECT_NEAR(natural[2 * s], -expected[s], 1e-8);
  }
  double last = 4;
  for (const double damping : {1e-2, 1e-4, 1e-6}) {
    const double error =
        ((fisher + damping * Eigen::MatrixXd::Identity(6, 6)).ldlt().solve(g) - natural).norm();
    EXPECT_LT(error, last / 20) << damping;
    last = error;
  }
  const double beta = std::sqrt(2 * 0.01 / g.dot(natural));
  EXPECT_NEAR(beta, .437098334, 1e-8);
  ThreeStateMdp moved = mdp;
  for (int j = 0; j < 6; j++) moved.theta[j / 2][j % 2] += beta * natural[j];
  EXPECT_NEAR(moved.theta[2][0], -.530087361, 1e-8);
  double kl = 0;
  for (int s = 0; s < 3; s++) {
    for (int a = 0; a < 2; a++) {
      const double p = mdp.probability(s, a);
      kl += occupancy[s] / 4 * p * std::log(p / moved.probability(s, a));
    }
  }
  EXPECT_NEAR(kl, .009653417, 1e-8);
  EXPECT_NEAR(moved.value(0), .908163330, 1e-8);
}

}  // namespace
}  // namespace gallop::testing
