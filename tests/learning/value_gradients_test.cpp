// Gradients along recorded paths: of any model, policy and value function against differences in
// double; and SVG(k) with the exact model and value of a linear-quadratic system against the exact
// gradient, for k = 0, 1, 2, 3, 5 and infinity. The fit of a model against differences too.
#include <gtest/gtest.h>

#include <functional>

#include <gallop/host/learning/model_sequences.h>
#include <gallop/host/learning/replayed_critic.h>
#include "tests/learning/kernel_sets.h"
#include "tests/learning/model_case.h"
#include "tests/learning/reference_policy.h"

namespace gallop::testing {
namespace {

Vector doubles(const std::vector<float>& x) { return {x.begin(), x.end()}; }

void expect_slopes(const std::vector<float>& gradient, Vector theta,
                   const std::function<double(const Vector&)>& objective, const char* label) {
  double norm = 0;
  for (std::size_t i = 0; i < theta.size(); i++) norm += std::pow(double(gradient[i]), 2);
  norm = std::sqrt(norm);
  EXPECT_GT(norm, 1e-3) << label;
  for (std::size_t i = 0; i < theta.size(); i++) {
    const double h = 1e-5, was = theta[i];
    theta[i] = was + h;
    const double above = objective(theta);
    theta[i] = was - h;
    const double slope = (above - objective(theta)) / (2 * h);
    theta[i] = was;
    EXPECT_NEAR(gradient[i], slope, 2e-4 * std::abs(slope) + 2e-5 * norm) << label << " " << i;
  }
}

// Two states and two inputs, and recorded paths of seven steps, cut in their middle.
struct TwoStates {
  static constexpr int kSteps = 7, kEnvs = 12, kO = 2, kA = 2;
  LearnerParts parts;
  TransitionStore store;
  DynamicsModel model;

  explicit TwoStates(std::vector<std::string> more)
      : parts("lqr", "svg", options(std::move(more)), 1),
        store(parts.context, parts.learner.environments(), parts.learner.rollout(), 0),
        model(parts.context, store) {
    model.set_statistics({{0.1f, -0.2f, 0.3f, 0},
                          {0.7f, 1.1f, 0.9f, 1.3f},
                          {0.05f, -0.1f, 0.2f},
                          {0.5f, 0.8f, 1.7f},
                          {0, 0}});
    Random random(3);
    for (TrainedParameters* network : {&parts.learner.policy().parameters(), &model.member(0),
                                       &parts.learner.value().parameters()}) {
      for (long i = 0; i < network->size(); i++) {
        network->mutable_data()[i] = float(0.5 * random.normal());
      }
    }
    for (int k = 0; k < 2; k++) {
      parts.learner.collect();
      store.add(parts.learner.rollout());
    }
  }
  static std::vector<std::string> options(std::vector<std::string> more) {
    more.insert(more.end(), {"n_states=2", "n_inputs=2", "n_envs=12", "n_steps=7", "hidden=5",
                             "value_hidden=4", "model_hidden=6", "sigma_s0=0.5"});
    return more;
  }

  long row(int t) const { return long(store.newest()[0]) / kEnvs + t; }
  double at(const float* array, int rows, int t, int k, int i) const {
    return double(array[(row(t) * rows + k) * kEnvs + i]);
  }
  Vector state(int t, int i) const {
    return {at(store.input(), kO + kA, t, 0, i), at(store.input(), kO + kA, t, 1, i)};
  }
  Vector predict(const Vector& theta, const Vector& s, const Vector& u) const {
    return reference_forward(model.shape(), theta,
                             reference_normalize(model.normalization(), {s[0], s[1], u[0], u[1]}));
  }
  Vector step(const Vector& s, const Vector& out) const {
    Vector next = s;
    for (int k = 0; k < kO; k++) {
      next[k] += double(model.mean()[k]) + double(model.scale()[k]) * out[k];
    }
    return next;
  }
  double reward(const Vector& out) const {
    return double(model.mean()[kO]) + double(model.scale()[kO]) * out[kO];
  }
  Vector policy_outputs(const Vector& theta, const Vector& s) const {
    return reference_forward(parts.learner.policy().shape().network, theta, s);
  }

  // Minus the mean over the paths of rewards, and values behind windows and cuts, under the noise
  // that explains what was recorded at the parameters `now`.
  double loss(const Vector& theta, const Vector& now, int window, bool has_value) const {
    const Vector f = doubles(model.member(0).values());
    const Vector v = doubles(parts.learner.value().parameters().values());
    const std::size_t log_std = theta.size() - kA;
    double sum = 0;
    for (int i = 0; i < kEnvs; i++) {
      Vector s = state(0, i);
      for (int t = 0; t < kSteps; t++) {
        const Vector seen = state(t, i);
        const Vector mean_then = policy_outputs(now, seen), mean = policy_outputs(theta, s);
        Vector u(kA), taken(kA);
        for (std::size_t k = 0; k < kA; k++) {
          taken[k] = at(store.action(), kA, t, int(k), i);
          const double noise = (taken[k] - mean_then[k]) * std::exp(-now[log_std + k]);
          u[k] = mean[k] + std::exp(theta[log_std + k]) * noise;
        }
        const Vector out = predict(f, s, u);
        const Vector expected = step(seen, predict(f, seen, taken));
        Vector next = step(s, out);
        for (int k = 0; k < kO; k++) next[k] += at(store.next(), kO, t, k, i) - expected[k];
        sum += reward(out);
        const bool cut = store.cut()[row(t) * kEnvs + i] != 0;
        if (cut || t + 1 == kSteps || (window > 0 && (t + 1) % window == 0)) {
          if (has_value) sum += reference_forward(parts.learner.value().shape(), v, next)[0];
          if (t + 1 < kSteps) next = state(t + 1, i);
        }
        s = next;
      }
    }
    return -sum / kEnvs;
  }
};

TEST(RecordedPaths, GradientsOfThePolicyAreThoseOfDifferences) {
  TwoStates c({});
  ModelPaths paths(c.parts.context, c.parts.learner.policy(), c.model, TwoStates::kSteps,
                   TwoStates::kEnvs);
  int n_cuts = 0;
  for (int t = 0; t + 1 < TwoStates::kSteps; t++) {
    for (int i = 0; i < TwoStates::kEnvs; i++) {
      n_cuts += c.store.cut()[c.row(t) * TwoStates::kEnvs + i] != 0 ? 1 : 0;
    }
  }
  EXPECT_EQ(n_cuts, TwoStates::kEnvs);
  const Vector now = doubles(c.parts.learner.policy().parameters().values());
  for (const int window : {0, 1, 2, 3}) {
    for (const bool has_value : {false, true}) {
      ModelPaths::Sweep sweep;
      sweep.window = window;
      sweep.value = has_value ? &c.parts.learner.value() : nullptr;
      paths.recall(c.store, c.store.newest());
      paths.differentiate(sweep);
      const TrainedParameters& policy = c.parts.learner.policy().parameters();
      const std::vector<float> gradient(policy.gradient(), policy.gradient() + policy.size());
      expect_slopes(
          gradient, now, [&](const Vector& theta) { return c.loss(theta, now, window, has_value); },
          ("window " + std::to_string(window)).c_str());
    }
  }
}

// The mean over sequences of sum over steps of |error|^2 / (2 steps), in double.
double sequence_loss(const TwoStates& c, const Vector& theta, int steps,
                     const std::vector<std::uint32_t>& chosen, double& squares) {
  squares = 0;
  for (const std::uint32_t id : chosen) {
    const int i = int(id % TwoStates::kEnvs), first = int(id / TwoStates::kEnvs - c.row(0));
    Vector s = c.state(first, i);
    for (int t = first; t < first + steps; t++) {
      const Vector u = {c.at(c.store.input(), 4, t, 2, i), c.at(c.store.input(), 4, t, 3, i)};
      const Vector out = c.predict(theta, s, u);
      s = c.step(s, out);
      for (int k = 0; k < 2; k++) {
        squares +=
            std::pow((s[k] - c.at(c.store.next(), 2, t, k, i)) / double(c.model.scale()[k]), 2);
      }
      squares += std::pow(
          (c.reward(out) - c.at(c.store.reward(), 1, t, 0, i)) / double(c.model.scale()[2]), 2);
      if (c.store.cut()[c.row(t) * TwoStates::kEnvs + i] != 0) break;
    }
  }
  squares /= steps;
  return squares / (2.0 * double(chosen.size()));
}

TEST(ModelSequences, GradientsOfPredictionsOfSeveralStepsAreThoseOfDifferences) {
  TwoStates c({});
  std::vector<std::uint32_t> chosen;  // some run into a cut, some into the end of the rollout
  for (int t = 0; t < TwoStates::kSteps; t++) {
    for (int i = t % 3; i < TwoStates::kEnvs; i += 3) {
      chosen.push_back(c.store.newest()[0] + std::uint32_t(t * TwoStates::kEnvs + i));
    }
  }
  DeviceArray<std::uint32_t> order(*c.parts.backend, chosen.size());
  order.upload(chosen);
  for (const int steps : {1, 2, 4}) {
    DynamicsModel::Sequences sequences(*c.parts.backend, c.model, steps, 100);
    const double found = sequences.gradient(c.store, 0, order.data(), long(chosen.size()));
    const TrainedParameters& member = c.model.member(0);
    const std::vector<float> gradient(member.gradient(), member.gradient() + member.size());
    double squares = 0;
    sequence_loss(c, doubles(member.values()), steps, chosen, squares);
    EXPECT_NEAR(found, squares, 1e-4 * squares) << steps;
    expect_slopes(
        gradient, doubles(member.values()),
        [&](const Vector& theta) {
          double unused = 0;
          return sequence_loss(c, theta, steps, chosen, unused);
        },
        ("steps " + std::to_string(steps)).c_str());
  }
}

TEST(ModelSequences, AFitOfSeveralStepsPredictsThemBetter) {
  double errors[2] = {0, 0};
  for (const int steps : {1, 5}) {
    ModelCase c("learned_model",
                {"model_hidden=16", "ensemble=1", "n_envs=256", "model_epochs=300",
                 "model_minibatch=64", "model_patience=300", "model_steps=" + std::to_string(steps),
                 "model_learning_rate=0.003", "sigma_w=0", "model_held_out=0.2"},
                0.2);
    c.set_policy(0.4, 0.5);
    c.collect();
    const ModelFit fit = c.model.fit(c.store);
    EXPECT_LT(fit.held_out_loss, 0.01) << steps;
    DynamicsModel::Sequences sequences(*c.parts.backend, c.model, 8, 1000);
    const std::vector<std::uint32_t> held = c.store.held_out();
    std::vector<std::uint32_t> first;
    for (const std::uint32_t id : held) {
      if (id < 256) first.push_back(id);
    }
    DeviceArray<std::uint32_t> order(*c.parts.backend, first.size());
    order.upload(first);
    errors[steps == 1 ? 0 : 1] =
        sequences.gradient(c.store, 0, order.data(), long(first.size())) / double(first.size());
  }
  std::printf("errors of eight steps: %.2e fitted to one, %.2e to five\n", errors[0], errors[1]);
  EXPECT_LT(errors[1], errors[0]);
}

constexpr double kK = 0.4, kSigma = 0.3, kSigmaW = 0.1, kGamma = 0.9;

// V(s) = -P s^2 - ..., of the policy's gain for ever.
double value_factor() {
  const double f = kA - kB * kK;
  return (1 + kRho * kK * kK) / (1 - kGamma * f * f);
}
// Sum over ten steps of E[dQ/du du/dk], of states that a policy of gain k and noise sigma visits.
double exact_by_value(double k, double sigma) {
  double sum = 0, m = 1;
  for (int t = 0; t < int(kHorizon); t++) {
    sum += m * (-2 * kRho * kK + 2 * kGamma * value_factor() * kB * (kA - kB * kK));
    const double f = kA - kB * k;
    m = f * f * m + kB * kB * sigma * sigma + kSigmaW * kSigmaW;
  }
  return sum;
}
void use_known(TrainedParameters& to, const KnownNetwork& known) {
  ASSERT_EQ(long(known.parameters().size()), to.size());
  const std::vector<float> parameters = known.parameters();
  std::copy(parameters.begin(), parameters.end(), to.mutable_data());
}
KnownNetwork known_value() {
  KnownNetwork network(1, 1);
  network.add_square({1}, {-value_factor()});
  return network;
}

void expect_exact(const char* label, const std::vector<double>& gradients, double exact) {
  const MeanAndError g = mean_and_error(gradients);
  std::printf("%s: %.4f +- %.4f for %.4f\n", label, g.mean, g.error, exact);
  EXPECT_LT(g.error, 0.02 * std::abs(exact)) << label;
  EXPECT_NEAR(g.mean, exact, 3 * g.error + 5e-4 * std::abs(exact)) << label;
}

TEST(ValueGradients, AlongRecordedPathsAreTheExactGradient) {
  ModelCase c("svg", {"model_hidden=6", "value_hidden=2", "n_envs=2048"});
  c.set_policy(kK, kSigma);
  c.use_known_model(kSigmaW);
  use_known(c.parts.learner.value().parameters(), known_value());
  ModelPaths paths(c.parts.context, c.parts.learner.policy(), c.model, int(kHorizon), 2048);
  const int windows[] = {0, 1, 2, 3, 5};
  std::vector<double> gradients[5];
  for (int batch = 0; batch < 24; batch++) {
    c.collect();
    paths.recall(c.store, c.store.newest());
    for (int w = 0; w < 5; w++) {
      ModelPaths::Sweep sweep;
      sweep.window = windows[w];
      if (windows[w] > 0) {
        sweep.gamma = kGamma;
        sweep.value = &c.parts.learner.value();
      }
      paths.differentiate(sweep);
      gradients[w].push_back(c.by_gain());
    }
  }
  expect_exact("SVG(infinity)", gradients[0], 4.353621344392);
  for (int w = 1; w < 5; w++) {
    expect_exact(("SVG(" + std::to_string(windows[w]) + ")").c_str(), gradients[w],
                 exact_by_value(kK, kSigma));
  }
}

// Transitions of another policy, each with its weight: states are those that it visited.
TEST(ValueGradients, OfOneStepAndReplayedTransitionsAreWeighedByImportance) {
  ModelCase c("svg", {"model_hidden=6", "value_hidden=2", "n_envs=2048", "buffer_size=20480"});
  c.use_known_model(kSigmaW);
  use_known(c.parts.learner.value().parameters(), known_value());
  const long n = 20480;
  ModelPaths paths(c.parts.context, c.parts.learner.policy(), c.model, 1, n);
  std::vector<std::uint32_t> all(n);
  for (std::size_t i = 0; i < all.size(); i++) all[i] = std::uint32_t(i);
  ModelPaths::Sweep sweep;
  sweep.gamma = kGamma;
  sweep.value = &c.parts.learner.value();
  std::vector<double> weighed, own;
  for (int batch = 0; batch < 24; batch++) {
    c.set_policy(0.3, 0.4);
    c.collect();
    c.set_policy(kK, kSigma);
    paths.recall(c.store, all);
    paths.weigh_by_importance(c.store, 1e6f);
    paths.differentiate(sweep);
    weighed.push_back(kHorizon * c.by_gain());
    c.collect();
    paths.recall(c.store, all);
    paths.weigh_by_importance(c.store, 1.01f);
    paths.differentiate(sweep);
    own.push_back(kHorizon * c.by_gain());
  }
  expect_exact("SVG(1), transitions of another policy", weighed, exact_by_value(0.3, 0.4));
  expect_exact("SVG(1), its own", own, exact_by_value(kK, kSigma));
}

TEST(ValueGradients, OfNoStepGoThroughTheQFunction) {
  ModelCase c("svg", {"k=0", "value_hidden=6", "n_envs=2048", "minibatch=20480",
                      "value_learning_rate=0", "buffer_size=20480"});
  c.set_policy(kK, kSigma);
  ReplayedCritic critic(c.parts.context, c.parts.learner.policy(), c.store);
  KnownNetwork q(2, 1);
  q.add_square({1, 0}, {-1});
  q.add_square({0, 1}, {-kRho});
  q.add_square({kA, kB}, {-kGamma * value_factor()});
  use_known(critic.parameters(), q);
  std::vector<std::uint32_t> all(20480);
  for (std::size_t i = 0; i < all.size(); i++) all[i] = std::uint32_t(i);
  std::vector<double> gradients;
  for (std::uint32_t batch = 0; batch < 24; batch++) {
    c.collect();
    critic.learn(all, batch);
    critic.differentiate(0, batch);
    gradients.push_back(kHorizon * c.by_gain());
  }
  expect_exact("SVG(0)", gradients, exact_by_value(kK, kSigma));
}

// Q goes to r + gamma Q'(s', pi(s', v)); without discount it is the reward's regression.
TEST(ReplayedCritic, LearnsTheRewardWhereNothingFollows) {
  ModelCase c("svg", {"k=0", "value_hidden=32", "n_envs=256", "minibatch=2560",
                      "value_learning_rate=0.01", "buffer_size=2560", "gamma=0"});
  c.set_policy(kK, kSigma);
  c.collect();
  AlgorithmContext context = c.parts.context;
  Options undiscounted = context.options;
  undiscounted.set("gamma", "0", "test");
  const AlgorithmContext of_rewards = {*c.parts.backend, context.environment, undiscounted,
                                       context.seed, context.configure};
  ReplayedCritic critic(of_rewards, c.parts.learner.policy(), c.store);
  critic.update_statistics();
  std::vector<std::uint32_t> all(2560);
  for (std::size_t i = 0; i < all.size(); i++) all[i] = std::uint32_t(i);
  const double first = critic.learn(all, 0);
  double last = first;
  for (std::uint32_t k = 1; k < 400; k++) last = critic.learn(all, k);
  EXPECT_LT(last, 2e-2 * first);
}

}  // namespace
}  // namespace gallop::testing
