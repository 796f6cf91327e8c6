#include <gallop/host/logging/metrics_log.h>

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <gallop/host/error.h>

namespace gallop {

MetricsLog::Output::Output(FileSystem& files, const std::string& path)
    : file(File::regular(files, path, O_RDWR | O_CREAT | O_APPEND)), size(file.status().size) {}

void MetricsLog::Output::append(std::string_view text) {
  try {
    file.write(std::as_bytes(std::span(text)));
  } catch (const Error&) {
    try {
      file.truncate(size);
    } catch (const Error&) {
      // The torn row is cut when the run goes on.
    }
    throw;
  }
  size += text.size();
}

MetricsLog::MetricsLog(const std::string& folder, std::shared_ptr<FileSystem> files)
    : files_(std::move(files)),
      csv_(*files_, folder + "/metrics.csv"),
      json_(*files_, folder + "/metrics.jsonl") {
  const MetricsReader reader(csv_.file);
  names_are_earlier_ = reader.offset() > 0;
  if (names_are_earlier_) {
    names_ = reader.names();
  } else if (csv_.size > 0) {
    // A header that was torn has no rows: it is cut, and the next row writes it again.
    csv_.file.truncate(0);
    csv_.size = 0;
  }
}

std::string MetricsLog::csv_line(uint64_t step, MetricRow row) {
  std::string line;
  if (csv_.size == 0) {
    names_.clear();
    for (const auto& [name, value] : row) names_.push_back(name);
    line = fmt::format("step{}{}\n", names_.empty() ? "" : ",", fmt::join(names_, ","));
  }
  line += std::to_string(step);
  for (const std::string& name : names_) {
    double value = std::numeric_limits<double>::quiet_NaN();
    for (const auto& [key, number] : row) {
      if (key == name) value = number;
    }
    line += std::isnan(value) ? ",nan" : fmt::format(",{}", value);
  }
  return line + "\n";
}

std::string MetricsLog::json_line(uint64_t step, MetricRow row) const {
  std::string line = fmt::format("{{\"step\":{}", step);
  for (const auto& [name, value] : row) {
    line += std::isfinite(value) ? fmt::format(",\"{}\":{}", name, value)
                                 : fmt::format(",\"{}\":null", name);
  }
  return line + "}\n";
}

void MetricsLog::append(uint64_t step, MetricRow row) {
  for (size_t i = 0; i < row.size(); ++i) {
    const std::string& name = row[i].first;
    const bool known = csv_.size == 0 || names_are_earlier_ ||
                       std::find(names_.begin(), names_.end(), name) != names_.end();
    const bool twice = std::any_of(row.begin(), row.begin() + static_cast<ptrdiff_t>(i),
                                   [&](const auto& other) { return other.first == name; });
    if (!is_metric_name(name) || !known || twice) {
      throw internal_error(fmt::format("metric '{}' at step {} is {}", name, step,
                                       twice ? "given twice"
                                       : !known
                                           ? "not in the header of the log"
                                           : "not a name of letters, digits, '_', '.', '-', '/'"));
    }
  }
  const uint64_t csv_before = csv_.size;
  csv_.append(csv_line(step, row));
  try {
    json_.append(json_line(step, row));
  } catch (const Error&) {
    csv_.file.truncate(csv_before);
    csv_.size = csv_before;
    throw;
  }
}

void MetricsLog::sync() const {
  csv_.file.sync();
  json_.file.sync();
}

}  // namespace gallop
