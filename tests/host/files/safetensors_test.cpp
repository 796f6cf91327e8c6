#include <gallop/host/files/safetensors.h>

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "tests/host/expect_error.h"
#include "tests/host/files/hostile_file.h"

namespace gallop {
namespace {

using test::expect_error;
using test::expect_error_with;

TensorFile small_file() {
  TensorFile file;
  const std::array<float, 2> weights = {1.5f, -2.0f};
  file.put<float>("w", {2}, weights);
  file.put_scalar<uint64_t>("step", 7);
  return file;
}

TensorFile varied_file() {
  TensorFile file;
  std::vector<double> moments(24);
  for (size_t i = 0; i < moments.size(); ++i) moments[i] = 0.1 * static_cast<double>(i);
  file.put<double>("adam/m", {2, 3, 4}, moments);
  const std::array<uint8_t, 5> flags = {1, 0, 255, 3, 4};
  file.put<uint8_t>("flags", {5}, flags);
  file.put<int32_t>("empty", {0, 3}, {});
  file.put_scalar<int64_t>("rng.episode", -1);
  file.set_text("config", "name = \"a\\b\"\n# é \"sha256\":\"0000\"\n");
  file.set_text("mode", "strict");
  return file;
}

void expect_same(const TensorFile& a, const TensorFile& b) {
  EXPECT_EQ(a.texts(), b.texts());
  ASSERT_EQ(a.tensors().size(), b.tensors().size());
  for (const auto& [name, tensor] : a.tensors()) {
    const Tensor& other = b.tensor(name);
    EXPECT_EQ(tensor.dtype, other.dtype) << name;
    EXPECT_EQ(tensor.shape, other.shape) << name;
    EXPECT_EQ(tensor.bytes, other.bytes) << name;
  }
}

// The layout as published, byte for byte.
TEST(Safetensors, WritesTheFormat) {
  const std::vector<std::byte> bytes = write_safetensors(small_file());
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::string digest_key = R"({"__metadata__":{"sha256":")";
  ASSERT_EQ(text.substr(8, digest_key.size()), digest_key);
  const std::string rest = text.substr(8 + digest_key.size() + 64);
  const std::string expected = R"("},"step":{"dtype":"U64","shape":[],"data_offsets":[0,8]},)"
                               R"("w":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})";
  EXPECT_EQ(rest.substr(0, expected.size()), expected);
  const size_t header =
      static_cast<unsigned char>(text[0]) + 256 * static_cast<unsigned char>(text[1]);
  EXPECT_EQ(header % 8, 0u);
  EXPECT_EQ(text.substr(2, 6), std::string(6, '\0'));
  EXPECT_EQ(bytes.size(), 8 + header + 16);
  EXPECT_EQ(text.substr(8 + header), std::string("\7\0\0\0\0\0\0\0\0\0\xc0\x3f\0\0\0\xc0", 16));
}

TEST(Safetensors, RoundTripsAndIsCanonical) {
  for (const TensorFile& file : {TensorFile(), small_file(), varied_file()}) {
    const std::vector<std::byte> bytes = write_safetensors(file);
    const TensorFile read = read_safetensors(bytes, "test");
    expect_same(file, read);
    EXPECT_EQ(write_safetensors(read), bytes);
  }
}

TEST(Safetensors, EveryFlippedBitIsDetected) {
  for (const TensorFile& file : {small_file(), varied_file()}) {
    std::vector<std::byte> bytes = write_safetensors(file);
    for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      const std::byte mask{static_cast<unsigned char>(1u << bit % 8)};
      bytes[bit / 8] ^= mask;
      const std::string message =
          expect_error(ExitCode::checkpoint, [&] { read_safetensors(bytes, "test"); });
      ASSERT_TRUE(message.starts_with("test: ")) << "bit " << bit << ": " << message;
      bytes[bit / 8] ^= mask;
    }
    expect_same(file, read_safetensors(bytes, "test"));
  }
}

TEST(Safetensors, EveryCutIsDetected) {
  for (const TensorFile& file : {TensorFile(), small_file(), varied_file()}) {
    const std::vector<std::byte> bytes = write_safetensors(file);
    for (size_t length = 0; length < bytes.size(); ++length) {
      // A copy of its own, so that a sanitizer sees a read past the cut.
      const std::vector<std::byte> cut(bytes.begin(),
                                       bytes.begin() + static_cast<ptrdiff_t>(length));
      const std::string message =
          expect_error(ExitCode::checkpoint, [&] { read_safetensors(cut, "test"); });
      ASSERT_TRUE(message.starts_with("test: ")) << "length " << length << ": " << message;
    }
  }
}

TEST(Safetensors, AppendedBytesAreDetected) {
  std::vector<std::byte> bytes = write_safetensors(small_file());
  for (int n = 1; n <= 16; ++n) {
    bytes.push_back(std::byte{0});
    expect_error_with(
        ExitCode::checkpoint, [&] { read_safetensors(bytes, "test"); }, "appended");
  }
}

TEST(Safetensors, SwappedTensorsAreDetected) {
  std::vector<std::byte> bytes = write_safetensors(small_file());
  std::swap_ranges(bytes.end() - 16, bytes.end() - 8, bytes.end() - 8);
  expect_error_with(
      ExitCode::checkpoint, [&] { read_safetensors(bytes, "test"); }, "SHA-256", "damaged");
}

// What other writers make: any order of the names and of the bytes, blanks, no padding. Only the
// digest is ours.
TEST(Safetensors, ReadsOtherOrders) {
  const std::string header =
      "{ \"b\" : {\"shape\":[1],\"data_offsets\":[4,12],\"dtype\":\"I64\"},\n"
      "\"none\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[4,4]}, "
      R"("__metadata__":{"sha256":"@","a":"x"},)"
      R"("a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}})";
  const TensorFile file = read_safetensors(test::file_with_header(header, 12), "test");
  EXPECT_EQ(file.tensors().size(), 3u);
  EXPECT_EQ(file.tensor("b").bytes[0], std::byte{5});
  EXPECT_EQ(file.text("a"), "x");
  EXPECT_FALSE(file.has_text("sha256"));
}

TEST(Safetensors, AFileWithoutDigestIsRefused) {
  const std::string tensor = R"("a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]})";
  const std::string digits(64, '0');
  for (const std::string& header :
       {"{" + tensor + "}", R"({"__metadata__":{},)" + tensor + "}",
        R"({"__metadata__":{"sha256":""},)" + tensor + "}",
        R"({"__metadata__":{"sha256":")" + digits + R"("},)" + tensor + "}",
        R"({"__metadata__":{"sha256": ")" + digits + R"("},)" + tensor + "}"}) {
    const auto bytes = test::file_with_header(header, 4);
    expect_error_with(
        ExitCode::checkpoint, [&] { read_safetensors(bytes, "test"); }, "SHA-256");
  }
}

TEST(Safetensors, TheWriterKeepsTheReadersLimits) {
  TensorFile file;
  file.set_text("config", std::string(kLargestHeader, 'x'));
  expect_error_with(
      ExitCode::value, [&] { write_safetensors(file); }, "header", "at most 1048576");
}

TEST(Safetensors, ErrorsOfTheSourceComeThrough) {
  const std::vector<std::byte> bytes = write_safetensors(small_file());
  for (uint64_t failing : {0, 1, 2, 3}) {
    uint64_t n_calls = 0;
    const ReadAt read_at = [&](uint64_t offset, std::span<std::byte> out) {
      if (n_calls++ == failing) throw io_error("read", "disk", 5);
      std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(offset), out.size(), out.begin());
    };
    expect_error(ExitCode::io, [&] { read_safetensors(bytes.size(), read_at, "test"); });
  }
}

}  // namespace
}  // namespace gallop
