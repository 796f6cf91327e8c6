#include <gallop/host/logging/tensorboard.h>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <span>
#include <string_view>

#include <gallop/host/error.h>
#include <gallop/host/logging/crc32c.h>

namespace gallop {
namespace {

// Field numbers of event.proto and summary.proto.
enum Field : uint32_t {
  kEventWallTime = 1,
  kEventStep = 2,
  kEventFileVersion = 3,
  kEventSummary = 5,
  kEventSessionLog = 7,
  kValueTag = 1,
  kValueSimpleValue = 2,
  kSessionLogStatus = 1,
  kSummaryValue = 1,
};
constexpr uint64_t kSessionStart = 1;
constexpr int kMostFilesASecond = 1000;

template <class T>
void put_little_endian(std::string& out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

ProtobufMessage event(double wall_time, uint64_t step) {
  ProtobufMessage message;
  message.add_double(kEventWallTime, wall_time);
  if (step != 0) message.add_integer(kEventStep, step);  // zero is what a missing number means
  return message;
}

// A name of its own for every file: one that is there already belongs to an earlier part of the
// run.
std::unique_ptr<File> new_event_file(FileSystem& files, const std::string& folder, double time) {
  for (int number = 0;; ++number) {
    const std::string path = fmt::format("{}/events.out.tfevents.{:010}.gallop.{}.{}", folder,
                                         static_cast<int64_t>(time), ::getpid(), number);
    std::unique_ptr<File> file = File::fresh(files, path);
    if (file != nullptr) return file;
    if (number == kMostFilesASecond) throw io_error("create", path, EEXIST);
  }
}

constexpr std::string_view kOfRollouts[] = {"return", "length", "episodes", "paths",
                                            "nonfinite_instances"};
constexpr std::string_view kOfTime[] = {"steps_per_second", "seconds"};
constexpr std::string_view kOfEvaluation = "eval_";

template <size_t n>
bool is_among(const std::string_view (&names)[n], std::string_view name) {
  return std::find(names, names + n, name) != names + n;
}

}  // namespace

std::string tensorboard_tag(std::string_view metric) {
  if (metric.starts_with(kOfEvaluation))
    return fmt::format("eval/{}", metric.substr(kOfEvaluation.size()));
  const char* group = is_among(kOfRollouts, metric) ? "rollout"
                      : is_among(kOfTime, metric)   ? "time"
                                                    : "train";
  return fmt::format("{}/{}", group, metric);
}

double TensorBoardLog::now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

TensorBoardLog::TensorBoardLog(const std::string& folder, std::optional<uint64_t> resumed_step,
                               std::shared_ptr<FileSystem> files, Clock clock)
    : files_(std::move(files)),
      clock_(std::move(clock)),
      file_(new_event_file(*files_, folder, clock_())) {
  ProtobufMessage version = event(clock_(), 0);
  version.add_bytes(kEventFileVersion, "brain.Event:2");
  write_record(version.text());
  if (!resumed_step) return;
  // A session that starts at a step replaces that step and all later ones.
  ProtobufMessage session, start = event(clock_(), *resumed_step + 1);
  session.add_integer(kSessionLogStatus, kSessionStart);
  start.add_message(kEventSessionLog, session);
  write_record(start.text());
}

void TensorBoardLog::append(uint64_t step, MetricRow row) {
  ProtobufMessage summary;
  for (const auto& [name, value] : row) {
    // A number that float cannot hold is no more of use than one that is not finite.
    if (!std::isfinite(static_cast<float>(value))) continue;
    ProtobufMessage scalar;
    scalar.add_bytes(kValueTag, tensorboard_tag(name));
    scalar.add_float(kValueSimpleValue, static_cast<float>(value));
    summary.add_message(kSummaryValue, scalar);
  }
  if (!summary.text().empty()) write_summary(step, summary);
}

void TensorBoardLog::write_summary(uint64_t step, const ProtobufMessage& summary) {
  ProtobufMessage message = event(clock_(), step);
  message.add_message(kEventSummary, summary);
  write_record(message.text());
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
