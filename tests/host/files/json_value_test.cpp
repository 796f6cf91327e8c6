#include <gallop/host/files/json_value.h>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/host/expect_error.h"

namespace gallop {
namespace {

TEST(JsonValue, KeepsTheOrderOfItsMembers) {
  JsonValue json;
  json["b"] = 1;
  json["a"] = std::uint64_t(18446744073709551615u);
  json["c"]["inner"] = true;
  json["b"] = -2;
  json["list"].push_back("x");
  json["list"].push_back(0.1);
  json["numbers"] = std::vector<double>{1, 0.030799999999999998};
  json["none"] = JsonValue();
  json["empty"] = JsonValue::object();
  json["void"] = JsonValue::array();
  EXPECT_EQ(json.text(),
            R"({"b":-2,"a":18446744073709551615,"c":{"inner":true},"list":["x",0.1],)"
            R"("numbers":[1.0,0.030799999999999998],"none":null,"empty":{},"void":[]})");
  EXPECT_EQ(JsonValue(std::vector<int>{1, 2}).text(1), "[\n 1,\n 2\n]");
}

// What JSON has no name for.
TEST(JsonValue, IsAlwaysOneThatReadersTake) {
  EXPECT_EQ(JsonValue(std::nan("")).text(), "null");
  EXPECT_EQ(JsonValue(std::numeric_limits<double>::infinity()).text(), "null");
  EXPECT_EQ(JsonValue("a\xff\"\n").text(), "\"a\xef\xbf\xbd\\\"\\n\"");
}

TEST(JsonValue, AScalarHasNoMembers) {
  JsonValue json = 1;
  test::expect_error_with(
      ExitCode::internal, [&] { json["a"] = 1; }, "no object");
  test::expect_error_with(
      ExitCode::internal, [&] { json.push_back(1); }, "no array");
}

TEST(JsonValue, ReadsWhatItWrites) {
  const std::string text =
      R"({"b":-2,"a":18446744073709551615,"c":{"inner":true},"list":["x",0.1,null,[]],"void":{}})";
  const std::optional<JsonValue> json = JsonValue::read(text);
  ASSERT_TRUE(json);
  EXPECT_EQ(json->text(), text);
  EXPECT_EQ(json->find("b")->number(), -2);
  EXPECT_EQ(json->find("a")->number(), 18446744073709551615.0);
  EXPECT_EQ(json->find("b")->string(), nullptr);
  EXPECT_EQ(json->find("absent"), nullptr);
  EXPECT_EQ(json->find("list")->find("x"), nullptr);
  EXPECT_EQ(JsonValue::read("\"\u00e9\"")->text(), "\"\xc3\xa9\"");
  EXPECT_EQ(JsonValue::read("\"\u00e9\"")->text(-1, true), "\"\\u00e9\"");
}

TEST(JsonValue, RefusesWhatIsNoJson) {
  for (const char* text : {"", "{", "[1,]", "{\"a\" 1}", "1 2", "nan", "1e999", "\xff", "'a'"}) {
    EXPECT_FALSE(JsonValue::read(text)) << text;
  }
  const std::string deep(JsonValue::kDeepest, '['), end(JsonValue::kDeepest, ']');
  EXPECT_TRUE(JsonValue::read(deep + end));
  EXPECT_FALSE(JsonValue::read("[" + deep + end + "]"));
  EXPECT_FALSE(JsonValue::read(std::string(1 << 20, '[')));
  // Members are many and of one name: it takes no time that grows with their square.
  std::string many = "{\"a\":1";
  for (int i = 0; i < 200000; i++) many += ",\"a\":2";
  EXPECT_EQ(JsonValue::read(many + "}")->find("a")->number(), 1);
}

}  // namespace
}  // namespace gallop
