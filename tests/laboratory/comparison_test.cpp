// Estimators by sampling: published variances, exact means at other parameters, the same bits for
// any number of threads.
#include <gallop/host/laboratory/comparison.h>

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <cstring>
#include <random>

#include "tests/host/expect_error.h"
#include "tests/reference/lqr_exact.h"

namespace gallop {
namespace {

using Assignments = std::vector<std::string>;

std::vector<EstimatorResult> compare(const char* name, const Assignments& assignments, long samples,
                                     int threads = 2, std::uint64_t seed = 1) {
  const LaboratoryDescriptor& descriptor = find_laboratory_problem(name);
  Options options = laboratory_options(descriptor);
  for (const std::string& a : assignments) options.set_assignment(a, "test");
  const auto problem = make_laboratory_problem(descriptor, options);
  return compare_estimators(descriptor, *problem,
                            {samples, seed, threads, int(options.integer("pilot"))}, nullptr);
}

const EstimatorResult& find(const std::vector<EstimatorResult>& all, const std::string& estimator,
                            const std::string& parameter) {
  for (const EstimatorResult& r : all) {
    if (estimator == r.row->name && parameter == r.parameter) return r;
  }
  throw std::runtime_error("no result " + estimator + " of " + parameter);
}

// Seeds are fixed, so a mean that was within the bound stays there; 4 standard errors leave one
// chance in 16 000 for each of the few hundred results below.
constexpr double kErrors = 4;

void expect_sound(const std::vector<EstimatorResult>& all) {
  ASSERT_FALSE(all.empty());
  for (const EstimatorResult& r : all) {
    const std::string label = std::string(r.row->name) + " of " + r.parameter;
    EXPECT_TRUE(std::isfinite(r.mean)) << label;
    EXPECT_GE(r.seconds, 0) << label;
    EXPECT_DOUBLE_EQ(r.standard_error, std::sqrt(r.variance / double(r.samples))) << label;
    if (!r.biased) {
      EXPECT_LE(std::fabs(r.mean - r.exact), kErrors * r.standard_error) << label;
      EXPECT_EQ(r.expected, r.exact) << label;
    } else if (!std::isnan(r.expected)) {
      EXPECT_LE(std::fabs(r.mean - r.expected), kErrors * r.standard_error) << label;
    }
  }
}

TEST(Comparison, EqualEstimatesHaveThatMeanAndNoVariance) {
  for (const double value : {0.1, -1.0 / 3, 500.0}) {
    for (const int n : {1, 3, 49, 60, 1000}) {
      const std::vector<double> x(n, value);
      EstimateMoments all = moments_of(x.data(), n);
      all.merge(moments_of(x.data(), (n + 1) / 2));
      EXPECT_EQ(all.mean, value) << n;
      EXPECT_EQ(all.variance(), 0.0) << n;
    }
  }
}

TEST(Comparison, VariancesOfTheScalarSystemAreThePublishedOnes) {
  const std::vector<EstimatorResult> all = compare("lqr", {}, 1000000);
  expect_sound(all);
  // The published ones come from 4e6 samples, within 1 %.
  const std::pair<const char*, double> known[] = {{"reinforce", 556},
                                                  {"reinforce_expected", 106.2},
                                                  {"reinforce_mean", 106.2},
                                                  {"reinforce_optimal", 81.5},
                                                  {"gpomdp", 284},
                                                  {"gpomdp_expected", 76.5},
                                                  {"gpomdp_mean", 76.5},
                                                  {"gpomdp_value", 45.2},
                                                  {"advantage", 16.24},
                                                  {"surrogate", 284},
                                                  {"pathwise", 9.01},
                                                  {"pathwise_simulator", 9.01},
                                                  {"difference", 61.7},
                                                  {"difference_common", 9.56},
                                                  {"difference_averaged", 61.7 / 4},
                                                  {"difference_scenarios", 9.56 / 8},
                                                  {"evolution", 1305},
                                                  {"evolution_mirrored", 145.7},
                                                  {"evolution_common", 92.1}};
  for (const auto& [name, variance] : known) {
    EXPECT_NEAR(find(all, name, "k").variance, variance, 0.03 * variance) << name;
  }
  EXPECT_NEAR(find(all, "difference", "k").expected, 4.489212083, 1e-9);
  EXPECT_NEAR(find(all, "evolution_common", "k").expected, 4.792079347, 1e-9);
  for (const EstimatorResult& r : all) {
    EXPECT_NEAR(r.exact, r.parameter == "k" ? 4.353621344392 : -3.289741284308, 1e-11);
    // At most 10^8 steps of an estimator's own, 10 for a rollout of either parameter.
    const bool own = r.row->data == EstimatorData::kOwnRollouts;
    EXPECT_EQ(r.samples, own ? std::min(1000000L, 5000000L / r.row->n_rollouts) : 1000000L);
  }
}

// U of the bandit is a quadratic: whatever smooths it leaves its slope, so the whole family tends
// to the exact one.
TEST(Comparison, TheWholeFamilyIsExactOnAQuadratic) {
  const auto all = compare("bandit", {}, 200000);
  int seen = 0;
  for (const char* name : {"difference", "difference_common", "difference_averaged",
                           "difference_scenarios", "regression", "evolution", "evolution_expected",
                           "evolution_mirrored", "evolution_common", "evolution_joint"}) {
    const EstimatorResult& r = find(all, name, "theta");
    seen++;
    if (std::string(name) == "regression") continue;  // of finitely many directions it is not
    EXPECT_LE(std::fabs(r.mean - r.exact), 3 * r.standard_error) << name;
    EXPECT_NEAR(r.expected, r.exact, 1e-9 * std::fabs(r.exact) + 1e-9) << name;
  }
  EXPECT_EQ(seen, 10);
}

// The fit's slope, given the directions, is that of U at their points, which is known: its mean
// over directions by a simulation of them alone.
TEST(Comparison, RegressionTendsToTheMeanOfExactFits) {
  const LaboratoryDescriptor& descriptor = find_laboratory_problem("lqr");
  const auto problem = make_laboratory_problem(descriptor, laboratory_options(descriptor));
  const LaboratoryModel& m = problem->model();
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  constexpr int kFits = 40000, kRollouts = 9;
  double sum[2] = {}, squares[2] = {};
  for (int fit = 0; fit < kFits; fit++) {
    Eigen::MatrixXd z(kRollouts, 3);
    Eigen::VectorXd u(kRollouts);
    for (int k = 0; k < kRollouts; k++) {
      z.row(k) << normal(random), normal(random), 1;
      const double theta[2] = {m.theta[0] + m.smoothing * z(k, 0),
                               m.theta[1] + m.smoothing * z(k, 1)};
      u[k] = problem->expected_return(theta);
    }
    const Eigen::VectorXd b = (z.transpose() * z).ldlt().solve(z.transpose() * u) / m.smoothing;
    for (int d = 0; d < 2; d++) {
      sum[d] += b[d];
      squares[d] += b[d] * b[d];
    }
  }
  const auto all = compare("lqr", {}, 200000);
  const char* const names[] = {"k", "sigma"};
  for (int d = 0; d < 2; d++) {
    const EstimatorResult& r = find(all, "regression", names[d]);
    const double mean = sum[d] / kFits, variance = squares[d] / kFits - mean * mean;
    const double error = std::sqrt(variance / kFits + r.standard_error * r.standard_error);
    EXPECT_LE(std::fabs(r.mean - mean), 3 * error) << names[d];
    EXPECT_TRUE(std::isnan(r.expected));
    EXPECT_LT(error, 0.05) << "so that the bound says something";
  }
}

// A return that is linear in its D parameters has E|g - grad|^2 = (D + 1) |grad|^2 a pair where all
// are moved and nothing else is random; where U bends, that is its part for a small deviation. So
// with less smoothing the joint rows' variances exceed those of one parameter by the other slopes.
TEST(Comparison, JointPerturbationsPayForTheOtherParameters) {
  const auto all = compare("lqr", {"sigma=0.3", "smoothing=0.05"}, 300000);
  for (const auto& [name, other] : {std::pair("k", "sigma"), std::pair("sigma", "k")}) {
    const EstimatorResult& joint = find(all, "evolution_joint", name);
    const EstimatorResult& single = find(all, "evolution_mirrored", name);
    const double others = find(all, "evolution_joint", other).exact;
    EXPECT_GT(joint.variance, single.variance + 0.5 * others * others) << name;
    EXPECT_LE(std::fabs(joint.mean - joint.expected), 3 * joint.standard_error) << name;
  }
}

TEST(Comparison, SmallDifferencesKeepTheirDigits) {
  const auto all = compare("lqr", {"difference=0.01"}, 200000);
  const EstimatorResult& r = find(all, "difference_common", "k");
  EXPECT_NEAR(r.expected, 4.354952995, 1e-9);
  EXPECT_LE(std::fabs(r.mean - r.expected), kErrors * r.standard_error);
}

TEST(Comparison, IsSoundAtOtherParameters) {
  const auto all = compare("lqr",
                           {"a=1.05", "b=0.3", "q=0.5", "rho=0.4", "s0=-2", "horizon=25", "k=0.7",
                            "sigma=0.5", "sigma_w=0.2", "n_step=5", "lambda=0.5"},
                           100000);
  expect_sound(all);
  const testing::LqrAnswer exact =
      testing::exact_lqr({1.05L, 0.3L, 0.5L, 0.4L, -2, 0.2L, 25}, 0.7L, 0.5L);
  for (const EstimatorResult& r : all) {
    EXPECT_NEAR(r.exact, double(r.parameter == "k" ? exact.by_gain : exact.by_sigma), 1e-10);
  }
  expect_sound(compare("lqr", {"horizon=1", "sigma_w=0", "k=-0.3"}, 100000));
  expect_sound(compare("lqr", {"horizon=3", "s0=0", "b=-2", "rho=3", "sigma=2"}, 100000));
}

TEST(Comparison, DiscountedEstimatorsAppearBelowOne) {
  const auto plain = compare("lqr", {}, 1000);
  const auto all = compare("lqr", {"gamma=0.9"}, 100000);
  expect_sound(all);
  EXPECT_EQ(all.size(), plain.size() + 6);
  EXPECT_TRUE(find(all, "pathwise_discounted", "k").biased);
  EXPECT_LT(find(all, "pathwise_discounted", "k").variance, find(all, "pathwise", "k").variance);
  const EstimatorResult& with = find(all, "discounted", "k");
  EXPECT_FALSE(with.biased);
  EXPECT_GT(std::fabs(with.exact - find(all, "gpomdp", "k").exact), 0.1);
  EXPECT_TRUE(find(all, "discounted_no_factor", "k").biased);
  EXPECT_TRUE(find(all, "gae_value", "k").biased);
  EXPECT_FALSE(find(plain, "gae_value", "k").biased);
}

TEST(Comparison, IsSoundOnTheOtherProblems) {
  expect_sound(compare("mdp", {}, 100000));
  expect_sound(compare("mdp", {"horizon=9", "theta00=-1", "theta21=2"}, 50000));
  expect_sound(compare("bandit", {}, 100000));
  expect_sound(compare("bandit", {"theta=-1", "c=2.5", "sigma=0.2"}, 100000));
  expect_sound(compare("lqr_dean", {"pilot=512"}, 6000));
  expect_sound(
      compare("lqr_dean", {"horizon=20", "k=0.3", "k01=0.1", "sigma=0.5", "pilot=1024"}, 20000));
}

TEST(Comparison, PathwiseDerivativesDoNotSeeAJump) {
  const auto all = compare("bandit_step", {}, 100000);
  expect_sound(all);
  EXPECT_NEAR(find(all, "reinforce", "theta").exact, 0.398942280401, 1e-12);
  const EstimatorResult& r = find(all, "pathwise", "theta");
  EXPECT_TRUE(r.biased);
  EXPECT_EQ(r.mean, 0);
  EXPECT_TRUE(std::isinf(r.bias()));
}

TEST(Comparison, IsSoundWithAStepInTheReward) {
  for (const Assignments& a : {Assignments{},
                               {"width=0.2", "gamma=0.9"},
                               {"width=0.02", "jump=-2", "sigma=0.6"},
                               {"sigma=0.1", "sigma_w=0", "horizon=5", "difference=0.03"}}) {
    const auto all = compare("lqr_step", a, 60000);
    expect_sound(all);
    const bool jumps = a.empty() || a[0].starts_with("sigma");
    for (const char* name : {"pathwise", "pathwise_simulator"}) {
      EXPECT_EQ(find(all, name, "k").biased, jumps) << name;
    }
  }
}

TEST(Comparison, SomeOfTheEstimatorsGiveWhatTheyGiveAmongAll) {
  const LaboratoryDescriptor& descriptor = find_laboratory_problem("lqr");
  const auto problem = make_laboratory_problem(descriptor, laboratory_options(descriptor));
  ComparisonSettings settings = {3000, 1, 2, 256};
  const auto all = compare_estimators(descriptor, *problem, settings, nullptr);
  for (const std::vector<std::string>& only :
       {std::vector<std::string>{"gpomdp_fitted", "pathwise"},
        {"difference_common"},
        {"importance_path"}}) {
    settings.only = only;
    const auto some = compare_estimators(descriptor, *problem, settings, nullptr);
    ASSERT_EQ(some.size(), 2 * only.size());
    for (const EstimatorResult& r : some) {
      const EstimatorResult& same = find(all, r.row->name, r.parameter);
      EXPECT_EQ(r.mean, same.mean) << r.row->name;
      EXPECT_EQ(r.variance, same.variance) << r.row->name;
      EXPECT_GT(r.seconds, 0) << r.row->name;
    }
  }
  settings.only = {"gpomdp", "gpomd"};
  test::expect_error_with(
      ExitCode::usage, [&] { compare_estimators(descriptor, *problem, settings, nullptr); },
      "gpomd", "lqr");
}

TEST(Comparison, BanditsHaveTheirGradient) {
  const auto all = compare("bandit", {"theta=3", "c=-0.5"}, 1000);
  EXPECT_EQ(find(all, "reinforce", "theta").exact, -7);
}

bool same_bits(double a, double b) { return std::memcmp(&a, &b, sizeof(a)) == 0; }

TEST(Comparison, HasTheSameBitsForAnyNumberOfThreads) {
  for (const char* name : {"lqr", "lqr_step", "mdp", "bandit_step", "lqr_dean"}) {
    const Assignments small = {"pilot=256"};
    const long samples = std::strcmp(name, "lqr_dean") == 0 ? 700 : 9999;
    const auto one = compare(name, small, samples, 1);
    for (const int threads : {2, 5}) {
      const auto many = compare(name, small, samples, threads);
      ASSERT_EQ(one.size(), many.size());
      for (size_t k = 0; k < one.size(); k++) {
        EXPECT_TRUE(same_bits(one[k].mean, many[k].mean)) << name << " " << one[k].row->name;
        EXPECT_TRUE(same_bits(one[k].variance, many[k].variance)) << one[k].row->name;
      }
    }
    const auto other = compare(name, small, samples, 1, 2);
    EXPECT_NE(one[0].mean, other[0].mean) << "another seed";
  }
}

TEST(Comparison, TakesFewSamples) {
  for (const long samples : {2L, 3L, 17L}) {
    for (const EstimatorResult& r : compare("lqr", {"pilot=64"}, samples)) {
      EXPECT_EQ(r.samples, samples);
      EXPECT_TRUE(std::isfinite(r.mean) && std::isfinite(r.variance)) << r.row->name;
    }
  }
}

TEST(Comparison, LimitsTheRolloutsOfExpensiveProblems) {
  const LaboratoryDescriptor& descriptor = find_laboratory_problem("lqr_dean");
  const auto problem = make_laboratory_problem(descriptor, laboratory_options(descriptor));
  ComparisonSettings settings = {4000, 1, 2, 64};
  settings.own_steps = 9e6;
  const auto all = compare_estimators(descriptor, *problem, settings, nullptr);
  EXPECT_EQ(find(all, "reinforce", "K00").samples, 4000);
  EXPECT_EQ(find(all, "difference", "K00").samples, 1500);
  EXPECT_EQ(find(all, "evolution", "K00").samples, 3000);
}

TEST(Comparison, TheBestIsUnbiasedAndOfLeastVarianceTimesCost) {
  const auto all = compare("lqr", {}, 20000);
  const EstimatorResult* best = best_estimator(all, "k");
  ASSERT_NE(best, nullptr);
  EXPECT_FALSE(best->biased);
  for (const EstimatorResult& r : all) {
    if (r.parameter != "k" || r.biased) continue;
    EXPECT_LE(best->variance * best->cost(), r.variance * r.cost()) << r.row->name;
  }
  EXPECT_EQ(best_estimator(all, "none"), nullptr);
  // One whose weights have underflowed has no variance, and is far from what it estimates.
  std::vector<EstimatorResult> collapsed = {*best, *best};
  collapsed[1].mean = 1e-30;
  collapsed[1].standard_error = 1e-36;
  collapsed[1].variance = 1e-66;
  EXPECT_EQ(best_estimator(collapsed, "k"), &collapsed[0]);
}

TEST(Comparison, RefusesWhatIsNotFinite) {
  test::expect_error_with(
      ExitCode::non_finite,
      [] {
        compare("lqr", {"a=1e6", "horizon=10000"}, 100);
      },
      "lqr", "finite");
  // The return is finite, its fourth moment is not.
  test::expect_error_with(
      ExitCode::non_finite,
      [] {
        compare("lqr", {"a=1e6", "horizon=26"}, 100);
      },
      "reinforce", "finite");
  test::expect_error_with(
      ExitCode::value, [] { compare("lqr", {}, 1); }, "samples", "2");
}

}  // namespace
}  // namespace gallop
