#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "bench/bench.h"
#include "bench/fisher_sides.h"
#include "bench/fisher_suite.h"
#include "bench/training_suite.h"
#include "tests/host/expect_error.h"

namespace gallop {
namespace {

using test::expect_error_with;

FisherSuite short_fisher() {
  FisherSuite suite;
  suite.samples = 1300;  // neither whole chunks of ours nor of the baseline's
  suite.seconds = 0.001;
  return suite;
}
std::vector<BenchRow> rows_of(const FisherSuite& suite) {
  std::vector<BenchRow> rows;
  run_fisher_suite(suite, [&](const BenchRow& row) { rows.push_back(row); });
  return rows;
}
TrainingSuite short_training(const char* algorithm) {
  TrainingSuite suite;
  suite.algorithm = algorithm;
  suite.assignments = {"n_envs=8", "n_steps=50", "hidden=[16,16]"};
  suite.seconds = 0.001;
  return suite;
}
std::vector<BenchRow> rows_of(const TrainingSuite& suite) {
  std::vector<BenchRow> rows;
  run_training_suite(suite, [&](const BenchRow& row) { rows.push_back(row); });
  return rows;
}

TEST(FisherSuite, SidesAgreeForCategoriesAndNormals) {
  const std::vector<BenchRow> rows = rows_of(short_fisher());
  ASSERT_EQ(rows.size(), 2u);
  for (const BenchRow& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(row.scope, "FVP");
    EXPECT_EQ(row.baseline, "eigen");
    EXPECT_GT(row.per_second, 0);
    EXPECT_GT(row.baseline_per_second, 0);
    EXPECT_GT(row.peak_fraction, 0);
    EXPECT_LT(row.difference, kFisherTolerance);
    EXPECT_EQ(row.checksum.size(), 16u);
  }
  // Multiply-adds: 4 x 64 + 64 x 64 + 64 x 2 along the vector, as many for the gradient.
  EXPECT_EQ(rows[0].flops_per_step, 17920);
  EXPECT_NE(rows[0].checksum, rows[1].checksum);
}

TEST(FisherSuite, ADifferenceIsSeen) {
  std::vector<float> a = {1.0f, -4.0f, 2.0f}, b = a;
  EXPECT_EQ(greatest_difference(a, b), 0);
  b[0] = 1.5f;
  EXPECT_EQ(greatest_difference(a, b), 0.125);
  b[0] = std::nanf("");
  EXPECT_TRUE(std::isinf(greatest_difference(a, b)));
  EXPECT_TRUE(std::isinf(greatest_difference({0.0f}, {0.0f}))) << "nothing was computed";
}

TEST(FisherSuite, ChecksumsDoNotDependOnThreads) {
  FisherSuite suite = short_fisher();
  const std::string one = rows_of(suite)[0].checksum;
  suite.threads = 3;
  const BenchRow row = rows_of(suite)[0];
  EXPECT_EQ(row.threads, 3);
  EXPECT_EQ(row.checksum, one);
}

TEST(FisherSuite, RefusesWhatItCannotMeasure) {
  FisherSuite suite = short_fisher();
  suite.samples = 0;
  expect_error_with(
      ExitCode::value, [&] { rows_of(suite); }, "--samples is 0");
  suite = short_fisher();
  suite.policies = {"64-46"};
  expect_error_with(
      ExitCode::usage, [&] { rows_of(suite); }, "64-46", "'64-64'");
  suite = short_fisher();
  suite.environments = {"mdp"};
  expect_error_with(
      ExitCode::usage, [&] { rows_of(suite); }, "integer observations");
}

TEST(TrainingSuite, TrpoHasARowForEachPhase) {
  const std::vector<BenchRow> rows = rows_of(short_training("trpo"));
  std::set<std::string> phases;
  for (const BenchRow& row : rows) {
    SCOPED_TRACE(row.name);
    phases.insert(row.phase);
    EXPECT_EQ(row.policy, "16-16");
    EXPECT_GT(row.per_second, 0);
    EXPECT_EQ(row.checksum, rows[0].checksum);
  }
  EXPECT_EQ(phases, (std::set<std::string>{"", "rollout", "advantages", "gradient",
                                           "fisher_products", "value_fit"}));
  EXPECT_EQ(rows[0].scope, "S+P+L");
  // No phase takes longer than the whole by more than the noise of a loaded machine.
  for (const BenchRow& row : rows) EXPECT_GT(row.per_second, 0.2 * rows[0].per_second);
}

TEST(TrainingSuite, BpttHasItsRolloutAndItsGradient) {
  TrainingSuite suite = short_training("bptt");
  suite.environment = "pendulum";
  const std::vector<BenchRow> rows = rows_of(suite);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[1].name, "bptt/pendulum/16-16/rollout");
  EXPECT_EQ(rows[1].scope, "S+P");
  EXPECT_EQ(rows[2].name, "bptt/pendulum/16-16/gradient");
  EXPECT_EQ(rows[2].scope, "L");
  for (const BenchRow& row : rows) EXPECT_GT(row.per_second, 0);
}

TEST(TrainingSuite, ChecksumsFollowTheOptionsNotTheThreads) {
  TrainingSuite suite = short_training("ppo");
  const std::vector<BenchRow> one = rows_of(suite);
  ASSERT_EQ(one.size(), 1u);
  suite.threads = 2;
  EXPECT_EQ(rows_of(suite)[0].checksum, one[0].checksum);
  suite.assignments.push_back("gamma=0.5");
  EXPECT_NE(rows_of(suite)[0].checksum, one[0].checksum);
}

TEST(TrainingSuite, PpoCountsItsProducts) {
  TrainingSuite suite = short_training("ppo");
  suite.environment = "pendulum";
  suite.assignments = {"n_envs=16",
                       "n_steps=8",
                       "hidden=[32,32]",
                       "value_hidden=[16]",
                       "epochs=3",
                       "minibatch=128",
                       "normalize_observations=false"};
  const BenchRow row = rows_of(suite)[0];
  // Policy 3-32-32-1, values 3-16-1: forward to act and to be asked; in an epoch forward, the
  // gradients of the weights, and those of the units.
  const double policy = 3 * 32 + 32 * 32 + 32, value = 3 * 16 + 16;
  EXPECT_EQ(row.flops_per_step,
            2 * (policy + value + 3 * (3 * policy - 3 * 32) + 3 * (3 * value - 3 * 16)));
  EXPECT_GT(row.peak_fraction, 0);
}

TEST(TrainingSuite, RefusesUnknownOptions) {
  TrainingSuite suite = short_training("trpo");
  suite.assignments.push_back("dampng=1");
  expect_error_with(
      ExitCode::usage, [&] { rows_of(suite); }, "dampng", "damping");
}

TEST(LearningSuites, WriteRowsAsJson) {
  ::testing::internal::CaptureStdout();
  const int code = run_benchmarks(
      {"fisher", "--environment", "cartpole", "--samples", "600", "--seconds", "0.001", "--json"});
  std::istringstream output(::testing::internal::GetCapturedStdout());
  EXPECT_EQ(code, 0);
  std::string line;
  std::getline(output, line);
  const auto row = nlohmann::json::parse(line);
  EXPECT_EQ(row.at("name"), "fisher/cartpole/64-64");
  EXPECT_TRUE(row.at("difference").is_number_float());
  EXPECT_TRUE(row.at("phase").is_null());
}

}  // namespace
}  // namespace gallop
