// How much memory a hostile file can make the reader take. The program's operator new is replaced
// by one that counts, which is why this stands apart from the other tests of the reader.
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <new>
#include <string>

#include <gallop/host/error.h>
#include <gallop/host/files/safetensors.h>
#include "tests/host/files/hostile_file.h"

namespace {

std::atomic<size_t> live{0};
std::atomic<size_t> peak{0};

}  // namespace

// All forms that the standard library calls are replaced, as the sanitizers demand, and not
// inlined, lest the compiler see a free() without its malloc().
[[gnu::noinline]] void* operator new(size_t size, const std::nothrow_t&) noexcept {
  void* memory = std::malloc(std::max<size_t>(size, 1));
  if (memory == nullptr) return nullptr;
  const size_t now = live += malloc_usable_size(memory);
  size_t highest = peak;
  while (now > highest && !peak.compare_exchange_weak(highest, now)) {
  }
  return memory;
}
void* operator new(size_t size) {
  void* memory = operator new(size, std::nothrow);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  if (memory != nullptr) live -= malloc_usable_size(memory);
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept { operator delete(memory); }

namespace gallop {
namespace {

using test::file_with_header;
using test::kDigestMetadata;

// The most bytes that were allocated at once while reading, the source not counted.
size_t peak_while_reading(std::span<const std::byte> bytes) {
  const size_t before = live;
  peak = before;
  try {
    read_safetensors(bytes, "test");
  } catch (const Error&) {
  }
  return peak - before;
}

constexpr size_t kAllowance = size_t{16} << 20;

void expect_bounded(const std::vector<std::byte>& bytes) {
  EXPECT_LE(peak_while_reading(bytes), 2 * bytes.size() + kAllowance) << bytes.size();
}

std::string tensors_of(size_t n, const std::string& name, const std::string& shape) {
  std::string text = "{" + std::string(kDigestMetadata);
  for (size_t i = 0; i < n; ++i) {
    text += ",\"" + name + std::to_string(i) + R"(":{"dtype":"U8","shape":)" + shape +
            R"(,"data_offsets":[0,0]})";
  }
  return text + "}";
}

TEST(SafetensorsMemory, TheCounterCounts) {
  const auto bytes =
      file_with_header("{" + std::string(kDigestMetadata) +
                           R"(,"w":{"dtype":"U8","shape":[4194304],"data_offsets":[0,4194304]}})",
                       4194304);
  const size_t taken = peak_while_reading(bytes);
  EXPECT_GE(taken, 4194304u);
  EXPECT_LE(taken, bytes.size() + (1 << 20));
}

TEST(SafetensorsMemory, OneHugeText) {
  const std::string start = R"({"__metadata__":{"sha256":"@","text":")";
  expect_bounded(file_with_header(start + std::string(kLargestHeader - 200, 'x') + "\"}}", 0));
  expect_bounded(file_with_header(start + std::string(kLargestHeader - 200, 'x'), 0));
  expect_bounded(file_with_header("{\"" + std::string(kLargestHeader - 200, 'x') + "\":{}}", 0));
  expect_bounded(
      file_with_header(R"({"w":{"dtype":")" + std::string(kLargestHeader - 200, 'x') + "\"}}", 0));
  expect_bounded(
      file_with_header(R"({"w":{"shape":[)" + std::string(kLargestHeader - 200, '1') + "]}}", 0));
}

TEST(SafetensorsMemory, ManySmallThings) {
  expect_bounded(file_with_header(tensors_of(kMostTensors, "t", "[0]"), 0));
  expect_bounded(file_with_header(tensors_of(10000, "t", "[0,1,1,1,1,1,1,1]"), 0));
  expect_bounded(file_with_header(tensors_of(3000, std::string(240, 'n'), "[0]"), 0));
  std::string metadata = R"({"__metadata__":{"sha256":"@")";
  for (int i = 0; i < 80000; ++i) metadata += ",\"" + std::to_string(i) + "\":\"\"";
  expect_bounded(file_with_header(metadata + "}}", 0));
  expect_bounded(file_with_header("{\"w\":" + std::string(kLargestHeader - 100, '['), 0));
}

TEST(SafetensorsMemory, ClaimsAreCheckedBeforeTheyAreBelieved) {
  const std::string huge =
      "{" + std::string(kDigestMetadata) +
      R"(,"w":{"dtype":"U8","shape":[1099511627776],"data_offsets":[0,1099511627776]}})";
  EXPECT_LE(peak_while_reading(file_with_header(huge, 8)), size_t{1} << 20);
  EXPECT_LE(peak_while_reading(file_with_header(huge, 8, INT64_MAX)), size_t{1} << 20);
  EXPECT_LE(peak_while_reading(file_with_header(huge, 8, kLargestHeader)), size_t{1} << 20);
}

}  // namespace
}  // namespace gallop
