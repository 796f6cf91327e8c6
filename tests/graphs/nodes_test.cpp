// Values and derivatives of nodes that are no scalars, of log-densities, of distributions.
#include <gtest/gtest.h>

#include <cmath>

#include <gallop/host/graphs/graph_estimator.h>

namespace gallop::testing {
namespace {

constexpr double kTolerance = 2e-6;

class GraphNodes : public ::testing::Test {
 protected:
  // The components of a node of a graph without noise.
  std::vector<float> value(const std::string& node) {
    if (!has_cost_) g_.cost("nothing", 0.0);
    has_cost_ = true;
    GraphEstimator estimator(*backend_, g_);
    return estimator.sample_values({.samples = 1}, node);
  }
  void expect_value(const std::string& node, const std::vector<double>& expected) {
    const std::vector<float> found = value(node);
    ASSERT_EQ(found.size(), expected.size()) << node;
    for (std::size_t k = 0; k < expected.size(); k++) {
      EXPECT_NEAR(found[k], expected[k], kTolerance * std::max(1.0, std::abs(expected[k])))
          << node << " " << k;
    }
  }

  std::unique_ptr<Backend> backend_ = make_cpu_backend(1);
  Graph g_;
  bool has_cost_ = false;
};

TEST_F(GraphNodes, MatricesAreOfRows) {
  const GraphNode a = g_.define("a", g_.constant({2, 3}, {1, 2, 3, 4, 5, 6}));
  const GraphNode b = g_.constant({3, 2}, {1, -1, 0, 2, 3, 1});
  g_.define("product", matmul(a, b));
  g_.define("turned", transpose(a));
  g_.define("second", row(a, 1));
  g_.define("last", element(a, 1, 2));
  g_.define("picked", pick(a, 0.0));
  g_.define("total", sum(a));
  g_.define("scaled", 2.0 * a - 1.0);
  expect_value("product", {10, 6, 22, 12});
  expect_value("turned", {1, 4, 2, 5, 3, 6});
  expect_value("second", {4, 5, 6});
  expect_value("last", {6});
  expect_value("picked", {1, 2, 3});
  expect_value("total", {21});
  expect_value("scaled", {1, 3, 5, 7, 9, 11});
}

TEST_F(GraphNodes, ColumnsIndicesAndJumps) {
  const GraphNode logits = g_.constant({1.0, 3.0, 2.0});
  const double total = std::exp(1.0) + std::exp(3.0) + std::exp(2.0);
  g_.define("p", softmax(logits));
  g_.define("log_p", log_softmax(logits));
  g_.define("large", log_softmax(g_.constant({1000.0, 0.0})));
  g_.define("hot", one_hot(g_.constant({1.0}), 3) + one_hot(g_.constant({2.0}), 3) * 0.0);
  g_.define("stacked", stack({1.0, element(logits, 1), 5.0}));
  g_.define("chosen", pick(logits, g_.constant({1.0})));
  g_.define("jumps", stack({less(g_.constant({1.0}), 2.0), equal(g_.constant({1.0}), 2.0),
                            step(g_.constant({0.0})), step(g_.constant({-1.0})),
                            floor(g_.constant({-1.5})), select(g_.constant({3.0}), 7.0, 8.0)}));
  expect_value("p", {std::exp(1.0) / total, std::exp(3.0) / total, std::exp(2.0) / total});
  expect_value("log_p", {1 - std::log(total), 3 - std::log(total), 2 - std::log(total)});
  expect_value("large", {0, -1000});
  expect_value("hot", {0, 1, 0});
  expect_value("stacked", {1, 3, 5});
  expect_value("chosen", {3});
  expect_value("jumps", {1, 0, 1, 0, -2, 7});
}

TEST_F(GraphNodes, LogDensities) {
  const double root = 0.5 * std::log(2 * 3.141592653589793);
  g_.define("normal", log_normal(g_.constant({1.0, 2.0}), 0.5, g_.constant({0.0, 1.0})));
  g_.define("bernoulli", log_bernoulli(g_.constant({1.0, 0.0}), g_.constant({0.3})));
  g_.define("categorical", log_categorical(g_.constant({2.0}), g_.constant({0.0, 1.0, 2.0})));
  g_.define("logit", logit(g_.constant({0.25})));
  const double z = 1.5 * std::exp(-1.0);
  expect_value("normal", {-0.5 * 0.25 - root - 0.5 * z * z - 1 - root});
  const double p = 1 / (1 + std::exp(-0.3));
  expect_value("bernoulli", {std::log(p) + std::log(1 - p)});
  expect_value("categorical", {2 - std::log(1 + std::exp(1.0) + std::exp(2.0))});
  expect_value("logit", {std::log(0.25 / 0.75)});
}

// sum over i, j of (W x)_i, by W and by x.
TEST_F(GraphNodes, GradientsOfMatricesStandByRowsInTheOrderOfDeclaration) {
  const GraphNode x = g_.parameter("x", {1.0, 2.0, 3.0});
  const GraphNode w = g_.parameter("w", {2, 3}, {1, 2, 3, 4, 5, 6});
  g_.cost("f", dot(matmul(w, x), g_.constant({1.0, 10.0})));
  GraphEstimator estimator(*backend_, g_);
  const GraphGradient found = estimator.gradient({.samples = 100});
  EXPECT_EQ(found.gradient, (std::vector<double>{41, 52, 63, 1, 2, 3, 10, 20, 30}));
  EXPECT_EQ(found.objective, 14 + 320);
  estimator.set("w", {0, 0, 0, 1, 0, 0});
  EXPECT_EQ(estimator.gradient({.samples = 1}).gradient,
            (std::vector<double>{10, 0, 0, 1, 2, 3, 10, 20, 30}));
}

// Moments and frequencies of what is drawn, within five standard errors.
TEST_F(GraphNodes, DistributionsAreWhatTheyAreCalled) {
  constexpr long kSamples = 1 << 18;
  g_.normal("z", g_.constant({1.0, -2.0}), std::log(0.5));
  g_.uniform("u", -1.0, 3.0);
  g_.bernoulli("b", std::log(0.2 / 0.8));
  g_.categorical("c", g_.constant({std::log(0.5), std::log(0.2), std::log(0.3)}));
  g_.cost("nothing", 0.0);
  GraphEstimator estimator(*backend_, g_);
  const GraphRun run = {.samples = kSamples, .seed = 6};
  const auto mean_of = [&](const char* node, int component, const auto& f) {
    const std::vector<float> x = estimator.sample_values(run, node);
    double sum = 0;
    for (long s = 0; s < kSamples; s++) sum += f(double(x[std::size_t(component * kSamples + s)]));
    return sum / double(kSamples);
  };
  const double error = 5 / std::sqrt(double(kSamples));
  const auto itself = [](double x) { return x; };
  const auto is = [](double k) { return [k](double x) { return x == k ? 1.0 : 0.0; }; };
  EXPECT_NEAR(mean_of("z", 0, itself), 1, 0.5 * error);
  EXPECT_NEAR(mean_of("z", 1, itself), -2, 0.5 * error);
  EXPECT_NEAR(mean_of("z", 1, [](double x) { return (x + 2) * (x + 2); }), 0.25, 0.36 * error);
  EXPECT_NEAR(mean_of("u", 0, itself), 1, 1.2 * error);
  EXPECT_NEAR(mean_of("u", 0, [](double x) { return x * x; }), 7.0 / 3, 2.5 * error);
  EXPECT_NEAR(mean_of("b", 0, is(1)), 0.2, 0.4 * error);
  EXPECT_NEAR(mean_of("b", 0, is(0)), 0.8, 0.4 * error);
  EXPECT_NEAR(mean_of("c", 0, is(0)), 0.5, 0.5 * error);
  EXPECT_NEAR(mean_of("c", 0, is(1)), 0.2, 0.4 * error);
  EXPECT_NEAR(mean_of("c", 0, is(2)), 0.3, 0.46 * error);
}

// Parts of a run, and streams.
TEST_F(GraphNodes, RunsOfPartsAndStreams) {
  const GraphNode theta = g_.parameter("theta", 0.5);
  g_.cost("f", square(g_.normal("x", theta, 0.0)));
  GraphEstimator estimator(*backend_, g_);
  const std::vector<float> whole = estimator.sample_gradients({.samples = 384, .seed = 2});
  const std::vector<float> part =
      estimator.sample_gradients({.samples = 100, .seed = 2, .first_sample = 256});
  for (std::size_t s = 0; s < 100; s++) EXPECT_EQ(part[s], whole[256 + s]);
  const std::vector<float> other =
      estimator.sample_gradients({.samples = 384, .seed = 2, .stream = 1});
  EXPECT_NE(other, whole);
  const GraphEstimate estimate = estimator.estimate({.samples = 384, .seed = 2});
  const GraphGradient gradient = estimator.gradient({.samples = 384, .seed = 2});
  EXPECT_NEAR(estimate.gradient[0].mean, gradient.gradient[0], 1e-6);
  EXPECT_NEAR(estimate.objective.mean, gradient.objective, 1e-6);
}

}  // namespace
}  // namespace gallop::testing
