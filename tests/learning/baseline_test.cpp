// host/learning/baseline.h and what it makes: linear baselines against normal equations in double,
// means by age, fitted V iteration against exact values, and the proximal fit of a network.
#include <gallop/host/learning/baseline.h>

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <map>

#include <gallop/host/learning/linear_baseline.h>
#include <gallop/host/learning/time_baseline.h>
#include "tests/host/temporary_folder.h"
#include "tests/learning/kernel_sets.h"
#include "tests/learning/learner_parts.h"
#include "tests/training/learner.h"

namespace gallop::testing {
namespace {

// Features of a sample by their definition, each rounded to float once an operation.
Eigen::VectorXd features_of(const LearnerParts& p, const float* observation, long sample,
                            float age) {
  const int o = p.learner.environments().observation_size(), envs = p.arrays().n_envs;
  std::vector<float> phi;
  if (p.learner.environments().has_index_observations()) {
    phi.assign(o, 0.0f);
    phi[int(observation[sample])] = 1.0f;
  } else {
    for (int k = 0; k < o; k++) {
      float x = observation[(sample / envs * o + k) * envs + sample % envs];
      const Normalization by = p.learner.policy().view().normalization;
      if (by.mean != nullptr) x = (x - by.mean[k]) * by.inverse_std[k];
      phi.push_back(std::min(10.0f, std::max(-10.0f, x)));
    }
    for (int k = 0; k < o; k++) phi.push_back(phi[k] * phi[k]);
  }
  const float t = age * 0.01f;
  for (const float x : {t, t * t, t * t * t, 1.0f}) phi.push_back(x);
  return Eigen::Map<Eigen::VectorXf>(phi.data(), long(phi.size())).cast<double>();
}

Eigen::MatrixXd all_features(const LearnerParts& p) {
  const long n = p.learner.n_samples();
  Eigen::MatrixXd phi(n, features_of(p, p.arrays().observation, 0, 0).size());
  for (long s = 0; s < n; s++) {
    phi.row(s) = features_of(p, p.arrays().observation, s, p.arrays().age[s]).transpose();
  }
  return phi;
}

Eigen::VectorXd random_targets(LearnerParts& p, Random& random) {
  Eigen::VectorXd y(p.learner.n_samples());
  for (long s = 0; s < y.size(); s++) y[s] = p.arrays().target[s] = float(3 + random.normal());
  return y;
}

struct LinearCase {
  const char* environment;
  const char* proximal;
  const char* normalize;
};

// Three fits in a row, so that w_i is what the last one left.
TEST(LinearBaseline, SolvesTheNormalEquationsWithItsProximalTerm) {
  for (const LinearCase& c :
       {LinearCase{"cartpole", "0.01", "false"}, LinearCase{"cartpole", "3", "true"},
        LinearCase{"pendulum", "100", "false"}, LinearCase{"pendulum", "1e6", "true"},
        LinearCase{"mdp", "0.5", "false"}, LinearCase{"mdp", "1e4", "false"}}) {
    SCOPED_TRACE(std::string(c.environment) + " " + c.proximal);
    LearnerParts p(c.environment, "vpg",
                   {"n_envs=33", "n_steps=40", "hidden=4", "baseline=linear",
                    std::string("value_proximal=") + c.proximal,
                    std::string("normalize_observations=") + c.normalize});
    LinearBaseline baseline(p.context, p.learner);
    const double lambda = std::stod(c.proximal);
    Eigen::VectorXd last = Eigen::VectorXd::Zero(long(baseline.weights().size()));
    Random random(3);
    for (int fit = 0; fit < 3; fit++) {
      p.learner.collect();
      const Eigen::VectorXd y = random_targets(p, random);
      const double loss = baseline.fit();
      const Eigen::MatrixXd phi = all_features(p);
      const Eigen::MatrixXd matrix =
          phi.transpose() * phi + lambda * Eigen::MatrixXd::Identity(phi.cols(), phi.cols());
      const Eigen::VectorXd w = matrix.fullPivLu().solve(phi.transpose() * y + lambda * last);
      ASSERT_EQ(w.size(), long(baseline.weights().size()));
      for (long k = 0; k < w.size(); k++) {
        EXPECT_NEAR(baseline.weights()[k], w[k], 1e-6 * w.cwiseAbs().maxCoeff()) << "weight " << k;
        last[k] = baseline.weights()[k];
      }
      EXPECT_NEAR(loss, (phi * w - y).squaredNorm() / double(y.size()) / 2, 1e-5);
      p.learner.update_normalizer();
    }
    EXPECT_GT(last.norm(), 1e-4);
  }
}

// Without a proximal term there is a ridge of 1e-5 I: the objective is that of the solution by QR.
TEST(LinearBaseline, WithoutAProximalTermItIsRidgeRegression) {
  for (const char* environment : {"cartpole", "pendulum", "mdp"}) {
    LearnerParts p(environment, "vpg", {"n_envs=33", "n_steps=40", "hidden=4", "baseline=linear"});
    LinearBaseline baseline(p.context, p.learner);
    Random random(4);
    for (int fit = 0; fit < 2; fit++) {
      p.learner.collect();
      const Eigen::VectorXd y = random_targets(p, random);
      baseline.fit();
      const Eigen::MatrixXd phi = all_features(p);
      const long n = phi.rows(), k = phi.cols();
      Eigen::MatrixXd stacked(n + k, k);
      stacked << phi, std::sqrt(1e-5) * Eigen::MatrixXd::Identity(k, k);
      Eigen::VectorXd right = Eigen::VectorXd::Zero(n + k);
      right.head(n) = y;
      const Eigen::VectorXd exact = stacked.householderQr().solve(right);
      const Eigen::VectorXd w =
          Eigen::Map<const Eigen::VectorXf>(baseline.weights().data(), k).cast<double>();
      const double best = (stacked * exact - right).squaredNorm();
      EXPECT_NEAR((stacked * w - right).squaredNorm(), best, 1e-7 * best) << environment;
      EXPECT_LT((stacked * (w - exact)).norm(), 1e-4 * right.norm()) << environment;
    }
  }
}

TEST(LinearBaseline, ValuesAreTheWeightsOnTheFeaturesOfEveryState) {
  for (const char* environment : {"cartpole", "mdp"}) {
    LearnerParts p(
        environment, "vpg",
        {"n_envs=19", "n_steps=70", "hidden=4", "baseline=linear", "normalize_observations=true"});
    LinearBaseline baseline(p.context, p.learner);
    Random random(5);
    long cut = 0, old = 0;
    for (int round = 0; round < 3; round++) {
      p.learner.collect();
      random_targets(p, random);
      baseline.fit();
      p.learner.update_normalizer();
      p.learner.collect();
      const RolloutArrays a = p.arrays();
      const long n = p.learner.n_samples();
      std::fill(a.value, a.value + n + a.n_envs, NAN);
      std::fill(a.final_value, a.final_value + n, NAN);
      baseline.evaluate();
      const Eigen::VectorXd w = Eigen::Map<const Eigen::VectorXf>(baseline.weights().data(),
                                                                  long(baseline.weights().size()))
                                    .cast<double>();
      for (long s = 0; s < n + a.n_envs; s++) {
        ASSERT_NEAR(a.value[s], w.dot(features_of(p, a.observation, s, a.age[s])), 2e-4) << s;
        old += s < a.n_envs && a.age[s] > 0;
        if (s >= n || !a.truncated[s] || a.terminated[s]) continue;
        const long shared = s / a.n_envs / a.final_interval * a.n_envs + s % a.n_envs;
        ASSERT_NEAR(a.final_value[s],
                    w.dot(features_of(p, a.final_observation, shared, a.age[s] + 1)), 2e-4);
        cut++;
      }
    }
    EXPECT_GT(old + cut, 20) << "ages go on from the last rollout, or episodes are cut";
  }
}

// Features that repeat each other: one state that never changes beside the constant, and fewer
// samples than features.
TEST(LinearBaseline, FeaturesThatDependOnEachOtherStayFinite) {
  const test::TemporaryFolder folder;
  const std::string file = folder / "one.mdp";
  test::put_file(file, "states 1\nactions 2\nhorizon 5\nstart 1\nstep 0 0 1 1\nstep 0 1 -1 1\n");
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{"file=" + file, "n_envs=40"},
        std::vector<std::string>{"n_envs=1", "n_steps=1"},
        std::vector<std::string>{"n_envs=1", "n_steps=3", "value_proximal=1e-9"}}) {
    std::vector<std::string> all = options;
    all.push_back("baseline=linear");
    Learner learner("mdp", "vpg", 1, all);
    for (int k = 0; k < 20; k++) {
      EXPECT_TRUE(std::isfinite(metric(learner.run(1), "value_loss"))) << options[0] << " " << k;
    }
    for (const float w : floats_of(learner.saved(), "baseline/weights")) {
      EXPECT_TRUE(std::isfinite(w)) << options[0];
    }
  }
}

TEST(TimeBaseline, IsTheMeanOfEachAgeThatEnoughSamplesReach) {
  LearnerParts p("cartpole", "vpg", {"n_envs=40", "n_steps=64", "hidden=4", "baseline=time"});
  TimeBaseline baseline(p.context, p.learner);
  Random random(6);
  int extended = 0, finals = 0;
  for (int round = 0; round < 4; round++) {
    p.learner.collect();
    const Eigen::VectorXd y = random_targets(p, random);
    std::map<int, std::pair<double, int>> sums;
    for (long s = 0; s < y.size(); s++) {
      auto& [sum, count] = sums[int(p.arrays().age[s])];
      sum += y[s];
      count++;
    }
    std::vector<double> expected;
    double last = 0;
    for (int age = 0; age <= p.learner.environments().time_limit(); age++) {
      const auto found = sums.find(age);
      const int count = found == sums.end() ? 0 : found->second.second;
      if (count >= 4) last = found->second.first / count;
      extended += count > 0 && count < 4;
      expected.push_back(last);
    }
    double squares = 0;
    for (long s = 0; s < y.size(); s++) {
      squares += std::pow(y[s] - expected[int(p.arrays().age[s])], 2);
    }
    EXPECT_NEAR(baseline.fit(), squares / double(y.size()) / 2, 1e-4);
    p.learner.collect();
    const RolloutArrays a = p.arrays();
    std::fill(a.value, a.value + y.size() + a.n_envs, NAN);
    std::fill(a.final_value, a.final_value + y.size(), NAN);
    baseline.evaluate();
    for (long s = 0; s < y.size() + a.n_envs; s++) {
      ASSERT_NEAR(a.value[s], expected[int(a.age[s])], 1e-5) << "age " << a.age[s];
      if (s >= y.size()) continue;
      ASSERT_NEAR(a.final_value[s], expected[int(a.age[s]) + 1], 1e-5);
      finals++;
    }
  }
  EXPECT_GT(extended, 4) << "ages that few samples reach";
  EXPECT_GT(finals, 0);
}

TEST(MeanBaseline, IsTheMeanOfTheLastTargets) {
  LearnerParts p("cartpole", "vpg", {"n_envs=33", "n_steps=17", "hidden=4", "baseline=mean"});
  const std::unique_ptr<Baseline> baseline = make_baseline(p.context, p.learner);
  Random random(7);
  double mean = 0;
  for (int round = 0; round < 3; round++) {
    p.learner.collect();
    const RolloutArrays a = p.arrays();
    std::fill(a.value, a.value + p.learner.n_samples() + a.n_envs, NAN);
    std::fill(a.final_value, a.final_value + p.learner.n_samples(), NAN);
    baseline->evaluate();
    for (long s = 0; s < p.learner.n_samples() + a.n_envs; s++) {
      ASSERT_NEAR(a.value[s], mean, 1e-6);
      ASSERT_TRUE(s >= p.learner.n_samples() || std::abs(a.final_value[s] - mean) < 1e-6) << s;
    }
    const Eigen::VectorXd y = random_targets(p, random);
    mean = y.mean();
    EXPECT_NEAR(baseline->fit(), (y.array() - mean).square().mean() / 2, 1e-6);
  }
}

// What is subtracted was fitted to older data: 0 in the first iteration, so that every baseline
// that begins with 0 takes the same first step, and another one afterwards.
TEST(Baselines, AdvantagesAreTakenBeforeTheFit) {
  for (const char* algorithm : {"vpg", "actor_critic", "actor_critic_one_step"}) {
    const auto after = [&](const char* baseline, int iterations) {
      Learner learner("cartpole", algorithm, 1,
                      {std::string("baseline=") + baseline, "normalize_advantages=false",
                       "step=plain", "learning_rate=0.001"});
      learner.run(iterations);
      return floats_of(learner.saved(), "policy/parameters");
    };
    const std::vector<float> first = after("none", 1), second = after("none", 2);
    for (const char* baseline : {"mean", "time", "linear"}) {
      EXPECT_TRUE(same_bits(after(baseline, 1), first)) << algorithm << " " << baseline;
      EXPECT_FALSE(same_bits(after(baseline, 2), second)) << algorithm << " " << baseline;
    }
    EXPECT_FALSE(same_bits(after("network", 1), first)) << "a network does not begin with 0";
  }
}

// Fitted V iteration on one-hot features: the critic of the one-step actor-critic reaches the
// values of a process that a cut does not end, and those of a process with an end.
TEST(FittedValues, ReachTheExactValuesOfAProcessWithoutAnEnd) {
  const test::TemporaryFolder folder;
  const std::string file = folder / "turn.mdp";
  test::put_file(file,
                 "states 2\nactions 2\nhorizon 3\nstart 0.5 0.5\nstep 0 0 0 0 1\nstep 0 1 0 0 1\n"
                 "step 1 0 1 1 0\nstep 1 1 1 1 0\n");
  for (const char* proximal : {"0", "5"}) {
    Learner learner("mdp", "actor_critic_one_step", 1,
                    {"file=" + file, "gamma=0.9", "baseline=linear",
                     std::string("value_proximal=") + proximal});
    learner.run(300);
    const std::vector<float> w = floats_of(learner.saved(), "baseline/weights");
    ASSERT_EQ(w.size(), 6u);
    const double second = 1 / (1 - 0.81);
    for (int age = 0; age < 3; age++) {
      const double t = age * 0.01, by_time = w[2] * t + w[3] * t * t + w[4] * t * t * t + w[5];
      EXPECT_NEAR(w[0] + by_time, 0.9 * second, 0.01) << "age " << age << " lambda " << proximal;
      EXPECT_NEAR(w[1] + by_time, second, 0.01) << "age " << age << " lambda " << proximal;
    }
  }
}

// The three-state process with a state for each (t, s) and a terminal one: V_t(s) of the uniform
// policy.
TEST(FittedValues, ReachTheExactValuesOfEveryStateAndTime) {
  const double transition[3][2][3] = {
      {{.8, .2, 0}, {.1, .8, .1}}, {{.7, .2, .1}, {0, .3, .7}}, {{.5, .5, 0}, {.2, .2, .6}}};
  const double reward[3][2] = {{0, -.1}, {.2, -.2}, {1, 2}};
  double value[5][3] = {};
  std::string text = "states 13\nactions 2\nhorizon 100\nstart 0.4 0.3 0.3 0 0 0 0 0 0 0 0 0 0\n";
  for (int t = 3; t >= 0; t--) {
    for (int s = 0; s < 3; s++) {
      for (int a = 0; a < 2; a++) {
        text += "step " + std::to_string(3 * t + s) + " " + std::to_string(a) + " " +
                std::to_string(reward[s][a]);
        value[t][s] += reward[s][a] / 2;
        for (int k = 0; k < 13; k++) {
          const bool within = t < 3 && k >= 3 * t + 3 && k < 3 * t + 6;
          const double p = within ? transition[s][a][k - 3 * t - 3] : t == 3 && k == 12 ? 1 : 0;
          text += " " + std::to_string(p);
          if (within) value[t][s] += p * value[t + 1][k - 3 * t - 3] / 2;
        }
        text += "\n";
      }
    }
  }
  for (int a = 0; a < 2; a++)
    text += "step 12 " + std::to_string(a) + " 0 0 0 0 0 0 0 0 0 0 0 0 0 1\n";
  text += "terminal 12\n";
  const test::TemporaryFolder folder;
  const std::string file = folder / "timed.mdp";
  test::put_file(file, text);
  Learner learner("mdp", "actor_critic_one_step", 2,
                  {"file=" + file, "gamma=1", "baseline=linear", "n_envs=32768", "n_steps=4",
                   "step=plain", "learning_rate=1e-9"});
  learner.run(8);
  const std::vector<float> w = floats_of(learner.saved(), "baseline/weights");
  ASSERT_EQ(w.size(), 17u);
  for (int t = 0; t < 4; t++) {
    const double age = t * 0.01;
    for (int s = 0; s < 3; s++) {
      const double v =
          w[3 * t + s] + w[13] * age + w[14] * age * age + w[15] * std::pow(age, 3) + w[16];
      EXPECT_NEAR(v, value[t][s], 0.05) << "t " << t << " s " << s;
    }
  }
}

// The second step of a fit is the first whose proximal gradient is not 0.
TEST(ProximalFit, TheGradientHasLambdaTimesTheDistance) {
  for (const double lambda : {5.0, 100.0}) {
    const auto fitted = [&](LearnerParts& p, const char* epochs, double weight) {
      p.options.set_assignment(std::string("value_epochs=") + epochs, "test");
      p.options.set_assignment("value_proximal=" + std::to_string(weight), "test");
      ValueFit fit(p.context, p.learner);
      p.learner.collect();
      p.learner.evaluate_values();
      p.learner.estimate_advantages({.lambda = 1, .target = ValueTarget::kMonteCarlo});
      fit.run();
    };
    const std::vector<std::string> options = {"n_envs=16", "n_steps=32", "hidden=8",
                                              "value_minibatch=100000", "value_learning_rate=0.01"};
    LearnerParts once("cartpole", "vpg", options), twice("cartpole", "vpg", options);
    const std::vector<float> before = once.learner.value().parameters().values();
    fitted(once, "1", lambda);
    fitted(twice, "2", lambda);
    TrainedParameters& value = once.learner.value().parameters();
    const std::vector<float> middle = value.values();
    once.backend->value_gradient(
        once.learner.value_request(once.learner.samples(nullptr, once.learner.n_samples())));
    double norm = 0, distance = 0;
    for (std::size_t i = 0; i < before.size(); i++) {
      const double proximal = lambda * (double(middle[i]) - double(before[i]));
      const double exact = double(value.gradient()[i]) + proximal;
      const float actual = twice.learner.value().parameters().gradient()[i];
      EXPECT_NEAR(actual, exact, 1e-4 * (std::abs(exact) + lambda * 0.01)) << i;
      norm += exact * exact;
      distance += proximal * proximal;
    }
    EXPECT_GT(distance, 1e-4 * norm) << "the proximal part shows";
  }
}

TEST(ProximalFit, AGreatLambdaKeepsTheParameters) {
  const auto moved = [](const char* lambda) {
    Learner learner("cartpole", "actor_critic", 1,
                    {std::string("value_proximal=") + lambda, "value_epochs=50",
                     "value_learning_rate=0.01", "value_minibatch=64"});
    const std::vector<float> before = floats_of(learner.saved(), "value/parameters");
    learner.run(1);
    const std::vector<float> after = floats_of(learner.saved(), "value/parameters");
    double squares = 0;
    for (std::size_t i = 0; i < before.size(); i++) squares += std::pow(after[i] - before[i], 2);
    return std::sqrt(squares / double(before.size()));
  };
  const double without = moved("0"), weak = moved("1e-4"), strong = moved("1e4");
  EXPECT_GT(without, 0.1);
  EXPECT_NEAR(weak, without, 0.2 * without);
  EXPECT_LT(strong, 0.02) << "about one step of Adam";
}

}  // namespace
}  // namespace gallop::testing
