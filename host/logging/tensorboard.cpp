#include "host/logging/tensorboard.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <chrono>
#include <span>
#include <string_view>

#include "host/error.h"
#include "host/logging/crc32c.h"

namespace gallop {
namespace {

// Field numbers of event.proto and summary.proto.
enum Field : uint32_t {
  kEventWallTime = 1,
  kEventStep = 2,
  kEventFileVersion = 3,
  kEventSummary = 5,
  kEventSessionLog = 7,
  kSummaryValue = 1,
  kValueTag = 1,
  kValueSimpleValue = 2,
  kSessionLogStatus = 1,
};
constexpr uint64_t kSessionStart = 1;
constexpr int kMostFilesASecond = 1000;

template <class T>
void put_little_endian(std::string& out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

// A field's number with its wire type: 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes.
void put_key(std::string& out, uint32_t field, uint32_t wire_type) {
  put_varint(out, uint64_t{field} << 3 | wire_type);
}

void put_integer(std::string& out, uint32_t field, uint64_t value) {
  put_key(out, field, 0);
  put_varint(out, value);
}

void put_double(std::string& out, uint32_t field, double value) {
  put_key(out, field, 1);
  put_little_endian(out, std::bit_cast<uint64_t>(value));
}

void put_bytes(std::string& out, uint32_t field, std::string_view bytes) {
  put_key(out, field, 2);
  put_varint(out, bytes.size());
  out += bytes;
}

void put_float(std::string& out, uint32_t field, float value) {
  put_key(out, field, 5);
  put_little_endian(out, std::bit_cast<uint32_t>(value));
}

std::string event(double wall_time, uint64_t step) {
  std::string data;
  put_double(data, kEventWallTime, wall_time);
  if (step != 0) put_integer(data, kEventStep, step);  // zero is what a missing number means
  return data;
}

// A name of its own for every file: one that is there already belongs to an earlier part of the
// run.
std::unique_ptr<File> new_event_file(FileSystem& files, const std::string& folder, double time) {
  for (int number = 0;; ++number) {
    std::string path = fmt::format("{}/events.out.tfevents.{:010}.gallop.{}.{}", folder,
                                   static_cast<int64_t>(time), ::getpid(), number);
    const int taken = files.open(path, O_PATH | O_NOFOLLOW, 0);
    if (taken < 0 || number == kMostFilesASecond) {
      return std::make_unique<File>(files, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    }
    files.close(taken);
  }
}

}  // namespace

double TensorBoardLog::now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

TensorBoardLog::TensorBoardLog(const std::string& folder, std::optional<uint64_t> resumed_step,
                               std::shared_ptr<FileSystem> files, Clock clock)
    : files_(std::move(files)),
      clock_(std::move(clock)),
      file_(new_event_file(*files_, folder, clock_())) {
  std::string version = event(clock_(), 0);
  put_bytes(version, kEventFileVersion, "brain.Event:2");
  write_record(version);
  if (!resumed_step) return;
  // A session that starts at a step replaces that step and all later ones.
  std::string session;
  put_integer(session, kSessionLogStatus, kSessionStart);
  std::string start = event(clock_(), *resumed_step + 1);
  put_bytes(start, kEventSessionLog, session);
  write_record(start);
}

void TensorBoardLog::append(uint64_t step, MetricRow row) {
  std::string summary;
  for (const auto& [name, value] : row) {
    std::string scalar;
    put_bytes(scalar, kValueTag, name);
    put_float(scalar, kValueSimpleValue, static_cast<float>(value));
    put_bytes(summary, kSummaryValue, scalar);
  }
  std::string data = event(clock_(), step);
  put_bytes(data, kEventSummary, summary);
  write_record(data);
}

void TensorBoardLog::write_record(const std::string& data) {
  std::string record;
  put_little_endian(record, uint64_t{data.size()});
  put_little_endian(record, masked_crc32c(record));
  record += data;
  put_little_endian(record, masked_crc32c(data));
  file_->write(std::as_bytes(std::span(record)));
}

}  // namespace gallop
