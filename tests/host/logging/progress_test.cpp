#include <gallop/host/logging/progress.h>

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace gallop {
namespace {

TEST(Progress, CountsAreShort) {
  const std::pair<double, const char*> cases[] = {
      {0, "0"},           {7, "7"},           {999, "999"},
      {1000, "1.00 k"},   {12345, "12.3 k"},  {123456, "123 k"},
      {999499, "999 k"},  {999500, "1.00 M"}, {4.5678e6, "4.57 M"},
      {7.89e9, "7.89 G"}, {2.5, "2.50"},      {99.96, "100"},
      {-1500, "-1.50 k"}, {1e21, "1000000 P"}};
  for (const auto& [value, text] : cases) EXPECT_EQ(short_count(value), text) << value;
  EXPECT_EQ(short_count(std::nan("")), "nan");
}

TEST(Progress, DurationsAreShort) {
  const std::pair<double, const char*> cases[] = {
      {0, "0:00"},    {6.6, "0:07"},       {59.6, "1:00"},
      {754, "12:34"}, {11232, "3:07:12"},  {184032, "2 d 3:07:12"},
      {-1, "?"},      {std::nan(""), "?"}, {INFINITY, "?"}};
  for (const auto& [value, text] : cases) EXPECT_EQ(short_duration(value), text) << value;
}

TEST(Progress, TheLineTellsWhatMatters) {
  const Progress progress(ProgressForm::kNone, nullptr, nullptr, 4'000'000);
  EXPECT_EQ(progress.line(1'000'000, 123.456, 0.5),
            "[=====...............]  25 %  1.00 M steps  2.00 M steps/s  return 123.5  0:02 left");
  EXPECT_EQ(progress.line(4'000'000, -200, 2),
            "[====================] 100 %  4.00 M steps  2.00 M steps/s  return -200");
  EXPECT_EQ(progress.line(0, std::nan(""), 0), "[....................]   0 %  0 steps");
  EXPECT_EQ(progress.line(3'999'999, std::nan(""), 0).substr(0, 30),
            "[===================.]  99 %  ");
  EXPECT_EQ(progress.line(5'000'000, 0, 1).substr(0, 29), "[====================] 100 % ");
}

TEST(Progress, AResumedRunCountsItsOwnSteps) {
  const Progress progress(ProgressForm::kNone, nullptr, nullptr, 3000, 1000);
  EXPECT_NE(progress.line(2000, 0, 10).find("100 steps/s"), std::string::npos);
  EXPECT_NE(progress.line(2000, 0, 10).find("0:10 left"), std::string::npos);
  EXPECT_EQ(progress.line(1000, 0, 10).find("steps/s"), std::string::npos);
}

TEST(Progress, WritesOverItsLineTenTimesASecond) {
  std::string out;
  Progress progress(
      ProgressForm::kOverwritten, [&](std::string_view text) { out += text; }, nullptr, 1000);
  int n_writes = 0;
  for (uint64_t step = 0; step < 1000; ++step) {
    const size_t before = out.size();
    progress.update(step, 1, static_cast<double>(step) / 1000);
    n_writes += out.size() > before;
  }
  EXPECT_GE(n_writes, 9);
  EXPECT_LE(n_writes, 11);
  EXPECT_EQ(out.find('\n'), std::string::npos);
  EXPECT_TRUE(out.starts_with("\r["));
  EXPECT_TRUE(out.ends_with("\x1b[K"));
  progress.finish(1000, 1, 1.0);
  EXPECT_TRUE(out.ends_with("return 1\x1b[K\n"));
}

// Narrow terminals get a shorter bar, then none, then less of the rest.
TEST(Progress, FitsEveryWidth) {
  const Progress progress(ProgressForm::kNone, nullptr, nullptr, 4'000'000);
  const auto line = [&](int columns) { return progress.line(1'000'000, 123.456, 0.5, columns); };
  EXPECT_EQ(line(199), progress.line(1'000'000, 123.456, 0.5));
  EXPECT_EQ(line(79),
            "[====............]  25 %  1.00 M steps  2.00 M steps/s  return 123.5  0:02 left");
  EXPECT_EQ(line(59), " 25 %  1.00 M steps  return 123.5  0:02 left");
  EXPECT_EQ(line(40), " 25 %  return 123.5  0:02 left");
  EXPECT_EQ(line(19), " 25 %  return 123.5");
  EXPECT_EQ(line(10), " 25 %");
  EXPECT_EQ(line(3), " 25");
  for (int columns = 0; columns < 200; ++columns) {
    EXPECT_LE(columns_of(line(columns)), columns);
  }
}

TEST(Progress, IsQuietWithoutATerminal) {
  bool written = false;
  Progress progress(
      ProgressForm::kNone, [&](std::string_view) { written = true; }, nullptr, 1000);
  progress.update(1, 1, 1);
  progress.update(500, 1, 2);
  progress.finish(1000, 1, 3);
  EXPECT_FALSE(written);
}

}  // namespace
}  // namespace gallop
