#include <gallop/host/files/tensor_file.h>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>

#include "tests/host/expect_error.h"

namespace gallop {
namespace {

using test::expect_error_with;

template <class T>
void expect_round_trip(DType dtype) {
  TensorFile file;
  const std::array<T, 6> values = {T(0), T(1), T(2), T(3), T(100), T(255)};
  file.put<T>("values", {2, 3}, values);
  file.put_scalar<T>("scalar", T(7));
  std::array<T, 6> read = {};
  file.get<T>("values", {2, 3}, read);
  EXPECT_EQ(read, values);
  EXPECT_EQ(file.get_scalar<T>("scalar"), T(7));
  EXPECT_EQ(file.tensor("values").dtype, dtype);
  EXPECT_EQ(file.tensor("values").bytes.size(), 6 * sizeof(T));
  EXPECT_EQ(dtype_size(dtype), sizeof(T));
}

TEST(TensorFile, EveryTypeRoundTrips) {
  expect_round_trip<float>(DType::f32);
  expect_round_trip<double>(DType::f64);
  expect_round_trip<int64_t>(DType::i64);
  expect_round_trip<int32_t>(DType::i32);
  expect_round_trip<uint64_t>(DType::u64);
  expect_round_trip<uint32_t>(DType::u32);
  expect_round_trip<uint8_t>(DType::u8);
}

TEST(TensorFile, EmptyTensorRoundTrips) {
  TensorFile file;
  file.put<float>("none", {0, 4}, {});
  file.get<float>("none", {0, 4}, {});
  EXPECT_TRUE(file.tensor("none").bytes.empty());
}

TEST(TensorFile, PutRefusesWhatDoesNotFit) {
  TensorFile file;
  const std::array<float, 4> values = {1, 2, 3, 4};
  file.put<float>("w", {4}, values);
  const auto put = [&](const char* name, const TensorShape& shape) {
    return [&file, &values, name, shape] { file.put<float>(name, shape, values); };
  };
  expect_error_with(ExitCode::internal, put("w", {4}), "'w'", "twice");
  expect_error_with(ExitCode::internal, put("v", {5}), "'v'", "[5]", "16 bytes");
  expect_error_with(ExitCode::internal, put("v", {2, 2, 1, 1, 1, 1, 1, 1, 1}), "'v'");
  expect_error_with(ExitCode::internal, put("v", {uint64_t{1} << 63, 2, 2}), "'v'");
  expect_error_with(ExitCode::internal, put("", {4}), "name");
  EXPECT_EQ(file.tensors().size(), 1u);
}

TEST(TensorFile, GetNamesTheTensorAndWhatIsWrong) {
  TensorFile file;
  const std::array<float, 4> values = {1, 2, 3, 4};
  file.put<float>("policy/w", {2, 2}, values);
  std::array<float, 4> read = {};
  std::array<int32_t, 4> other = {};
  expect_error_with(
      ExitCode::checkpoint,
      [&] {
        file.get<float>("policy/v", {2, 2}, read);
      },
      "'policy/v'", "missing");
  expect_error_with(
      ExitCode::checkpoint, [&] { file.get<float>("policy/w", {4}, read); }, "'policy/w'", "[2, 2]",
      "[4]");
  expect_error_with(
      ExitCode::checkpoint,
      [&] {
        file.get<int32_t>("policy/w", {2, 2}, other);
      },
      "F32", "I32");
  expect_error_with(
      ExitCode::checkpoint, [&] { file.get_scalar<float>("policy/w"); }, "'policy/w'");
  expect_error_with(
      ExitCode::checkpoint,
      [&] {
        file.get<float>("policy/w", {2, 2}, std::span(read).first(3));
      },
      "12 bytes");
  expect_error_with(
      ExitCode::checkpoint, [&] { file.text("absent"); }, "'absent'");
  EXPECT_EQ(read, (std::array<float, 4>{}));
}

TEST(TensorFile, NamesArePathsThatLeadNowhere) {
  const std::string longest(kLongestTensorName, 'a');
  for (const std::string& name :
       {std::string("w"), std::string("policy/layer_0.weight-1"), longest}) {
    EXPECT_TRUE(is_tensor_name(name)) << name;
  }
  using namespace std::string_literals;
  for (const std::string& name :
       {""s, "/w"s, "w/"s, "a//b"s, ".."s, "a/../b"s, "."s, "a/./b"s, "a b"s, "a\\b"s, "w\0"s,
        "\0"s, "é"s, "a\"b"s, "a:b"s, "__metadata__ "s, longest + "a"}) {
    EXPECT_FALSE(is_tensor_name(name)) << name;
  }
}

TEST(TensorFile, TextsAreUtf8UnderPlainKeys) {
  TensorFile file;
  file.set_text("config", "a = \"é\"\n");
  file.set_text("config", "b");
  EXPECT_EQ(file.text("config"), "b");
  expect_error_with(
      ExitCode::internal, [&] { file.set_text("bad", "\xff"); }, "'bad'", "UTF-8");
  expect_error_with(
      ExitCode::internal, [&] { file.set_text("x\"sha256", "v"); }, "key");
  EXPECT_FALSE(file.has_text("bad"));
}

TEST(TensorFile, ProductsThatWrapAreRefused) {
  uint64_t bytes = 0;
  EXPECT_TRUE(tensor_bytes(DType::f32, {}, bytes));
  EXPECT_EQ(bytes, 4u);
  EXPECT_TRUE(tensor_bytes(DType::f64, {3, 0, 5}, bytes));
  EXPECT_EQ(bytes, 0u);
  EXPECT_FALSE(tensor_bytes(DType::u8, {uint64_t{1} << 32, uint64_t{1} << 32}, bytes));
  EXPECT_FALSE(tensor_bytes(DType::f64, {uint64_t{1} << 61}, bytes));
  EXPECT_FALSE(tensor_bytes(DType::u8, {0, uint64_t{1} << 32, uint64_t{1} << 32}, bytes));
  EXPECT_TRUE(tensor_bytes(DType::u8, {~uint64_t{0}}, bytes));
}

}  // namespace
}  // namespace gallop
