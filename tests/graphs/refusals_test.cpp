// What a graph refuses, each with the path of nodes or the names and numbers that are wrong.
#include <gtest/gtest.h>

#include <cmath>

#include <gallop/host/graphs/graph_estimator.h>
#include "tests/host/expect_error.h"

namespace gallop::testing {
namespace {

using test::expect_error_with;

template <class Build, class... Texts>
void expect_refused(const Build& build, const Texts&... texts) {
  Graph g;
  expect_error_with(
      ExitCode::value,
      [&] {
        build(g);
        compile(g);
      },
      texts...);
}

TEST(GraphRefusals, ACycleIsNamedNodeByNode) {
  expect_refused(
      [](Graph& g) {
        const GraphNode s = g.later("s");
        const GraphNode u = g.define("u", tanh(s));
        const GraphNode next = g.define("next", s + u);
        g.bind(s, next);
        g.cost("c", square(u));
      },
      "a cycle: s -> ", " -> next -> s");
  expect_refused([](Graph& g) { g.cost("c", square(g.later("s"))); }, "'s'", "never bound");
  expect_refused(
      [](Graph& g) {
        const GraphNode s = g.later("s");
        g.bind(s, 1.0);
        g.bind(s, 2.0);
      },
      "bound twice");
  expect_refused([](Graph& g) { g.bind(g.later("s", {2, 1}), 1.0); }, "'s'", "shape 2", "scalar");
  expect_refused([](Graph& g) { g.bind(g.parameter("p", 1.0), 1.0); }, "'p' cannot be bound");
}

TEST(GraphRefusals, ALaterNodeThatIsBoundIsItsValue) {
  Graph g;
  const GraphNode s = g.later("s");
  const GraphNode theta = g.parameter("theta", 3.0);
  g.cost("c", square(s));
  g.bind(s, theta);
  const auto backend = make_cpu_backend(1);
  GraphEstimator estimator(*backend, g);
  EXPECT_EQ(estimator.gradient({.samples = 1}).gradient, std::vector<double>{6.0});
}

TEST(GraphRefusals, ABaselineThatDependsOnItsNode) {
  expect_refused(
      [](Graph& g) {
        const GraphNode theta = g.parameter("theta", 1.0);
        const GraphNode x = g.normal("x", theta, 0.0);
        const GraphNode y = g.define("y", tanh(x));
        g.cost("f", square(y));
        g.baseline(x, g.define("b", y + 1.0));
      },
      "baseline of 'x'", "x -> y -> b");
  expect_refused(
      [](Graph& g) {
        const GraphNode x = g.normal("x", g.parameter("theta", 1.0), 0.0);
        g.baseline(x, x);
        g.cost("f", x);
      },
      "baseline of 'x'");
  expect_refused(
      [](Graph& g) {
        const GraphNode x = g.normal("x", 0.0, 0.0, GraphPath::kReparameterised);
        g.baseline(x, 1.0);
      },
      "'x' cannot have a baseline");
  expect_refused(
      [](Graph& g) {
        const GraphNode x = g.normal("x", 0.0, 0.0);
        g.baseline(x, 1.0);
        g.baseline(x, 2.0);
      },
      "has a baseline already");
}

TEST(GraphRefusals, APathWithoutADerivativeIsNamed) {
  expect_refused(
      [](Graph& g) {
        const GraphNode theta = g.parameter("theta", 1.0);
        const GraphNode x = g.define("x", tanh(theta));
        g.cost("f", g.define("jump", less(x, 0.5)) * 2.0);
      },
      "no derivative", "theta -> x -> jump", "f", "less jumps in 'x'");
  // The distribution of a node with a score is reached as a cost is.
  expect_refused(
      [](Graph& g) {
        const GraphNode theta = g.parameter("theta", 1.0);
        g.cost("f", g.normal("y", floor(theta), 0.0));
      },
      "theta -> floor(theta) -> y");
  // A sample that is reparameterised carries the parameter on.
  expect_refused(
      [](Graph& g) {
        const GraphNode theta = g.parameter("theta", 1.0);
        const GraphNode z = g.normal("z", theta, 0.0, GraphPath::kReparameterised);
        g.cost("f", select(less(z, 0.0), 1.0, 2.0));
      },
      "theta -> z -> less(z, 0)");
  expect_refused(
      [](Graph& g) {
        const GraphNode index = g.parameter("index", 1.0);
        g.cost("f", pick(g.constant({1.0, 2.0}), index));
      },
      "index -> pick");
}

TEST(GraphRefusals, AJumpBehindAScoreOrHeldIsNone) {
  const auto backend = make_cpu_backend(1);
  Graph g;
  const GraphNode theta = g.parameter("theta", 0.2);
  const GraphNode x = g.normal("x", theta, 0.0);
  g.cost("f", step(x) + step(held(theta)));
  GraphEstimator estimator(*backend, g);
  const GraphEstimate estimate = estimator.estimate({.samples = 200000});
  const double exact = std::exp(-0.5 * 0.2 * 0.2) / std::sqrt(2 * 3.141592653589793);
  EXPECT_NEAR(estimate.gradient[0].mean, exact, 3.5 * estimate.gradient[0].standard_error);
  EXPECT_GT(estimate.gradient[0].standard_error, 0);
}

TEST(GraphRefusals, ShapesThatDiffer) {
  const auto vector = [](Graph& g, int n) { return g.constant(std::vector<double>(n, 1.0)); };
  expect_refused([&](Graph& g) { vector(g, 2) + vector(g, 3); }, "+", "2", "3");
  expect_refused([&](Graph& g) { matmul(vector(g, 2), vector(g, 2)); }, "matmul", "columns");
  expect_refused([&](Graph& g) { g.cost("f", vector(g, 2)); }, "'f'", "shape 2", "scalar");
  expect_refused([&](Graph& g) { element(vector(g, 2), 2); }, "(2, 0)");
  expect_refused([&](Graph& g) { g.normal("x", vector(g, 2), vector(g, 3)); }, "'x'", "2 and 3");
  expect_refused([&](Graph& g) { g.categorical("x", 1.0); }, "'x'", "two or more");
  expect_refused([&](Graph& g) { softmax(g.constant({2, 2}, {1, 2, 3, 4})); }, "2x2", "column");
  expect_refused([&](Graph& g) { g.parameter("w", {2, 2}, {1, 2, 3}); }, "'w'", "3 values", "2x2");
  expect_refused([&](Graph& g) { stack({vector(g, 2)}); }, "stack", "scalars");
  expect_refused([&](Graph& g) { one_hot(g.constant({1.0}), 0); }, "one_hot of 0");
  expect_refused([&](Graph& g) { g.baseline(g.normal("x", 0.0, 0.0), vector(g, 2)); }, "baseline");
}

TEST(GraphRefusals, NamesAndValues) {
  expect_refused([](Graph& g) { g.parameter("a", 1.0), g.parameter("a", 2.0); }, "two nodes",
                 "'a'");
  expect_refused([](Graph& g) { g.define("b", g.parameter("a", 1.0)); }, "'a' cannot be named 'b'");
  expect_refused([](Graph& g) { g.parameter("", 1.0); }, "empty");
  expect_refused([](Graph& g) { g.parameter("a", NAN); }, "'a'", "nan");
  expect_refused([](Graph& g) { g.parameter("a", 1.0); }, "no cost");
  expect_refused(
      [](Graph& g) {
        Graph other;
        g.cost("f", other.parameter("a", 1.0));
      },
      "'a' belongs to another graph");
  Graph g;
  g.parameter("theta", 1.0);
  expect_error_with(
      ExitCode::usage, [&] { g.node("teta"); }, "'teta'", "theta");
}

TEST(GraphRefusals, RunsAndTheirData) {
  const auto backend = make_cpu_backend(1);
  Graph g;
  const GraphNode theta = g.parameter("theta", 1.0), x = g.input("x");
  g.cost("f", theta * log(x));
  GraphEstimator estimator(*backend, g);
  const auto refused = [&](ExitCode code, const auto& call, const auto&... texts) {
    expect_error_with(code, call, texts...);
  };
  refused(
      ExitCode::value, [&] { estimator.gradient({.samples = 3}); }, "'x' was not given");
  estimator.set_input("x", {1.0f, 2.0f, 4.0f});
  refused(
      ExitCode::value, [&] { estimator.gradient({.samples = 2}); }, "'x'", "3 samples", "has 2");
  refused(
      ExitCode::value, [&] { estimator.gradient({.samples = 0}); }, "0 samples");
  refused(
      ExitCode::value, [&] { estimator.gradient({.samples = 3, .first_sample = 64}); }, "64",
      "128");
  refused(
      ExitCode::value, [&] { estimator.gradient({.samples = 3, .seed = ~0ull}); }, "seed");
  refused(
      ExitCode::usage, [&] { estimator.set("thet", {1.0}); }, "'thet'", "theta");
  refused(
      ExitCode::usage, [&] { estimator.set_input("y", {1.0f}); }, "'y'");
  refused(
      ExitCode::value,
      [&] {
        estimator.set("theta", {1.0, 2.0});
      },
      "2 values", "scalar");
  refused(
      ExitCode::value, [&] { estimator.set("theta", {1e300}); }, "'theta'", "finite");
  refused(
      ExitCode::value, [&] { estimator.set_all({}); }, "0 values", "1 parameters");
  refused(
      ExitCode::usage, [&] { estimator.sample_values({.samples = 3}, "z"); }, "'z'");
  const GraphGradient found = estimator.gradient({.samples = 3});
  EXPECT_NEAR(found.gradient[0], std::log(8.0) / 3, 1e-6);
  EXPECT_NEAR(found.objective, std::log(8.0) / 3, 1e-6);
  estimator.set("theta", {2.0});
  EXPECT_NEAR(estimator.gradient({.samples = 3}).objective, 2 * std::log(8.0) / 3, 1e-6);
}

TEST(GraphRefusals, ANumberThatIsNotFiniteIsNamedWithItsSample) {
  const auto backend = make_cpu_backend(1);
  Graph g;
  const GraphNode theta = g.parameter("theta", 1.0), x = g.input("x");
  const GraphNode y = g.define("y", log(x));
  g.cost("f", theta * y);
  GraphEstimator estimator(*backend, g);
  std::vector<float> data(300, 2.0f);
  data[217] = -1.0f;
  data[218] = -1.0f;
  estimator.set_input("x", data);
  const GraphRun run = {.samples = 300, .seed = 9};
  expect_error_with(
      ExitCode::non_finite, [&] { estimator.gradient(run); }, "'y'", "nan", "sample 217", "seed 9");
  expect_error_with(
      ExitCode::non_finite, [&] { estimator.estimate(run); }, "'y'", "sample 217");
  // A value that is finite, whose derivative is not.
  Graph h;
  const GraphNode at = h.parameter("at", 0.0);
  h.cost("f", sqrt(at));
  GraphEstimator root(*backend, h);
  expect_error_with(
      ExitCode::non_finite, [&] { root.gradient({.samples = 5}); }, "derivative by 'at'",
      "sample 0");
}

}  // namespace
}  // namespace gallop::testing
