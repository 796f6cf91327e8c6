#include <gallop/host/logging/metrics_log.h>

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/host/expect_error.h"
#include "tests/host/faulty_file_system.h"
#include "tests/host/temporary_folder.h"

namespace gallop {
namespace {

using test::expect_error;
using test::expect_error_with;
using test::Fault;
using test::FaultyFileSystem;
using test::file_text;
using test::names_in;
using test::put_file;
using test::TemporaryFolder;
using Row = std::vector<std::pair<std::string, double>>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Row row(uint64_t step) {
  return {{"return", 1.5 * static_cast<double>(step)}, {"policy_loss", -0.1}};
}

TEST(MetricsLog, WritesBothFormats) {
  TemporaryFolder folder;
  MetricsLog log(folder.path());
  log.append(100, row(100));
  log.append(200, Row{{"return", kNan}, {"policy_loss", -kInfinity}});
  log.append(300, Row{{"policy_loss", 1e-300}});
  EXPECT_EQ(file_text(folder / "metrics.csv"),
            "step,return,policy_loss\n100,150,-0.1\n200,nan,-inf\n300,nan,1e-300\n");
  EXPECT_EQ(file_text(folder / "metrics.jsonl"),
            "{\"step\":100,\"return\":150,\"policy_loss\":-0.1}\n{\"step\":200,\"return\":null,"
            "\"policy_loss\":null}\n"
            "{\"step\":300,\"policy_loss\":1e-300}\n");
}

TEST(MetricsLog, NumbersComeBackTheSame) {
  TemporaryFolder folder;
  const std::vector<double> values = {0.1,    -0.0,          1.0 / 3,   1e300,
                                      5e-324, 123456789.125, kInfinity, -kInfinity};
  {
    MetricsLog log(folder.path());
    for (size_t i = 0; i < values.size(); ++i) log.append(i, Row{{"x", values[i]}});
  }
  const MetricsTable table = read_metrics_csv(folder / "metrics.csv");
  EXPECT_EQ(table.column("x"), values);
  EXPECT_EQ(table.steps.back(), values.size() - 1);
  EXPECT_TRUE(table.column("y").empty());
  std::istringstream lines(file_text(folder / "metrics.jsonl"));
  std::string line;
  for (size_t i = 0; std::getline(lines, line); ++i) {
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json["step"], i);
    if (std::isfinite(values[i])) {
      EXPECT_EQ(json["x"].get<double>(), values[i]);
    } else {
      EXPECT_TRUE(json["x"].is_null());
    }
  }
}

TEST(MetricsLog, RefusesNamesThatDoNotFit) {
  TemporaryFolder folder;
  MetricsLog log(folder.path());
  for (const char* name : {"", "step", "a,b", "a\nb", "a\"b", "a b", "\xc3\xa9"}) {
    expect_error_with(
        ExitCode::internal,
        [&] {
          log.append(1, Row{{name, 1.0}});
        },
        "metric", "step 1");
  }
  expect_error_with(
      ExitCode::internal,
      [&] {
        log.append(1, Row{{"a", 1.0}, {"a", 2.0}});
      },
      "twice");
  EXPECT_EQ(file_text(folder / "metrics.csv"), "");
  log.append(1, row(1));
  expect_error_with(
      ExitCode::internal,
      [&] {
        log.append(2, Row{{"entropy", 1.0}});
      },
      "'entropy'", "header");
  EXPECT_EQ(read_metrics_csv(folder / "metrics.csv").steps.size(), 1u);
}

TEST(MetricsLog, GoesOnFromAStep) {
  TemporaryFolder folder;
  std::string csv, json;
  {
    MetricsLog log(folder.path());
    for (uint64_t step = 10; step <= 30; step += 10) log.append(step, row(step));
    csv = file_text(folder / "metrics.csv");
    json = file_text(folder / "metrics.jsonl");
    for (uint64_t step = 40; step <= 60; step += 10) log.append(step, row(step));
  }
  EXPECT_TRUE(mend_logs(folder.path(), 30).warnings.empty());
  EXPECT_EQ(file_text(folder / "metrics.csv"), csv);
  EXPECT_EQ(file_text(folder / "metrics.jsonl"), json);
  {
    MetricsLog log(folder.path());
    log.append(40, row(40));
    EXPECT_EQ(file_text(folder / "metrics.csv"), csv + "40,60,-0.1\n");
  }
  EXPECT_TRUE(mend_logs(folder.path(), 0).warnings.empty());
  EXPECT_EQ(file_text(folder / "metrics.csv"), "step,return,policy_loss\n");
  EXPECT_EQ(file_text(folder / "metrics.jsonl"), "");
  MetricsLog(folder.path()).append(10, row(10));
  EXPECT_EQ(read_metrics_csv(folder / "metrics.csv").steps, (std::vector<uint64_t>{10}));
  EXPECT_EQ(names_in(folder.path()).size(), 2u);
}

// A program of another version may report other metrics than the header has.
TEST(MetricsLog, AHeaderOfAnEarlierSessionStays) {
  TemporaryFolder folder;
  MetricsLog(folder.path()).append(10, row(10));
  MetricsLog log(folder.path());
  log.append(20, Row{{"return", 1}, {"entropy", 2}});
  EXPECT_EQ(file_text(folder / "metrics.csv"), "step,return,policy_loss\n10,15,-0.1\n20,1,nan\n");
  EXPECT_TRUE(
      file_text(folder / "metrics.jsonl").ends_with("{\"step\":20,\"return\":1,\"entropy\":2}\n"));
}

// A kill may tear the files at any byte: the complete rows stay, and the log goes on.
TEST(MetricsLog, TornAtEveryByte) {
  TemporaryFolder source;
  {
    MetricsLog log(source.path());
    for (uint64_t step = 10; step <= 30; step += 10) log.append(step, row(step));
  }
  for (const char* name : {"metrics.csv", "metrics.jsonl"}) {
    const std::string whole = file_text(source / name);
    for (size_t length = 0; length <= whole.size(); ++length) {
      TemporaryFolder folder;
      std::filesystem::copy(source.path(), folder.path(),
                            std::filesystem::copy_options::recursive |
                                std::filesystem::copy_options::overwrite_existing);
      put_file(folder / name, whole.substr(0, length));
      const MendedLogs mended = mend_logs(folder.path(), 20);
      const bool lost =
          length < whole.find(name == std::string("metrics.csv") ? "30,45" : "{\"step\":30");
      ASSERT_EQ(mended.warnings.size(), lost ? 1u : 0u) << length;
      MetricsLog(folder.path()).append(30, row(30));
      const std::string text = file_text(folder / name);
      ASSERT_TRUE(text.ends_with(name == std::string("metrics.csv")
                                     ? "\n30,45,-0.1\n"
                                     : "{\"step\":30,\"return\":45,\"policy_loss\":-0.1}\n"))
          << length << ": " << text;
      const MetricsTable table = read_metrics_csv(folder / "metrics.csv");
      ASSERT_TRUE(std::is_sorted(table.steps.begin(), table.steps.end())) << length;
      ASSERT_LE(table.steps.size(), 3u);
    }
  }
}

TEST(MetricsLog, AFailingDiskLeavesWholeRows) {
  for (const Fault fault :
       {Fault::disk_full, Fault::io, Fault::short_full, Fault::short_write, Fault::interrupted}) {
    for (int k = 0;; ++k) {
      SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + ", call " +
                   std::to_string(k));
      TemporaryFolder folder;
      const auto files = std::make_shared<FaultyFileSystem>(fault, k);
      uint64_t written = 0;
      try {
        MetricsLog log(folder.path(), files);
        for (uint64_t step = 1; step <= 3; ++step) {
          log.append(step, row(step));
          written = step;
        }
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::io) << error.what();
      }
      if (std::filesystem::exists(folder / "metrics.csv")) {
        const std::string csv = file_text(folder / "metrics.csv");
        EXPECT_TRUE(csv.empty() || csv.ends_with('\n')) << csv;
        EXPECT_EQ(parse_metrics_csv(csv, "test").steps.size(), written);
      }
      if (k >= files->n_calls()) {
        EXPECT_EQ(written, 3u);
        break;
      }
    }
  }
}

TEST(MetricsLog, BrokenTablesNameTheLine) {
  expect_error_with(
      ExitCode::value, [] { parse_metrics_csv("a,b\n", "m.csv"); }, "m.csv:1");
  expect_error_with(
      ExitCode::value, [] { parse_metrics_csv("step,a b\n", "m.csv"); }, "m.csv:1");
  for (const char* rows :
       {"1\n", "1,2,3\n", "x,2\n", "1,x\n", "-1,2\n", "1,\n", "\n", "1,2x\n", "1.5,2\n"}) {
    expect_error_with(
        ExitCode::value, [&] { parse_metrics_csv(std::string("step,a\n0,1\n") + rows, "m.csv"); },
        "m.csv:3", "1 numbers");
  }
  EXPECT_EQ(parse_metrics_csv("step,a\n0,1\n1,", "m.csv").steps.size(), 1u);
  EXPECT_TRUE(parse_metrics_csv("", "m.csv").steps.empty());
  TemporaryFolder folder;
  put_file(folder / "metrics.csv", "what,ever\n");
  expect_error(ExitCode::value, [&] { MetricsLog log(folder.path()); });
}

}  // namespace
}  // namespace gallop
