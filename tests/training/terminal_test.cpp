// Progress on a real terminal of every width, on one that knows no control characters, and in a
// file.
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/host/temporary_folder.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using test::TemporaryFolder;
using Words = std::vector<std::string>;

Words long_run(const std::string& run, const Words& more = {}) {
  Words words = {"train",   "cartpole", "--device",        "cpu", "--threads", "1",
                 "--steps", "1500000",  "--eval-episodes", "3",   "--out",     run};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

void set_columns(int terminal, int columns) {
  winsize size = {};
  size.ws_row = 24;
  size.ws_col = static_cast<unsigned short>(columns);
  ASSERT_EQ(::ioctl(terminal, TIOCSWINSZ, &size), 0);
}

// What the program writes to a terminal of that width, which becomes `later` after half a second.
std::string on_terminal(const Words& words, const char* term, int columns, int later = 0) {
  int master = -1;
  const pid_t child = ::forkpty(&master, nullptr, nullptr, nullptr);
  if (child == 0) {
    ::setenv("TERM", term, 1);
    std::string program = std::string(GALLOP_TEST_BINARY_DIR) + "/bin/gallop";
    std::vector<std::string> all = words;
    std::vector<char*> argv = {program.data()};
    for (std::string& word : all) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::usleep(100000);  // the width is set by then
    ::execv(program.c_str(), argv.data());
    ::_exit(127);
  }
  set_columns(master, columns);
  std::string text;
  char piece[4096];
  bool resized = later == 0;
  for (int waited = 0; waited < 600;) {
    pollfd ready = {master, POLLIN, 0};
    if (::poll(&ready, 1, 100) > 0) {
      const ssize_t n = ::read(master, piece, sizeof(piece));
      if (n <= 0) break;
      text.append(piece, static_cast<size_t>(n));
    }
    if (!resized && std::count(text.begin(), text.end(), '\r') > 5) {
      resized = true;
      text.clear();
      set_columns(master, later);
    }
    ++waited;
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << text;
  ::close(master);
  return text;
}

// The texts between returns and line feeds, without the sequence that clears a line.
std::vector<std::string> pieces_of(std::string text) {
  const std::string clear = "\x1b[K";
  for (size_t at; (at = text.find(clear)) != std::string::npos;) text.erase(at, clear.size());
  std::vector<std::string> pieces(1);
  for (const char c : text) {
    if (c == '\r' || c == '\n')
      pieces.emplace_back();
    else
      pieces.back() += c;
  }
  return pieces;
}

void expect_one_line(const std::string& text, int columns) {
  int updates = 0;
  for (const std::string& piece : pieces_of(text)) {
    if (piece.find(" %") == std::string::npos) continue;  // the result, which is no progress
    ++updates;
    EXPECT_LT(static_cast<int>(piece.size()), columns) << piece;
  }
  EXPECT_GE(updates, 3) << text;
  // Written over: a line feed comes with the end of the progress and with the result's lines.
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 5) << text;
}

TEST(Terminal, ProgressFitsEveryWidth) {
  for (const int columns : {20, 60, 80, 200}) {
    const TemporaryFolder folder;
    expect_one_line(on_terminal(long_run(folder / "run"), "xterm-256color", columns), columns);
  }
}

TEST(Terminal, ProgressFollowsAWindowThatChanges) {
  const TemporaryFolder folder;
  // One line may have been written for the old width before the new one was there.
  const std::string text = on_terminal(long_run(folder / "run"), "xterm", 200, 40);
  expect_one_line(text.substr(text.find('\r', 1)), 40);
}

TEST(Terminal, ADumbOneGetsNoEscapeSequences) {
  for (const char* term : {"dumb", ""}) {
    const TemporaryFolder folder;
    const std::string text = on_terminal(long_run(folder / "run"), term, 80);
    EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
    EXPECT_NE(text.find(" %"), std::string::npos) << text;
  }
}

TEST(Terminal, AFileGetsLinesOnRequest) {
  const TemporaryFolder folder;
  const ProgramResult lines = run_program(long_run(folder / "a", {"--progress", "line"}));
  EXPECT_EQ(lines.code, 0);
  EXPECT_GE(std::count(lines.err.begin(), lines.err.end(), '\n'), 2) << lines.err;
  EXPECT_EQ(lines.err.find_first_of("\x1b\r"), std::string::npos) << lines.err;
  EXPECT_NE(lines.err.find("100 %"), std::string::npos) << lines.err;
  EXPECT_EQ(run_program(long_run(folder / "b")).err, "");
  EXPECT_EQ(run_program(long_run(folder / "c", {"--progress", "none"})).err, "");
  const ProgramResult wrong = run_program(long_run(folder / "d", {"--progress", "bar"}));
  EXPECT_EQ(wrong.code, 3);
  EXPECT_NE(wrong.err.find("auto, line or none"), std::string::npos) << wrong.err;
}

}  // namespace
}  // namespace gallop::testing
