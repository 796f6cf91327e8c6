// What a resume finds in the logs of a run that was killed, cut off from power, or edited.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <vector>

#include <gallop/host/logging/metrics_log.h>
#include "tests/host/expect_error.h"
#include "tests/host/faulty_file_system.h"
#include "tests/host/temporary_folder.h"

namespace gallop {
namespace {

using test::Fault;
using test::FaultyFileSystem;
using test::file_text;
using test::names_in;
using test::put_file;
using test::TemporaryFolder;
using Row = std::vector<std::pair<std::string, double>>;

const std::string kHead = "step,return,seconds\n";

long n_lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

// Rows of steps 10, 20, ... 50; the checkpoint is that of step 40.
class MendLogs : public ::testing::Test {
 protected:
  MendLogs() {
    MetricsLog log(folder_.path());
    for (uint64_t step = 10; step <= 50; step += 10) {
      log.append(step, Row{{"return", 0.5}, {"seconds", 0.25 * static_cast<double>(step)}});
    }
  }
  std::string csv() const { return file_text(folder_ / "metrics.csv"); }
  std::string jsonl() const { return file_text(folder_ / "metrics.jsonl"); }
  void put_csv(const std::string& text) const { put_file(folder_ / "metrics.csv", text); }
  // The rest of the run can be logged, and the log read.
  void expect_goes_on() const {
    MetricsLog(folder_.path()).append(50, Row{{"return", 1}, {"seconds", 9}});
    EXPECT_EQ(read_metrics_csv(folder_ / "metrics.csv").steps.back(), 50u);
  }

  TemporaryFolder folder_;
};

TEST_F(MendLogs, RowsUpToTheStepStay) {
  const MendedLogs mended = mend_logs(folder_.path(), 40);
  EXPECT_TRUE(mended.warnings.empty());
  EXPECT_EQ(mended.seconds, 10);
  EXPECT_EQ(csv(), kHead + "10,0.5,2.5\n20,0.5,5\n30,0.5,7.5\n40,0.5,10\n");
  EXPECT_EQ(n_lines(jsonl()), 4);
  expect_goes_on();
}

// Whatever was done to a row, in whichever cell: the run goes on, says what it cut, and keeps it.
TEST_F(MendLogs, ADamagedRowIsCutThereWithAWarning) {
  const std::string before = kHead + "10,0.5,2.5\n20,0.5,5\n", after = "40,0.5,10\n50,0.5,12.5\n";
  const std::string longest(3 << 20, 'x');
  for (const std::string& row :
       {std::string("30,0.5,7.5x"), std::string("30,abc,7.5"), std::string("30,0.5"),
        std::string("30,0.5,7.5,1"), std::string("30x,0.5,7.5"), std::string(""),
        std::string("20,0.5,7.5"), std::string("-30,0.5,7.5"), std::string("30,,7.5"),
        std::string("30,0.5,\0", 8), std::string("99999999999999999999,0.5,7.5"),
        std::string("\xff\xfe"), longest}) {
    SCOPED_TRACE(row.substr(0, 40));
    const TemporaryFolder folder;
    put_file(folder / "metrics.csv", before + row + "\n" + after);
    put_file(folder / "metrics.jsonl", jsonl());
    const MendedLogs mended = mend_logs(folder.path(), 40);
    ASSERT_EQ(mended.warnings.size(), 1u);
    for (const char* text : {"metrics.csv:4", "metrics.csv.damaged"}) {
      EXPECT_NE(mended.warnings[0].find(text), std::string::npos) << mended.warnings[0];
    }
    EXPECT_EQ(mended.seconds, 5);
    EXPECT_EQ(file_text(folder / "metrics.csv"), before);
    EXPECT_EQ(file_text(folder / "metrics.csv.damaged"), row + "\n" + after);
    // A second time nothing is left to mend but what is missing.
    EXPECT_NE(mend_logs(folder.path(), 40).warnings.at(0).find("ends at step 20"),
              std::string::npos);
  }
}

TEST_F(MendLogs, ADamagedObjectIsCutToo) {
  std::string text = jsonl();
  text.replace(text.find("{\"step\":30"), 10, "{\"stop\":30");
  put_file(folder_ / "metrics.jsonl", text);
  const MendedLogs mended = mend_logs(folder_.path(), 40);
  ASSERT_EQ(mended.warnings.size(), 1u);
  EXPECT_NE(mended.warnings[0].find("metrics.jsonl:3"), std::string::npos) << mended.warnings[0];
  EXPECT_EQ(read_metrics_csv(folder_ / "metrics.csv").steps.size(), 4u);
  EXPECT_EQ(n_lines(jsonl()), 2);
}

TEST_F(MendLogs, AHeaderThatIsNoneIsPutAside) {
  for (const char* head : {"what,ever", "step,a b", "", "step,return,seconds,step"}) {
    const TemporaryFolder folder;
    put_file(folder / "metrics.csv", std::string(head) + "\n10,0.5,2.5\n");
    put_file(folder / "metrics.csv.damaged", "of an earlier time");
    put_file(folder / "metrics.jsonl", jsonl());
    const MendedLogs mended = mend_logs(folder.path(), 40);
    ASSERT_EQ(mended.warnings.size(), 1u);
    EXPECT_NE(mended.warnings[0].find("metrics.csv:1"), std::string::npos) << mended.warnings[0];
    EXPECT_EQ(file_text(folder / "metrics.csv"), "");
    EXPECT_EQ(file_text(folder / "metrics.csv.damaged"), "of an earlier time");
    EXPECT_EQ(file_text(folder / "metrics.csv.damaged.2"), std::string(head) + "\n10,0.5,2.5\n");
    MetricsLog(folder.path()).append(50, Row{{"return", 1}});
    EXPECT_EQ(file_text(folder / "metrics.csv"), "step,return\n50,1\n");
  }
}

// A power cut takes what was not durable, and leaves zeros where only the length was.
TEST_F(MendLogs, RowsThatAPowerCutTookAreMissed) {
  for (const std::string& end : {std::string(), std::string("30,0."), std::string(5000, '\0')}) {
    put_csv(kHead + "10,0.5,2.5\n20,0.5,5\n" + end);
    const MendedLogs mended = mend_logs(folder_.path(), 40);
    ASSERT_EQ(mended.warnings.size(), 1u);
    for (const char* text : {"metrics.csv", "step 20", "step 40"}) {
      EXPECT_NE(mended.warnings[0].find(text), std::string::npos) << mended.warnings[0];
    }
    EXPECT_EQ(csv(), kHead + "10,0.5,2.5\n20,0.5,5\n");
  }
  expect_goes_on();
}

TEST_F(MendLogs, LogsThatAreMissingAreBegunAgain) {
  const TemporaryFolder folder;
  EXPECT_EQ(mend_logs(folder.path(), 40).warnings.size(), 2u);
  EXPECT_EQ(mend_logs(folder.path(), 0).warnings.size(), 0u);
}

TEST_F(MendLogs, WhatASpreadsheetSavedIsATable) {
  put_csv("\xef\xbb\xbfstep,return,seconds\r\n10,0.5,2.5\r\n40,0.5,10\r\n50,0.5,12.5\r\n");
  const MendedLogs mended = mend_logs(folder_.path(), 40);
  EXPECT_TRUE(mended.warnings.empty());
  EXPECT_EQ(mended.seconds, 10);
  EXPECT_EQ(csv(), "\xef\xbb\xbfstep,return,seconds\r\n10,0.5,2.5\r\n40,0.5,10\r\n");
  expect_goes_on();
}

TEST_F(MendLogs, WhatIsNoFileIsRefused) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "metrics.csv").c_str(), 0600), 0);
  test::expect_error_with(
      ExitCode::value, [&] { mend_logs(folder.path(), 40); }, "metrics.csv", "regular file");
  test::expect_error_with(
      ExitCode::value, [&] { MetricsLog log(folder.path()); }, "metrics.csv", "regular file");
}

// With every call failing in turn the logs are as they were, or mended.
TEST_F(MendLogs, AFailingDiskLosesNoRow) {
  const std::string whole = csv();
  for (const Fault fault : {Fault::disk_full, Fault::io, Fault::short_full, Fault::killed}) {
    for (int k = 0;; ++k) {
      const TemporaryFolder folder;
      put_file(folder / "metrics.csv", whole);
      put_file(folder / "metrics.jsonl", jsonl());
      const auto files = std::make_shared<FaultyFileSystem>(fault, k);
      try {
        mend_logs(folder.path(), 40, files);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::io) << error.what();
      }
      const std::string left = file_text(folder / "metrics.csv");
      EXPECT_TRUE(whole.starts_with(left)) << left;
      EXPECT_TRUE(left.ends_with("40,0.5,10\n") || left == whole) << left;
      if (k >= files->n_calls()) break;
    }
  }
}

}  // namespace
}  // namespace gallop
