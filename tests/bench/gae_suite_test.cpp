#include "bench/gae_suite.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "bench/bench.h"
#include "bench/fisher_sides.h"
#include "bench/gae_sides.h"
#include "tests/cuda/executor_device.h"
#include "tests/host/expect_error.h"

namespace gallop {
namespace {

using test::expect_error_with;

GaeSuite short_suite(std::vector<std::string> shapes) {
  GaeSuite suite;
  suite.shapes = std::move(shapes);
  suite.seconds = 0.001;
  return suite;
}
std::vector<BenchRow> rows_of(const GaeSuite& suite) {
  std::vector<BenchRow> rows;
  run_gae_suite(suite, [&](const BenchRow& row) { rows.push_back(row); });
  return rows;
}

TEST(GaeSuite, EveryKernelOfEveryShape) {
  const std::vector<BenchRow> rows = rows_of(short_suite({"70x40", "33x300"}));
  ASSERT_EQ(rows.size(), 8u);
  for (std::size_t k = 0; k < rows.size(); k++) {
    const BenchRow& row = rows[k];
    SCOPED_TRACE(row.name);
    EXPECT_EQ(row.kernel, name_of(kGaeKernels[k % 4]));
    EXPECT_EQ(row.shape, k < 4 ? "70x40" : "33x300");
    EXPECT_EQ(row.name, "gae/" + row.shape + "/" + row.kernel);
    EXPECT_GT(row.per_second, 0);
    EXPECT_GT(row.baseline_per_second, 0);
    EXPECT_GT(row.peak_fraction, 0);
    EXPECT_LT(row.difference, kGaeTolerance);
    EXPECT_EQ(row.checksum.size(), 16u);
  }
  // Three floats and two flags are read, two floats written; values have a row more.
  EXPECT_DOUBLE_EQ(rows[0].bytes_per_step, 18.1);
  EXPECT_DOUBLE_EQ(rows[2].bytes_per_step, 10);  // of returns, no values and no advantages
  for (std::size_t k = 0; k < rows.size(); k++) {
    for (std::size_t other = 0; other < k; other++) {
      EXPECT_NE(rows[k].checksum, rows[other].checksum) << "one kernel was measured twice";
    }
  }
}

TEST(GaeSuite, ChecksumsDoNotDependOnThreads) {
  GaeSuite suite = short_suite({"200x260"});
  const std::vector<BenchRow> one = rows_of(suite);
  suite.threads = 3;
  const std::vector<BenchRow> three = rows_of(suite);
  ASSERT_EQ(one.size(), three.size());
  for (std::size_t k = 0; k < one.size(); k++) {
    EXPECT_EQ(three[k].threads, 3);
    EXPECT_EQ(one[k].checksum, three[k].checksum);
  }
}

// The side of a device, which runs many passes as one recorded sequence.
TEST(GaeSuite, ADevicesSideHasTheBitsOfTheCpus) {
  const auto cpu = make_cpu_backend(1);
  const auto device = make_kernel_backend(testing::make_executor_device());
  for (const GaeShape shape : {GaeShape{40, 20}, GaeShape{5, 270}}) {
    const GaeBatch batch(shape);
    for (const GaeKernel kernel : kGaeKernels) {
      OurGae expected(*cpu, batch, kernel), actual(*device, batch, kernel);
      expected.run();
      for (int k = 0; k < 3; k++) actual.run();  // calls, then the recorded ones
      EXPECT_EQ(expected.work(), shape.elements());
      EXPECT_GT(actual.work(), expected.work());
      EXPECT_EQ(expected.advantage(), actual.advantage());
      EXPECT_EQ(expected.target(), actual.target());
    }
  }
}

TEST(GaeSuite, RefusesWhatItCannotMeasure) {
  for (const char* shape :
       {"", "8192", "8192x", "x8", "8192x0", "-1x5", "8x8x8", "16777216x1024"}) {
    expect_error_with(
        ExitCode::value, [&] { rows_of(short_suite({shape})); },
        "--shape is '" + std::string(shape) + "'", "8192x128");
  }
  GaeSuite suite = short_suite({"8x8"});
  suite.threads = -1;
  expect_error_with(
      ExitCode::value, [&] { rows_of(suite); }, "--threads is -1");
  suite = short_suite({"8x8"});
  suite.seconds = 0;
  expect_error_with(
      ExitCode::value, [&] { rows_of(suite); }, "--seconds is 0");
}

TEST(GaeSuite, WritesRowsAsJson) {
  ::testing::internal::CaptureStdout();
  const int code =
      run_benchmarks({"gae", "--shape", "64x30,64x31", "--seconds", "0.001", "--json"});
  std::istringstream output(::testing::internal::GetCapturedStdout());
  EXPECT_EQ(code, 0);
  std::vector<nlohmann::json> rows;
  for (std::string line; std::getline(output, line);) rows.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(rows.size(), 8u);
  EXPECT_EQ(rows[0].at("name"), "gae/64x30/sequential");
  EXPECT_EQ(rows[5].at("shape"), "64x31");
  EXPECT_EQ(rows[5].at("kernel"), "scan");
  EXPECT_TRUE(rows[0].at("environment").is_null());
}

}  // namespace
}  // namespace gallop
