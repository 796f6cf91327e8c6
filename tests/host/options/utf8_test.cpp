#include <gallop/host/options/utf8.h>

#include <gtest/gtest.h>

#include <string>

namespace gallop {
namespace {

using namespace std::string_literals;

TEST(Utf8, AcceptsWhatTheStandardHas) {
  for (const std::string& text :
       {""s, "plain"s, "\0"s, "\x7f"s, "\xc2\x80"s, "\xdf\xbf"s, "\xe0\xa0\x80"s, "\xed\x9f\xbf"s,
        "\xee\x80\x80"s, "\xef\xbf\xbf"s, "\xf0\x90\x80\x80"s, "\xf4\x8f\xbf\xbf"s,
        "a\xc3\xa9z"s}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
}

TEST(Utf8, RefusesEverythingElse) {
  for (const std::string& text :
       {"\x80"s, "\xbf"s, "\xc0\x80"s, "\xc1\xbf"s, "\xc2"s, "\xc2\x41"s, "\xe0\x9f\xbf"s,
        "\xe2\x82"s, "\xed\xa0\x80"s, "\xed\xbf\xbf"s, "\xf0\x8f\xbf\xbf"s, "\xf4\x90\x80\x80"s,
        "\xf5\x80\x80\x80"s, "\xf0\x90\x80"s, "\xff"s, "\xfe"s, "ok\xc3"s, "\xe2\x28\xa1"s,
        "\xe2\x82\x28"s}) {
    EXPECT_FALSE(is_utf8(text));
  }
}

TEST(Utf8, OtherEncodingsAreNamed) {
  const auto wide = [](std::string_view text, std::size_t unit, bool big) {
    std::string result;
    for (const char c : text) {
      std::string one(unit, '\0');
      one[big ? unit - 1 : 0] = c;
      result += one;
    }
    return result;
  };
  const std::string_view text = "gamma = 0.9\n";
  for (const bool big : {false, true}) {
    EXPECT_STREQ(other_encoding(wide(text, 2, big)), "UTF-16");
    EXPECT_STREQ(other_encoding((big ? "\xfe\xff"s : "\xff\xfe"s) + wide(text, 2, big)), "UTF-16");
  }
  EXPECT_STREQ(other_encoding("\xff\xfe"s), "UTF-16");
  EXPECT_STREQ(other_encoding("\xff\xfe\0\0"s + wide(text, 4, false)), "UTF-32");
  EXPECT_STREQ(other_encoding("\0\0\xfe\xff"s + wide(text, 4, true)), "UTF-32");
  for (const std::string& plain : {""s, "a"s, "gamma = 0.9\n"s, "\xef\xbb\xbfgamma = 0.9\n"s,
                                   "gamma = 0.9\n\0"s, "title = 'caf\xc3\xa9'"s, "\xff"s}) {
    EXPECT_EQ(other_encoding(plain), nullptr) << plain;
  }
}

TEST(Utf8, WhatDoesNotPrintIsEscapedInMessages) {
  EXPECT_EQ(in_quotes("plain \xc3\xa9"), "'plain \xc3\xa9'");
  EXPECT_EQ(in_quotes("\x1b[31m\n"), "'\\x1b[31m\\x0a'");
  EXPECT_EQ(in_quotes("\xff\xc3"), "'\\xff\\xc3'");
  EXPECT_EQ(in_quotes("\xc2\x9b"), "'\\xc2\\x9b'");  // the control of one character
  EXPECT_EQ(in_quotes("\0"s), "'\\x00'");
  // Cut between two characters.
  std::string accents;
  for (int i = 0; i < 200; ++i) accents += "\xc3\xa9";
  const std::string cut = in_quotes(accents, 11);
  EXPECT_TRUE(is_utf8(cut));
  EXPECT_TRUE(cut.ends_with("...'"));
  EXPECT_LT(cut.size(), 20u);
}

}  // namespace
}  // namespace gallop
