#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gallop/host/files/file_system.h>
#include <gallop/host/files/line_reader.h>

namespace gallop {

// What a metrics.csv holds: a row an iteration, or where there are too many, a row for each stretch
// of that many iterations.
struct MetricsTable {
  std::vector<std::string> names;         // without "step"
  std::vector<uint64_t> steps;            // [rows] the last step of each
  std::vector<std::vector<double>> rows;  // [rows, names] means where rows stand for stretches
  // Of stretches alone: the least and the greatest of the values behind each mean.
  std::vector<std::vector<double>> low = {}, high = {};  // [rows, names]
  uint64_t n_iterations = 0;
  uint64_t iterations_each = 1;  // the last row may stand for fewer
  uint64_t n_damaged = 0;        // lines that are no rows and were left out

  // The column of that name, empty where there is none.
  std::vector<double> column(std::string_view name) const;
  // The same of `low` or `high`.
  std::vector<double> column_of(const std::vector<std::vector<double>>& table,
                                std::string_view name) const;
};

// "step", or a metric's name: letters, digits, '_', '.', '-' and '/'.
bool is_metric_name(std::string_view name);

// The rows of a metrics.csv one after the other, in memory that does not grow with the file.
class MetricsReader {
 public:
  // Throws an I/O error, or a value error with the line where the header is none. A file without a
  // complete line has no names and no rows.
  explicit MetricsReader(const File& file);

  const std::vector<std::string>& names() const { return names_; }
  // The place of a name among the values; their number where there is none.
  size_t index_of(std::string_view name) const;

  enum class Next { kRow, kDamaged, kEnd };
  // A damaged line is one that is not a step and a number for each name, or whose step is not
  // greater than that of the row before. A torn last line is no line.
  Next next();
  uint64_t step() const { return step_; }
  std::span<const double> values() const { return values_; }
  uint64_t line() const { return lines_.number(); }    // of the last row or damaged line, from 1
  uint64_t offset() const { return lines_.offset(); }  // of the byte behind it
  std::string complaint() const;                       // about a damaged line

 private:
  const File& file_;
  LineReader lines_;
  std::vector<std::string> names_;
  uint64_t step_ = 0;
  bool has_step_ = false;
  std::vector<double> values_;
};

// Reads a metrics.csv whole; a torn last line is left out. Throws a value error with the line for
// anything else that is not a table of numbers.
MetricsTable read_metrics_csv(const std::string& path);
MetricsTable parse_metrics_csv(std::string_view text, std::string_view origin);

// Up to this many iterations a summary has a row for each.
constexpr uint64_t kMostSummaryRows = 65536;
// Reads a metrics.csv of any length into a table of limited size. Of more than `most_rows`
// iterations it holds means over stretches of equal length; those of "return" and "length" are over
// episodes, as "episodes" counts them. Damaged lines are left out and counted.
MetricsTable summarise_metrics_csv(const std::string& path,
                                   std::shared_ptr<FileSystem> files = posix_file_system(),
                                   uint64_t most_rows = kMostSummaryRows);

}  // namespace gallop
