#include "host/options/utf8.h"

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

}  // namespace
}  // namespace gallop
