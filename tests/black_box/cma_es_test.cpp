// CMA-ES: its constants against those of pycma, evaluations until 1e-8 against purecma's, and what
// follows from using ranks and the metric of its covariance alone.
#include <algorithm>
#include <cmath>

#include <gallop/algorithms/black_box/cma_constants.h>
#include <gallop/algorithms/black_box/covariance.h>
#include <gallop/algorithms/black_box/linear_algebra.h>
#include "tests/black_box/optimizer_case.h"
#include "tests/host/expect_error.h"

namespace gallop::testing {
namespace {

constexpr int kSeeds = 31;

TEST(CmaConstants, AreThoseOfTheTutorialAndOfPurecma) {
  const CmaConstants tutorial = cma_constants(10, 10, {});
  const CmaConstants pure = cma_constants(10, 10, {.is_purecma = true, .is_active = false});
  EXPECT_EQ(default_cma_population(10), 10);
  EXPECT_EQ(tutorial.parents, 5);
  const double weights[] = {.456273, .270753, .162231, .085234, .025510};
  for (int i = 0; i < 5; i++) {
    EXPECT_NEAR(tutorial.weight[std::size_t(i)], weights[i], 1e-6) << i;
    EXPECT_EQ(pure.weight[std::size_t(i)], tutorial.weight[std::size_t(i)]);
    EXPECT_EQ(pure.weight[std::size_t(i + 5)], 0.0);
    EXPECT_LE(tutorial.weight[std::size_t(i + 5)], 0.0);
  }
  EXPECT_NEAR(tutorial.mu_eff, 3.167299, 1e-6);
  EXPECT_NEAR(tutorial.mu_eff_negative, 3.989115, 1e-6);
  EXPECT_NEAR(tutorial.c_c, .294990, 1e-6);
  EXPECT_NEAR(tutorial.c_sigma, .284429, 1e-6);
  EXPECT_NEAR(tutorial.c_1, .015284, 1e-6);
  EXPECT_NEAR(tutorial.c_mu, .023552, 1e-6);
  EXPECT_NEAR(pure.c_mu, .020154, 1e-6);
  EXPECT_NEAR(tutorial.d_sigma, 1.284429, 1e-6);
  EXPECT_NEAR(pure.d_sigma, 1.217888, 1e-6);
  EXPECT_NEAR(tutorial.chi, 3.084727, 1e-6);
  EXPECT_NEAR(tutorial.alpha_mu, 1.64895, 1e-5);
  EXPECT_NEAR(tutorial.alpha_mu_eff, 2.54398, 1e-5);
  EXPECT_NEAR(tutorial.alpha_definite, 4.08107, 1e-5);
  double negative = 0;
  for (const double w : tutorial.weight) negative += std::min(w, 0.0);
  EXPECT_NEAR(negative, -tutorial.alpha_mu, 1e-12);
}

TEST(CmaConstants, AreThoseOfPurecmaInOtherDimensions) {
  const struct {
    int n, population;
    double mu_eff, c_c, c_sigma, c_1, c_mu, d_sigma;
  } rows[] = {{2, 6, 2.028611, .624555, .446205, .154815, .057859, 1.422409},
              {5, 8, 2.600179, .450200, .365088, .047292, .038169, 1.315133},
              {20, 12, 3.729459, .171767, .199428, .004372, .008191, 1.121005},
              {40, 15, 4.540915, .093009, .132031, .001169, .003123, 1.037486}};
  for (const auto& row : rows) {
    EXPECT_EQ(default_cma_population(row.n), row.population);
    const CmaConstants c =
        cma_constants(row.n, row.population, {.is_purecma = true, .is_active = false});
    EXPECT_NEAR(c.mu_eff, row.mu_eff, 1e-6);
    EXPECT_NEAR(c.c_c, row.c_c, 1e-6);
    EXPECT_NEAR(c.c_sigma, row.c_sigma, 1e-6);
    EXPECT_NEAR(c.c_1, row.c_1, 1e-6);
    EXPECT_NEAR(c.c_mu, row.c_mu, 1e-6);
    EXPECT_NEAR(c.d_sigma, row.d_sigma, 1e-6);
  }
}

TEST(CmaConstants, ADiagonalIsLearntFasterByTheFactorOfRosAndHansen) {
  const CmaConstants full = cma_constants(10, 10, {});
  const CmaConstants diagonal = cma_constants(10, 10, {.is_separable = true});
  EXPECT_DOUBLE_EQ(diagonal.c_1, full.c_1 * 4);
  EXPECT_DOUBLE_EQ(diagonal.c_mu, full.c_mu * 4);
}

// Mean evaluations of 31 seeds until 1e-8, all of which get there.
std::vector<double> evaluations(const std::string& optimizer, const std::string& function,
                                const std::vector<std::string>& assignments) {
  std::vector<double> counts;
  for (int seed = 1; seed <= kSeeds; seed++) {
    const OptimizeResult r = solve(optimizer, function, 10, std::uint64_t(seed), assignments);
    EXPECT_TRUE(r.is_solved) << function << ", seed " << seed << ": " << r.best << " after "
                             << r.evaluations << ", " << r.stopped;
    EXPECT_LE(r.best, 1e-8);
    counts.push_back(double(r.evaluations));
  }
  return counts;
}

double mean(const std::vector<double>& x) {
  double sum = 0;
  for (const double v : x) sum += v;
  return sum / double(x.size());
}

const std::vector<std::string> kPurecma = {"constants=purecma", "active=false"};

TEST(CmaEs, NeedsTheEvaluationsOfPurecma) {
  const struct {
    const char* function;
    double mean;
  } rows[] = {{"sphere", 1348}, {"cigar", 4366}, {"ellipsoid", 5766}, {"rosenbrock", 6086}};
  for (const auto& row : rows) {
    EXPECT_NEAR(mean(evaluations("cma_es", row.function, kPurecma)), row.mean, 0.1 * row.mean)
        << row.function;
  }
}

// Kolmogorov and Smirnov: of two samples of 31, the distributions of evaluations differ by less
// than 1.63 sqrt(2 / 31), which happens to one pair in a hundred that come from one distribution.
TEST(CmaEs, DoesNotSeeRotations) {
  std::vector<double> a = evaluations("cma_es", "ellipsoid", kPurecma);
  std::vector<double> b = evaluations("cma_es", "rotated_ellipsoid", kPurecma);
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  double greatest = 0;
  for (const double at : a) {
    const auto below = [at](const std::vector<double>& x) {
      return double(std::upper_bound(x.begin(), x.end(), at) - x.begin()) / double(x.size());
    };
    greatest = std::max(greatest, std::abs(below(a) - below(b)));
  }
  EXPECT_LT(greatest, 1.63 * std::sqrt(2.0 / kSeeds));
  EXPECT_NE(a, b);
}

TEST(CmaEs, TheTutorialsActiveFormIsNoSlower) {
  EXPECT_LT(mean(evaluations("cma_es", "ellipsoid", {})), 5766);
  EXPECT_LT(mean(evaluations("cma_es", "sphere", {})), 1.1 * 1348);
}

TEST(CmaEs, OnlyRanksCount) {
  const TestFunction f(find_test_function("rosenbrock"), 6, {});
  for (const char* name : {"cma_es", "sep_cma_es"}) {
    OptimizerCase plain(name, f.start(), 3), cubed(name, f.start(), 3), grown(name, f.start(), 3);
    for (int g = 0; g < 150; g++) {
      plain.generation([&](auto x) { return -f.value(x); });
      cubed.generation([&](auto x) { return -std::pow(f.value(x), 3); });
      grown.generation([&](auto x) { return -std::exp(f.value(x)); });
      ASSERT_EQ(plain->center(), cubed->center()) << g;
      ASSERT_EQ(plain->center(), grown->center()) << g;
    }
  }
}

TEST(SepCmaEs, SolvesWhatIsSeparableFaster) {
  const std::vector<double> counts = evaluations("sep_cma_es", "ellipsoid", {});
  EXPECT_LT(mean(counts), 4500);
  const OptimizeResult large = solve("sep_cma_es", "ellipsoid", 100, 1, {}, 1000000);
  EXPECT_TRUE(large.is_solved) << large.best;
}

TEST(CmaEs, RestartsFindTheMinimumAmongMany) {
  int alone = 0;
  for (std::uint64_t seed = 1; seed <= 5; seed++) {
    alone += solve("cma_es", "rastrigin", 5, seed, {"sigma=2"}, 300000).is_solved;
    for (const char* how : {"restarts=ipop", "restarts=bipop"}) {
      const OptimizeResult r = solve("cma_es", "rastrigin", 5, seed, {"sigma=2", how}, 300000);
      EXPECT_TRUE(r.is_solved) << how << ", seed " << seed << ": " << r.best << ", " << r.stopped;
    }
  }
  EXPECT_LT(alone, 5) << "one run finds it: the function does not need restarts";
}

TEST(CmaEs, ARunThatHasConvergedSaysSo) {
  const OptimizeResult r = solve("cma_es", "rastrigin", 10, 2, {});
  EXPECT_FALSE(r.is_solved);
  EXPECT_NE(r.stopped.find("no longer changes"), std::string::npos) << r.stopped;
}

TEST(CmaEs, GoesOnWithTheSameBitsFromWhatItSaved) {
  for (const char* name : {"cma_es", "sep_cma_es"}) {
    const TestFunction f(find_test_function("rastrigin"), 4, {});
    const auto value = [&](auto x) { return -f.value(x); };
    const std::vector<std::string> restarts = {"restarts=bipop", "sigma=1"};
    OptimizerCase whole(name, f.start(), 5, restarts), other(name, f.start(), 5, restarts);
    for (int g = 0; g < 333; g++) whole.generation(value);
    for (int g = 0; g < 20; g++) other.generation(value);
    const TensorFile middle = whole.saved();
    other->load(middle);
    EXPECT_TRUE(are_equal(other.saved(), middle));
    for (int g = 0; g < 700; g++) {
      whole.generation(value);
      other.generation(value);
    }
    EXPECT_TRUE(are_equal(whole.saved(), other.saved())) << name;
    EXPECT_GT(whole->metrics().back().second, 0) << "no restart was part of this";
  }
}

TEST(CmaEs, RefusesWhatItCannotLearnFrom) {
  OptimizerCase o("cma_es", {1, 2, 3}, 1);
  o.generation([](auto x) { return x[0]; });
  const TensorFile before = o.saved();
  const auto refused = [&](ExitCode code, const std::vector<double>& fitness, const char* text) {
    test::expect_error_with(
        code, [&] { o->tell(fitness); }, text);
    EXPECT_TRUE(are_equal(o.saved(), before)) << text;
  };
  const std::size_t n = std::size_t(o->population());
  refused(ExitCode::value, std::vector<double>(n - 1, 1.0), "6 members was told");
  refused(ExitCode::value, std::vector<double>(n, 2.5), "have the fitness 2.5");
  std::vector<double> broken(n, 1.0);
  broken[4] = std::nan("");
  refused(ExitCode::non_finite, broken, "member 4 in generation 1 is nan");
  test::expect_error_with(
      ExitCode::value,
      [] {
        OptimizerCase("cma_es", {1, 2}, 1, {"population=3"});
      },
      "a population of 3 is too small for cma_es", "at least 4");
  test::expect_error_with(
      ExitCode::value, [] { OptimizerCase("cma_es", std::vector<double>(9000, 0.0), 1); }, "9000",
      "sep_cma_es");
  test::expect_error_with(
      ExitCode::value,
      [] {
        OptimizerCase("cma_es", {1, INFINITY}, 1);
      },
      "component 1 of the initial point is inf");
  test::expect_error_with(
      ExitCode::value, [] { OptimizerCase("cma_es", {}, 1); }, "0 components");
}

TEST(CmaEs, AFunctionThatThrowsLeavesItAsItWas) {
  OptimizerCase o("cma_es", {1, 2, 3}, 1);
  int calls = 0;
  const auto f = [&](std::span<const double> x, std::uint32_t, std::uint32_t) {
    if (++calls == 25) throw std::runtime_error("of the user");
    return x[0] * x[0] + x[1] * x[1] + x[2] * x[2];
  };
  EXPECT_THROW(minimize(*o.optimizer, f, {}), std::runtime_error);
  EXPECT_EQ(o->generation(), 24u / std::uint64_t(o->population()));
  OptimizerCase same("cma_es", {1, 2, 3}, 1);
  for (std::uint64_t g = 0; g < o->generation(); g++) {
    same.generation([](auto x) { return -(x[0] * x[0] + x[1] * x[1] + x[2] * x[2]); });
  }
  EXPECT_TRUE(are_equal(same.saved(), o.saved()));
  EXPECT_TRUE(minimize(*o.optimizer, f, {}).is_solved) << "the search cannot go on";
}

TEST(Covariance, ThatLostDefinitenessIsRefusedAndKept) {
  for (const bool is_diagonal : {false, true}) {
    Covariance c(3, is_diagonal);
    c.update(0.5, std::vector<double>{0.3}, std::vector<double>{1, 2, 3}, true);
    TensorFile before, after;
    c.save(before, "c");
    test::expect_error_with(
        ExitCode::value,
        [&] {
          c.update(1, std::vector<double>{-9}, std::vector<double>{1, 1, 1}, true);
        },
        "no longer positive definite", "least eigenvalue is -");
    test::expect_error_with(
        ExitCode::non_finite,
        [&] {
          c.update(1, std::vector<double>{1}, std::vector<double>{1e200, 1, 1}, true);
        },
        "variance of component 0 is inf");
    c.save(after, "c");
    EXPECT_TRUE(are_equal(before, after));
  }
}

TEST(Covariance, ItsFactorsAreThoseOfTheMatrix) {
  constexpr long n = 37, members = 11;
  OptimizerCase source("cma_es", std::vector<double>(n, 0.0), 9, {"population=24"});
  Candidates random;
  source->ask(random);
  const std::vector<double> x(random.points.begin(), random.points.begin() + n * members);
  std::vector<double> weight(members);
  for (long m = 0; m < members; m++) weight[std::size_t(m)] = 0.5 + double(m);
  Covariance c(n, false);
  c.update(0.25, weight, x, true);
  std::vector<double> matrix(n * n);
  for (long i = 0; i < n; i++) {
    for (long j = 0; j < n; j++) {
      double sum = i == j ? 0.25 : 0;
      for (long m = 0; m < members; m++) {
        sum += weight[std::size_t(m)] * x[std::size_t(m * n + i)] * x[std::size_t(m * n + j)];
      }
      matrix[std::size_t(i * n + j)] = sum;
    }
  }
  for (long k = 0; k < n; k++) EXPECT_NEAR(c.variance(k), matrix[std::size_t(k * n + k)], 1e-12);
  // B D (B D)^T = C, column by column of B D.
  std::vector<double> product(n * n, 0.0), unit(n * n, 0.0), columns(n * n);
  for (long k = 0; k < n; k++) unit[std::size_t(k * n + k)] = 1;
  c.color(unit, columns);
  for (long k = 0; k < n; k++) {
    for (long i = 0; i < n; i++) {
      for (long j = 0; j < n; j++) {
        product[std::size_t(i * n + j)] +=
            columns[std::size_t(k * n + i)] * columns[std::size_t(k * n + j)];
      }
    }
  }
  for (std::size_t i = 0; i < product.size(); i++) EXPECT_NEAR(product[i], matrix[i], 1e-11);
  // whiten is its inverse root: |C^-1/2 B D z| = |z|.
  const std::vector<double> y(columns.begin(), columns.begin() + n);
  double squares = 0;
  for (const double w : c.whiten(y)) squares += w * w;
  EXPECT_NEAR(squares, 1, 1e-10);
}

}  // namespace
}  // namespace gallop::testing
