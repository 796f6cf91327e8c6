// Gradients through the simulator: the exact answers of the scalar linear-quadratic system, in
// double and by rollouts; differences of returns; the bits of every split; and what is refused.
#include "tests/learning/pathwise_case.h"

#include <gtest/gtest.h>

#include <cmath>

#include <gallop/host/learning/value_slopes.h>
#include <gallop/kernels/environment/pull_back.h>
#include <gallop/sims/lqr.h>
#include "tests/host/expect_error.h"
#include "tests/learning/kernel_sets.h"
#include "tests/reference/lqr_exact.h"

namespace gallop::testing {
namespace {

constexpr double kGain = 0.4, kSigma = 0.3;

std::unique_ptr<PathwiseCase> linear_case(std::vector<std::string> assignments, int threads = 1) {
  assignments.insert(assignments.begin(),
                     {"hidden=", "gamma=1", "n_steps=10", "init_log_std=-1.2039728043259361"});
  auto c = std::make_unique<PathwiseCase>("lqr", assignments, make_cpu_backend(threads));
  std::vector<float> values = c->learner.policy().parameters().values();
  values[0] = float(-kGain);  // weight, bias, log sigma
  values[1] = 0;
  c->set_parameters(values);
  return c;
}

// Backpropagation through the shipped step in double.
TEST(Pathwise, OfAQuietLinearSystemIsExact) {
  using D = Dual<double, kTangents>;
  constexpr int kHorizon = 10;
  Scenario scenario = {};
  scenario.shared.sizes = {1, 1};
  Lqr::Parameters<double> p;
  Lqr::Parameters<D> derived;
  double values[Traits<Lqr>::kParameters];
  D numbers[Traits<Lqr>::kParameters];
  for (int k = 0; k < Traits<Lqr>::kParameters; k++) {
    values[k] = Lqr::kParameters[k].value;
    if (std::string(Lqr::kParameters[k].name) == "sigma_w") values[k] = 0;
    numbers[k] = D(values[k]);
  }
  std::memcpy(static_cast<void*>(&p), values, sizeof(p));
  std::memcpy(static_cast<void*>(&derived), numbers, sizeof(derived));
  std::vector<StepPoint<Lqr, double>> path;
  Lqr::State<double> s = {};
  s.s[0] = 1;
  double earned = 0;
  for (int t = 0; t < kHorizon; t++) {
    StepPoint<Lqr, double> at = {};
    at.state[0] = s.s[0];
    at.action[0] = -kGain * s.s[0];
    at.elapsed = t;
    path.push_back(at);
    double action[8] = {at.action[0]};
    Rng<double> rng(0, kRandomDynamics, 0u, 0u, std::uint32_t(t));
    earned += step<Lqr, double>(scenario.shared, p, s, action, rng).reward;
  }
  StepAdjoint<Lqr, double> of = {};
  of.reward = 1;
  double by_gain = 0;
  for (int t = kHorizon - 1; t >= 0; t--) {
    double by[Traits<Lqr>::kState + Traits<Lqr>::kActionRows];
    pull_back_step<Lqr, double>(scenario, derived, path[t], true, of, by);
    const double by_action = by[Traits<Lqr>::kState];
    by_gain -= by_action * path[t].state[0];
    for (int k = 0; k < Traits<Lqr>::kState; k++) of.state[k] = by[k];
    of.observation[0] = -kGain * by_action;
  }
  EXPECT_NEAR(earned, -2.314921254103, 1e-11);
  EXPECT_NEAR(by_gain, 3.687966369066, 1e-10);
}

TEST(Pathwise, OfRolloutsWithoutNoiseIsTheSameForEveryInstance) {
  const auto c = linear_case({"parameters.sigma_w=0", "sample_actions=false", "n_envs=5"});
  EXPECT_NEAR(-c->next()[0], 3.687966369066, 2e-5);
  const auto twice =
      linear_case({"parameters.sigma_w=0", "sample_actions=false", "n_envs=3", "n_steps=20"});
  EXPECT_NEAR(-twice->next()[0], 2 * 3.687966369066, 4e-5) << "two episodes, apart";
}

struct Estimate {
  double mean, error;
};
Estimate estimate(const std::vector<double>& of) {
  double sum = 0, squares = 0;
  for (const double x : of) sum += x, squares += x * x;
  const double n = double(of.size()), mean = sum / n;
  return {mean, std::sqrt((squares / n - mean * mean) / (n - 1))};
}

TEST(Pathwise, OfSampledRolloutsIsUnbiasedAndHasTheKnownVariance) {
  constexpr int kEnvs = 1 << 14, kBatches = 24;
  const auto c = linear_case({"n_envs=16384"});
  std::vector<double> by_gain, by_sigma, variances;
  for (int batch = 0; batch < kBatches; batch++) {
    const std::vector<float> g = c->next();
    by_gain.push_back(-double(g[0]));
    by_sigma.push_back(double(g[2]) / kSigma);
    std::vector<double> one(kEnvs, 0.0);
    const Trajectory& t = c->learner.rollout().trajectory();
    for (long k = 0; k < 10L * kEnvs; k++) {
      one[std::size_t(k % kEnvs)] -=
          double(c->gradient.output_slope()[k]) * double(t.observation[k]);
    }
    const Estimate e = estimate(one);
    EXPECT_NEAR(e.mean, by_gain.back(), 1e-4);
    variances.push_back(e.error * e.error * kEnvs);
  }
  const Estimate gain = estimate(by_gain), sigma = estimate(by_sigma);
  EXPECT_NEAR(gain.mean, 4.353621344392, 3 * gain.error);
  EXPECT_NEAR(sigma.mean, -3.289741284308, 3 * sigma.error);
  EXPECT_LT(gain.error, 0.02);
  EXPECT_NEAR(estimate(variances).mean, 9.01, 0.03 * 9.01);
}

// sum of gamma^t r[t] + gamma^h p s[h] along the quiet system's path.
double discounted(double k, double gamma, int horizon, double p) {
  const ScalarLqr lqr;
  const double m = double(lqr.a - lqr.b * k);
  double s = 1, sum = 0, weight = 1;
  for (int t = 0; t < horizon; t++, weight *= gamma, s *= m) {
    sum -= weight * (1 + 0.1 * k * k) * s * s;
  }
  return sum + weight * p * s;
}

TEST(Pathwise, DiscountsAndTakesAValueWhereThePathIsCut) {
  for (const int horizon : {7, 10}) {  // cut by the rollout, and by the time limit
    const auto c = linear_case({"parameters.sigma_w=0", "sample_actions=false", "n_envs=4",
                                "gamma=0.9", "n_steps=" + std::to_string(horizon)});
    const double h = 1e-5;
    for (const double p : {0.0, 0.7}) {
      const std::vector<float> tail(std::size_t(horizon) * 4, float(p));
      const double exact =
          (discounted(kGain + h, 0.9, horizon, p) - discounted(kGain - h, 0.9, horizon, p)) /
          (2 * h);
      EXPECT_NEAR(-c->next(tail.data())[0], exact, 1e-5) << horizon << " " << p;
    }
  }
}

TEST(ValueSlopes, AreThoseAfterTheLastStepAndOfTruncatedEpisodes) {
  for (const int horizon : {7, 25}) {
    const auto c = linear_case({"n_envs=4", "n_steps=" + std::to_string(horizon)});
    c->learner.collect_from_reset();
    ValueSlopes slopes(*c->backend, c->learner.environments(), c->learner.rollout());
    ValueModel& value = c->learner.value();
    slopes.find(value, value.parameters().data(), c->learner.policy().normalization(),
                c->learner.rollout());
    const float weight = value.parameters().values()[0];  // of a linear network
    for (int t = 0; t < horizon; t++) {
      const bool ends = t == horizon - 1 || t % 10 == 9;
      for (int i = 0; i < 4; i++) {
        EXPECT_EQ(slopes.data()[t * 4 + i], ends ? weight : 0.0f) << t;
      }
    }
  }
}

// What the policy of these parameters earns, the noise being the same.
double earned(PathwiseCase& c, const std::vector<float>& parameters, double gamma) {
  c.set_parameters(parameters);
  c.learner.environments().reset_anew(3);
  c.learner.collect_from_reset();
  const Trajectory& t = c.learner.rollout().trajectory();
  double sum = 0, weight = 1;
  for (int step = 0; step < t.n_steps; step++, weight *= gamma) {
    for (int i = 0; i < t.n_envs; i++) sum += weight * t.reward[step * t.n_envs + i];
  }
  return sum / t.n_envs;
}

const std::vector<std::string> kSwingUp = {
    "n_envs=64",         "n_steps=12",      "gamma=0.95",       "hidden=8,5",
    "init_log_std=-0.5", "activation=tanh", "derivatives=exact"};

TEST(Pathwise, OfANetworkIsThatOfDifferencesOfReturns) {
  for (const char* log_std : {"log_std=parameter", "log_std=network"}) {
    std::vector<std::string> assignments = kSwingUp;
    assignments.push_back(log_std);
    PathwiseCase c("cartpole_swingup", assignments, make_cpu_backend(1));
    Random random(4);
    std::vector<float> parameters = c.learner.policy().parameters().values();
    for (float& p : parameters) p += float(0.2 * random.normal());
    earned(c, parameters, 0.95);
    const std::vector<float> gradient = c.find();
    double norm = 0;
    for (const float g : gradient) norm += double(g) * g;
    norm = std::sqrt(norm);
    for (std::size_t k = 0; k < parameters.size(); k += k + 9 < parameters.size() ? 7 : 1) {
      const float was = parameters[k];
      parameters[k] = was + 0.02f;
      const double above = earned(c, parameters, 0.95);
      parameters[k] = was - 0.02f;
      const double below = earned(c, parameters, 0.95);
      parameters[k] = was;
      EXPECT_NEAR(gradient[k], (above - below) / 0.04, 0.01 * norm) << log_std << " " << k;
    }
    EXPECT_GT(norm, 0.005);
  }
}

TEST(Pathwise, ByDifferencesOfStepsIsNearlyTheSame) {
  PathwiseCase exact("cartpole_swingup", kSwingUp, make_cpu_backend(1));
  std::vector<std::string> assignments = kSwingUp;
  assignments.back() = "derivatives=differences";
  PathwiseCase other("cartpole_swingup", assignments, make_cpu_backend(1));
  const std::vector<float> a = exact.next(), b = other.next();
  double norm = 0, distance = 0;
  for (std::size_t k = 0; k < a.size(); k++) {
    norm += double(a[k]) * a[k];
    distance += (double(a[k]) - b[k]) * (double(a[k]) - b[k]);
  }
  EXPECT_LT(std::sqrt(distance), 0.01 * std::sqrt(norm));
  EXPECT_GT(distance, 0) << "they are other numbers";
}

// Episodes end within the rollout, at other steps for each instance.
std::vector<float> bits_of(const std::string& interval, int threads) {
  PathwiseCase c("pendulum",
                 {"n_envs=150", "n_steps=70", "gamma=0.97", "hidden=16,8",
                  "state_interval=" + interval, "normalize_observations=true", "max_adjoint=50"},
                 make_cpu_backend(threads));
  c.learner.environments().set_time_limit(33);
  std::vector<float> all = c.next();
  c.learner.update_normalizer();
  c.learner.collect();
  const std::vector<float> more = c.find();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

TEST(Pathwise, HasTheSameBitsForAnyThreadsAndRecordedStates) {
  const std::vector<float> expected = bits_of("1", 1);
  for (const float g : expected) ASSERT_TRUE(std::isfinite(g));
  for (const int threads : {2, 3}) {
    EXPECT_TRUE(same_bits(bits_of("1", threads), expected)) << threads;
  }
  for (const char* interval : {"2", "7", "70", "1000"}) {
    EXPECT_TRUE(same_bits(bits_of(interval, 2), expected)) << interval;
  }
}

TEST(Pathwise, AnExplodingAdjointIsAnErrorThatNamesInstanceAndStep) {
  const auto c = linear_case({"parameters.sigma_w=0", "parameters.a=1000", "parameters.s0=0",
                              "sample_actions=false", "n_envs=4"});
  std::vector<float> tail(40, 0.0f);
  tail[9 * 4 + 2] = 1;  // 1000^6 is too much: at the sixth step from the end, counted from 0
  c->learner.collect_from_reset();
  test::expect_error_with(
      ExitCode::non_finite, [&] { c->find(tail.data()); }, "instance 2 of lqr at step 3",
      "max_adjoint");
  const auto limited = linear_case({"parameters.sigma_w=0", "parameters.a=1000", "parameters.s0=0",
                                    "sample_actions=false", "n_envs=4", "max_adjoint=10"});
  limited->learner.collect_from_reset();
  EXPECT_NO_THROW(limited->find(tail.data()));
}

TEST(Pathwise, WhatHasNoDerivativesIsRefusedWithTheReason) {
  const auto refuse = [](const char* environment, std::vector<std::string> assignments,
                         const char* first, const char* second) {
    test::expect_error_with(
        ExitCode::value, [&] { PathwiseCase c(environment, assignments, make_cpu_backend(1)); },
        first, second);
  };
  refuse("cartpole", {}, "cartpole", "actions are discrete");
  refuse("cartpole", {"derivatives=differences"}, "cartpole", "actions are discrete");
  refuse("inverted_pendulum", {}, "inverted_pendulum", "derivatives = differences");
  refuse("pendulum", {"nonfinite=reset"}, "nonfinite", "expected stop");
  PathwiseCase c("inverted_pendulum", {"derivatives=differences", "n_envs=4", "n_steps=5"},
                 make_cpu_backend(1));
  for (const float g : c.next()) EXPECT_TRUE(std::isfinite(g));
}

TEST(Pathwise, LeavesParametersAloneThatAreNotLearnt) {
  if (environment_called("helicopter") == nullptr) GTEST_SKIP() << "not built";
  PathwiseCase c("helicopter",
                 {"policy=own", "parameters.features=1", "n_envs=8", "n_steps=10", "gamma=1"},
                 make_cpu_backend(1));
  const std::vector<float> gradient = c.next();
  const std::uint8_t* const fixed = c.learner.policy().view().fixed;
  ASSERT_NE(fixed, nullptr);
  int n_learnt = 0;
  for (std::size_t k = 0; k < gradient.size(); k++) {
    if (fixed[k] != 0) {
      EXPECT_EQ(gradient[k], 0.0f) << k;
    } else {
      n_learnt += gradient[k] != 0 ? 1 : 0;
    }
  }
  EXPECT_GE(n_learnt, 12);
}

TEST(PullBack, OfAnEnvironmentThatIsNotSmoothIsRefused) {
  const auto backend = make_cpu_backend(1);
  test::expect_error_with(
      ExitCode::value,
      [&] { backend->pull_back_instances(find_environment("cartpole"), PullBackRequest()); },
      "pull_back_instances", "kSmooth");
}

TEST(PolicyPullBack, WhatCannotBeServedIsRefusedByName) {
  const auto backend = make_cpu_backend(1);
  const auto refuse = [&](const PolicyPullBackRequest& r, const char* what) {
    test::expect_error_with(
        ExitCode::value, [&] { backend->policy_pull_back(r); }, "policy_pull_back", what);
  };
  PolicyPullBackRequest r = {};
  r.policy.shape.n_actions = 1;
  r.policy.shape.head = Head::kCategorical;
  refuse(r, "discrete");
  for (const Head bounded : {Head::kSquashedGaussian, Head::kSquashedDeterministic}) {
    r.policy.shape.head = bounded;
    refuse(r, "bounded");
  }
  r.policy.shape.head = Head::kGaussian;
  refuse(r, "own_slope");
  r.policy.shape.network.kind = NetworkKind::kTabular;
  refuse(r, "table");
  float slope = 0;
  r.policy.shape.network.kind = NetworkKind::kMlp;
  r.policy.shape.head = Head::kDeterministic;
  r.own_slope = &slope;
  refuse(r, "own_slope");
}

}  // namespace
}  // namespace gallop::testing
