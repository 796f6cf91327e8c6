#include "host/logging/tensorboard.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host/logging/crc32c.h"
#include "tests/host/expect_error.h"
#include "tests/host/temporary_folder.h"

namespace gallop {
namespace {

using test::expect_error;
using test::file_text;
using test::names_in;
using test::TemporaryFolder;
using Row = std::vector<std::pair<std::string, double>>;

template <class T>
T little_endian(std::string_view bytes) {
  T value;
  EXPECT_GE(bytes.size(), sizeof(T));
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

// The data of each TFRecord, lengths and checksums checked.
std::vector<std::string> records_of(std::string_view bytes) {
  std::vector<std::string> records;
  while (!bytes.empty()) {
    const auto length = little_endian<uint64_t>(bytes);
    EXPECT_EQ(little_endian<uint32_t>(bytes.substr(8)), masked_crc32c(bytes.substr(0, 8)));
    const std::string_view data = bytes.substr(12, length);
    EXPECT_EQ(data.size(), length);
    EXPECT_EQ(little_endian<uint32_t>(bytes.substr(12 + length)), masked_crc32c(data));
    records.emplace_back(data);
    bytes.remove_prefix(16 + length);
  }
  return records;
}

// A message of the protobuf wire format: the values of each field, numbers as their bytes.
std::multimap<uint64_t, std::string> fields_of(std::string_view bytes) {
  const auto varint = [&bytes] {
    uint64_t value = 0;
    for (int shift = 0; !bytes.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  std::multimap<uint64_t, std::string> fields;
  while (!bytes.empty()) {
    const uint64_t key = varint();
    const uint64_t type = key & 7;
    if (type == 0) {
      fields.emplace(key >> 3, std::to_string(varint()));
      continue;
    }
    const size_t size = type == 1 ? 8 : type == 5 ? 4 : varint();
    fields.emplace(key >> 3, bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return fields;
}

std::string only(const std::multimap<uint64_t, std::string>& fields, uint64_t number) {
  EXPECT_EQ(fields.count(number), 1u) << number;
  const auto found = fields.find(number);
  return found == fields.end() ? "" : found->second;
}

TensorBoardLog::Clock fixed_clock(double time) {
  return [time] { return time; };
}

TEST(TensorBoard, ScalarsCanBeReadBack) {
  TemporaryFolder folder;
  TensorBoardLog log(folder.path(), std::nullopt, posix_file_system(), fixed_clock(1700000000.25));
  log.append(300, Row{{"return", 21.5}, {"policy_loss", -0.125}});
  log.append(uint64_t{1} << 40, Row{{"return", std::nan("")}});

  const std::vector<std::string> records = records_of(file_text(log.path()));
  ASSERT_EQ(records.size(), 3u);
  const auto version = fields_of(records[0]);
  EXPECT_EQ(only(version, 3), "brain.Event:2");
  EXPECT_EQ(little_endian<double>(only(version, 1)), 1700000000.25);

  const auto event = fields_of(records[1]);
  EXPECT_EQ(only(event, 2), "300");
  const auto summary = fields_of(only(event, 5));
  ASSERT_EQ(summary.count(1), 2u);
  const auto first = fields_of(summary.find(1)->second);
  const auto second = fields_of(std::next(summary.find(1))->second);
  EXPECT_EQ(only(first, 1), "return");
  EXPECT_EQ(little_endian<float>(only(first, 2)), 21.5f);
  EXPECT_EQ(only(second, 1), "policy_loss");
  EXPECT_EQ(little_endian<float>(only(second, 2)), -0.125f);

  const auto last = fields_of(records[2]);
  EXPECT_EQ(only(last, 2), std::to_string(uint64_t{1} << 40));
  EXPECT_TRUE(
      std::isnan(little_endian<float>(only(fields_of(only(fields_of(only(last, 5)), 1)), 2))));
}

// The bytes that TensorFlow's own writer makes for its first event at time 0.
TEST(TensorBoard, TheFirstRecordIsTensorFlows) {
  TemporaryFolder folder;
  const TensorBoardLog log(folder.path(), std::nullopt, posix_file_system(), fixed_clock(0));
  const std::string text = file_text(log.path());
  EXPECT_EQ(text.substr(0, 12), std::string("\x18\0\0\0\0\0\0\0\xa3\x7f\x4b\x22", 12));
  EXPECT_EQ(text.substr(12, 24), std::string("\x09\0\0\0\0\0\0\0\0\x1a\x0d", 11) + "brain.Event:2");
  EXPECT_EQ(text.size(), 40u);
}

TEST(TensorBoard, AResumedRunReplacesLaterSteps) {
  TemporaryFolder folder;
  const TensorBoardLog log(folder.path(), 500, posix_file_system(), fixed_clock(5));
  const std::vector<std::string> records = records_of(file_text(log.path()));
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(only(fields_of(records[1]), 2), "501");
  EXPECT_EQ(only(fields_of(only(fields_of(records[1]), 7)), 1), "1");
}

TEST(TensorBoard, EveryLogHasAFileOfItsOwn) {
  TemporaryFolder folder;
  const TensorBoardLog first(folder.path(), std::nullopt, posix_file_system(),
                             fixed_clock(1700000000));
  const TensorBoardLog second(folder.path(), 0, posix_file_system(), fixed_clock(1700000000));
  EXPECT_NE(first.path(), second.path());
  EXPECT_LT(first.path(), second.path());
  EXPECT_EQ(names_in(folder.path()).size(), 2u);
  EXPECT_NE(first.path().find("events.out.tfevents.1700000000.gallop."), std::string::npos);
  expect_error(ExitCode::io, [] { TensorBoardLog log("/nonexistent"); });
}

}  // namespace
}  // namespace gallop
