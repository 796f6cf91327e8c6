#include <gallop/host/files/safetensors_header.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gallop/host/files/safetensors.h>
#include "tests/host/expect_error.h"
#include "tests/host/files/hostile_file.h"

namespace gallop {
namespace {

using test::expect_error;
using test::file_with_header;
using test::kDigestMetadata;

// "name":{...} for one tensor.
std::string tensor(const std::string& name, const std::string& dtype, const std::string& shape,
                   const std::string& offsets) {
  return "\"" + name + R"(":{"dtype":")" + dtype + R"(","shape":[)" + shape +
         R"(],"data_offsets":[)" + offsets + "]}";
}

std::string header(const std::string& tensors) {
  return "{" + std::string(kDigestMetadata) + (tensors.empty() ? "" : ",") + tensors + "}";
}

// A header, how many bytes follow it, and what its length field claims where that is not its size.
struct Hostile {
  std::string header;
  size_t n_data = 8;
  int64_t claimed = -1;
};

// Values where a natural number belongs.
const std::vector<std::string> kWrongNumbers = {"-1",
                                                "-0",
                                                "0.0",
                                                "4.0",
                                                "1e1",
                                                "18446744073709551616",
                                                "99999999999999999999999999",
                                                "\"4\"",
                                                "null",
                                                "true",
                                                "[4]",
                                                "{}",
                                                "+4",
                                                "04",
                                                "0x4",
                                                "NaN",
                                                "1e999",
                                                "4,",
                                                "4 4",
                                                "'4'",
                                                "--4",
                                                "4.",
                                                "Infinity"};

void add_wrong_offsets(std::vector<Hostile>& cases) {
  for (const char* offsets :
       {"", "0", "0,8,16", "8,0", "4,12", "1,9", "0,7", "0,9", "0,4", "0,16", "4,8", "8,16",
        "0,18446744073709551615", "18446744073709551615,7",
        "18446744073709551608,18446744073709551615", "9223372036854775808,9223372036854775816",
        "4294967296,4294967304", "0,0", "8,8"}) {
    cases.push_back({header(tensor("w", "F32", "2", offsets))});
  }
  for (const std::string& number : kWrongNumbers) {
    cases.push_back({header(tensor("w", "F32", "2", "0," + number))});
    cases.push_back({header(tensor("w", "F32", "2", number + ",8"))});
  }
}

void add_wrong_shapes(std::vector<Hostile>& cases) {
  for (const char* shape :
       {"1", "3", "2,2", "0", "2,0", "1,1,1,1,1,1,1,1,2", "2,1,1,1,1,1,1,1,1",
        "4611686018427387906", "9223372036854775809", "4294967296,4294967296,2",
        "4294967298,1073741824", "18446744073709551615,2", "0,4294967296,4294967296,4294967296",
        "18446744073709551615,18446744073709551615"}) {
    cases.push_back({header(tensor("w", "F32", shape, "0,8"))});
  }
  for (const std::string& number : kWrongNumbers)
    cases.push_back({header(tensor("w", "F32", number, "0,8"))});
  // Products that wrap to a size that fits.
  cases.push_back({header(tensor("w", "U8", "4294967296,4294967296", "0,0")), 0});
  cases.push_back({header(tensor("w", "F64", "2305843009213693952", "0,0")), 0});
  cases.push_back({header(tensor("w", "F64", "2305843009213693953", "0,8"))});
  cases.push_back({header(tensor("w", "U8", "8,3,12297829382473034411", "0,8"))});
}

void add_wrong_types(std::vector<Hostile>& cases) {
  for (const char* dtype : {"", "f32", "F16", "BF16", "BOOL", "I8", "I16", "U16", "F8_E4M3", "F32 ",
                            " F32", "F32\\u0000", "object", "F128", "\\u0046\\u0033"}) {
    cases.push_back({header(tensor("w", dtype, "2", "0,8"))});
  }
  for (const char* value : {"1", "null", "[\"F32\"]", "{}", "true", "F32"}) {
    cases.push_back({header(std::string(R"("w":{"dtype":)") + value +
                            R"(,"shape":[2],"data_offsets":[0,8]})")});
  }
  // The types that fit, with the sizes of others.
  for (const char* dtype : {"F64", "I64", "U64", "U8"})
    cases.push_back({header(tensor("w", dtype, "2", "0,8"))});
}

void add_wrong_names(std::vector<Hostile>& cases) {
  for (const std::string& name :
       {std::string(""),          std::string("/etc/passwd"), std::string("../w"),
        std::string("a/../../w"), std::string("a/.."),        std::string("."),
        std::string(".."),        std::string("w\\u0000"),    std::string("w\\n"),
        std::string("w w"),       std::string("w\\\\w"),      std::string("w\\\"w"),
        std::string("C:w"),       std::string("a//w"),        std::string("w/"),
        std::string("\xc3\xa9"),  std::string("\xff"),        std::string("\\ud800"),
        std::string("\\u202e"),   std::string("%2e"),         std::string("~"),
        std::string("$w"),        std::string("*"),           std::string(256, 'w'),
        std::string(5000, 'w')}) {
    cases.push_back({header(tensor(name, "F32", "2", "0,8"))});
  }
  for (const char* key : {"", "a b", "\\u0000", "../x", "x\\\"sha256"}) {
    cases.push_back({std::string(R"({"__metadata__":{")") + key + R"(":"v","sha256":"@"}})", 0});
  }
}

void add_wrong_fields(std::vector<Hostile>& cases) {
  const std::string d = R"("dtype":"F32")";
  const std::string s = R"("shape":[2])";
  const std::string o = R"("data_offsets":[0,8])";
  for (const std::string& fields : {std::string(),
                                    d,
                                    s,
                                    o,
                                    d + "," + s,
                                    d + "," + o,
                                    s + "," + o,
                                    d + "," + s + "," + o + "," + d,
                                    d + "," + s + "," + o + "," + s,
                                    d + "," + s + "," + o + "," + o,
                                    d + "," + s + "," + o + R"(,"x":1)",
                                    d + "," + s + "," + o + R"(,"":"")",
                                    d + "," + s + "," + R"("data_offsets":{"0":0,"1":8})",
                                    d + "," + s + "," + R"("data_offsets":8)",
                                    d + "," + s + "," + R"("data_offsets":null)",
                                    d + "," + s + "," + R"("data_offsets":[[0,8]])",
                                    d + R"(,"shape":2,)" + o,
                                    d + R"(,"shape":null,)" + o,
                                    d + R"(,"shape":{},)" + o,
                                    d + R"(,"shape":[[2]],)" + o,
                                    d + R"(,"Shape":[2],)" + o,
                                    R"("Dtype":"F32",)" + s + "," + o,
                                    d + "," + s + "," + R"("offsets":[0,8])"}) {
    cases.push_back({header(R"("w":{)" + fields + "}")});
  }
  for (const char* value :
       {"null", "1", "\"F32\"", "[]", "[0,8]", "true", "{\"a\":{}}", "[[[[[[[[]]]]]]]]"}) {
    cases.push_back({header(std::string("\"w\":") + value)});
  }
}

void add_wrong_metadata(std::vector<Hostile>& cases) {
  for (const char* value : {"null", "[]", "1", "\"x\"", "true"}) {
    cases.push_back({std::string("{\"__metadata__\":") + value + "}", 0});
  }
  for (const char* value : {"1", "null", "true", "[]", "{}", "{\"a\":\"b\"}", "1.5", "-1"}) {
    cases.push_back({std::string(R"({"__metadata__":{"sha256":"@","v":)") + value + "}}", 0});
  }
  cases.push_back({R"({"__metadata__":{"sha256":"@","v":"1","v":"1"}})", 0});
  cases.push_back({R"({"__metadata__":{"sha256":"@","sha256":"@"}})", 0});
  cases.push_back({R"({"__metadata__":{"sha256":"@"},"__metadata__":{}})", 0});
  cases.push_back({R"({"__metadata__":{},"__metadata__":{"sha256":"@"}})", 0});
  std::string many = R"({"__metadata__":{"sha256":"@")";
  for (size_t i = 0; i <= kMostTexts; ++i) many += ",\"k" + std::to_string(i) + "\":\"\"";
  cases.push_back({many + "}}", 0});
}

void add_wrong_layouts(std::vector<Hostile>& cases) {
  const auto two = [&](const char* first, const char* second, size_t n_data) {
    cases.push_back(
        {header(tensor("a", "U8", "4", first) + "," + tensor("b", "U8", "4", second)), n_data});
  };
  two("0,4", "0,4", 4);   // the same bytes
  two("0,4", "2,6", 6);   // overlap
  two("0,4", "5,9", 9);   // gap
  two("1,5", "5,9", 9);   // gap before the first
  two("0,4", "4,8", 9);   // remainder
  two("0,4", "4,8", 7);   // cut
  two("4,8", "8,12", 8);  // behind the end
  two("0,4", "4,8", 0);   // nothing there
  const std::string full = tensor("a", "U8", "8", "0,8");
  cases.push_back({header(full + "," + tensor("a", "U8", "8", "0,8"))});
  cases.push_back({header(full + "," + tensor("a", "U8", "0", "8,8"))});
  cases.push_back({header(full + "," + tensor("none", "U8", "0", "4,4"))});  // inside another
  cases.push_back({header(full + "," + tensor("none", "U8", "0", "9,9"))});
  cases.push_back({header(full + "," +
                          tensor("none", "U8", "0", "18446744073709551615,18446744073709551615"))});
  std::string many;
  for (size_t i = 0; i <= kMostTensors; ++i) {
    many += (i == 0 ? "" : ",") + tensor("t" + std::to_string(i), "U8", "0", "0,0");
  }
  cases.push_back({header(many), 0});
  std::string shared;
  for (size_t i = 0; i < 300; ++i) shared += (i == 0 ? "" : ",") + tensor("t", "U8", "0", "0,0");
  cases.push_back({header(shared), 0});
}

void add_malformed_json(std::vector<Hostile>& cases) {
  const std::string good = header(tensor("w", "F32", "2", "0,8"));
  for (const std::string& text : {std::string(),
                                  std::string("{"),
                                  std::string("}"),
                                  std::string("[]"),
                                  std::string("null"),
                                  std::string("\"\""),
                                  std::string("1"),
                                  " " + good,
                                  "\n" + good,
                                  "\xef\xbb\xbf" + good,
                                  good + "x",
                                  good + "{}",
                                  good + ",",
                                  good + "//",
                                  good + "/**/",
                                  "[" + good + "]",
                                  good.substr(0, good.size() - 1),
                                  good.substr(1),
                                  good + std::string(1, '\0'),
                                  good + std::string(7, '\0'),
                                  good + std::string("\0{}", 3),
                                  std::string("{,}"),
                                  std::string("{\"a\"}"),
                                  std::string("{\"a\":}"),
                                  std::string("{a:1}"),
                                  std::string("{'a':1}"),
                                  std::string("{\"a\":1,}"),
                                  std::string("{\"a\" 1}"),
                                  std::string("{\"\\x\":1}"),
                                  std::string("{\"\\u12\":1}"),
                                  std::string("{\"a\xff\":1}"),
                                  std::string("{\"a\n\":1}"),
                                  "{/**/" + good.substr(1),
                                  std::string(100000, '['),
                                  std::string(100000, '{'),
                                  "{\"w\":" + std::string(100000, '['),
                                  "{\"w\":" + std::string(100000, '{')}) {
    cases.push_back({text});
  }
  for (const int64_t claimed : {int64_t{0}, int64_t{1}, int64_t{7}, int64_t{1} << 20,
                                int64_t{1} << 31, int64_t{1} << 32, int64_t{1} << 40, INT64_MAX}) {
    cases.push_back({good, 8, claimed});
  }
  for (const int64_t off : {-8, -1, 1, 7, 8, 9}) {
    cases.push_back({good, 8, static_cast<int64_t>(good.size()) + 63 + off});
  }
  cases.push_back({good + std::string(kLargestHeader, ' ')});
}

std::vector<Hostile> hostile_cases() {
  std::vector<Hostile> cases;
  add_wrong_offsets(cases);
  add_wrong_shapes(cases);
  add_wrong_types(cases);
  add_wrong_names(cases);
  add_wrong_fields(cases);
  add_wrong_metadata(cases);
  add_wrong_layouts(cases);
  add_malformed_json(cases);
  return cases;
}

TEST(SafetensorsHeader, TheUnspoiltHeaderIsGood) {
  const auto bytes = file_with_header(header(tensor("w", "F32", "2", "0,8")), 8);
  EXPECT_EQ(read_safetensors(bytes, "test").tensor("w").shape, (TensorShape{2}));
  EXPECT_TRUE(read_safetensors(file_with_header(header(""), 0), "test").tensors().empty());
}

TEST(SafetensorsHeader, HostileHeadersAreRefused) {
  const std::vector<Hostile> cases = hostile_cases();
  EXPECT_GE(cases.size(), 200u);
  for (const Hostile& hostile : cases) {
    SCOPED_TRACE(hostile.header.substr(0, 200) + " before " + std::to_string(hostile.n_data) +
                 " bytes");
    const auto bytes = file_with_header(hostile.header, hostile.n_data, hostile.claimed);
    const std::string message =
        expect_error(ExitCode::checkpoint, [&] { read_safetensors(bytes, "test"); });
    EXPECT_TRUE(message.starts_with("test: ")) << message;
    EXPECT_EQ(message.find("SHA-256, the file is damaged"), std::string::npos) << message;
    EXPECT_LT(message.size(), 600u);
    EXPECT_TRUE(std::all_of(message.begin(), message.end(), [](char c) {
      return c >= 0x20 && c < 0x7f;
    })) << message;
  }
}

// Random edits that keep the digest right: what is still accepted has to be laid out exactly.
TEST(SafetensorsHeader, RandomEditsAreRefusedOrExact) {
  const std::string good =
      header(tensor("a", "F32", "2", "0,8") + "," + tensor("b/c", "U8", "3,1", "8,11") + "," +
             tensor("none", "I64", "0", "11,11"));
  constexpr std::string_view kPieces = "0123456789{}[],:\"\\ -.eF3U8abn";
  std::mt19937 random(20240229);
  int n_accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text = good;
    for (uint32_t edit = 0; edit <= random() % 3; ++edit) {
      const size_t at = random() % text.size();
      const char piece = kPieces[random() % kPieces.size()];
      if (text[at] == '@') continue;
      switch (random() % 3) {
        case 0:
          text[at] = piece;
          break;
        case 1:
          text.insert(at, 1, piece);
          break;
        default:
          text.erase(at, 1);
      }
    }
    const auto bytes = file_with_header(text, 11);
    try {
      const TensorFile file = read_safetensors(bytes, "test");
      uint64_t total = 0;
      for (const auto& [name, tensor] : file.tensors()) {
        uint64_t size = 0;
        ASSERT_TRUE(is_tensor_name(name) && tensor_bytes(tensor.dtype, tensor.shape, size)) << text;
        ASSERT_EQ(size, tensor.bytes.size()) << text;
        total += size;
      }
      ASSERT_EQ(total, 11u) << text;
      ++n_accepted;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ExitCode::checkpoint) << text;
    }
  }
  EXPECT_GT(n_accepted, 100);
  EXPECT_LT(n_accepted, 15000);
}

}  // namespace
}  // namespace gallop
