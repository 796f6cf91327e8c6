#include "bench/graph_suite.h"

#include <gtest/gtest.h>

#include "bench/bench.h"
#include "tests/host/expect_error.h"

namespace gallop {
namespace {

std::vector<BenchRow> rows_of(GraphSuite suite) {
  suite.seconds = 1e-6;
  std::vector<BenchRow> rows;
  run_graph_suite(suite, [&](const BenchRow& row) { rows.push_back(row); });
  return rows;
}

TEST(GraphSuite, ARowForEachExampleWhoseBitsDoNotDependOnThreads) {
  GraphSuite one, two;
  two.threads = 2;
  const std::vector<BenchRow> a = rows_of(one), b = rows_of(two);
  ASSERT_EQ(a.size(), 5u);
  ASSERT_EQ(b.size(), 5u);
  for (std::size_t k = 0; k < a.size(); k++) {
    EXPECT_EQ(a[k].name, "graph/row_" + std::to_string(k + 1) + "/10000");
    EXPECT_GT(a[k].per_second, 0);
    EXPECT_EQ(a[k].checksum, b[k].checksum);
  }
  EXPECT_NE(a[0].checksum, a[1].checksum);
}

TEST(GraphSuite, WhatCannotBeMeasuredIsRefused) {
  GraphSuite suite;
  suite.examples = {"row_6"};
  test::expect_error_with(
      ExitCode::usage, [&] { rows_of(suite); }, "row_6", "did you mean 'row_");
  suite = {};
  suite.samples = 0;
  test::expect_error_with(
      ExitCode::value, [&] { rows_of(suite); }, "--samples", "0");
}

TEST(GraphSuite, TheCommandPrintsItsRows) {
  ::testing::internal::CaptureStdout();
  const int code = run_benchmarks(
      {"graph", "--example", "mixed,bptt", "--samples", "256", "--seconds", "0.001", "--json"});
  const std::string text = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(code, 0);
  EXPECT_NE(text.find("\"graph/mixed/256\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"graph/bptt/256\""), std::string::npos) << text;
}

}  // namespace
}  // namespace gallop
