// What the report of a run says of its end.
#include <gallop/host/report/run_report.h>

#include <gtest/gtest.h>

namespace gallop {
namespace {

RunOptions options_of(const char* stop_return = nullptr) {
  RunOptions options("cartpole", "ppo");
  options.values().set("steps", "2000", "test");
  if (stop_return != nullptr) options.values().set("stop_return", stop_return, "test");
  return options;
}

RunEnd end_of(bool finished, bool reached_stop_return = false) {
  TrainResult result;
  result.finished = finished;
  result.reached_stop_return = reached_stop_return;
  return {result};
}

TEST(RunReport, ARunThatDidAllHasNoNotice) {
  EXPECT_EQ(run_notice(options_of(), end_of(true), 2048), "");
}

TEST(RunReport, AnInterruptedRunSaysSoAndHowToGoOn) {
  const std::string notice = run_notice(options_of(), end_of(false), 1999);
  for (const char* part : {"interrupted after 1999 of 2000 steps (99 %)", "--resume"})
    EXPECT_NE(notice.find(part), std::string::npos) << notice;
}

TEST(RunReport, AnEarlyEndSaysWhy) {
  const std::string notice = run_notice(options_of("475"), end_of(true, true), 1024);
  for (const char* part : {"ended early, after 1024 of 2000 steps (51 %)", "475"})
    EXPECT_NE(notice.find(part), std::string::npos) << notice;
}

TEST(RunReport, AnErrorIsTold) {
  const std::string notice = run_notice(options_of(), {std::nullopt, "the <loss> is nan"}, 0);
  for (const char* part : {"at 0 of 2000 steps (0 %)", "the <loss> is nan"})
    EXPECT_NE(notice.find(part), std::string::npos) << notice;
}

}  // namespace
}  // namespace gallop
