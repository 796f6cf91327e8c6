// Policy gradients of problems whose answers are known: the three-state decision process, by
// enumeration of its trajectories and by rollouts of the environment, and the scalar
// linear-quadratic system. Numbers: the algorithms' reference, sections 5.1 and 5.2; each follows
// from exact enumeration or the recursions of second moments.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include <gallop/host/registry/registry.h>
#include <gallop/host/runtime/environments.h>
#include "tests/learning/kernel_sets.h"

namespace gallop::testing {
namespace {

constexpr double kTransitions[3][2][3] = {
    {{.8, .2, 0}, {.1, .8, .1}}, {{.7, .2, .1}, {0, .3, .7}}, {{.5, .5, 0}, {.2, .2, .6}}};
constexpr double kRewards[3][2] = {{0, -.1}, {.2, -.2}, {1, 2}};
constexpr int kHorizon = 4;
const std::vector<float> kTheta = {.2f, -.1f, 0, .3f, -.2f, .1f};
// dU / d theta[s, 1]; that of action 0 is its negative.
constexpr double kGradient[3] = {0.194890228173, 0.119017164742, 0.199507935135};
constexpr double kReturn = 0.718458947309;
// Total variances of estimators from one trajectory.
constexpr double kReinforce = 3.311351897, kRewardToGo = 2.739666683, kValueBaseline = 1.321976767;
constexpr double kValues[3] = {0.718458947309, 1.459046771, 2.897565427};  // of the whole horizon

PolicyShape table_of(int states, int actions) {
  PolicyShape shape = {};
  shape.network = {NetworkKind::kTabular, Activation::kTanh, 1, {states, actions}};
  shape.head = Head::kCategorical;
  shape.n_actions = actions;
  return shape;
}

double probability(int s, int a) {
  return 1 / (1 + std::exp(double(kTheta[2 * s + 1 - a]) - double(kTheta[2 * s + a])));
}

// State values with `left` steps to go, by dynamic programming.
double value(int left, int s) {
  if (left == 0) return 0;
  double sum = 0;
  for (int a = 0; a < 2; a++) {
    double next = kRewards[s][a];
    for (int k = 0; k < 3; k++) next += kTransitions[s][a][k] * value(left - 1, k);
    sum += probability(s, a) * next;
  }
  return sum;
}

// All trajectories of state, action, ..., as samples whose advantages carry the probability.
struct Enumeration {
  std::vector<float> observation, action, log_prob, advantage;
  double total = 0, expected_return = 0;
  int trajectories = 0;

  void extend(std::array<int, kHorizon>& states, std::array<int, kHorizon>& actions, int t, int s,
              double p) {
    if (t == kHorizon) {
      trajectories++;
      total += p;
      double to_go = 0;
      for (int k = kHorizon - 1; k >= 0; k--) {
        to_go += kRewards[states[k]][actions[k]];
        observation.push_back(float(states[k]));
        action.push_back(float(actions[k]));
        log_prob.push_back(0);
        advantage.push_back(float(p * to_go));
      }
      expected_return += p * to_go;
      return;
    }
    states[t] = s;
    for (int a = 0; a < 2; a++) {
      actions[t] = a;
      if (t + 1 == kHorizon) {  // where the last step leads does not matter
        extend(states, actions, t + 1, 0, p * probability(s, a));
        continue;
      }
      for (int k = 0; k < 3; k++) {
        const double next = kTransitions[s][a][k];
        if (next > 0) extend(states, actions, t + 1, k, p * probability(s, a) * next);
      }
    }
  }
};

TEST(ExactGradient, TheDecisionProcessByEnumeration) {
  Enumeration e;
  std::array<int, kHorizon> states, actions;
  e.extend(states, actions, 0, 0, 1.0);
  EXPECT_NEAR(e.total, 1, 1e-12);
  EXPECT_NEAR(e.expected_return, kReturn, 1e-8);
  for (int s = 0; s < 3; s++) EXPECT_NEAR(value(kHorizon, s), kValues[s], 1e-8);
  EXPECT_GT(e.trajectories, 100);
  const std::unique_ptr<Backend> backend = make_cpu_backend(1);
  PolicyGradientRequest r = {};
  r.policy = {table_of(3, 2), kTheta.data(), {nullptr, nullptr, 0}};
  const long count = long(e.action.size());
  r.samples = {int(count),
               1,
               1,
               e.observation.data(),
               e.action.data(),
               e.log_prob.data(),
               e.advantage.data(),
               nullptr,
               nullptr,
               count};
  r.loss = PolicyLoss::kLikelihoodRatio;
  r.weight = 1;
  std::vector<float> gradient(6 + kPolicyStatistics);
  r.gradient = gradient.data();
  backend->policy_gradient(r);
  for (int s = 0; s < 3; s++) {
    EXPECT_NEAR(gradient[2 * s], kGradient[s], 1e-6) << "state " << s;
    EXPECT_NEAR(gradient[2 * s + 1], -kGradient[s], 1e-6) << "state " << s;
  }
}

// Mean and total variance of an estimator from batches of independent episodes.
struct Estimate {
  std::vector<double> mean;
  double total_variance = 0;  // of one episode
};

// `advantage(t, n)` fills the advantages of a batch of recorded episodes.
template <class Advantage>
Estimate estimate(const PolicyShape& shape, const std::vector<float>& parameters,
                  const std::string& environment, int horizon, int batches, int episodes,
                  Advantage advantage) {
  const std::unique_ptr<Backend> backend = make_cpu_backend(2);
  const long count = long(horizon) * episodes, d = long(parameters.size());
  std::vector<std::vector<double>> gradients;
  for (int b = 0; b < batches; b++) {
    EnvironmentOptions options;
    options.n_envs = episodes;
    options.seed = 17;
    options.id_offset = std::uint32_t(b) * std::uint32_t(episodes);
    Environments e(*backend, find_environment(environment), options);
    e.reset();
    EXPECT_EQ(e.time_limit(), horizon);
    std::vector<float> observation(count + episodes), action(count), log_prob(count), reward(count);
    std::vector<std::uint8_t> terminated(count), truncated(count);
    Trajectory t = {};
    t.n_steps = horizon;
    t.n_envs = episodes;
    t.observation = observation.data();
    t.action = action.data();
    t.log_prob = log_prob.data();
    t.reward = reward.data();
    t.terminated = terminated.data();
    t.truncated = truncated.data();
    const PolicyView policy = {shape, parameters.data(), {nullptr, nullptr, 0}};
    e.rollout(ActionSource::kPolicy, policy, false, t);
    std::vector<float> to_go(count);
    ReturnsRequest returns = {};
    returns.n_steps = horizon;
    returns.n_envs = episodes;
    returns.gamma = returns.reward_scale = 1;
    returns.reward = reward.data();
    returns.terminated = terminated.data();
    returns.truncated = truncated.data();
    returns.returns = to_go.data();
    backend->returns(returns);
    const std::vector<float> advantages = advantage(to_go, observation);
    PolicyGradientRequest r = {};
    r.policy = policy;
    r.samples = {episodes,
                 1,
                 1,
                 observation.data(),
                 action.data(),
                 log_prob.data(),
                 advantages.data(),
                 nullptr,
                 nullptr,
                 count};
    r.loss = PolicyLoss::kLikelihoodRatio;
    r.weight = 1.0f / float(episodes);
    std::vector<float> gradient(d + kPolicyStatistics);
    r.gradient = gradient.data();
    backend->policy_gradient(r);
    gradients.emplace_back(gradient.begin(), gradient.begin() + d);
    for (double& g : gradients.back()) g = -g;  // of the return, not of the loss
  }
  Estimate result;
  result.mean.assign(d, 0);
  for (const auto& g : gradients) {
    for (long i = 0; i < d; i++) result.mean[i] += g[i] / batches;
  }
  for (const auto& g : gradients) {
    for (long i = 0; i < d; i++) {
      const double x = g[i] - result.mean[i];
      result.total_variance += x * x * episodes / (batches - 1);
    }
  }
  return result;
}

TEST(ExactGradient, TheDecisionProcessBySamplingWithItsVariances) {
  constexpr int kEpisodes = 1024, kBatches = 256;
  const auto at = [](int t, int n) { return long(t) * kEpisodes + n; };
  const auto reinforce = [&](const std::vector<float>& to_go, const std::vector<float>&) {
    std::vector<float> a(to_go.size());
    for (int t = 0; t < kHorizon; t++) {
      for (int n = 0; n < kEpisodes; n++) a[at(t, n)] = to_go[at(0, n)];
    }
    return a;
  };
  const auto reward_to_go = [](const std::vector<float>& to_go, const std::vector<float>&) {
    return to_go;
  };
  const auto less_value = [&](const std::vector<float>& to_go, const std::vector<float>& state) {
    std::vector<float> a = to_go;
    for (int t = 0; t < kHorizon; t++) {
      for (int n = 0; n < kEpisodes; n++) {
        a[at(t, n)] -= float(value(kHorizon - t, int(state[at(t, n)])));
      }
    }
    return a;
  };
  const auto check = [&](auto advantage, double variance, const char* name) {
    const Estimate e =
        estimate(table_of(3, 2), kTheta, "mdp", kHorizon, kBatches, kEpisodes, advantage);
    double squares = 0;
    for (int s = 0; s < 3; s++) {
      EXPECT_NEAR(e.mean[2 * s], -e.mean[2 * s + 1], 1e-6);
      squares += 2 * std::pow(e.mean[2 * s + 1] - kGradient[s], 2);
    }
    const double standard_error = std::sqrt(variance / (kBatches * double(kEpisodes)));
    EXPECT_LT(std::sqrt(squares), 3 * standard_error) << name;
    // Its own standard error from 256 batches of few dimensions is below 7 %.
    EXPECT_NEAR(e.total_variance / variance, 1, 0.2) << name;
    std::printf("%s: error %.2f standard errors, variance %.3f for %.3f\n", name,
                std::sqrt(squares) / standard_error, e.total_variance, variance);
  };
  check(reinforce, kReinforce, "REINFORCE");
  check(reward_to_go, kRewardToGo, "rewards to go");
  check(less_value, kValueBaseline, "rewards to go less the value");
}

TEST(ExactGradient, TheLinearQuadraticSystemBySampling) {
  // u = -k s + sigma e with k = 0.4, sigma = 0.3: weight -k, bias 0, log sigma.
  PolicyShape shape = {};
  shape.network = {NetworkKind::kMlp, Activation::kTanh, 1, {1, 1}};
  shape.head = Head::kGaussian;
  shape.n_actions = 1;
  const std::vector<float> parameters = {-0.4f, 0, float(std::log(0.3))};
  const auto reward_to_go = [](const std::vector<float>& to_go, const std::vector<float>&) {
    return to_go;
  };
  constexpr int kEpisodes = 4096, kBatches = 128;
  const Estimate e = estimate(shape, parameters, "lqr", 10, kBatches, kEpisodes, reward_to_go);
  const double by_gain = 4.353621344392, by_sigma = -3.289741284308, variance = 284;
  const double standard_error = std::sqrt(variance / (kBatches * double(kEpisodes)));
  EXPECT_NEAR(-e.mean[0], by_gain, 3 * standard_error);
  // The variance of the other two is of the same size.
  EXPECT_NEAR(e.mean[2], 0.3 * by_sigma, 3 * standard_error);
  std::printf("dU/dk %.4f for %.4f, sigma dU/dsigma %.4f for %.4f, standard error %.4f\n",
              -e.mean[0], by_gain, e.mean[2], 0.3 * by_sigma, standard_error);
}

}  // namespace
}  // namespace gallop::testing
