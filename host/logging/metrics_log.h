#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gallop/host/files/durable_file.h>
#include <gallop/host/files/file_system.h>
#include <gallop/host/logging/metrics_table.h>

namespace gallop {

// Named numbers of one iteration, in the order of reporting.
using MetricRow = std::span<const std::pair<std::string, double>>;

// The metrics of a run, twice: metrics.csv, whose header the first row fixes, and metrics.jsonl,
// one object a row. Every row is handed to the operating system before append returns. In CSV a
// number that is not finite is nan, inf or -inf; in JSON, which has no such numbers, null.
class MetricsLog {
 public:
  // Makes the files or goes on with them. Throws an I/O error, or a value error where a header is
  // broken or one of them is not a regular file.
  explicit MetricsLog(const std::string& folder,
                      std::shared_ptr<FileSystem> files = posix_file_system());

  // Appends a row. A metric of the header that is missing is nan; one that the header of an earlier
  // session lacks is in metrics.jsonl alone. Throws an internal error for a name that is not
  // letters, digits, '_', '.', '-' or '/', or that the header of this session lacks, an I/O error
  // where the disk takes no more: then the files are as before.
  void append(uint64_t step, MetricRow row);

  // Makes the rows so far durable.
  void sync() const;

  const std::string& csv_path() const { return csv_.file.path(); }

 private:
  struct Output {
    Output(FileSystem& files, const std::string& path);
    void append(std::string_view text);
    File file;
    uint64_t size;
  };

  std::string csv_line(uint64_t step, MetricRow row);
  std::string json_line(uint64_t step, MetricRow row) const;

  std::shared_ptr<FileSystem> files_;
  Output csv_;
  Output json_;
  std::vector<std::string> names_;
  bool names_are_earlier_ = false;  // of a header that was there
};

// What is left of a run's logs, for going on from a step.
struct MendedLogs {
  double seconds = 0;                 // of the last row that is left, 0 where there is none
  std::vector<std::string> warnings;  // what was lost, and where it is now
};

// Removes the rows after `step`, and what a kill tore: for going on from there. A damaged row, or a
// header that is none, is cut off with all that follows it, which is kept under another name, and
// warned of, as are rows that are missing, unless not every iteration has one (`sparse`). Throws an
// I/O error.
MendedLogs mend_logs(const std::string& folder, uint64_t step,
                     std::shared_ptr<FileSystem> files = posix_file_system(), bool sparse = false);

}  // namespace gallop
