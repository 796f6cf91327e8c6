#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "host/checkpoint/durable_file.h"
#include "host/checkpoint/file_system.h"
#include "host/logging/metrics_log.h"

namespace gallop {

// Scalars for TensorBoard: an event file of TFRecords that hold Event messages, both encoded here
// (tensorflow/core/lib/io/record_writer.cc, tensorflow/core/util/event.proto, summary.proto).
class TensorBoardLog {
 public:
  using Clock = std::function<double()>;  // seconds since 1970

  // Makes a new event file in the folder. With `resumed_step` TensorBoard drops what earlier files
  // hold of later steps. Throws an I/O error.
  explicit TensorBoardLog(const std::string& folder,
                          std::optional<uint64_t> resumed_step = std::nullopt,
                          std::shared_ptr<FileSystem> files = posix_file_system(),
                          Clock clock = now);

  // One event with a scalar for each metric. Throws an I/O error.
  void append(uint64_t step, MetricRow row);

  const std::string& path() const { return file_->path(); }

  static double now();

 private:
  void write_record(const std::string& data);

  std::shared_ptr<FileSystem> files_;
  Clock clock_;
  std::unique_ptr<File> file_;
};

}  // namespace gallop
