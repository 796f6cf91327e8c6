#include <gallop/host/logging/metrics_table.h>

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include <gallop/host/error.h>

namespace gallop {
namespace {

constexpr std::string_view kStepColumn = "step";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";  // spreadsheets put it in front

bool is_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-' || c == '/';
  });
}

template <class T>
bool parse(std::string_view text, T& value) {
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  return status == std::errc() && end == text.data() + text.size();
}

// The next field of a line; `rest` becomes what is behind its comma, `last` whether there was none.
std::string_view next_field(std::string_view& rest, bool& last) {
  const size_t comma = rest.find(',');
  last = comma == std::string_view::npos;
  const std::string_view field = rest.substr(0, comma);
  rest.remove_prefix(last ? rest.size() : comma + 1);
  return field;
}

std::vector<std::string> parse_header(std::string_view line, std::string_view origin) {
  if (line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  std::vector<std::string> names;
  bool last = false;
  bool good = next_field(line, last) == kStepColumn;
  while (good && !last) {
    const std::string_view name = next_field(line, last);
    good = is_metric_name(name);
    names.emplace_back(name);
  }
  if (!good) {
    throw value_error(fmt::format("{}:1: the header does not name a step and metrics", origin));
  }
  return names;
}

bool parse_row(std::string_view line, uint64_t& step, std::vector<double>& values) {
  bool last = false;
  if (!parse(next_field(line, last), step)) return false;
  for (double& value : values) {
    if (last || !parse(next_field(line, last), value)) return false;
  }
  return last;
}

std::string complaint_of(std::string_view origin, uint64_t line, size_t n_names) {
  return fmt::format("{}:{}: expected a step and {} numbers", origin, line, n_names);
}

void append_row(MetricsTable& table, uint64_t step, std::vector<double> values) {
  table.steps.push_back(step);
  table.rows.push_back(std::move(values));
  ++table.n_iterations;
}

}  // namespace

bool is_metric_name(std::string_view name) { return name != kStepColumn && is_name(name); }

std::vector<double> MetricsTable::column(std::string_view name) const {
  return column_of(rows, name);
}

std::vector<double> MetricsTable::column_of(const std::vector<std::vector<double>>& table,
                                            std::string_view name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return {};
  const auto index = static_cast<size_t>(found - names.begin());
  std::vector<double> values;
  for (const std::vector<double>& row : table) values.push_back(row[index]);
  return values;
}

MetricsReader::MetricsReader(const File& file) : file_(file), lines_(file) {
  if (const auto header = lines_.next()) names_ = parse_header(*header, file.path());
  values_.resize(names_.size());
}

size_t MetricsReader::index_of(std::string_view name) const {
  return static_cast<size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin());
}

MetricsReader::Next MetricsReader::next() {
  const auto line = lines_.next();
  if (!line) return Next::kEnd;
  uint64_t step = 0;
  if (!parse_row(*line, step, values_) || (has_step_ && step <= step_)) return Next::kDamaged;
  step_ = step;
  has_step_ = true;
  return Next::kRow;
}

std::string MetricsReader::complaint() const {
  return complaint_of(file_.path(), line(), names_.size()) +
         ", at a later step than the row before";
}

MetricsTable parse_metrics_csv(std::string_view text, std::string_view origin) {
  MetricsTable table;
  uint64_t number = 0;
  for (size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (++number == 1) {
      table.names = parse_header(line, origin);
      continue;
    }
    uint64_t step = 0;
    std::vector<double> values(table.names.size());
    if (!parse_row(line, step, values)) {
      throw value_error(complaint_of(origin, number, values.size()));
    }
    append_row(table, step, std::move(values));
  }
  return table;
}

MetricsTable read_metrics_csv(const std::string& path) {
  const std::shared_ptr<FileSystem> files = posix_file_system();
  const File file = File::to_read(*files, path);
  MetricsReader reader(file);
  MetricsTable table;
  table.names = reader.names();
  using Next = MetricsReader::Next;
  for (Next next = reader.next(); next != Next::kEnd; next = reader.next()) {
    if (next == Next::kDamaged) throw value_error(reader.complaint());
    append_row(table, reader.step(), {reader.values().begin(), reader.values().end()});
  }
  return table;
}

}  // namespace gallop
