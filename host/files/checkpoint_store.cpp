#include <gallop/host/files/checkpoint_store.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <functional>

#include <gallop/host/error.h>
#include <gallop/host/files/durable_file.h>
#include <gallop/host/files/printable.h>
#include <gallop/host/files/safetensors.h>
#include <gallop/host/options/utf8.h>

namespace gallop {
namespace {

constexpr std::string_view kPrefix = "step_";
constexpr std::string_view kSuffix = ".safetensors";
constexpr size_t kStepDigits = 12;
constexpr uint64_t kLargestStep = 999'999'999'999;
constexpr std::string_view kFormatKey = "gallop.format";
constexpr std::string_view kFormat = "1";
constexpr int kMostLooks = 100;  // at a folder whose checkpoints come and go
constexpr std::string_view kStepKey = "gallop.step";

// The steps of the checkpoints among the names, newest first.
std::vector<uint64_t> steps_among(const std::vector<std::string>& names) {
  std::vector<uint64_t> steps;
  for (const std::string& name : names) {
    if (const std::optional<uint64_t> step = CheckpointStore::step_in(name)) steps.push_back(*step);
  }
  std::sort(steps.begin(), steps.end(), std::greater<>());
  return steps;
}

// What is no file is a bad checkpoint, not a bad value.
template <class Open>
File checkpoint_file(const Open& open) {
  try {
    return open();
  } catch (const Error& error) {
    if (error.code() != ExitCode::value) throw;
    throw checkpoint_error(error.what());
  }
}

}  // namespace

CheckpointStore::CheckpointStore(std::string folder, int keep, std::shared_ptr<FileSystem> files)
    : folder_(std::move(folder)), keep_(static_cast<size_t>(keep)), files_(std::move(files)) {
  if (keep < 1) throw value_error(fmt::format("{} checkpoints to keep, expected at least 1", keep));
}

std::string CheckpointStore::file_name(uint64_t step) {
  return fmt::format("{}{:0{}}{}", kPrefix, step, kStepDigits, kSuffix);
}

std::optional<uint64_t> CheckpointStore::step_in(std::string_view name) {
  if (name.size() != kPrefix.size() + kStepDigits + kSuffix.size() || !name.starts_with(kPrefix) ||
      !name.ends_with(kSuffix)) {
    return std::nullopt;
  }
  const std::string_view digits = name.substr(kPrefix.size(), kStepDigits);
  uint64_t step = 0;
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + kStepDigits, step);
  if (status != std::errc() || end != digits.data() + kStepDigits) return std::nullopt;
  return step;
}

std::string CheckpointStore::path_of(uint64_t step) const {
  return folder_ + "/" + file_name(step);
}

std::vector<std::byte> checkpoint_bytes(uint64_t step, TensorFile file) {
  if (step > kLargestStep) {
    throw value_error(
        fmt::format("step {} of a checkpoint, expected at most {}", step, kLargestStep));
  }
  file.set_text(kFormatKey, kFormat);
  file.set_text(kStepKey, std::to_string(step));
  return write_safetensors(file);
}

std::string CheckpointStore::save(uint64_t step, const TensorFile& file) {
  const std::vector<std::byte> bytes = checkpoint_bytes(step, file);
  make_folder(*files_, folder_);
  const std::string path = path_of(step);
  write_file_atomically(*files_, path, bytes);
  known_[step] = true;
  rotate();
  return path;
}

// What cannot be listed or removed now is tried again after the next checkpoint.
void CheckpointStore::rotate() {
  std::vector<std::string> names;
  if (files_->list(folder_, names) < 0) return;
  size_t kept = 0;
  for (const uint64_t step : steps_among(names)) {
    if (!is_good(step) || ++kept <= keep_) continue;
    if (files_->remove(path_of(step)) >= 0) known_.erase(step);
  }
}

bool CheckpointStore::is_good(uint64_t step) {
  const auto known = known_.find(step);
  if (known != known_.end()) return known->second;
  bool good = true;
  try {
    read(step);
  } catch (const Error&) {
    good = false;
  }
  return known_[step] = good;
}

TensorFile CheckpointStore::read(uint64_t step) const {
  const std::string path = path_of(step);
  TensorFile file = read_checkpoint(*files_, path);
  if (file.text(kStepKey) != std::to_string(step)) {
    throw checkpoint_error(fmt::format("'{}' holds step {}, it was renamed or copied", path,
                                       printable(file.text(kStepKey).substr(0, 20))));
  }
  return file;
}

LoadResult CheckpointStore::load_newest_good() {
  LoadResult result;
  for (int look = 0; look < kMostLooks && !look_for_newest(result); ++look) {
  }
  if (!result.checkpoint && !result.warnings.empty()) {
    throw checkpoint_error(fmt::format("no checkpoint in '{}' is good:\n  {}", folder_,
                                       fmt::join(result.warnings, "\n  ")));
  }
  return result;
}

// False where a checkpoint was gone when its turn came: the run's writer has newer ones by then.
bool CheckpointStore::look_for_newest(LoadResult& result) {
  std::vector<std::string> names;
  const int listed = uninterrupted([&] { return files_->list(folder_, names); });
  if (listed == -ELOOP) {
    throw checkpoint_error(
        fmt::format("'{}' is a symbolic link, expected the run's own folder of checkpoints; put "
                    "the folder itself in its place",
                    folder_));
  }
  if (listed < 0 && listed != -ENOENT) throw io_error("list", folder_, -listed);
  result = {};
  for (const uint64_t step : steps_among(names)) {
    try {
      result.checkpoint = {step, path_of(step), read(step)};
      known_[step] = true;
      return true;
    } catch (const Error& error) {
      known_[step] = false;
      result.warnings.push_back(fmt::format("checkpoint passed by: {}", error.what()));
    }
    if (!exists(*files_, path_of(step))) return false;
  }
  return true;
}

void CheckpointStore::remove_leftovers() {
  gallop::remove_leftovers(*files_, folder_,
                           [](std::string_view name) { return step_in(name).has_value(); });
  std::vector<std::string> names;
  if (files_->list(folder_, names) < 0) return;
  if (steps_among(names).size() > keep_) rotate();
}

namespace {

TensorFile read_tensors(const File& file) {
  const ReadAt read_at = [&file](uint64_t offset, std::span<std::byte> out) {
    file.read_at(offset, out);
  };
  return read_safetensors(file.status().size, read_at, "'" + file.path() + "'");
}

}  // namespace

TensorFile read_checkpoint(const File& file) {
  const std::string& path = file.path();
  TensorFile result = read_tensors(file);
  if (!result.has_text(kFormatKey) || result.text(kFormatKey) != kFormat) {
    const std::string version = result.has_text(kFormatKey) ? result.text(kFormatKey) : "none";
    throw checkpoint_error(
        fmt::format("'{}' has the checkpoint format {}, expected {}; use the release "
                    "that wrote it",
                    path, printable(version.substr(0, 20)), kFormat));
  }
  return result;
}

TensorFile read_checkpoint(FileSystem& files, const std::string& path) {
  return read_checkpoint(checkpoint_file([&] { return File::to_read(files, path); }));
}

uint64_t step_of(const TensorFile& file, const std::string& path) {
  const std::string& text = file.text(kStepKey);
  uint64_t step = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), step);
  if (status != std::errc() || end != text.data() + text.size()) {
    throw checkpoint_error(fmt::format("'{}' says that it is of step {}", path, in_quotes(text)));
  }
  return step;
}

TensorFile read_checkpoint(const std::string& path) {
  const std::shared_ptr<FileSystem> files = posix_file_system();
  return read_checkpoint(checkpoint_file([&] { return File::given(*files, path); }));
}

TensorFile read_tensors(const std::string& path) {
  const std::shared_ptr<FileSystem> files = posix_file_system();
  return read_tensors(checkpoint_file([&] { return File::given(*files, path); }));
}

}  // namespace gallop
