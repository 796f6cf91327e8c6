#include "bench/population_suite.h"

#include <gtest/gtest.h>

#include <cmath>

#include "bench/bench.h"
#include "tests/host/expect_error.h"

namespace gallop {
namespace {

std::vector<BenchRow> rows_of(PopulationSuite suite) {
  suite.seconds = 1e-6;
  std::vector<BenchRow> rows;
  run_population_suite(suite, [&](const BenchRow& row) { rows.push_back(row); });
  return rows;
}

PopulationSuite small(const std::string& environment) {
  PopulationSuite suite;
  suite.environment = environment;
  suite.members = {4, 34};
  suite.episodes = {1, 16};
  return suite;
}

TEST(PopulationSuite, ARowForEachPolicyAndSize) {
  const std::vector<BenchRow> rows = rows_of(small("cartpole"));
  ASSERT_EQ(rows.size(), 8u);
  for (const BenchRow& row : rows) {
    EXPECT_GT(row.per_second, 0);
    EXPECT_EQ(row.scope, "S+P+L");
    EXPECT_EQ(row.kernel, "mirrored");
    EXPECT_GT(row.peak_fraction, 0);
    EXPECT_LT(row.peak_fraction, 1);
  }
  EXPECT_EQ(rows[0].name, "black_box/cartpole/linear/4x1");
  EXPECT_EQ(rows[0].flops_per_step, 2 * 4 * 2);
  EXPECT_EQ(rows[7].name, "black_box/cartpole/64-64/34x16");
  EXPECT_EQ(rows[7].flops_per_step, 2 * (4 * 64 + 64 * 64 + 64 * 2));
}

TEST(PopulationSuite, ThreadsChangeNoBit) {
  for (const bool mirrored : {false, true}) {
    PopulationSuite one = small("pendulum");
    one.policies = {"64-64"};
    one.mirrored = mirrored;
    PopulationSuite two = one;
    two.threads = 2;
    const std::vector<BenchRow> a = rows_of(one), b = rows_of(two);
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); i++) EXPECT_EQ(a[i].checksum, b[i].checksum);
    EXPECT_NE(a[0].checksum, a[1].checksum);
  }
}

TEST(PopulationSuite, WhatCannotBeMeasuredIsRefused) {
  using test::expect_error_with;
  PopulationSuite suite = small("cartpole");
  suite.members = {5};
  expect_error_with(
      ExitCode::value, [&] { rows_of(suite); }, "5 members", "even");
  suite.members = {4};
  suite.episodes = {1 << 28};
  expect_error_with(
      ExitCode::value, [&] { rows_of(suite); }, "268435456", "episodes");
  suite = small("cartpole");
  suite.policies = {"64"};
  expect_error_with(
      ExitCode::usage, [&] { rows_of(suite); }, "'64'", "linear");
  expect_error_with(
      ExitCode::value,
      [] {
        run_benchmarks({"black-box", "--population", "2.5"});
      },
      "--population", "2.5");
}

TEST(PopulationSuite, TheCommandPrintsItsRows) {
  ::testing::internal::CaptureStdout();
  const int code = run_benchmarks({"black-box", "--policy", "linear", "--population", "8",
                                   "--episodes", "1,2", "--seconds", "0.001", "--json"});
  const std::string text = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(code, 0);
  EXPECT_NE(text.find("\"black_box/cartpole/linear/8x1\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"black_box/cartpole/linear/8x2\""), std::string::npos) << text;
}

}  // namespace
}  // namespace gallop
