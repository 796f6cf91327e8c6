// What a kill, a power cut or an editor did to the logs of a run, cut off before it goes on.
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <functional>
#include <optional>

#include <gallop/host/error.h>
#include <gallop/host/files/line_reader.h>
#include <gallop/host/logging/metrics_log.h>

namespace gallop {
namespace {

constexpr size_t kPiece = size_t{1} << 20;
constexpr int kMostAside = 1000;
constexpr std::string_view kStepKey = "{\"step\":";

// What of a log stays.
struct Kept {
  uint64_t size = 0;                     // bytes
  std::optional<uint64_t> last_step;     // of the last row
  double seconds = 0;                    // likewise, where the row tells them
  std::optional<std::string> complaint;  // of the line behind it, where that is damaged
};

// The step of a line of metrics.jsonl: `{"step":12,"return":3.5}`.
std::optional<uint64_t> json_step(std::string_view line) {
  if (!line.starts_with(kStepKey) || !line.ends_with('}')) return std::nullopt;
  line.remove_prefix(kStepKey.size());
  uint64_t step = 0;
  const char* const last = line.data() + line.size();
  const auto [end, status] = std::from_chars(line.data(), last, step);
  if (status != std::errc() || (*end != ',' && *end != '}')) return std::nullopt;
  return line.find('\0') == std::string_view::npos ? std::optional(step) : std::nullopt;
}

Kept kept_csv(const File& file, uint64_t step) {
  Kept kept;
  std::optional<MetricsReader> reader;
  try {
    reader.emplace(file);
  } catch (const Error& error) {
    if (error.code() != ExitCode::value) throw;
    kept.complaint = error.what();
    return kept;
  }
  kept.size = reader->offset();
  const size_t seconds = reader->index_of("seconds");
  using Next = MetricsReader::Next;
  for (Next next = reader->next(); next != Next::kEnd; next = reader->next()) {
    if (next == Next::kDamaged) {
      kept.complaint = reader->complaint();
      break;
    }
    if (reader->step() > step) break;
    kept.size = reader->offset();
    kept.last_step = reader->step();
    if (seconds < reader->names().size()) kept.seconds = reader->values()[seconds];
  }
  return kept;
}

Kept kept_json(const File& file, uint64_t step) {
  Kept kept;
  LineReader lines(file);
  while (const auto line = lines.next()) {
    const std::optional<uint64_t> row = json_step(*line);
    if (!row || (kept.last_step && *row <= *kept.last_step)) {
      kept.complaint = fmt::format("{}:{}: expected an object that begins with a later step",
                                   file.path(), lines.number());
      break;
    }
    if (*row > step) break;
    kept.size = lines.offset();
    kept.last_step = row;
  }
  return kept;
}

// Copies what follows `begin` into a new file beside the log; returns its path.
std::string put_aside(FileSystem& files, const File& log, uint64_t begin, uint64_t end) {
  for (int number = 1;; ++number) {
    const std::string path =
        number == 1 ? log.path() + ".damaged" : fmt::format("{}.damaged.{}", log.path(), number);
    const std::unique_ptr<File> copy = File::fresh(files, path);
    if (copy == nullptr && number == kMostAside) throw io_error("create", path, EEXIST);
    if (copy == nullptr) continue;
    std::vector<std::byte> piece;
    for (uint64_t at = begin; at < end; at += piece.size()) {
      piece.resize(std::min<uint64_t>(kPiece, end - at));
      log.read_at(at, piece);
      copy->write(piece);
    }
    copy->sync();
    return path;
  }
}

double mend(FileSystem& files, const std::string& path, uint64_t step,
            const std::function<Kept(const File&, uint64_t)>& kept_of, bool sparse,
            std::vector<std::string>& warnings) {
  const File file = File::regular(files, path, O_RDWR | O_CREAT | O_APPEND);
  const uint64_t size = file.status().size;
  const Kept kept = kept_of(file, step);
  if (kept.complaint) {
    const std::string aside = put_aside(files, file, kept.size, size);
    warnings.push_back(
        fmt::format("{}; it is cut off there, what followed is in '{}'", *kept.complaint, aside));
  } else if (!sparse && step > 0 && kept.last_step.value_or(0) < step) {
    warnings.push_back(fmt::format(
        "'{}' ends at step {}, the run goes on from step {}: the rows between them are lost", path,
        kept.last_step.value_or(0), step));
  }
  if (kept.size < size) {
    file.truncate(kept.size);
    file.sync();
  }
  return kept.seconds;
}

}  // namespace

MendedLogs mend_logs(const std::string& folder, uint64_t step, std::shared_ptr<FileSystem> files,
                     bool sparse) {
  MendedLogs mended;
  mended.seconds = mend(*files, folder + "/metrics.csv", step, kept_csv, sparse, mended.warnings);
  mend(*files, folder + "/metrics.jsonl", step, kept_json, sparse, mended.warnings);
  return mended;
}

}  // namespace gallop
