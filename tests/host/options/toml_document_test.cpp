#include <gallop/host/options/toml_document.h>

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <type_traits>

#include <gallop/host/options/toml_library.h>
#include "tests/host/expect_error.h"

namespace gallop {
namespace {

using test::expect_error;
using test::expect_error_with;

std::string repeated(const char* piece, int n) {
  std::string result;
  for (int i = 0; i < n; ++i) result += piece;
  return result;
}

// Its constructor copies a text: where it says that it cannot throw, a program without memory ends.
static_assert(
    !std::is_nothrow_constructible_v<toml::parse_error, const char*, toml::source_region>);

TEST(TomlDocument, ReadsKeysAndTables) {
  const auto entries = read_toml(
      "# comment\na = 1\nb.c = 'x'\n[t]\nd = [1, 2]\ne = -1.5e3\n'quoted key' = true\n", "f");
  ASSERT_EQ(entries.size(), 5u);
  std::string names;
  for (const TomlEntry& entry : entries) names += entry.name + "@" + entry.origin + " ";
  for (const char* part : {"a@f:2 ", "b.c@f:3 ", "t.d@f:5 ", "t.e@f:6 ", "t.quoted key@f:7 "}) {
    EXPECT_NE(names.find(part), std::string::npos) << names;
  }
  EXPECT_TRUE(read_toml("", "f").empty());
  EXPECT_TRUE(read_toml("[empty]\n", "f").empty());
}

TEST(TomlDocument, MalformedTextIsAValueErrorWithItsPlace) {
  for (const std::string& text : {std::string("a"),
                                  std::string("a ="),
                                  std::string("a = "),
                                  std::string("= 1"),
                                  std::string("a = 1 b = 2"),
                                  std::string("a = 1\na = 2"),
                                  std::string("a.b = 1\na = 2"),
                                  std::string("[a]\n[a]"),
                                  std::string("[a"),
                                  std::string("[]"),
                                  std::string("[[a]"),
                                  std::string("a = \"x"),
                                  std::string("a = 'x"),
                                  std::string("a = \"\"\"x"),
                                  std::string("a = '''x"),
                                  std::string("a = [1"),
                                  std::string("a = [1,,2]"),
                                  std::string("a = {"),
                                  std::string("a = {b=1"),
                                  std::string("a = {b}"),
                                  std::string("a = 1_"),
                                  std::string("a = _1"),
                                  std::string("a = 01"),
                                  std::string("a = 1e"),
                                  std::string("a = 0x"),
                                  std::string("a = .5"),
                                  std::string("a = 5."),
                                  std::string("a = tru"),
                                  std::string("a = True"),
                                  std::string("a = yes"),
                                  std::string("a = 99999999999999999999"),
                                  std::string("a = \"\\q\""),
                                  std::string("a = \"\\u12\""),
                                  std::string("a = \"\\ud800\""),
                                  std::string("a = \"\xff\""),
                                  std::string("\xff\xfe a"),
                                  std::string("a = \"\x01\""),
                                  std::string("a = 1\0", 6),
                                  std::string("a = \"\0\"", 7),
                                  std::string("a\rb"),
                                  std::string("a = 1979-13-01"),
                                  std::string("a b = 1"),
                                  std::string("a = 1 # \x01"),
                                  std::string("é = 1"),
                                  std::string("{a = 1}"),
                                  std::string("a : 1"),
                                  std::string("[a]]"),
                                  std::string("a = ]"),
                                  std::string("a = \"x\"\"y\""),
                                  std::string("[a.]"),
                                  std::string(".a = 1")}) {
    const std::string message =
        expect_error(ExitCode::value, [&] { read_toml(text, "file.toml"); });
    EXPECT_TRUE(message.starts_with("file.toml:")) << message;
    EXPECT_TRUE(message.size() > 12 && std::isdigit(static_cast<unsigned char>(message[10])))
        << message;
  }
}

// Where toml++ has undefined behaviour.
TEST(TomlDocument, OnlyStringsAndCommentsHoldMoreThanAscii) {
  const auto entries = read_toml(
      "\xef\xbb\xbf'\xc3\xa9' = \"\xe2\x82\xac\\n\\\"\" # \xc3\xa9\nb = '\\\xf0\x9f\x90\x8e\"'\n",
      "f");
  ASSERT_EQ(entries.size(), 2u);
  const size_t first = entries[0].name == "b" ? 1 : 0;
  EXPECT_EQ(entries[first].name, "\xc3\xa9");
  EXPECT_EQ(std::get<std::string>(entries[first].value), "\xe2\x82\xac\n\"");
  EXPECT_EQ(std::get<std::string>(entries[1 - first].value), "\\\xf0\x9f\x90\x8e\"");
  for (const char* text :
       {"a = 1\nb\xc3\xa9 = 1", "a = 1\nb = \xc2\xa0 1", "a = 1\nb \xe3\x80\x80= 1"}) {
    expect_error_with(
        ExitCode::value, [&] { read_toml(text, "f"); }, "f:2:", "beyond ASCII");
  }
  for (const char* text : {"a = \"\xc3\"", "a = '\xff'", "a = 1\nb = 2 # \xff"}) {
    expect_error_with(
        ExitCode::value, [&] { read_toml(text, "f"); }, "not UTF-8");
  }
  // Quotation marks where the parser is inside a value.
  for (const char* text : {"a = 1\"\xc3\xa9\"", "a =1[\"x\xef\xbb\xbe\"",
                           "a = 0.5E-$;=\"x\xef\xb9\xbf\"", "a = 1 '\xc3\xa9'"}) {
    expect_error_with(
        ExitCode::value, [&] { read_toml(text, "f"); }, "f:1:", "malformed");
  }
}

TEST(TomlDocument, StringsHaveOneLine) {
  for (const char* text : {"a = \"\"\"x\"\"\"", "a = '''x'''"}) {
    expect_error_with(
        ExitCode::value, [&] { read_toml(text, "f"); }, "f:1:5", "multi-line");
  }
  expect_error_with(
      ExitCode::value, [] { read_toml("a = \"x\n\"", "f"); }, "f:1:5", "without its end");
  expect_error_with(
      ExitCode::value, [] { read_toml("a = \"x\\", "f"); }, "f:1:5", "without its end");
  EXPECT_EQ(
      read_toml("a = \"\"\nb = ''\n'c'.\"d\" = [ 1 ]\ne = {'f' = 'g', \"h\" = 1}\n", "f").size(),
      5u);
}

// What toml++ asserts in place of refusing.
TEST(TomlDocument, WhatTheParserAssertsHasItsPlaceToo) {
  expect_error_with(
      ExitCode::value, [] { read_toml("a = 1\n\n [.b]\n", "f"); }, "f:3:3: malformed");
  expect_error_with(
      ExitCode::value, [] { read_toml("a = ,\n", "f"); }, "f:1:5: malformed");
  expect_error_with(
      ExitCode::value, [] { read_toml("a = [1,\n2,]\nb = {c = }\n", "f"); }, "f:3:");
}

TEST(TomlDocument, ValuesThatNoOptionHasAreRefused) {
  for (const char* text : {"a = 1979-05-27", "a = 07:32:00", "a = 1979-05-27T07:32:00Z",
                           "[a.b]\nc = 1", "a = {b = {c = 1}}", "a = [1.5]", "a = ['x']",
                           "a = [[1]]", "a = [{b = 1}]", "[[a]]\nb = 1", "a.b.c = 1"}) {
    expect_error_with(
        ExitCode::value, [&] { read_toml(text, "file.toml"); }, "file.toml:", "expected");
  }
}

TEST(TomlDocument, DepthIsRefusedBeforeItIsBuilt) {
  for (const std::string& text :
       {"a = " + repeated("[", 33), "a = " + repeated("{a=", 33), "a = " + repeated("[", 500000),
        repeated("a.", 40) + "a = 1", "[" + repeated("a.", 400000) + "a]",
        repeated("a.", 400000) + "a = 1", repeated("a . ", 100000) + "a = 1",
        repeated("a\t.\t", 100000) + "a = 1", "x = {" + repeated("a.", 40) + "a = 1}",
        "[[" + repeated("a.", 40) + "a]]", "a = \"\\\"\" # [[\nb = " + repeated("[", 33)}) {
    expect_error_with(
        ExitCode::value, [&] { read_toml(text, "file.toml"); }, "deeper than 32", "file.toml:");
  }
  // Brackets and points in strings, comments and numbers are no depth.
  const std::string harmless = "a = '" + repeated("[", 100) + "' # " + repeated("[", 100) +
                               "\nb = \"" + repeated("a.", 100) + "\\\"\"\nc = [" +
                               repeated("1,", 1000) + "]\n" + "d = '" + repeated(".", 100) + "'\n";
  EXPECT_EQ(read_toml(harmless, "f").size(), 4u);
}

TEST(TomlDocument, SizeIsLimited) {
  std::string text = "a = '" + std::string((1 << 20) - 6, 'x') + "'";
  ASSERT_EQ(text.size(), size_t{1} << 20);
  EXPECT_EQ(read_toml(text, "f").size(), 1u);
  expect_error_with(
      ExitCode::value, [&] { read_toml(text + "\n", "f"); }, "1048577 bytes", "1048576");
}

TEST(TomlDocument, OneTextValueCanBeReadAhead) {
  EXPECT_EQ(toml_text_value("algorithm = 'ppo'\n", "algorithm", "f"), "ppo");
  EXPECT_EQ(toml_text_value("a = 1\n", "algorithm", "f"), std::nullopt);
  expect_error_with(
      ExitCode::value, [] { toml_text_value("\nalgorithm = 1\n", "algorithm", "f"); }, "f:2",
      "'algorithm'", "string");
}

// Random edits of a good document: entries or a value error, nothing else.
TEST(TomlDocument, RandomEditsNeverCrash) {
  const std::string good =
      "a = 1\nb = [1, 2]\nc = \"x\\n\"\nd = 1.5e-3\n[t]\ne = 'y' # \xc3\xa9\nf = true\n";
  constexpr std::string_view kPieces = "[]{}=.,\"'\\#\n\r\t aeu0x1-+_:TZ\x80\xff";
  std::mt19937 random(11);
  int n_read = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text = good;
    for (uint32_t edit = 0; edit <= random() % 4; ++edit) {
      const size_t at = random() % text.size();
      if (random() % 2 == 0)
        text.insert(at, 1, kPieces[random() % kPieces.size()]);
      else
        text.erase(at, 1);
    }
    try {
      read_toml(text, "f");
      ++n_read;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ExitCode::value) << text;
    }
  }
  EXPECT_GT(n_read, 500);
  EXPECT_LT(n_read, 15000);
}

TEST(TomlDocument, OtherEncodingsAreNamed) {
  for (const std::string& text :
       {std::string("\xff\xfeg\0 \0=\0 \0001\0", 12), std::string("\0g\0 \0=\0 \0001", 10)}) {
    test::expect_error_with(
        ExitCode::value, [&] { read_toml(text, "f.toml"); }, "f.toml", "UTF-16", "UTF-8");
  }
}

}  // namespace
}  // namespace gallop
