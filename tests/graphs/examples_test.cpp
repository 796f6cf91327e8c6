// The examples against their exact answers and against estimators written by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include <gallop/host/graphs/examples/example.h>
#include "tests/executor/sanitizer.h"
#include "tests/graphs/double_rows.h"
#include "tests/host/expect_error.h"

namespace gallop::testing {
namespace {

constexpr double kHandTolerance = 1e-6;  // relative, of a sample's gradient
constexpr double kStandardErrors = 3;
constexpr long kSamples = GALLOP_ADDRESS_SANITIZER ? 100000 : 1000000;
constexpr double kFloatTolerance = 1e-5;  // relative, of what has no variance

void expect_within(const GraphMean& estimate, double exact, const std::string& what) {
  const double bound =
      kStandardErrors * estimate.standard_error + kFloatTolerance * std::max(1.0, std::abs(exact));
  if (estimate.standard_error > 0) {
    EXPECT_NEAR(estimate.mean, exact, kStandardErrors * estimate.standard_error) << what;
  } else {
    EXPECT_NEAR(estimate.mean, exact, bound) << what;
  }
}

TEST(GraphExamples, EveryOneIsUnbiasedWithinThreeStandardErrors) {
  const auto backend = make_cpu_backend(2);
  const std::vector<GraphExample> all = graph_examples();
  ASSERT_EQ(all.size(), 14u);
  for (const GraphExample& example : all) {
    Graph graph;
    example.build(graph);
    GraphEstimator estimator(*backend, graph);
    const GraphEstimate estimate = estimator.estimate({.samples = kSamples, .seed = 1});
    expect_within(estimate.objective, example.objective, std::string(example.name) + " objective");
    ASSERT_EQ(estimate.gradient.size(), example.gradient.size());
    for (std::size_t d = 0; d < example.gradient.size(); d++) {
      expect_within(estimate.gradient[d], example.gradient[d],
                    std::string(example.name) + " " + std::to_string(d));
    }
  }
}

TEST(GraphExamples, AnUnknownNameIsAnsweredWithTheNearest) {
  test::expect_error_with(
      ExitCode::usage, [] { find_graph_example("gpomd"); }, "gpomdp");
  EXPECT_STREQ(find_graph_example("Row-1").name, "row_1");
}

using Sample = std::function<double(const std::string& node)>;

// For each sample, the gradient by all parameters as it is written by hand.
void expect_by_hand(const std::string& name,
                    const std::function<std::vector<double>(const Sample&)>& by_hand) {
  Graph graph;
  find_graph_example(name).build(graph);
  const GraphRun run = {.samples = 1000, .seed = 3};
  const DoubleSamples samples(graph, run);
  for (std::size_t s = 0; s < std::size_t(run.samples); s++) {
    const std::vector<double> expected =
        by_hand([&](const std::string& node) { return samples.value(node, s); });
    for (std::size_t d = 0; d < expected.size(); d++) {
      ASSERT_NEAR(samples.gradient(int(d), s), expected[d],
                  kHandTolerance * std::max(1e-3, std::abs(expected[d])))
          << name << ", sample " << s << ", parameter " << d;
    }
  }
}

TEST(GraphExamples, RowsOfTheTableEqualTheirEstimatorsByHand) {
  constexpr double kTheta = 0.7;
  expect_by_hand("row_1", [](const Sample& of) {
    const double y = of("y");
    return std::vector{2 * kTheta * (y - of("x")) * y * y};
  });
  expect_by_hand("row_2", [](const Sample& of) {
    const double x = of("x");
    return std::vector{(x - kTheta) * x * x};
  });
  expect_by_hand("row_3", [](const Sample& of) {
    return std::vector{(of("x") - kTheta) * of("y") * of("y")};
  });
  expect_by_hand("row_4", [](const Sample& of) {
    const double x = of("x");
    return std::vector{(x - kTheta) * x * kTheta * kTheta + 2 * kTheta * x};
  });
  expect_by_hand("row_5", [](const Sample& of) {
    const double x1 = of("x1"), x2 = of("x2");
    return std::vector{(x1 - kTheta) * (x1 * x1 + x2 * x2) + (x2 - kTheta * x1) * x1 * x2 * x2};
  });
}

TEST(GraphExamples, TheVariationalBoundsEqualTheirEstimatorsByHand) {
  constexpr double kX = 1.3, kM = 0.5, kLogS = -0.3;
  const double s = std::exp(kLogS);
  expect_by_hand("elbo_score", [&](const Sample& of) {
    const double e = (of("z") - kM) / s, cost = of("F");
    const double score[] = {e / s, e * e - 1};  // d log q, by m and log s, at the sample
    return std::vector{score[0] * (cost + 1), score[1] * (cost + 1)};
  });
  expect_by_hand("elbo_reparameterised", [&](const Sample& of) {
    // log q(z(phi, epsilon)) = -epsilon^2 / 2 - log s + constant.
    const double z = of("z"), by_z = z - (kX - z), e = (z - kM) / s;
    return std::vector{by_z, by_z * s * e - 1};
  });
}

TEST(GraphExamples, TheMixedCaseEqualsItsEstimatorByHand) {
  constexpr double kAlpha = -0.4, kMu = 0.8;
  const double p = 1 / (1 + std::exp(-kAlpha));
  expect_by_hand("mixed", [&](const Sample& of) {
    const double b = of("b"), z = of("z"), by_z = 2 * (z - 1);
    const double costs = (z - 1) * (z - 1) + 0.3 * b;
    return std::vector{(b - p) * (costs - (kMu - 1) * (kMu - 1)), by_z, by_z * (z - kMu - 2 * b)};
  });
}

TEST(GraphExamples, ThreadsChangeNoBit) {
  const auto one = make_cpu_backend(1), three = make_cpu_backend(3);
  const GraphRun run = {.samples = 5000, .seed = 7};
  for (const GraphExample& example : graph_examples()) {
    Graph graph;
    example.build(graph);
    GraphEstimator first(*one, graph), second(*three, graph);
    const GraphGradient a = first.gradient(run), b = second.gradient(run);
    EXPECT_EQ(a.objective, b.objective) << example.name;
    EXPECT_EQ(a.gradient, b.gradient) << example.name;
    const GraphEstimate c = first.estimate(run), d = second.estimate(run);
    for (std::size_t k = 0; k < c.gradient.size(); k++) {
      EXPECT_EQ(c.gradient[k].mean, d.gradient[k].mean) << example.name;
      EXPECT_EQ(c.gradient[k].standard_error, d.gradient[k].standard_error) << example.name;
    }
  }
}

// Float and double draw the same numbers and differ by rounding alone.
TEST(GraphExamples, FloatDiffersFromDoubleByRounding) {
  const auto backend = make_cpu_backend(1);
  const GraphRun run = {.samples = 300, .seed = 5};
  for (const GraphExample& example : graph_examples()) {
    Graph graph;
    example.build(graph);
    GraphEstimator estimator(*backend, graph);
    const std::vector<float> rows = estimator.sample_gradients(run);
    const DoubleSamples exact(graph, run);
    int n_far = 0;
    for (std::size_t d = 0; d < example.gradient.size(); d++) {
      for (std::size_t s = 0; s < 300; s++) {
        const double x = exact.gradient(int(d), s);
        n_far += std::abs(double(rows[(1 + d) * 300 + s]) - x) > 1e-3 * std::max(1.0, std::abs(x));
      }
    }
    // A uniform number next to a cumulated probability chooses otherwise in double.
    EXPECT_LE(n_far, 1) << example.name;
  }
}

}  // namespace
}  // namespace gallop::testing
