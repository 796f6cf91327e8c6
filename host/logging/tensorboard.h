#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <gallop/host/files/durable_file.h>
#include <gallop/host/files/file_system.h>
#include <gallop/host/logging/metrics_log.h>
#include <gallop/host/logging/protobuf.h>
#include <gallop/host/options/option.h>

namespace gallop {

// Scalars and options for TensorBoard: an event file of TFRecords that hold Event messages, both
// encoded here (tensorflow/core/lib/io/record_writer.cc, tensorflow/core/util/event.proto,
// summary.proto).
class TensorBoardLog {
 public:
  using Clock = std::function<double()>;  // seconds since 1970

  // Makes a new event file in the folder. With `resumed_step` TensorBoard drops what earlier files
  // hold of later steps. Throws an I/O error.
  explicit TensorBoardLog(const std::string& folder,
                          std::optional<uint64_t> resumed_step = std::nullopt,
                          std::shared_ptr<FileSystem> files = posix_file_system(),
                          Clock clock = now);

  // The options of the run, as hyperparameters. Throws an I/O error.
  void begin_session(const Options& options);

  // One event with a scalar for each metric that is finite, none where there is no such one; tags
  // are those of `tensorboard_tag`. Throws an I/O error.
  void append(uint64_t step, MetricRow row);

  // The run has come to its end. Throws an I/O error.
  void end_session();

  // Makes the events so far durable.
  void sync() const { file_->sync(); }

  const std::string& path() const { return file_->path(); }

  static double now();

 private:
  void write_summary(uint64_t step, const ProtobufMessage& summary);
  void write_record(const std::string& data);

  std::shared_ptr<FileSystem> files_;
  Clock clock_;
  std::unique_ptr<File> file_;
};

// The group of a metric and its name in it: rollout/return, eval/return for "eval_return",
// time/seconds; train/ for what is not known by name.
std::string tensorboard_tag(std::string_view metric);

}  // namespace gallop
