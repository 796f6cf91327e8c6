#include "host/logging/metrics_log.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "host/error.h"

namespace gallop {
namespace {

constexpr uint64_t kLargestLog = uint64_t{1} << 30;
constexpr std::string_view kStepColumn = "step";
constexpr std::string_view kStepKey = "{\"step\":";

bool is_metric_name(std::string_view name) {
  return !name.empty() && name != kStepColumn && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-' || c == '/';
  });
}

// The next line of `rest` without its end, or nothing where no line is complete.
std::optional<std::string_view> next_line(std::string_view& rest) {
  const size_t end = rest.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

std::vector<std::string_view> fields_of(std::string_view line) {
  std::vector<std::string_view> fields;
  while (true) {
    const size_t comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

template <class T>
bool parse(std::string_view text, T& value) {
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  return status == std::errc() && end == text.data() + text.size();
}

// The step at the start of a row in either format.
std::optional<uint64_t> step_of(std::string_view line) {
  if (line.starts_with(kStepKey)) line.remove_prefix(kStepKey.size());
  uint64_t step = 0;
  if (!parse(line.substr(0, line.find_first_of(",}")), step)) return std::nullopt;
  return step;
}

// Bytes up to the first row that is later than `step`, broken or torn. `n_header` lines are kept as
// they are.
uint64_t kept_size(std::string_view text, uint64_t step, int n_header) {
  std::string_view rest = text;
  uint64_t kept = 0;
  while (const auto line = next_line(rest)) {
    if (n_header-- <= 0) {
      const std::optional<uint64_t> row = step_of(*line);
      if (!row || *row > step) break;
    }
    kept = text.size() - rest.size();
  }
  return kept;
}

}  // namespace

std::vector<double> MetricsTable::column(std::string_view name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return {};
  const auto index = static_cast<size_t>(found - names.begin());
  std::vector<double> values;
  for (const std::vector<double>& row : rows) values.push_back(row[index]);
  return values;
}

MetricsLog::Output::Output(FileSystem& files, const std::string& path)
    : file(files, path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW), size(file.status().size) {}

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
  const std::string text = read_text_file(*files_, csv_path(), kLargestLog);
  // A header that was torn has no rows: it is cut, and the next row writes it again.
  if (text.find('\n') == std::string::npos) {
    csv_.file.truncate(0);
    csv_.size = 0;
    return;
  }
  names_ = parse_metrics_csv(text.substr(0, text.find('\n') + 1), csv_path()).names;
}

std::string MetricsLog::csv_line(uint64_t step, MetricRow row) {
  std::string line;
  if (csv_.size == 0) {
    names_.clear();
    for (const auto& [name, value] : row) names_.push_back(name);
    line = fmt::format("{}{}{}\n", kStepColumn, names_.empty() ? "" : ",", fmt::join(names_, ","));
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
  std::string line = fmt::format("{}{}", kStepKey, step);
  for (const auto& [name, value] : row) {
    line += std::isfinite(value) ? fmt::format(",\"{}\":{}", name, value)
                                 : fmt::format(",\"{}\":null", name);
  }
  return line + "}\n";
}

void MetricsLog::append(uint64_t step, MetricRow row) {
  for (size_t i = 0; i < row.size(); ++i) {
    const std::string& name = row[i].first;
    const bool known =
        csv_.size == 0 || std::find(names_.begin(), names_.end(), name) != names_.end();
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

void MetricsLog::truncate_after(uint64_t step) {
  for (Output* output : {&csv_, &json_}) {
    const std::string text = read_text_file(*files_, output->file.path(), kLargestLog);
    output->size = kept_size(text, step, output == &csv_ ? 1 : 0);
    output->file.truncate(output->size);
    output->file.sync();
  }
}

MetricsTable parse_metrics_csv(std::string_view text, std::string_view origin) {
  MetricsTable table;
  std::string_view rest = text;
  const std::optional<std::string_view> header = next_line(rest);
  if (!header) return table;
  for (const std::string_view name : fields_of(*header)) table.names.emplace_back(name);
  if (table.names.front() != kStepColumn ||
      !std::all_of(table.names.begin() + 1, table.names.end(), is_metric_name)) {
    throw value_error(fmt::format("{}:1: the header does not name a step and metrics", origin));
  }
  table.names.erase(table.names.begin());
  for (int line_number = 2; const auto line = next_line(rest); ++line_number) {
    const std::vector<std::string_view> fields = fields_of(*line);
    uint64_t step = 0;
    std::vector<double> values(table.names.size());
    bool good = fields.size() == values.size() + 1 && parse(fields[0], step);
    for (size_t i = 0; good && i < values.size(); ++i) good = parse(fields[i + 1], values[i]);
    if (!good) {
      throw value_error(
          fmt::format("{}:{}: expected a step and {} numbers", origin, line_number, values.size()));
    }
    table.steps.push_back(step);
    table.rows.push_back(std::move(values));
  }
  return table;
}

MetricsTable read_metrics_csv(const std::string& path) {
  const std::shared_ptr<FileSystem> files = posix_file_system();
  return parse_metrics_csv(read_text_file(*files, path, kLargestLog), path);
}

}  // namespace gallop
