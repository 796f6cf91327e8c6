// A thousand random graphs: the surrogate loss's gradient against differences of the expectation,
// by enumeration of discrete nodes and the same random numbers at all points.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/executor/sanitizer.h"
#include "tests/graphs/double_rows.h"
#include "tests/graphs/random_graph.h"

namespace gallop::testing {
namespace {

constexpr int kGraphs = GALLOP_ADDRESS_SANITIZER ? 100 : 1000;
constexpr long kSamples = 2048, kMoreSamples = 65536;
constexpr double kStandardErrors = 3.5;
// Richardson's extrapolation of central differences of h and 2 h errs by some h^4.
constexpr double kH = 0.04, kDifferenceTolerance = 1e-3;

// The difference of the expectation by parameter d.
GraphMean difference(Backend& backend, std::uint64_t number, const std::vector<int>& sizes, int d,
                     const GraphRun& run) {
  std::vector<double> of_sample(std::size_t(run.samples), 0.0);
  std::vector<int> values(sizes.size(), 0);
  while (true) {
    Graph graph;
    RandomGraph(number).build_given(graph, values);
    GraphEstimator estimator(backend, graph);
    const std::vector<double> at = estimator.parameters();
    const auto add = [&](double offset, double weight) {
      std::vector<double> moved = at;
      moved[std::size_t(d)] += offset;
      estimator.set_all(moved);
      const std::vector<float> cost = estimator.sample_values(run, "c");
      for (std::size_t s = 0; s < cost.size(); s++) of_sample[s] += weight * double(cost[s]);
    };
    for (const double side : {1.0, -1.0}) {
      add(side * kH, side * 4 / (6 * kH));
      add(side * 2 * kH, -side / (12 * kH));
    }
    std::size_t k = 0;
    while (k < sizes.size() && ++values[k] == sizes[k]) values[k++] = 0;
    if (k == sizes.size()) break;
  }
  double mean = 0, squares = 0;
  for (const double x : of_sample) mean += x / double(run.samples);
  for (const double x : of_sample) squares += (x - mean) * (x - mean);
  return {mean, std::sqrt(squares / double(run.samples - 1) / double(run.samples))};
}

// How far the two are apart, in their bound.
double distance(Backend& backend, std::uint64_t number, const std::vector<int>& sizes, int d,
                const GraphMean& estimate, const GraphRun& run) {
  const GraphMean expected = difference(backend, number, sizes, d, run);
  const double bound =
      kStandardErrors * std::hypot(estimate.standard_error, expected.standard_error) +
      kDifferenceTolerance * std::max(1.0, std::abs(expected.mean));
  return std::abs(estimate.mean - expected.mean) / bound;
}

// Of some two thousand derivatives one may well lie beyond 3.5 standard errors, whose estimate from
// few samples of long tails is low besides: such a one is taken again over other samples, 32 times
// as many, and has to hold there.
TEST(RandomGraphs, GradientsAgreeWithDifferencesOfTheExpectation) {
  const auto backend = make_cpu_backend(1);
  int n_derivatives = 0, n_again = 0, n_scored = 0, n_discrete = 0, n_noisy = 0;
  for (std::uint64_t number = 0; number < kGraphs; number++) {
    SCOPED_TRACE("graph " + std::to_string(number));
    Graph graph;
    const std::vector<int> sizes = RandomGraph(number).build(graph);
    GraphEstimator estimator(*backend, graph);
    n_scored += !estimator.compiled().scores.empty();
    n_discrete += !sizes.empty();
    const GraphRun run = {.samples = kSamples, .seed = 11};
    const GraphEstimate estimate = estimator.estimate(run);
    for (int d = 0; d < int(estimate.gradient.size()); d++) {
      n_derivatives++;
      n_noisy += estimate.gradient[std::size_t(d)].standard_error > 0;
      const auto apart = [&](const GraphMean& mean, const GraphRun& at) {
        return distance(*backend, number, sizes, d, mean, at);
      };
      if (apart(estimate.gradient[std::size_t(d)], run) <= 1) continue;
      n_again++;
      const GraphRun more = {.samples = kMoreSamples, .seed = 12};
      EXPECT_LE(apart(estimator.estimate(more).gradient[std::size_t(d)], more), 1) << "by " << d;
    }
  }
  // What was tested: not constants.
  EXPECT_GT(n_derivatives, kGraphs * 18 / 10);
  EXPECT_GT(n_noisy, kGraphs);
  EXPECT_GT(n_scored, kGraphs / 2);
  EXPECT_GT(n_discrete, kGraphs * 4 / 10);
  EXPECT_LT(n_again, kGraphs / 50);
  RecordProperty("again", n_again);
}

}  // namespace
}  // namespace gallop::testing
