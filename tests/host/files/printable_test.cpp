#include <gallop/host/files/printable.h>

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include <gallop/host/options/utf8.h>

namespace gallop {
namespace {

TEST(Printable, WhatATerminalObeysIsSpelledOut) {
  const std::pair<std::string, std::string> cases[] = {{"plain text, ~!", "plain text, ~!"},
                                                       {"\x1b[31mred", "\\x1b[31mred"},
                                                       {"\x1b]0;title\x07", "\\x1b]0;title\\x07"},
                                                       {"a\nb\tc\r", "a\\x0ab\\x09c\\x0d"},
                                                       {"\x7f", "\\x7f"},
                                                       {"\xc2\x9b"
                                                        "31m",
                                                        "\\xc2\\x9b31m"},  // CSI as one character
                                                       {"\x9b", "\\x9b"},  // and as one byte
                                                       {"Zürich 東京 😀", "Zürich 東京 😀"},
                                                       {"\xff\xfe", "\\xff\\xfe"},
                                                       {"cut \xe6\x9d", "cut \\xe6\\x9d"},
                                                       {"\xe2\x80\xae"
                                                        "evil",
                                                        "\\xe2\\x80\\xaeevil"},  // right to left
                                                       {std::string("a\0b", 3), "a\\x00b"}};
  for (const auto& [text, expected] : cases) EXPECT_EQ(printable(text), expected);
  EXPECT_EQ(printable("a\nb\x1b", true), "a\nb\\x1b");
}

TEST(Printable, TextForJsonIsUtf8) {
  EXPECT_EQ(utf8_text("run\xff"), "run\xef\xbf\xbd");
  EXPECT_EQ(utf8_text("Zürich"), "Zürich");
  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_TRUE(is_utf8(utf8_text(std::string("a") + static_cast<char>(byte) + "b")));
  }
}

// What bash makes of it is the text.
TEST(Printable, ShellsTakeAQuotedWordAsItIs) {
  EXPECT_EQ(shell_quoted("runs/cartpole-ppo-1-20260131T235959Z"),
            "runs/cartpole-ppo-1-20260131T235959Z");
  EXPECT_EQ(shell_quoted("my runs"), "'my runs'");
  EXPECT_EQ(shell_quoted("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_quoted("-x"), "./-x");
  for (const std::string& text :
       {std::string("a b"), std::string("$(touch x)"), std::string("`x`"), std::string("a'b\"c"),
        std::string("a\nb"), std::string("\x1b[31m'\\"), std::string("run\xff"), std::string("*"),
        std::string("~"), std::string("a;b&c|d"), std::string("東京 2"), std::string("a\\b"),
        std::string("#x"), std::string("!x"), std::string("")}) {
    std::FILE* shell =
        ::popen(("bash -c " + shell_quoted("printf %s " + shell_quoted(text))).c_str(), "r");
    ASSERT_NE(shell, nullptr);
    std::string out(100, '\0');
    out.resize(std::fread(out.data(), 1, out.size(), shell));
    ::pclose(shell);
    EXPECT_EQ(out, text) << shell_quoted(text);
  }
}

}  // namespace
}  // namespace gallop
