#include "bench/bench.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include <gallop/host/registry/registry.h>
#include "bench/peak.h"
#include "bench/rollout_sides.h"
#include "bench/rollout_suite.h"
#include "tests/cuda/executor_device.h"
#include "tests/host/expect_error.h"
#include "tests/host/temporary_folder.h"

namespace gallop {
namespace {

using test::expect_error_with;
using test::TemporaryFolder;

std::vector<BenchRow> rows_of(const RolloutSuite& suite) {
  std::vector<BenchRow> rows;
  run_rollout_suite(suite, [&](const BenchRow& row) { rows.push_back(row); });
  return rows;
}

RolloutSuite short_suite() {
  RolloutSuite suite;
  suite.instances = 1000;
  suite.seconds = 0.001;
  return suite;
}

TEST(Bench, RefusesBuildsThatMislead) {
  check_build("Release", false);
  check_build("RelWithDebInfo", false);
  for (const char* type : {"Debug", "", "MinSizeRel"}) {
    expect_error_with(
        ExitCode::value, [&] { check_build(type, false); }, type, "Release");
  }
  expect_error_with(
      ExitCode::value, [] { check_build("Release", true); }, "assertions");
}

TEST(Bench, NamesWhatIsNear) {
  expect_error_with(
      ExitCode::usage, [] { run_benchmarks({"rolout"}); }, "rolout", "'rollout'");
  expect_error_with(
      ExitCode::usage, [] { run_benchmarks({"fischer"}); }, "fischer", "'fisher'");
  RolloutSuite suite = short_suite();
  suite.policies = {"64-65"};
  expect_error_with(
      ExitCode::usage, [&] { rows_of(suite); }, "64-65", "'64-64'");
  suite = short_suite();
  suite.environments = {"cartpol"};
  expect_error_with(
      ExitCode::usage, [&] { rows_of(suite); }, "cartpol", "cartpole");
}

TEST(Bench, RefusesValuesOutOfRange) {
  const auto refused = [](auto change, const char* text) {
    RolloutSuite suite = short_suite();
    change(suite);
    expect_error_with(
        ExitCode::value, [&] { rows_of(suite); }, text);
  };
  refused([](RolloutSuite& suite) { suite.threads = -1; }, "--threads is -1");
  refused([](RolloutSuite& suite) { suite.instances = -5; }, "--instances is -5");
  refused([](RolloutSuite& suite) { suite.seconds = 0; }, "--seconds is 0");
  refused([](RolloutSuite& suite) { suite.seconds = std::nan(""); }, "--seconds is nan");
}

TEST(Bench, ARowForEachPolicyStorageAndBaseline) {
  RolloutSuite suite = short_suite();
  suite.environments = {"CartPole-v1"};
  suite.policies = {"random", "linear"};
  const std::vector<BenchRow> rows = rows_of(suite);
  ASSERT_EQ(rows.size(), 6u);
  for (const BenchRow& row : rows) {
    SCOPED_TRACE(row.name + " " + row.baseline);
    EXPECT_EQ(row.environment, "cartpole");
    EXPECT_EQ(row.scope, row.policy == "random" ? "S" : "S+P");
    EXPECT_EQ(row.shape, "1000x64");
    EXPECT_GT(row.per_second, 0);
    EXPECT_GT(row.baseline_per_second, 0);
    EXPECT_EQ(row.checksum.size(), 16u);
    // Observation, action, reward and two flags; a policy's log-probability besides.
    EXPECT_EQ(row.bytes_per_step, !row.stored ? 0 : row.policy == "random" ? 26 : 30);
    EXPECT_EQ(row.flops_per_step, row.policy == "random" ? 0 : 16);
    EXPECT_EQ(std::isnan(row.peak_fraction), row.policy == "random" && !row.stored);
  }
}

TEST(Bench, EveryEnvironmentHasRows) {
  RolloutSuite suite = short_suite();
  suite.policies = {"random", "linear"};
  suite.stored = {false};
  std::set<std::string> seen;
  for (const BenchRow& row : rows_of(suite)) seen.insert(row.environment + "/" + row.policy);
  EXPECT_EQ(seen.size(), 2 * all_environments().size());
}

TEST(Bench, ChecksumsDoNotDependOnThreads) {
  std::vector<std::string> checksums[2];
  for (const int threads : {1, 3}) {
    RolloutSuite suite = short_suite();
    suite.environments = {"cartpole", "pendulum"};
    suite.policies = {"random", "64-64"};
    suite.threads = threads;
    for (const BenchRow& row : rows_of(suite)) {
      EXPECT_EQ(row.threads, threads);
      checksums[threads == 1 ? 0 : 1].push_back(row.checksum);
    }
  }
  EXPECT_EQ(checksums[0], checksums[1]);
  EXPECT_EQ(std::set<std::string>(checksums[0].begin(), checksums[0].end()).size(), 8u)
      << "rows of different work share a checksum";
}

TEST(Bench, WritesRowsAsJsonAndCsv) {
  TemporaryFolder folder;
  const std::string path = folder / "rows.csv";
  ::testing::internal::CaptureStdout();
  const int code =
      run_benchmarks({"rollout", "--environment", "mdp", "--policy", "linear", "--stored", "1",
                      "--instances", "64", "--seconds", "0.001", "--json", "--csv", path});
  const std::string output = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(code, 0);
  const auto json = nlohmann::json::parse(output);
  EXPECT_EQ(json.at("environment"), "mdp");
  EXPECT_TRUE(json.at("baseline").is_null());
  std::ifstream file(path);
  std::string header, row;
  std::getline(file, header);
  std::getline(file, row);
  EXPECT_EQ(header, csv_header());
  EXPECT_EQ(row.substr(0, 26), "rollout/mdp/linear/stored,");
  expect_error_with(
      ExitCode::io,
      [&] {
        run_benchmarks({"rollout", "--csv", folder / "no/such/rows.csv"});
      },
      "no/such/rows.csv");
  expect_error_with(
      ExitCode::usage,
      [] {
        run_benchmarks({"rollout", "--environment", "mdp", "--policy", "64-64"});
      },
      "policies");
}

// The baselines do the same work: the same environment under the same policy, with random numbers
// of their own. Tolerances are four standard errors or more of the means over 2048 instances.
TEST(Baselines, AgreeWithOursInTheMean) {
  for (const EnvironmentEntry* entry : all_environments()) {
    if (!BaselineRollout::knows(spec_of(*entry))) continue;
    const std::string name = spec_of(*entry).name;
    const int n_steps = spec_of(*entry).time_limit + 1;
    for (const char* policy : {"random", "linear"}) {
      const RolloutMeans ours = our_means(name, policy, 2048, n_steps);
      ASSERT_GT(ours.episodes, 1000) << name;
      for (const bool with_eigen : {false, true}) {
        if (with_eigen && policy == std::string("random")) continue;
        SCOPED_TRACE(name + " " + policy + (with_eigen ? " eigen" : " scalar"));
        const RolloutMeans theirs = baseline_means(name, policy, with_eigen, 2048, n_steps);
        EXPECT_NEAR(theirs.reward, ours.reward, 0.02 * std::fabs(ours.reward));
        EXPECT_NEAR(theirs.ended_length, ours.ended_length, 0.03 * ours.ended_length);
        EXPECT_NEAR(theirs.ended_return, ours.ended_return, 0.03 * std::fabs(ours.ended_return));
      }
    }
  }
}

TEST(Peak, RatesAreThoseOfAProcessor) {
  const double narrow = measure_fma_rate(Isa::v3, 0.01);
  EXPECT_GT(narrow, 1e9);
  if (processor_has(Isa::v4)) {
    EXPECT_GT(measure_fma_rate(Isa::v4, 0.01), 0.5 * narrow);
  }
  EXPECT_GT(measure_store_bandwidth(2, 0.01), 1e8);
}

TEST(Peak, CopiesAreMeasuredOnAnyBackend) {
  const auto cpu = make_cpu_backend(1);
  const auto device = make_kernel_backend(testing::make_executor_device());
  for (Backend* const backend : {cpu.get(), device.get()}) {
    EXPECT_GT(measure_copy_bandwidth(*backend, 1 << 20, 0.01), 1e8) << backend->name();
  }
}

}  // namespace
}  // namespace gallop
