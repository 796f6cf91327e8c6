#include <gallop/host/logging/tensorboard.h>

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <gallop/host/logging/crc32c.h>
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
  const double none = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  log.append(300, Row{{"return", 21.5}, {"policy_loss", -0.125}});
  log.append(400, Row{{"return", none}, {"kl", infinity}, {"policy_loss", 1e300}});
  log.append(uint64_t{1} << 40, Row{{"return", none}, {"eval_return", 7}});

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
  EXPECT_EQ(only(first, 1), "rollout/return");
  EXPECT_EQ(little_endian<float>(only(first, 2)), 21.5f);
  EXPECT_EQ(only(second, 1), "train/policy_loss");
  EXPECT_EQ(little_endian<float>(only(second, 2)), -0.125f);

  const auto last = fields_of(records[2]);
  EXPECT_EQ(only(last, 2), std::to_string(uint64_t{1} << 40));
  const auto scalar = fields_of(only(fields_of(only(last, 5)), 1));
  EXPECT_EQ(only(scalar, 1), "eval/return");
  EXPECT_EQ(little_endian<float>(only(scalar, 2)), 7.0f);
}

TEST(TensorBoard, TagsAreGrouped) {
  EXPECT_EQ(tensorboard_tag("length"), "rollout/length");
  EXPECT_EQ(tensorboard_tag("nonfinite_instances"), "rollout/nonfinite_instances");
  EXPECT_EQ(tensorboard_tag("steps_per_second"), "time/steps_per_second");
  EXPECT_EQ(tensorboard_tag("eval_return_std"), "eval/return_std");
  EXPECT_EQ(tensorboard_tag("a_number_of_its_own"), "train/a_number_of_its_own");
}

constexpr OptionSpec kRows[] = {
    {.name = "n_envs", .type = OptionType::integer, .default_value = 32},
    {.name = "clip", .type = OptionType::real, .default_value = 0.5},
    {.name = "anneal", .type = OptionType::boolean, .default_value = true},
    {.name = "hidden", .type = OptionType::integers, .default_value = "64,64"},
    {.name = "note", .type = OptionType::text, .default_value = "x"},
};

// The bytes that TensorBoard 2.21 itself makes (tensorboard/plugins/hparams/summary_v2.py,
// _summary_pb) for one option and for an end.
TEST(TensorBoard, HyperparametersAreTensorBoardsOwn) {
  TemporaryFolder folder;
  TensorBoardLog log(folder.path(), std::nullopt, posix_file_system(), fixed_clock(1.5));
  log.begin_session(Options(std::span(kRows).subspan(1, 1)));
  log.end_session();
  const std::vector<std::string> records = records_of(file_text(log.path()));
  ASSERT_EQ(records.size(), 3u);
  const std::string start(
      "\nS\n\x1c_hparams_/session_start_infoB\x06\x08\x01\x12\x02\x12\0J+\n)\n\x07hparams"
      "\x12\x1e\x1a\x1c\n\x11\n\x04"
      "clip\x12\t\x11\0\0\0\0\0\0\xe0?)\0\0\0\0\0\0\xf8?",
      85);
  const std::string end(
      "\n@\n\x1a_hparams_/session_end_infoB\x06\x08\x01\x12\x02\x12\0J\x1a\n\x18\n\x07hparams"
      "\x12\r\"\x0b\x08\x01\x11\0\0\0\0\0\0\xf8?",
      66);
  EXPECT_EQ(only(fields_of(records[1]), 5), start);
  EXPECT_EQ(only(fields_of(records[2]), 5), end);
}

TEST(TensorBoard, OptionsAreHyperparameters) {
  TemporaryFolder folder;
  TensorBoardLog log(folder.path(), std::nullopt, posix_file_system(), fixed_clock(1.5));
  log.begin_session(Options(kRows));
  log.end_session();
  const std::vector<std::string> records = records_of(file_text(log.path()));
  ASSERT_EQ(records.size(), 3u);
  const auto plugin = [](const std::string& record) {
    const auto value = fields_of(only(fields_of(only(fields_of(record), 5)), 1));
    const auto metadata = fields_of(only(fields_of(only(value, 9)), 1));
    EXPECT_EQ(only(metadata, 1), "hparams");
    return std::make_pair(only(value, 1), fields_of(only(metadata, 2)));
  };
  const auto [tag, data] = plugin(records[1]);
  EXPECT_EQ(tag, "_hparams_/session_start_info");
  const auto start = fields_of(only(data, 3));
  EXPECT_EQ(little_endian<double>(only(start, 5)), 1.5);
  std::map<std::string, std::multimap<uint64_t, std::string>> options;
  for (auto [one, end] = start.equal_range(1); one != end; ++one) {
    const auto entry = fields_of(one->second);
    options[only(entry, 1)] = fields_of(only(entry, 2));
  }
  ASSERT_EQ(options.size(), 5u);
  EXPECT_EQ(little_endian<double>(only(options["n_envs"], 2)), 32);
  EXPECT_EQ(little_endian<double>(only(options["clip"], 2)), 0.5);
  EXPECT_EQ(only(options["anneal"], 4), "1");
  EXPECT_EQ(only(options["hidden"], 3), "64,64");
  EXPECT_EQ(only(options["note"], 3), "x");

  const auto [end_tag, end_data] = plugin(records[2]);
  EXPECT_EQ(end_tag, "_hparams_/session_end_info");
  const auto end = fields_of(only(end_data, 4));
  EXPECT_EQ(only(end, 1), "1");  // success
  EXPECT_EQ(little_endian<double>(only(end, 2)), 1.5);
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
