// Methods that climb an estimated gradient: against their definitions on single members, and
// against what is known of the estimates.
#include <algorithm>
#include <cmath>

#include <gallop/algorithms/black_box/perturbation_search.h>
#include "tests/black_box/optimizer_case.h"
#include "tests/host/expect_error.h"

namespace gallop::testing {
namespace {

using Vector = std::vector<double>;

double metric(const BlackBoxOptimizer& o, const std::string& name) {
  for (const auto& [key, value] : o.metrics()) {
    if (key == name) return value;
  }
  ADD_FAILURE() << "no metric " << name;
  return NAN;
}

// A generation: perturbations of the members with their signs, their fitness, and how far the
// centre moved.
struct Generation {
  std::vector<Vector> delta;  // theta_m - centre
  Vector fitness, moved;
};

template <class Function>
Generation run(OptimizerCase& o, const Function& f) {
  Generation g;
  const Vector before = o->center();
  Candidates c;
  o->ask(c);
  make_points(*o.backend, c);
  for (int m = 0; m < c.n; m++) {
    g.fitness.push_back(f(c.point(m)));
    g.delta.emplace_back(c.point(m).begin(), c.point(m).end());
    for (std::size_t k = 0; k < before.size(); k++) g.delta.back()[k] -= before[k];
  }
  o->tell(g.fitness);
  g.moved = o->center();
  for (std::size_t k = 0; k < before.size(); k++) g.moved[k] -= before[k];
  return g;
}

double some_function(std::span<const double> x) {
  double sum = 0;
  for (std::size_t k = 0; k < x.size(); k++) sum += std::sin(3 * x[k] + double(k)) - x[k] * x[k];
  return sum;
}

const Vector kStart = {0.5, -1, 2, 0.25, -0.125};

TEST(CenteredRanks, AreEvenAndShareTies) {
  EXPECT_EQ(centered_ranks(Vector{3, 1, 2}), (Vector{0.5, -0.5, 0}));
  EXPECT_EQ(centered_ranks(Vector{1, 7, 7, 0, 1}), (Vector{-0.125, 0.375, 0.375, -0.5, -0.125}));
  EXPECT_EQ(centered_ranks(Vector{4}), Vector{0});
}

// g = sum of (rank+ - rank-) eps / 2n, with the perturbation before it is scaled.
TEST(Es, StepsAsTheProgramOfItsAuthors) {
  OptimizerCase o(
      "es", kStart, 3,
      {"population=12", "sigma=0.1", "step=plain", "learning_rate=0.5", "weight_decay=0.01"});
  const Generation g = run(o, some_function);
  const Vector rank = centered_ranks(g.fitness);
  for (std::size_t k = 0; k < kStart.size(); k++) {
    double sum = 0;
    for (std::size_t i = 0; i < 6; i++) {
      EXPECT_NEAR(g.delta[2 * i][k], -g.delta[2 * i + 1][k], 1e-6);
      sum += (rank[2 * i] - rank[2 * i + 1]) * g.delta[2 * i][k] / 0.1;
    }
    EXPECT_NEAR(g.moved[k], 0.5 * (sum / 12 - 0.01 * kStart[k]), 2e-6) << k;
  }
}

TEST(Es, AdamMovesEveryParameterByTheLearningRateAtFirst) {
  OptimizerCase o("es", kStart, 3, {"population=12", "step=adam", "learning_rate=0.02"});
  for (const double moved : run(o, some_function).moved) EXPECT_NEAR(std::abs(moved), 0.02, 1e-6);
}

TEST(Es, SigmaDecaysToItsLimit) {
  OptimizerCase o("es", kStart, 3, {"sigma=0.5", "sigma_decay=0.5", "sigma_limit=0.1"});
  const double expected[] = {0.25, 0.125, 0.1, 0.1};
  for (const double sigma : expected) {
    run(o, some_function);
    EXPECT_DOUBLE_EQ(metric(*o.optimizer, "sigma"), sigma);
  }
}

// The estimate of n mirrored pairs on a linear function g . theta: E|estimate - g|^2 is
// (D + 1) |g|^2 / n whatever sigma.
TEST(Es, HasTheVarianceOfMirroredPairsOnALinearFunction) {
  const Vector slope = {1, -2, 0.5, 3, 0};
  const int n = 4, generations = 20000;
  double squares = 0;
  std::optional<OptimizerCase> o;
  for (int i = 0; i < generations; i++) {
    if (i % 100 == 0) {  // floats do not see small perturbations of a centre that has gone far
      o.emplace("es", Vector(5, 0.0), std::uint64_t(8 + i),
                std::vector<std::string>{"population=8", "utility=raw", "step=plain",
                                         "learning_rate=1", "sigma=0.2"});
    }
    const Generation g = run(*o, [&](auto x) {
      double sum = 0;
      for (std::size_t k = 0; k < 5; k++) sum += slope[k] * x[k];
      return sum;
    });
    for (std::size_t k = 0; k < 5; k++) squares += std::pow(g.moved[k] - slope[k], 2);
  }
  const double expected = 6 * (1 + 4 + 0.25 + 9) / n;
  EXPECT_NEAR(squares / generations, expected, 0.02 * expected);
}

// On a quadratic function the gradient of the smoothed function is the gradient itself.
TEST(Es, EstimatesTheGradientOfAQuadraticForEverySigma) {
  const auto f = [](auto x) {
    return -(x[0] - 1) * (x[0] - 1) - 3 * x[0] * x[1] - 2 * x[1] * x[1];
  };
  for (const char* sigma : {"sigma=0.01", "sigma=1"}) {
    for (const char* mirrored : {"mirrored=true", "mirrored=false"}) {
      if (std::string(sigma) == "sigma=0.01" && std::string(mirrored) == "mirrored=false") continue;
      OptimizerCase o(
          "es", {2, -1}, 5,
          {"population=400000", "utility=raw", "step=plain", "learning_rate=1", sigma, mirrored},
          2);
      const Generation g = run(o, f);
      EXPECT_NEAR(g.moved[0], -2 * (2 - 1) - 3 * -1, 0.06) << sigma << mirrored;
      EXPECT_NEAR(g.moved[1], -3 * 2 - 4 * -1, 0.06) << sigma << mirrored;
    }
  }
}

OptimizerContext with_network(OptimizerCase& o, int inputs, int outputs) {
  PolicyShape shape = {};
  shape.network.n_layers = 1;
  shape.network.width[0] = inputs;
  shape.network.width[1] = outputs;
  shape.head = Head::kDeterministic;
  shape.n_actions = outputs;
  return {*o.backend, o.options, 9, Vector(std::size_t((inputs + 1) * outputs), 0.25), shape};
}

TEST(Eggroll, StepsAlongPerturbationsOfLowRank) {
  OptimizerCase source("es", {0}, 1);
  source.options = Options(find_optimizer("eggroll").options);
  for (const char* o : {"population=6", "sigma=0.1", "step=plain", "learning_rate=1", "rank=2"}) {
    source.options.set_assignment(o, "test");
  }
  source.optimizer = find_optimizer("eggroll").create(with_network(source, 4, 3));
  const Generation g = run(source, some_function);
  const Vector rank = centered_ranks(g.fitness);
  for (std::size_t k = 0; k < 15; k++) {
    double sum = 0;
    for (std::size_t m = 0; m < 6; m++) sum += rank[m] * g.delta[m][k] / 0.1;
    EXPECT_NEAR(g.moved[k], sum / 6, 2e-6) << k;
  }
  // Every 3 x 3 minor of a member's perturbation of the matrix [4, 3] is 0.
  const Vector& d = g.delta[0];
  const double determinant = d[0] * (d[4] * d[8] - d[5] * d[7]) -
                             d[1] * (d[3] * d[8] - d[5] * d[6]) +
                             d[2] * (d[3] * d[7] - d[4] * d[6]);
  EXPECT_NEAR(determinant, 0, 1e-7);
  EXPECT_GT(std::abs(d[0] * d[4] - d[1] * d[3]), 1e-7);
  test::expect_error_with(
      ExitCode::value,
      [] {
        OptimizerCase("eggroll", {1, 2}, 1);
      },
      "matrices of a network", "es perturbs any point");
}

// Rank one suffices for the mean: on a linear function it is the gradient.
TEST(Eggroll, EstimatesTheGradientInTheMean) {
  OptimizerCase o("es", {0}, 1, {}, 2);
  o.options = Options(find_optimizer("eggroll").options);
  for (const char* a : {"population=400000", "utility=raw", "step=plain", "learning_rate=1"}) {
    o.options.set_assignment(a, "test");
  }
  o.optimizer = find_optimizer("eggroll").create(with_network(o, 2, 2));
  const Vector slope = {1, -2, 3, 0.5, -1, 2};
  const Generation g = run(o, [&](auto x) {
    double sum = 0;
    for (std::size_t k = 0; k < 6; k++) sum += slope[k] * x[k];
    return sum;
  });
  for (std::size_t k = 0; k < 6; k++) EXPECT_NEAR(g.moved[k], slope[k], 0.06) << k;
}

TEST(Ars, StepsAsDefinedWithTies) {
  OptimizerCase o("ars", kStart, 6, {"directions=6", "top=3", "alpha=0.5", "nu=0.2"});
  const Generation g = run(o, [](auto x) { return std::floor(some_function(x) * 2); });
  Vector best;
  for (std::size_t i = 0; i < 6; i++)
    best.push_back(std::max(g.fitness[2 * i], g.fitness[2 * i + 1]));
  const std::vector<int> order = members_by_fitness(best);
  Vector used;
  for (int i = 0; i < 3; i++) {
    used.push_back(g.fitness[2 * std::size_t(order[std::size_t(i)])]);
    used.push_back(g.fitness[2 * std::size_t(order[std::size_t(i)]) + 1]);
  }
  double squares = 0;
  for (const double r : used) squares += std::pow(r - mean_of(used), 2);
  const double deviation = std::sqrt(squares / 6);
  EXPECT_NEAR(metric(*o.optimizer, "return_deviation"), deviation, 1e-12);
  for (std::size_t k = 0; k < kStart.size(); k++) {
    double sum = 0;
    for (int i = 0; i < 3; i++) {
      const std::size_t at = 2 * std::size_t(order[std::size_t(i)]);
      sum += (g.fitness[at] - g.fitness[at + 1]) * g.delta[at][k] / 0.2;
    }
    EXPECT_NEAR(g.moved[k], 0.5 / (3 * deviation) * sum, 1e-5) << k;
  }
}

TEST(Ars, DoesNotStepWhereTheBestAreEqual) {
  OptimizerCase o("ars", kStart, 6, {"directions=4", "top=1"});
  o->tell(Vector{5, 5, 1, 2, 0, 5, 3, 3});
  EXPECT_EQ(o->center(), kStart);
  EXPECT_EQ(o->generation(), 1u);
}

TEST(Ars, KnowsWhichVersionsUseWhat) {
  for (const char* v : {"v1", "v1t"}) {
    OptimizerCase o("ars", kStart, 1, {std::string("version=") + v});
    EXPECT_EQ(o->normalizes(), std::optional(false));
  }
  OptimizerCase whitens("ars", kStart, 1, {"version=v2"});
  EXPECT_EQ(whitens->normalizes(), std::optional(true));
  OptimizerCase es("es", kStart, 1);
  EXPECT_EQ(es->normalizes(), std::nullopt);
  test::expect_error_with(
      ExitCode::value,
      [] {
        OptimizerCase("ars", kStart, 1, {"version=v2", "top=3"});
      },
      "v2t");
  test::expect_error_with(
      ExitCode::value, [] { OptimizerCase("ars", kStart, 1, {"top=9"}); }, "top is 9", "8");
  test::expect_error_with(
      ExitCode::value, [] { OptimizerCase("ars", kStart, 1, {"directions=0"}); },
      "a population of 0 is too small for ars");
}

TEST(Nes, StepsAsDefined) {
  OptimizerCase o("nes", kStart, 2, {"population=9", "sigma=0.3"});
  const Generation g = run(o, some_function);
  const std::vector<int> order = members_by_fitness(g.fitness);
  Vector utility(9);
  double sum = 0;
  for (int i = 0; i < 9; i++) {
    utility[std::size_t(i)] = std::max(0.0, std::log(5.5) - std::log(i + 1.0));
    sum += utility[std::size_t(i)];
  }
  double sigma = 0;
  for (std::size_t k = 0; k < kStart.size(); k++) {
    double by_mean = 0, by_sigma = 0;
    for (std::size_t i = 0; i < 9; i++) {
      const double u = utility[i] / sum - 1.0 / 9;
      const double eps = g.delta[std::size_t(order[i])][k] / 0.3;
      by_mean += u * eps;
      by_sigma += u * (eps * eps - 1);
    }
    EXPECT_NEAR(g.moved[k], 0.3 * by_mean, 2e-6) << k;
    sigma += 0.3 * std::exp((3 + std::log(5.0)) / (5 * std::sqrt(5.0)) / 2 * by_sigma) / 5;
  }
  EXPECT_NEAR(metric(*o.optimizer, "sigma"), sigma, 1e-6);
}

TEST(Nes, SolvesTestFunctions) {
  for (const char* function : {"sphere", "ellipsoid"}) {
    const OptimizeResult r = solve("nes", function, 10, 1, {"population=20", "sigma=0.5"}, 200000);
    EXPECT_TRUE(r.is_solved) << function << " " << r.best << " " << r.stopped;
  }
}

TEST(Pgpe, StepsAsDefined) {
  OptimizerCase o("pgpe", kStart, 2,
                  {"population=10", "sigma=0.3", "learning_rate=0.05", "sigma_learning_rate=0.4"});
  const Generation first = run(o, some_function);
  const Vector rank = centered_ranks(first.fitness);
  Vector gradient(5, 0.0);
  double sigma = 0;
  for (std::size_t k = 0; k < 5; k++) {
    double by_sigma = 0;
    for (std::size_t i = 0; i < 5; i++) {
      const double delta = first.delta[2 * i][k], eps = delta / 0.3;
      gradient[k] += (rank[2 * i] - rank[2 * i + 1]) * delta / 10;
      by_sigma += (rank[2 * i] + rank[2 * i + 1]) * 0.3 * (eps * eps - 1) / 10;
    }
    sigma += (0.3 + std::clamp(0.4 * by_sigma, -0.06, 0.06)) / 5;
  }
  for (std::size_t k = 0; k < 5; k++) {
    EXPECT_NEAR(first.moved[k], 0.05 * gradient[k] / length(gradient), 2e-6) << k;
  }
  EXPECT_NEAR(metric(*o.optimizer, "sigma"), sigma, 1e-6);
  // Momentum: the second step is longer, and no step is longer than max_speed, 0.1.
  EXPECT_NEAR(length(first.moved), 0.05, 1e-6);
  for (int g = 0; g < 20; g++) {
    EXPECT_LE(length(run(o, [](auto x) { return x[0]; }).moved), 0.1 + 1e-9);
  }
  test::expect_error_with(
      ExitCode::value, [] { OptimizerCase("pgpe", kStart, 1, {"population=7"}); },
      "population of 7", "even");
}

TEST(FiniteDifferences, AreExactWhereTheyShouldBe) {
  const auto quadratic = [](auto x) { return 3 * x[0] - 2 * x[1] * x[1] + x[0] * x[1]; };
  for (const char* estimator : {"central", "averaged", "pegasus"}) {
    OptimizerCase o("finite_differences", {1, 2}, 1,
                    {std::string("estimator=") + estimator, "epsilon=0.1", "learning_rate=1"});
    const Generation g = run(o, quadratic);
    EXPECT_EQ(g.fitness.size(), std::string(estimator) == "averaged" ? 32u : 4u);
    EXPECT_NEAR(g.moved[0], 5, 1e-12) << estimator;
    EXPECT_NEAR(g.moved[1], -7, 1e-12) << estimator;
  }
  // The bias epsilon^2 U''' / 6 of a cubic.
  OptimizerCase cubic("finite_differences", {2}, 1, {"epsilon=0.3", "learning_rate=1"});
  EXPECT_NEAR(run(cubic, [](auto x) { return x[0] * x[0] * x[0]; }).moved[0], 12 + 0.09, 1e-12);
  OptimizerCase linear("finite_differences", kStart, 1,
                       {"estimator=regression", "learning_rate=1", "directions=6"});
  const Generation g =
      run(linear, [](auto x) { return 7 + x[0] - 2 * x[1] + 3 * x[2] - 4 * x[3] + 5 * x[4]; });
  for (std::size_t k = 0; k < 5; k++) {
    EXPECT_NEAR(g.moved[k], (k % 2 == 0 ? 1.0 : -1.0) * double(k + 1), 1e-9);
  }
}

// Noise that all members share cancels; noise of their own is averaged.
TEST(FiniteDifferences, TheirVarianceIsThatOfTheNoiseThatIsNotShared) {
  const TestFunction noisy(find_test_function("sphere"), 1, {.noise = 0.1, .seed = 2});
  const auto variance = [&](const std::vector<std::string>& options) {
    double sum = 0, squares = 0;
    const int n = 4000;
    std::vector<std::string> all = options;
    all.insert(all.end(), {"epsilon=0.5", "learning_rate=0"});
    OptimizerCase o("finite_differences", {1}, 1, all);
    for (int i = 0; i < n; i++) {
      Candidates c;
      o->ask(c);
      Vector fitness;
      for (int m = 0; m < c.n; m++) {
        const bool own = c.scenarios == Scenarios::kOwn;
        fitness.push_back(-noisy.noisy_value(c.point(m), own ? std::uint32_t(m) : 0u,
                                             own ? std::uint32_t(i) : 0u));
      }
      o->tell(fitness);
      double gradient = metric(*o.optimizer, "gradient_norm");
      sum += gradient;
      squares += gradient * gradient;
    }
    return squares / n - sum / n * sum / n;
  };
  const double one = 2 * 0.01 / (4 * 0.25);
  EXPECT_NEAR(variance({}), one, 0.1 * one);
  EXPECT_NEAR(variance({"estimator=averaged", "repeats=5"}), one / 5, 0.1 * one / 5);
  EXPECT_NEAR(variance({"estimator=pegasus"}), 0, 1e-12);
}

TEST(FiniteDifferences, TheNaturalStepIsAsLongInTheMetricAsDelta) {
  OptimizerCase o("finite_differences", {0, 0}, 1);
  o.options.set("natural", "true", "test");
  o.options.set("delta", "0.02", "test");
  const double metric[] = {4, 0.25};  // F, diagonal
  o.optimizer = find_optimizer("finite_differences")
                    .create({*o.backend, o.options, 1, {1, 2}, {}, [&](std::span<const double> g) {
                               return Vector{g[0] / metric[0], g[1] / metric[1]};
                             }});
  const Generation g = run(o, [](auto x) { return 3 * x[0] - x[1]; });
  EXPECT_NEAR(0.5 * (4 * g.moved[0] * g.moved[0] + 0.25 * g.moved[1] * g.moved[1]), 0.02, 1e-9);
  EXPECT_NEAR(g.moved[0] / g.moved[1], (3.0 / 4) / (-1 / 0.25), 1e-9);
}

TEST(FiniteDifferences, RefuseWhatTheyCannotEstimate) {
  test::expect_error_with(
      ExitCode::value,
      [] {
        OptimizerCase("finite_differences", kStart, 1, {"estimator=regression", "directions=5"});
      },
      "5 directions are too few", "at least 6");
  test::expect_error_with(
      ExitCode::value, [] { OptimizerCase("finite_differences", kStart, 1, {"natural=true"}); },
      "a function has no metric");
  test::expect_error_with(
      ExitCode::value, [] { OptimizerCase("finite_differences", Vector(20000, 0.0), 1); },
      "20000 parameters", "es takes any number");
}

}  // namespace
}  // namespace gallop::testing
