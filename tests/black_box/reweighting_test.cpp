// Methods that weigh members by their fitness, against Gaussians under weights that leave them
// Gaussians, and against their definitions on single members.
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

// exp(0.7 U) of U = -(theta - 1.5)^2 makes a standard normal one of mean 0.875, variance 0.416667.
double quadratic(std::span<const double> x) { return -(x[0] - 1.5) * (x[0] - 1.5); }

TEST(Rwr, WeighsAGaussianToAGaussian) {
  for (const char* covariance : {"covariance=diagonal", "covariance=full"}) {
    OptimizerCase o("rwr", {0}, 2, {"population=1000000", "beta=0.7", covariance}, 2);
    o.generation(quadratic);
    EXPECT_NEAR(o->center()[0], 0.875, 0.005 * 0.875) << covariance;
    EXPECT_NEAR(std::pow(metric(*o.optimizer, "sigma"), 2), 0.416667, 0.005 * 0.416667);
  }
}

TEST(Rwr, ChoosesBetaByTheMembersThatCount) {
  for (const double scale : {1.0, 1e-6, 1e9}) {
    OptimizerCase o("rwr", {0, 0}, 2, {"population=200", "effective_fraction=0.15"});
    o.generation([&](auto x) { return 7 * scale + scale * quadratic(x); });
    EXPECT_NEAR(metric(*o.optimizer, "effective_members"), 30, 0.5) << scale;
  }
}

TEST(Pi2, WeighsAGaussianToItsSecondMomentAboutTheOldMean) {
  for (const char* covariance : {"covariance=diagonal", "covariance=full"}) {
    OptimizerCase o("pi2", {0}, 3,
                    {"population=1000000", "lambda=0.7", "covariance_rate=1", covariance}, 2);
    o.generation(quadratic);
    const double second = 0.416667 + 0.875 * 0.875;
    EXPECT_NEAR(o->center()[0], 0.875, 0.005 * 0.875) << covariance;
    EXPECT_NEAR(std::pow(metric(*o.optimizer, "sigma"), 2), second, 0.005 * second) << covariance;
  }
}

TEST(Pi2, ScalesTheExponentToTheRange) {
  OptimizerCase o("pi2", {1}, 3, {"population=2", "h=3", "covariance_rate=0.25", "sigma=0.5"});
  Candidates c;
  o->ask(c);
  make_points(*o.backend, c);
  o->tell(std::vector<double>{100, 340});
  const double p = 1 / (1 + std::exp(-3.0));  // of the second
  const double a = c.point(0)[0] - 1, b = c.point(1)[0] - 1;
  EXPECT_NEAR(o->center()[0], 1 + (1 - p) * a + p * b, 1e-6);
  EXPECT_NEAR(std::pow(metric(*o.optimizer, "sigma"), 2),
              0.75 * 0.25 + 0.25 * ((1 - p) * a * a + p * b * b), 1e-6);
}

// U = (theta + 1)^2 under a standard normal: E[theta U] / E[U] = 1, E[theta^2 U] / E[U] = 2.
TEST(Power, WeighsByTheReturnItself) {
  OptimizerCase o("power", {0}, 4, {"population=1000000", "reuse=0", "shift=none"}, 2);
  o.generation([](auto x) { return (x[0] + 1) * (x[0] + 1); });
  EXPECT_NEAR(o->center()[0], 1, 0.01);
  EXPECT_NEAR(std::pow(metric(*o.optimizer, "sigma"), 2), 2, 0.02);
}

TEST(Power, ReusesTheBestWithImportanceWeights) {
  OptimizerCase o("power", {0}, 5, {"population=3", "reuse=1", "covariance=fixed", "shift=none"});
  Candidates first, second;
  o->ask(first);
  o->tell(std::vector<double>{1, 5, 2});
  const double x[] = {first.point(0)[0], first.point(1)[0], first.point(2)[0]};
  const double mean = (1 * x[0] + 5 * x[1] + 2 * x[2]) / 8;
  EXPECT_NEAR(o->center()[0], mean, 1e-12);
  o->ask(second);
  o->tell(std::vector<double>{3, 1, 2});
  const double now = -(x[1] - mean) * (x[1] - mean) / 2, then = -x[1] * x[1] / 2;
  const double rho = std::min(1.0, std::exp(now - then));
  const double w[] = {5 * rho, 3, 1, 2};
  const double y[] = {x[1], second.point(0)[0], second.point(1)[0], second.point(2)[0]};
  double sum = 0, moved = 0;
  for (int i = 0; i < 4; i++) {
    sum += w[i];
    moved += w[i] * (y[i] - mean);
  }
  EXPECT_NEAR(o->center()[0], mean + moved / sum, 1e-12);
}

TEST(Power, RefusesReturnsBelowZeroUnlessTheyAreShifted) {
  OptimizerCase o("power", {0, 0}, 6, {"population=3", "shift=none"});
  const TensorFile before = o.saved();
  test::expect_error_with(
      ExitCode::value,
      [&] {
        o->tell(std::vector<double>{1, -0.5, 2});
      },
      "fitness -0.5", "shift = least");
  EXPECT_TRUE(are_equal(o.saved(), before));
  OptimizerCase a("power", {0, 0}, 6, {"population=3"});
  OptimizerCase b("power", {0, 0}, 6, {"population=3"});
  a->tell(std::vector<double>{1, -0.5, 2});
  b->tell(std::vector<double>{101, 99.5, 102});
  EXPECT_EQ(a->center(), b->center());
}

// A full covariance finds the long axis of a valley that lies across the coordinates.
TEST(FullCovariance, LearnsHowParametersDependOnEachOther) {
  for (const char* name : {"rwr", "pi2"}) {
    OptimizerCase o(name, {2, 2}, 7, {"population=60", "covariance=full", "sigma_limit=0.001"});
    const auto valley = [](auto x) {
      return -std::pow(x[0] + x[1], 2) * 100 - std::pow(x[0] - x[1] - 6, 2);
    };
    for (int g = 0; g < 40; g++) o.generation(valley);
    EXPECT_GT(valley(std::span<const double>(o->center())), -1) << name;
    EXPECT_GT(metric(*o.optimizer, "sigma_least"), 0.00099) << name;
  }
}

TEST(FullCovariance, IsRefusedWhereItIsTooLarge) {
  test::expect_error_with(
      ExitCode::value,
      [] { OptimizerCase("rwr", std::vector<double>(3000, 0.0), 1, {"covariance=full"}); }, "3000",
      "covariance = diagonal");
}

}  // namespace
}  // namespace gallop::testing
