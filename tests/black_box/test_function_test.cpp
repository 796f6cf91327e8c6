// Test functions: values written out by hand, minima, rotations, noise; the loop of an optimizer.
#include <cmath>

#include "tests/black_box/optimizer_case.h"
#include "tests/host/expect_error.h"

namespace gallop::testing {
namespace {

double at(const char* name, const std::vector<double>& x, const TestFunctionOptions& options = {}) {
  return TestFunction(find_test_function(name), long(x.size()), options).value(x);
}

TEST(TestFunctions, HaveTheValuesOfTheirFormulas) {
  EXPECT_DOUBLE_EQ(at("sphere", {1, -2, 3}), 14);
  EXPECT_DOUBLE_EQ(at("ellipsoid", {1, -2, 3}), 1 + 1000 * 4 + 1e6 * 9);
  EXPECT_DOUBLE_EQ(at("cigar", {1, -2, 3}), 1 + 13e6);
  EXPECT_DOUBLE_EQ(at("rosenbrock", {1, -2, 3}), 100 * 9 + 0 + 100 * 1 + 9);
  EXPECT_NEAR(at("rastrigin", {0.5, -2}), 0.25 + 10 + 10 + 4, 1e-12);
  EXPECT_EQ(at("Noisy-Sphere", {1, 2}), 5);
}

TEST(TestFunctions, HaveTheMinimumZero) {
  for (const TestFunctionDescriptor& d : test_functions()) {
    const TestFunction f(d, 7, {d.is_rotated, d.noise, 1});
    const bool ones = std::string(d.name) == "rosenbrock";
    std::vector<double> minimum(7, ones ? 1.0 : 0.0);
    EXPECT_EQ(f.value(minimum), 0) << d.name;
    minimum[3] += 0.01;
    EXPECT_GT(f.value(minimum), 0) << d.name;
    EXPECT_GT(f.value(f.start()), 1e-3) << d.name;
  }
}

TEST(TestFunctions, ARotationKeepsLengthsAndTheStart) {
  const std::vector<double> x = {0.3, -1, 2, 0.7, 5};
  const TestFunctionOptions turned = {.is_rotated = true, .seed = 4};
  EXPECT_NEAR(at("sphere", x, turned), at("sphere", x), 1e-12);
  EXPECT_GT(std::abs(at("ellipsoid", x, turned) / at("ellipsoid", x) - 1), 0.01);
  const TestFunction plain(find_test_function("ellipsoid"), 5, {});
  const TestFunction rotated(find_test_function("ellipsoid"), 5, turned);
  EXPECT_NEAR(rotated.value(rotated.start()), plain.value(plain.start()), 1e-6);
  EXPECT_NE(at("ellipsoid", x, {.is_rotated = true, .seed = 5}), at("ellipsoid", x, turned));
}

TEST(TestFunctions, NoiseIsOfItsCounters) {
  const TestFunction f(find_test_function("noisy_sphere"), 2, {.noise = 0.5, .seed = 3});
  const std::vector<double> x = {1, 1};
  double sum = 0, squares = 0;
  const int n = 20000;
  for (int m = 0; m < n; m++) {
    const double noise = f.noisy_value(x, std::uint32_t(m), 7) - 2;
    sum += noise;
    squares += noise * noise;
  }
  EXPECT_NEAR(sum / n, 0, 4 * 0.5 / std::sqrt(double(n)));
  EXPECT_NEAR(squares / n, 0.25, 0.01);
  EXPECT_EQ(f.noisy_value(x, 5, 7), f.noisy_value(x, 5, 7));
  EXPECT_NE(f.noisy_value(x, 5, 7), f.noisy_value(x, 6, 7));
  EXPECT_NE(f.noisy_value(x, 5, 7), f.noisy_value(x, 5, 8));
}

TEST(TestFunctions, RefuseDimensionsThatTheyDoNotHave) {
  test::expect_error_with(
      ExitCode::value, [] { at("rosenbrock", {1}); }, "rosenbrock", "from 2", "not 1");
  test::expect_error_with(
      ExitCode::value, [] { at("sphere", std::vector<double>(5000), {.is_rotated = true}); },
      "rotated", "4096");
  const TestFunction f(find_test_function("sphere"), 3, {});
  test::expect_error_with(
      ExitCode::value, [&] { f.value(std::vector<double>(2)); }, "2 components", "3 dimensions");
  test::expect_error_with(
      ExitCode::usage, [] { find_test_function("spheer"); }, "'spheer'", "sphere", "rastrigin");
}

TEST(Minimize, EndsAtItsLimits) {
  const OptimizeResult few = solve("cma_es", "ellipsoid", 10, 1, {}, 95);
  EXPECT_FALSE(few.is_solved);
  EXPECT_EQ(few.evaluations, 100u);
  EXPECT_EQ(few.generations, 10u);
  EXPECT_NE(few.stopped.find("95 evaluations"), std::string::npos) << few.stopped;
  OptimizerCase o("cma_es", {1, 1}, 1);
  const auto f = [](auto x, auto, auto) { return x[0] * x[0] + x[1] * x[1]; };
  const OptimizeResult asked = minimize(*o.optimizer, f, {.stop_requested = [] { return true; }});
  EXPECT_EQ(asked.generations, 1u);
  EXPECT_EQ(asked.stopped, "asked to stop");
  const OptimizeResult r = minimize(*o.optimizer, f, {.target = 1e-3});
  EXPECT_TRUE(r.is_solved);
  EXPECT_EQ(f(r.best_point, 0, 0), r.best);
}

// What counts is the value without the noise that the optimizer sees.
TEST(Minimize, JudgesWithoutNoise) {
  const OptimizeResult r = solve("cma_es", "noisy_sphere", 3, 1, {}, 3000);
  EXPECT_GT(r.best, 0);
  EXPECT_LT(r.best, 0.1);
}

}  // namespace
}  // namespace gallop::testing
