#include <gallop/host/logging/progress_line.h>

#include <gtest/gtest.h>

#include <climits>
#include <string>
#include <vector>

namespace gallop {
namespace {

using Parts = std::vector<ProgressPart>;

const Parts kParts = {{"one", 0}, {"two", 3}, {"three", 1}, {"four", 2}};

TEST(ProgressLine, TheLeastImportantPartGoesFirst) {
  EXPECT_EQ(fitted(kParts, 100), "one  two  three  four");
  EXPECT_EQ(fitted(kParts, 21), "one  two  three  four");
  EXPECT_EQ(fitted(kParts, 20), "one  three  four");
  EXPECT_EQ(fitted(kParts, 15), "one  three");
  EXPECT_EQ(fitted(kParts, 9), "one");
  EXPECT_EQ(fitted(kParts, 2), "on");
  EXPECT_EQ(fitted(kParts, 0), "");
  EXPECT_EQ(fitted({}, 10), "");
}

TEST(ProgressLine, ColumnsAreThoseOfATerminal) {
  EXPECT_EQ(columns_of("abc"), 3);
  EXPECT_EQ(columns_of("Zürich ±"), 8);
  EXPECT_EQ(columns_of("東京"), 4);
  EXPECT_EQ(columns_of("e\xcc\x81"), 1);  // an accent of its own
  EXPECT_EQ(columns_of("😀"), 2);
  EXPECT_EQ(columns_of("\xff\xe6"), 2);
  EXPECT_EQ(fitted({{"東京都", 0}}, 5), "東京");
  EXPECT_EQ(fitted({{"東京都", 0}}, 4), "東京");
}

struct Terminal {
  std::string out;
  int columns = 80;
  ProgressLine line;
  explicit Terminal(ProgressForm form)
      : line(
            form, [this](std::string_view text) { out += text; }, [this] { return columns; }) {}
  std::string shown(double seconds) {
    out.clear();
    if (line.is_due(seconds)) line.show(seconds, [](int) { return kParts; });
    return out;
  }
};

TEST(ProgressLine, FollowsTheWidthOfItsTerminal) {
  Terminal t(ProgressForm::kOverwritten);
  EXPECT_EQ(t.shown(0), "\rone  two  three  four\x1b[K");
  t.columns = 21;  // the last column stays free
  EXPECT_EQ(t.shown(1), "\rone  three  four\x1b[K");
  t.columns = 4;
  EXPECT_EQ(t.shown(2), "\rone\x1b[K");
  t.columns = 1;
  EXPECT_EQ(t.shown(3), "\r\x1b[K");
  t.columns = 0;  // nobody knows
  EXPECT_EQ(t.shown(4), "\rone  two  three  four\x1b[K");
}

TEST(ProgressLine, IsDueTenTimesASecondOrEveryTenSeconds) {
  Terminal over(ProgressForm::kOverwritten), lines(ProgressForm::kLines), none(ProgressForm::kNone);
  int n_over = 0, n_lines = 0;
  for (int k = 0; k < 3000; ++k) {
    n_over += !over.shown(0.01 * k).empty();
    n_lines += !lines.shown(0.01 * k).empty();
    EXPECT_EQ(none.shown(0.01 * k), "");
  }
  EXPECT_NEAR(n_over, 300, 30);
  EXPECT_EQ(n_lines, 3);
}

TEST(ProgressLine, LinesHaveNoControlCharacters) {
  Terminal t(ProgressForm::kLines);
  t.columns = 5;
  EXPECT_EQ(t.shown(0), "one  two  three  four\n");
  t.out.clear();
  t.line.clear();
  t.line.finish([](int columns) {
    EXPECT_EQ(columns, INT_MAX);
    return Parts{{"done", 0}};
  });
  EXPECT_EQ(t.out, "done\n");
}

TEST(ProgressLine, AnOpenLineIsEnded) {
  std::string out;
  {
    ProgressLine line(ProgressForm::kOverwritten, [&](std::string_view text) { out += text; });
    line.show(0, [](int) { return kParts; });
    line.clear();
    EXPECT_TRUE(out.ends_with("\r\x1b[K"));
    line.show(1, [](int) { return kParts; });
  }
  EXPECT_TRUE(out.ends_with("four\x1b[K\n"));
  out.clear();
  {
    ProgressLine line(ProgressForm::kOverwritten, [&](std::string_view text) { out += text; });
    line.finish([](int) { return kParts; });
    line.clear();
  }
  EXPECT_EQ(out, "") << "there was no line";
}

}  // namespace
}  // namespace gallop
