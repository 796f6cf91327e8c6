// Black-box optimizers as algorithms: fitness, statistics and errors of whole episodes, and
// checkpoints that a search can have been in. What holds for every algorithm stands in
// algorithms_test.cpp.
#include <gtest/gtest.h>

#include <cmath>

#include <gallop/host/learning/evaluate.h>
#include <gallop/host/learning/policy_metric.h>
#include <gallop/host/logging/metrics_table.h>
#include <gallop/host/report/report.h>
#include "tests/host/edited_tensors.h"
#include "tests/host/expect_error.h"
#include "tests/host/temporary_folder.h"
#include "tests/training/learner.h"

namespace gallop::testing {
namespace {

// One state, one step: each member earns the same whatever it does.
const char* const kFlat = "states 1\nactions 2\nhorizon 5\nstart 1\nstep 0 0 1 1\nstep 0 1 1 1\n";

TEST(BlackBoxTraining, AGenerationOfEqualReturnsTeachesNothingAndIsCounted) {
  const test::TemporaryFolder folder;
  const std::string file = folder / "flat.mdp";
  test::put_file(file, kFlat);
  for (const AlgorithmDescriptor* algorithm : black_box_algorithms()) {
    Learner learner("mdp", algorithm->name, 1, {"file=" + file});
    const std::vector<float> before = floats_of(learner.saved(), "policy/parameters");
    for (int k = 1; k <= 3; k++) {
      const Metrics metrics = learner.run(1);
      EXPECT_EQ(metric(metrics, "constant"), 1) << algorithm->name;
      EXPECT_EQ(metric(metrics, "return"), 5) << algorithm->name;
      EXPECT_EQ(metric(metrics, "fitness_spread"), 0) << algorithm->name;
      for (const auto& [name, value] : metrics) EXPECT_TRUE(std::isfinite(value)) << name;
      EXPECT_EQ(learner.saved().get_scalar<std::uint64_t>("optimizer/generation"),
                std::uint64_t(k));
    }
    EXPECT_EQ(floats_of(learner.saved(), "policy/parameters"), before) << algorithm->name;
  }
}

TEST(BlackBoxTraining, AShiftOfRewardsCountsInFitnessAlone) {
  Learner plain("cartpole", "es", 1), shifted("cartpole", "es", 1, {"reward_shift=-1"});
  const Metrics a = plain.run(1), b = shifted.run(1);
  EXPECT_EQ(metric(a, "return"), metric(b, "return"));
  EXPECT_EQ(metric(a, "fitness_mean"), metric(a, "return"));
  EXPECT_EQ(metric(b, "fitness_mean"), 0) << "each step earns 1";
  EXPECT_EQ(metric(b, "constant"), 1);
}

TEST(BlackBoxTraining, StepsAreThoseOfAllEpisodes) {
  Learner learner("pendulum", "cem", 1, {"episodes=3"});
  learner.run(2);
  EXPECT_EQ(learner.algorithm->steps(), 2u * 20 * 3 * 200);
  EXPECT_LE(learner.algorithm->steps_per_iteration(), 20u * 3 * 200);
}

// The first statistics are those of the observations that the members saw: a policy that plays the
// same episodes sees the same.
TEST(BlackBoxTraining, StatisticsOfObservationsAreOfTheMembersThatAreAskedFor) {
  Learner all("pendulum", "es", 1, {"normalize_observations=true"});
  Learner half("pendulum", "es", 1, {"normalize_observations=true", "statistics_fraction=0.5"});
  Learner none("pendulum", "es", 1, {"normalize_observations=false"});
  all.run(1);
  half.run(1);
  none.run(1);
  EXPECT_EQ(all.saved().get_scalar<double>("normalizer/count"), 20 * 200);
  EXPECT_EQ(half.saved().get_scalar<double>("normalizer/count"), 10 * 200);
  EXPECT_EQ(none.saved().get_scalar<double>("normalizer/count"), 0);
  const std::vector<double> squares =
      test::tensor_values<double>(all.saved(), "normalizer/sum_of_squares");
  const std::vector<double> mean = test::tensor_values<double>(all.saved(), "normalizer/mean");
  // cos^2 + sin^2 = 1 at every step.
  const double n = 20 * 200;
  EXPECT_NEAR((squares[0] + squares[1]) / n + mean[0] * mean[0] + mean[1] * mean[1], 1, 1e-5);
  all.run(3);
  const std::vector<double> later =
      test::tensor_values<double>(all.saved(), "normalizer/sum_of_squares");
  const std::vector<double> moved = test::tensor_values<double>(all.saved(), "normalizer/mean");
  EXPECT_NEAR((later[0] + later[1]) / (4 * n) + moved[0] * moved[0] + moved[1] * moved[1], 1, 1e-5);
}

TEST(BlackBoxTraining, ArsWhitensByItsVersion) {
  for (const char* version : {"v1", "v1t", "v2", "v2t"}) {
    Learner learner("pendulum", "ars", 1, {std::string("version=") + version});
    learner.run(1);
    EXPECT_EQ(learner.saved().get_scalar<double>("normalizer/count") > 0, version[1] == '2');
  }
}

// Random numbers in common: without an effect of the policy all members have the same return.
TEST(BlackBoxTraining, CommonRandomNumbersAreShared) {
  const auto spread = [](const char* common) {
    Learner learner("pendulum", "es", 1, {std::string("common=") + common, "sigma=1e-9"});
    return metric(learner.run(1), "fitness_spread");
  };
  EXPECT_GT(spread("none"), 1);
  EXPECT_GT(spread("policy"), 1);
  EXPECT_LT(spread("dynamics"), 1e-3);
  EXPECT_LT(spread("both"), 1e-3);
}

TEST(BlackBoxTraining, ScenariosOfPegasusStayTheSame) {
  const auto returns = [](const char* estimator) {
    Learner learner("pendulum", "finite_differences", 1,
                    {std::string("estimator=") + estimator, "learning_rate=0", "repeats=1"});
    std::vector<double> all;
    for (int k = 0; k < 3; k++) all.push_back(metric(learner.run(1), "return"));
    return all;
  };
  const std::vector<double> fixed = returns("pegasus"), fresh = returns("central");
  EXPECT_EQ(fixed[0], fixed[1]);
  EXPECT_EQ(fixed[0], fixed[2]);
  EXPECT_NE(fresh[0], fresh[1]);
}

TEST(BlackBoxTraining, EpisodesThatAreNotFiniteAreLeftOutIfAsked) {
  // A cost of about the greatest float.
  Learner stopping("lqr", "cem", 1, {"a=137"});
  Learner going("lqr", "cem", 1, {"a=137", "nonfinite=reset"});
  const TensorFile before = stopping.saved();
  test::expect_error_with(
      ExitCode::non_finite, [&] { stopping.run(1); }, "lqr", "member", "generation 0",
      "nonfinite=reset");
  EXPECT_EQ(differences(stopping.saved(), before), std::set<std::string>());
  const Metrics metrics = going.run(1);
  const double left_out = metric(metrics, "nonfinite_instances");
  EXPECT_GT(left_out, 0);
  EXPECT_LT(left_out, 20);
  EXPECT_EQ(metric(metrics, "episodes"), 20 - left_out);
  EXPECT_EQ(going.algorithm->nonfinite_instances(), std::uint64_t(left_out));
  EXPECT_TRUE(std::isfinite(metric(metrics, "fitness_worst")));
  EXPECT_EQ(differences(going.saved(), before).contains("policy/parameters"), true);
}

// The policy that acts is where the search stands.
TEST(BlackBoxTraining, ACheckpointWhosePartsDisagreeIsRefused) {
  Learner learner("cartpole", "es", 1);
  learner.run(2);
  const TensorFile file = learner.saved();
  const TensorFile bad = test::with_element<float>(file, "policy/parameters", 1, 0.25f);
  test::expect_error_with(
      ExitCode::checkpoint, [&] { learner.algorithm->load(bad); }, "policy/parameters",
      "element 1 is 0.25", "where the search stands");
  TensorFile few = test::without_tensor(file, "steps");
  few.put_scalar<std::uint64_t>("steps", 3);
  few = test::without_tensor(few, "normalizer/count");
  few.put_scalar<double>("normalizer/count", 0);
  test::expect_error_with(
      ExitCode::checkpoint, [&] { learner.algorithm->load(few); }, "optimizer/evaluations");
  EXPECT_EQ(differences(learner.saved(), file), std::set<std::string>());
}

TEST(BlackBoxTraining, PopulationsThatAreTooSmallAreNamed) {
  const struct {
    const char *algorithm, *option, *text;
  } rows[] = {{"cem", "population=3", "a population of 3 is too small for cem"},
              {"cma_es", "population=2", "a population of 2 is too small for cma_es"},
              {"es", "population=7", "cannot be mirrored"},
              {"pgpe", "population=1", "a population of 1 is too small for pgpe"},
              {"ars", "directions=0", "too small for ars"},
              {"power", "population=1", "too small for power"}};
  for (const auto& row : rows) {
    test::expect_error_with(
        ExitCode::value, [&] { Learner("cartpole", row.algorithm, 1, {row.option}); }, row.text);
  }
}

// The Fisher matrix has 2 for log sigma, and nothing beside it.
TEST(PolicyMetric, IsTheFisherMatrixOfThePolicy) {
  Learner learner("pendulum", "finite_differences", 2, {"action_noise=0.5"});
  const PolicyView policy = learner.algorithm->policy();
  const std::size_t n = floats_of(learner.saved(), "policy/parameters").size();
  const AlgorithmContext context = {*learner.backend, learner.options.environment(),
                                    learner.options.values(), learner.options.seed(),
                                    learner.options.configure()};
  const PolicyMetric metric(context, policy.shape, 0.25);
  std::vector<double> gradient(n, 0.0), other(n, 0.0);
  gradient[n - 1] = 3;
  for (const double x : metric.solve(policy, 0, gradient)) other[0] += x;
  EXPECT_NEAR(metric.solve(policy, 0, gradient)[n - 1], 3 / 2.25, 1e-6);
  EXPECT_NEAR(other[0], 3 / 2.25, 1e-6);
  // It is symmetric, and of the generation's own states.
  std::vector<double> a(n), b(n);
  for (std::size_t k = 0; k < n; k++) {
    a[k] = 1 + double(k);
    b[k] = k % 2 == 0 ? 1 : -0.5;
  }
  const std::vector<double> x = metric.solve(policy, 0, a), y = metric.solve(policy, 0, b);
  double left = 0, right = 0;
  for (std::size_t k = 0; k < n; k++) {
    left += x[k] * b[k];
    right += y[k] * a[k];
  }
  EXPECT_NEAR(left, right, 1e-5 * std::abs(left));
  EXPECT_EQ(x, metric.solve(policy, 0, a));
  EXPECT_NE(x, metric.solve(policy, 1, a));
  test::expect_error_with(
      ExitCode::value, [] { Learner("pendulum", "finite_differences", 1, {"natural=true"}); },
      "action_noise");
}

TEST(BlackBoxTraining, NaturalDifferencesLearnCartpole) {
  Learner learner("cartpole", "finite_differences", 2,
                  {"natural=true", "epsilon=0.5", "episodes=4", "delta=0.02"});
  const double first = metric(learner.run(1), "return");
  learner.run(40);
  const Evaluation e =
      evaluate_policy(*learner.backend, learner.options.environment(), learner.algorithm->policy(),
                      100, 3, true, learner.options.configure());
  EXPECT_GT(e.mean, 5 * first);
}

TEST(BlackBoxTraining, TheReportDrawsTheMembersAsABandAroundTheirMean) {
  const MetricsTable table = parse_metrics_csv(
      "step,return,fitness_best,fitness_mean,fitness_worst,fitness_spread\n"
      "10,1,3,2,1,0.5\n20,2,5,3,1.5,0.75\n",
      "a test");
  int found = 0;
  for (const Chart& chart : metric_charts(table)) {
    EXPECT_NE(chart.title, "Fitness best");
    EXPECT_NE(chart.title, "Fitness worst");
    if (chart.title != "Fitness of the members") continue;
    found++;
    EXPECT_EQ(chart.series[0].y, (std::vector<double>{2, 3}));
    EXPECT_EQ(chart.series[0].low, (std::vector<double>{1, 1.5}));
    EXPECT_EQ(chart.series[0].high, (std::vector<double>{3, 5}));
    EXPECT_EQ(chart.series[0].band, "worst to best member");
  }
  EXPECT_EQ(found, 1);
}

// The shipped settings on a seed that they were not chosen on.
TEST(BlackBoxTraining, SolvesCartpole) {
  for (const AlgorithmDescriptor* algorithm : black_box_algorithms()) {
    const RunOptions options("cartpole", algorithm->name);
    const std::unique_ptr<Backend> backend = make_cpu_backend(2);
    const std::unique_ptr<Algorithm> learner = algorithm->create(
        {*backend, options.environment(), options.values(), 17, options.configure()});
    const std::uint64_t steps = std::uint64_t(options.values().integer("steps"));
    EXPECT_LE(steps, 2000000u);
    while (learner->steps() < steps) learner->iterate();
    const Evaluation e = evaluate_policy(*backend, options.environment(), learner->policy(), 100,
                                         17, true, options.configure());
    EXPECT_GE(e.mean, 475) << algorithm->name;
  }
}

}  // namespace
}  // namespace gallop::testing
