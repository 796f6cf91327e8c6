#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/checkpoint/durable_file.h"
#include "host/checkpoint/file_system.h"

namespace gallop {

// Named numbers of one iteration, in the order of reporting.
using MetricRow = std::span<const std::pair<std::string, double>>;

// What a metrics.csv holds.
struct MetricsTable {
  std::vector<std::string> names;         // without "step"
  std::vector<uint64_t> steps;            // [rows]
  std::vector<std::vector<double>> rows;  // [rows, names]

  // The column of that name, empty where there is none.
  std::vector<double> column(std::string_view name) const;
};

// The metrics of a run, twice: metrics.csv, whose header the first row fixes, and metrics.jsonl,
// one object a row. Every row is handed to the operating system before append returns. In CSV a
// number that is not finite is nan, inf or -inf; in JSON, which has no such numbers, null.
class MetricsLog {
 public:
  // Makes the files or goes on with them. Throws an I/O error, or a value error where a header is
  // broken.
  explicit MetricsLog(const std::string& folder,
                      std::shared_ptr<FileSystem> files = posix_file_system());

  // Appends a row. A metric of the header that is missing is nan. Throws an internal error for a
  // name that the header lacks or that is not letters, digits, '_', '.', '-' or '/', an I/O error
  // where the disk takes no more: then the files are as before.
  void append(uint64_t step, MetricRow row);

  // Removes the rows of later steps, and what is left of a row that a kill tore: for going on from
  // `step`.
  void truncate_after(uint64_t step);

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
};

// Reads a metrics.csv; a torn last line is left out. Throws a value error with the line for
// anything else that is not a table of numbers.
MetricsTable read_metrics_csv(const std::string& path);
MetricsTable parse_metrics_csv(std::string_view text, std::string_view origin);

}  // namespace gallop
