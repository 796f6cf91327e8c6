// The cross-entropy method against what is known of truncated normals, and against its definition
// on single members.
#include <cmath>

#include "tests/black_box/optimizer_case.h"
#include "tests/host/expect_error.h"

namespace gallop::testing {
namespace {

double metric(const BlackBoxOptimizer& o, const std::string& name) {
  for (const auto& [key, value] : o.metrics()) {
    if (key == name) return value;
  }
  ADD_FAILURE() << "no metric " << name;
  return NAN;
}

// The elite of a linear function is a truncated normal: with z = Phi^-1(1 - rho) and phi its
// density, the mean moves by sigma phi / rho, the variance shrinks by 1 + z phi / rho - (phi /
// rho)^2.
TEST(Cem, MovesAndShrinksAsATruncatedNormal) {
  const struct {
    const char* fraction;
    double shift, variance;
  } rows[] = {{"0.05", 2.062713, 0.138077},
              {"0.1", 1.754983, 0.169135},
              {"0.2", 1.399810, 0.218643},
              {"0.5", 0.797885, 0.363380}};
  for (const auto& row : rows) {
    OptimizerCase o(
        "cem", {3}, 1,
        {"population=1000000", "sigma=2", "elite_fraction=" + std::string(row.fraction)}, 2);
    o.generation([](auto x) { return x[0]; });
    EXPECT_NEAR((o->center()[0] - 3) / 2, row.shift, 0.01 * row.shift) << row.fraction;
    EXPECT_NEAR(std::pow(metric(*o.optimizer, "sigma") / 2, 2), row.variance, 0.01 * row.variance);
  }
}

TEST(Cem, IsMeanAndVarianceOfTheBestMembers) {
  const std::vector<double> start = {1, -2, 0.5};
  OptimizerCase o("cem", start, 4,
                  {"population=24", "elite_fraction=0.25", "noise=constant", "noise_variance=0.5"});
  Candidates c;
  o->ask(c);
  make_points(*o.backend, c);
  std::vector<double> fitness;
  for (int m = 0; m < c.n; m++) {
    fitness.push_back(std::floor(2 * c.point(m)[0]) - std::abs(c.point(m)[2]) * 0);  // with ties
  }
  const std::vector<int> order = members_by_fitness(fitness);
  o->tell(fitness);
  double sigma = 0;
  for (std::size_t k = 0; k < 3; k++) {
    double mean = 0, squares = 0;
    for (int i = 0; i < 6; i++) mean += c.point(order[std::size_t(i)])[k] / 6;
    for (int i = 0; i < 6; i++) {
      squares += std::pow(c.point(order[std::size_t(i)])[k] - mean, 2) / 6;
    }
    EXPECT_NEAR(o->center()[k], mean, 1e-5) << k;
    sigma += std::sqrt(squares + 0.5) / 3;
  }
  EXPECT_NEAR(metric(*o.optimizer, "sigma"), sigma, 1e-5);
}

TEST(Cem, ItsNoiseIsThatOfTheFormulas) {
  const struct {
    const char* noise;
    double values[4];  // before generations 0, 1, 2, 3
  } rows[] = {{"none", {0, 0, 0, 0}},
              {"constant", {5, 5, 5, 5}},
              {"linear", {5, 2.5, 0, 0}},
              {"hyperbolic", {5, 2.5, 5.0 / 3, 1.25}}};
  for (const auto& row : rows) {
    OptimizerCase o("cem", {0, 0}, 1,
                    {"noise=" + std::string(row.noise), "noise_variance=5", "noise_generations=2"});
    for (const double value : row.values) {
      EXPECT_NEAR(metric(*o.optimizer, "noise_variance"), value, 1e-12) << row.noise;
      o.generation([](auto x) { return x[0]; });
      EXPECT_GE(std::pow(metric(*o.optimizer, "sigma_least"), 2), value * (1 - 1e-6)) << row.noise;
    }
  }
}

TEST(Cem, RefusesAnEliteWithoutAVariance) {
  test::expect_error_with(
      ExitCode::value, [] { OptimizerCase("cem", {0}, 1, {"population=15"}); }, "elite of 1",
      "at least 2");
  test::expect_error_with(
      ExitCode::value, [] { OptimizerCase("cem", {0}, 1, {"population=3"}); },
      "a population of 3 is too small for cem");
}

}  // namespace
}  // namespace gallop::testing
