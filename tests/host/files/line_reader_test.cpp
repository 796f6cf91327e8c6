#include <gallop/host/files/line_reader.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/host/temporary_folder.h"

namespace gallop {
namespace {

using test::put_file;
using test::TemporaryFolder;
using Lines = std::vector<std::string>;

Lines lines_of(const std::string& text, uint64_t* offset = nullptr) {
  const TemporaryFolder folder;
  put_file(folder / "a", text);
  const auto files = posix_file_system();
  const File file = File::to_read(*files, folder / "a");
  LineReader reader(file);
  Lines lines;
  while (const auto line = reader.next()) lines.emplace_back(*line);
  EXPECT_EQ(reader.number(), lines.size());
  if (offset != nullptr) *offset = reader.offset();
  return lines;
}

TEST(LineReader, LinesOfEveryLength) {
  // Lengths around those of the pieces in which the file is read.
  std::string text;
  Lines expected;
  for (size_t n = 0; n < 2000; n += 7) {
    expected.emplace_back(n * 3, static_cast<char>('a' + n % 26));
    text += expected.back() + "\n";
  }
  ASSERT_GT(text.size(), size_t{3} << 18);
  uint64_t offset = 0;
  EXPECT_EQ(lines_of(text, &offset), expected);
  EXPECT_EQ(offset, text.size());
}

TEST(LineReader, ATornLastLineIsNone) {
  uint64_t offset = 0;
  EXPECT_EQ(lines_of("one\ntwo\nthr", &offset), (Lines{"one", "two"}));
  EXPECT_EQ(offset, 8u);
  EXPECT_EQ(lines_of("", &offset), Lines{});
  EXPECT_EQ(lines_of("torn", &offset), Lines{});
  EXPECT_EQ(offset, 0u);
  EXPECT_EQ(lines_of("\n\n"), (Lines{"", ""}));
}

TEST(LineReader, LinesOfSpreadsheetsEndWithTwoCharacters) {
  uint64_t offset = 0;
  EXPECT_EQ(lines_of("one\r\ntwo\r\n\r\nthree\r", &offset), (Lines{"one", "two", ""}));
  EXPECT_EQ(offset, 12u);
}

// A hostile file without a line's end: pieces, and never the whole in memory.
TEST(LineReader, AnEndlessLineComesInPieces) {
  const size_t n = 2 * LineReader::kLongestLine + 10;
  uint64_t offset = 0;
  const Lines lines = lines_of(std::string(n, 'x') + "\nend\n", &offset);
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0].size(), LineReader::kLongestLine);
  EXPECT_EQ(lines[1].size(), LineReader::kLongestLine);
  EXPECT_EQ(lines[2], std::string(10, 'x'));
  EXPECT_EQ(lines[3], "end");
  EXPECT_EQ(offset, n + 5);
}

}  // namespace
}  // namespace gallop
