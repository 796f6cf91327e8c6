// Learned models of a linear-quadratic system, whose answers are known: least squares recovers the
// system, and gradients through exact and learned models are the exact one (algorithms' reference,
// sections 5.1 and 5.5).
#include <gallop/host/learning/dynamics_model.h>

#include <gtest/gtest.h>

#include <gallop/host/files/tensor_file.h>
#include "tests/host/expect_error.h"
#include "tests/learning/model_case.h"

namespace gallop::testing {
namespace {

struct System {
  double a, b;
};

// Of a linear model: s' = a s + b u + c.
System system_of(const DynamicsModel& model) {
  const DynamicsModel::Statistics& s = model.statistics();
  const std::vector<float> w = model.member(0).values();  // [2, 2], rows of inputs
  return {1 + double(s.scale[0]) * double(w[0]) * double(s.input_inverse_std[0]),
          double(s.scale[0]) * double(w[2]) * double(s.input_inverse_std[1])};
}

// Least squares with a constant, in double.
System least_squares(const TransitionStore& store) {
  const int n = store.n_envs();
  double mean[3] = {0, 0, 0}, c[3][3] = {};
  const long count = long(store.n_rows()) * n;
  const auto at = [&](long i, int k) {
    const long t = i / n, e = i % n;
    return k == 2 ? double(store.next()[i]) : double(store.input()[(2 * t + k) * n + e]);
  };
  for (long i = 0; i < count; i++) {
    for (int k = 0; k < 3; k++) mean[k] += at(i, k) / double(count);
  }
  for (long i = 0; i < count; i++) {
    for (int k = 0; k < 3; k++) {
      for (int l = 0; l < 3; l++) c[k][l] += (at(i, k) - mean[k]) * (at(i, l) - mean[l]);
    }
  }
  const double d = c[0][0] * c[1][1] - c[0][1] * c[0][1];
  return {(c[0][2] * c[1][1] - c[1][2] * c[0][1]) / d, (c[1][2] * c[0][0] - c[0][2] * c[0][1]) / d};
}

TEST(DynamicsModel, LeastSquaresRecoversTheSystemWithErrorsThatFallAsOneOverTheRoot) {
  double errors[2] = {0, 0};
  constexpr int kSeeds = 12;
  for (int size = 0; size < 2; size++) {
    const int n_envs = size == 0 ? 40 : 640;
    for (int seed = 1; seed <= kSeeds; seed++) {
      ModelCase c("learned_model",
                  {"model_hidden=", "ensemble=1", "n_envs=" + std::to_string(n_envs),
                   "seed=" + std::to_string(seed), "model_minibatch=100000", "model_held_out=0",
                   "model_learning_rate=0.02", "model_epochs=600"});
      c.set_policy(0.4, 0.5);
      c.collect();
      const ModelFit fit = c.model.fit(c.store);
      EXPECT_EQ(fit.epochs, 600);
      EXPECT_TRUE(std::isnan(fit.held_out_loss));
      const System exact = least_squares(c.store), found = system_of(c.model);
      EXPECT_NEAR(found.a, exact.a, 1e-4);
      EXPECT_NEAR(found.b, exact.b, 1e-4);
      // sigma_w, estimated from as many residuals.
      EXPECT_NEAR(c.model.statistics().noise[0], 0.1, 4 * 0.1 / std::sqrt(20.0 * n_envs));
      errors[size] += (std::pow(found.a - kA, 2) + std::pow(found.b - kB, 2)) / kSeeds;
    }
  }
  const double ratio = std::sqrt(errors[0] / errors[1]);
  std::printf("root mean square errors %.5f and %.5f of 16 times as many, ratio %.2f\n",
              std::sqrt(errors[0]), std::sqrt(errors[1]), ratio);
  // 4; of 12 seeds with two errors each the ratio's own deviation is 20 %.
  EXPECT_GT(ratio, 2.4);
  EXPECT_LT(ratio, 6.7);
}

TEST(ModelPaths, TheGradientThroughTheExactModelIsTheExactOne) {
  const LqrAnswer noisy = lqr_answer(0.4, 0.3, 0.1), none = lqr_answer(0.4, 0, 0);
  EXPECT_NEAR(noisy.by_gain, 4.353621344392, 1e-10);
  EXPECT_NEAR(none.by_gain, 3.687966369066, 1e-10);
  EXPECT_NEAR(noisy.value, -2.987698532370, 1e-10);
  ModelCase c("learned_model", {"model_hidden=6", "ensemble=1", "n_envs=4096"});
  c.set_policy(0.4, 0.3);
  c.collect();
  ModelPaths paths(c.parts.context, c.parts.learner.policy(), c.model, int(kHorizon), 4096);
  c.use_known_model(0.1);
  std::vector<double> gradients, returns;
  for (std::uint32_t call = 0; call < 32; call++) {
    paths.imagine(c.store, c.store.newest(), 0, call);
    paths.differentiate({});
    gradients.push_back(c.by_gain());
    returns.push_back(paths.mean_return());
  }
  const MeanAndError by_gain = mean_and_error(gradients), value = mean_and_error(returns);
  std::printf("dU/dk %.4f +- %.4f for %.4f, U %.4f +- %.4f for %.4f\n", by_gain.mean, by_gain.error,
              noisy.by_gain, value.mean, value.error, noisy.value);
  EXPECT_NEAR(by_gain.mean, noisy.by_gain, 3 * by_gain.error + 1e-3);
  EXPECT_NEAR(value.mean, noisy.value, 3 * value.error + 1e-3);
  // The variance of one path: 9.01.
  EXPECT_NEAR(by_gain.error * by_gain.error * 32 * 4096, 9.01, 0.8 * 9.01);

  // Nearly no noise: a log sigma is limited to -5.
  const LqrAnswer quiet = lqr_answer(0.4, std::exp(-5), 0);
  EXPECT_NEAR(quiet.by_gain, none.by_gain, 1e-3);
  c.set_policy(0.4, std::exp(-5));
  c.use_known_model(0);
  paths.imagine(c.store, c.store.newest(), 0, 77);
  paths.differentiate({});
  std::printf("dU/dk %.5f for %.5f without noise\n", c.by_gain(), none.by_gain);
  EXPECT_NEAR(c.by_gain(), quiet.by_gain, 2e-3);
}

// What is left of 4.3536 is the model's own error, which falls as one over the root of the number
// of transitions.
TEST(ModelPaths, TheGradientThroughALearnedModelGoesToTheExactOne) {
  double error[2];
  for (int size = 0; size < 2; size++) {
    const std::string n_envs = size == 0 ? "1024" : "32768";
    ModelCase c("learned_model",
                {"model_hidden=32", "ensemble=1", "n_envs=" + n_envs, "buffer_size=400000",
                 size == 0 ? "model_epochs=300" : "model_epochs=60",
                 size == 0 ? "model_minibatch=256" : "model_minibatch=2048", "model_patience=60",
                 "model_learning_rate=0.003"},
                0.1);
    c.set_policy(0.4, 0.6);
    c.collect();
    const ModelFit fit = c.model.fit(c.store);
    c.set_policy(0.4, 0.3);
    ModelPaths paths(c.parts.context, c.parts.learner.policy(), c.model, int(kHorizon), 1024);
    std::vector<std::uint32_t> starts = c.store.newest();
    starts.resize(1024);
    std::vector<double> gradients;
    for (std::uint32_t call = 0; call < 8; call++) {
      paths.imagine(c.store, starts, 0, call);
      paths.differentiate({});
      gradients.push_back(c.by_gain());
    }
    const MeanAndError by_gain = mean_and_error(gradients);
    std::printf("dU/dk %.4f +- %.4f for 4.3536 of %s0 transitions, loss %.2e, %g epochs\n",
                by_gain.mean, by_gain.error, n_envs.c_str(), fit.held_out_loss, fit.epochs);
    error[size] = std::abs(by_gain.mean - 4.353621344392);
  }
  EXPECT_LT(error[0], 0.6);
  EXPECT_LT(error[1], 3 * std::sqrt(9.01 / 8192));
}

TEST(ModelPaths, AnExplodingAdjointIsNamedAndLimited) {
  ModelCase c("learned_model", {"model_hidden=6", "ensemble=1", "n_envs=8"});
  c.set_policy(0.4, 0.3);
  c.collect();
  c.use_known_model(0);
  DynamicsModel::Statistics s = c.model.statistics();
  s.scale[1] = 1e13f;  // rewards are so many times as great
  c.model.set_statistics(s);
  ModelPaths paths(c.parts.context, c.parts.learner.policy(), c.model, int(kHorizon), 8);
  paths.imagine(c.store, c.store.newest(), 0, 0);
  const std::vector<float> before = c.parts.learner.policy().parameters().values();
  test::expect_error_with(
      ExitCode::non_finite, [&] { paths.differentiate({}); }, "instance", "step", "max_adjoint");
  ModelPaths::Sweep limited;
  limited.max_adjoint = 1;
  paths.differentiate(limited);
  EXPECT_LE(paths.greatest_adjoint(), 1.0001);
  EXPECT_EQ(c.parts.learner.policy().parameters().values(), before);
}

TEST(TransitionStore, KeepsTheLastRolloutsAndHoldsInstancesOut) {
  ModelCase c("learned_model", {"n_envs=50", "buffer_size=1999"}, 0.2);  // three rollouts of 500
  c.set_policy(0.4, 0.3);
  for (int k = 0; k < 5; k++) {
    c.collect();
    EXPECT_EQ(c.store.n_rows(), 10 * std::min(k + 1, 3));
    EXPECT_EQ(c.store.newest()[0], std::uint32_t(500 * (k % 3)));
    const Trajectory& t = c.parts.learner.rollout().trajectory();
    const long row = long(c.store.newest()[0]);
    for (long i = 0; i < 500; i++) {
      const long step = i / 50, n = i % 50;
      const bool ended = step == 9;
      EXPECT_EQ(c.store.reward()[row + i], t.reward[i]);
      EXPECT_EQ(c.store.input()[2 * (row + step * 50) + n], t.observation[i]);
      EXPECT_EQ(c.store.input()[2 * (row + step * 50) + 50 + n], t.action[i]);
      EXPECT_EQ(c.store.next()[row + i], ended ? t.final_observation[i] : t.observation[i + 50]);
      EXPECT_EQ(c.store.cut()[row + i], ended ? 1 : 0);
      EXPECT_EQ(c.store.continues()[row + i], 1);
    }
  }
  const std::vector<std::uint32_t> learned = c.store.learned(), held = c.store.held_out();
  EXPECT_EQ(learned.size() + held.size(), 1500u);
  EXPECT_GT(held.size(), 100u);
  EXPECT_LT(held.size(), 600u);
  for (const std::uint32_t k : held) {
    const std::uint32_t first = k / 500 * 500 + k % 50;
    EXPECT_TRUE(std::binary_search(held.begin(), held.end(), first))
        << "all of an instance or none";
  }
}

TEST(TransitionStore, RefusesRoomForLessThanARollout) {
  test::expect_error_with(
      ExitCode::value,
      [&] {
        ModelCase("learned_model", {"n_envs=50", "buffer_size=499"});
      },
      "buffer_size is 499", "500 transitions");
}

}  // namespace
}  // namespace gallop::testing
