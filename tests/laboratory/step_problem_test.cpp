// `lqr_step`: its exact answers against quadrature and differences, its value functions against
// each other, and `lqr` where there is no prize.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include <gallop/host/laboratory/comparison.h>
#include <gallop/host/laboratory/problems/lqr_step.h>
#include "tests/host/expect_error.h"
#include "tests/reference/lqr_exact.h"

namespace gallop {
namespace {

using Assignments = std::vector<std::string>;

std::unique_ptr<LaboratoryProblem> problem_at(const Assignments& assignments) {
  const LaboratoryDescriptor& descriptor = find_laboratory_problem("lqr_step");
  Options options = laboratory_options(descriptor);
  for (const std::string& a : assignments) options.set_assignment(a, "test");
  return make_laboratory_problem(descriptor, options);
}

const Assignments kCases[] = {
    {},                                           // a jump
    {"width=0.3"},                                // a ramp
    {"width=5"},                                  // wider than all states
    {"width=0.002"},                              // narrower than what differences can tell
    {"width=0.05", "sigma=0.0069", "sigma_w=0"},  // wider than the noise
    {"horizon=40", "jump=-3", "threshold=-0.1"},  // a price, long after
    {"a=1.1", "k=-0.3", "b=-0.4", "s0=0.2", "width=0.1", "jump=2", "sigma=1", "sigma_w=0.5"}};

std::string label_of(const Assignments& assignments) {
  std::string label;
  for (const std::string& a : assignments) label += a + " ";
  return label;
}

// E[w] of s ~ N(mean, deviation^2) as an integral over the ramp, by Simpson's rule.
long double prize_by_quadrature(long double mean, long double deviation, long double threshold,
                                long double width) {
  const auto below = [&](long double x) {
    return 0.5L * std::erfc((mean - x) / (deviation * std::sqrt(2.0L)));
  };
  if (width == 0) return below(threshold);
  constexpr int kParts = 20000;
  // The mean over x in the ramp of P(s < x).
  long double sum = 0;
  for (int k = 0; k <= kParts; k++) {
    const long double weight = k == 0 || k == kParts ? 1 : k % 2 == 1 ? 4 : 2;
    sum += weight * below(threshold + width * (k / (long double)(kParts)-0.5L));
  }
  return sum / (3 * kParts);
}

TEST(StepProblem, HasTheReturnOfQuadrature) {
  for (const Assignments& assignments : kCases) {
    const auto problem = problem_at(assignments);
    const LaboratoryDescriptor& descriptor = find_laboratory_problem("lqr_step");
    Options o = laboratory_options(descriptor);
    for (const std::string& a : assignments) o.set_assignment(a, "test");
    const testing::ScalarLqr system = {o.real("a"),
                                       o.real("b"),
                                       o.real("q"),
                                       o.real("rho"),
                                       o.real("s0"),
                                       o.real("sigma_w"),
                                       int(o.integer("horizon"))};
    const long double k = o.real("k"), sigma = o.real("sigma");
    long double value = testing::exact_lqr(system, k, sigma).value;
    long double mean = system.s0, variance = 0;
    const long double closed = system.a - system.b * k;
    for (int t = 0; t < system.horizon; t++) {
      const long double below = o.real("threshold") - mean, width = o.real("width");
      const long double certain = width == 0
                                      ? (below > 0 ? 1.0L : 0.0L)
                                      : std::clamp<long double>(0.5L + below / width, 0.0L, 1.0L);
      value += o.real("jump") * (t == 0 ? certain
                                        : prize_by_quadrature(mean, std::sqrt(variance),
                                                              o.real("threshold"), width));
      mean *= closed;
      variance = closed * closed * variance + system.b * system.b * sigma * sigma +
                 system.sigma_w * system.sigma_w;
    }
    EXPECT_NEAR(problem->model().expected_return, double(value), 1e-10) << label_of(assignments);
    EXPECT_NEAR(problem->expected_return(problem->model().theta), double(value), 1e-10);
  }
}

TEST(StepProblem, HasTheGradientOfItsReturn) {
  for (const Assignments& assignments : kCases) {
    const auto problem = problem_at(assignments);
    for (int d = 0; d < 2; d++) {
      // Of a fourth order, lest narrow noise be told apart from the formula.
      const double e = 2e-4 * std::max(problem->model().theta[1], 0.05);
      const auto moved = [&](double by) {
        double theta[2] = {problem->model().theta[0], problem->model().theta[1]};
        theta[d] += by;
        return problem->expected_return(theta);
      };
      const double slope = (8 * (moved(e) - moved(-e)) - (moved(2 * e) - moved(-2 * e))) / (12 * e);
      EXPECT_NEAR(problem->gradient(kPlain)[d], slope, 1e-7 * (1 + std::fabs(slope)))
          << label_of(assignments) << d;
    }
  }
}

// What is left where the prize is not seen: the gradient of `lqr`.
TEST(StepProblem, KnowsWhatPathsSeeOfAJump) {
  const auto jump = problem_at({});
  EXPECT_NEAR(jump->along_paths()[0], 4.353621344392, 1e-11);
  EXPECT_NEAR(jump->along_paths()[1], -3.289741284308, 1e-11);
  EXPECT_GT(std::fabs(jump->gradient(kPlain)[0] - jump->along_paths()[0]), 1);
  const auto ramp = problem_at({"width=0.1"});
  EXPECT_EQ(ramp->along_paths(), ramp->gradient(kPlain));
}

// V_t(s) = E_u[Q_t(s, u)], by the trapezoid rule over the action's noise, and V_0(s_0) = U; on
// doubles, and on floats as near as those are.
template <class F>
void expect_consistent_values(const Assignments& assignments, double tolerance) {
  const auto problem = problem_at(assignments);
  const auto& m = static_cast<const LqrStepModel&>(problem->model());
  const F first[1] = {F(float(m.decay[0]))};  // s_0 = 1 in these cases
  EXPECT_NEAR(double(LqrStepProblem::value(m, kPlain, 0, first)), m.expected_return, tolerance);
  constexpr double kReach = 9, kSpacing = 0.02;
  for (const int t : {0, 4, m.horizon - 2}) {
    for (const double s : {-0.7, 0.3, 0.52, 1.4}) {
      const F state[1] = {F(s)};
      double sum = 0, weights = 0;
      for (int k = -int(kReach / kSpacing); k <= int(kReach / kSpacing); k++) {
        const double z = k * kSpacing, weight = std::exp(-0.5 * z * z);
        const double action = -m.theta[0] * s + m.theta[1] * z;
        const F u[1] = {F(action)};
        const double paid = -(m.q[0][0] * s * s + m.r[0][0] * action * action) +
                            m.jump * LqrStep::prize(m.threshold - s, m.per_width);
        sum += weight * double(LqrStepProblem::action_value(m, t, state, u, F(paid)));
        weights += weight;
      }
      EXPECT_NEAR(double(LqrStepProblem::value(m, kPlain, t, state)), sum / weights, tolerance)
          << label_of(assignments) << "t " << t << " s " << s;
    }
  }
}

TEST(StepProblem, HasConsistentValueFunctions) {
  for (const Assignments& a :
       {Assignments{}, {"width=0.3"}, {"width=0.002"}, {"jump=-2", "sigma=1", "width=2"}}) {
    expect_consistent_values<double>(a, 1e-9);
    expect_consistent_values<float>(a, 3e-5);
  }
}

TEST(StepProblem, IsTheScalarSystemWithoutAPrize) {
  const auto run = [](const char* name, const Assignments& assignments) {
    const LaboratoryDescriptor& descriptor = find_laboratory_problem(name);
    Options options = laboratory_options(descriptor);
    for (const std::string& a : assignments) options.set_assignment(a, "test");
    const auto problem = make_laboratory_problem(descriptor, options);
    return compare_estimators(descriptor, *problem, {2000, 3, 1, 256}, nullptr);
  };
  const auto plain = run("lqr", {"horizon=7"});
  const auto without = run("lqr_step", {"horizon=7", "jump=0"});
  // `lqr` has more of them, which know its exact value function's slope.
  ASSERT_EQ(plain.size(), without.size() + 4);
  for (const EstimatorResult& r : without) {
    const auto same = std::find_if(plain.begin(), plain.end(), [&](const EstimatorResult& p) {
      return std::string_view(p.row->name) == r.row->name && p.parameter == r.parameter;
    });
    ASSERT_NE(same, plain.end()) << r.row->name;
    EXPECT_EQ(r.mean, same->mean) << r.row->name;
    EXPECT_EQ(r.variance, same->variance) << r.row->name;
    EXPECT_NEAR(r.exact, same->exact, 1e-12) << r.row->name;
  }
}

TEST(StepProblem, RefusesAWidthThatIsNone) {
  test::expect_error_with(
      ExitCode::value, [] { problem_at({"width=1e-9"}); }, "width", "1e-09");
  test::expect_error_with(
      ExitCode::value, [] { problem_at({"width=-1"}); }, "width", "-1");
}

}  // namespace
}  // namespace gallop
