#include "host/checkpoint/checkpoint_store.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <functional>

#include "host/checkpoint/durable_file.h"
#include "host/checkpoint/safetensors.h"
#include "host/error.h"

namespace gallop {
namespace {

constexpr std::string_view kPrefix = "step_";
constexpr std::string_view kSuffix = ".safetensors";
constexpr size_t kStepDigits = 12;
constexpr uint64_t kLargestStep = 999'999'999'999;
constexpr std::string_view kFormatKey = "gallop.format";
constexpr std::string_view kFormat = "1";
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

std::string CheckpointStore::save(uint64_t step, const TensorFile& file) {
  if (step > kLargestStep) {
    throw value_error(
        fmt::format("step {} of a checkpoint, expected at most {}", step, kLargestStep));
  }
  TensorFile complete = file;
  complete.set_text(kFormatKey, kFormat);
  complete.set_text(kStepKey, std::to_string(step));
  const std::vector<std::byte> bytes = write_safetensors(complete);

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
                                       file.text(kStepKey).substr(0, 20)));
  }
  return file;
}

LoadResult CheckpointStore::load_newest_good() {
  std::vector<std::string> names;
  const int listed = files_->list(folder_, names);
  if (listed < 0 && listed != -ENOENT) throw io_error("list", folder_, -listed);
  LoadResult result;
  for (const uint64_t step : steps_among(names)) {
    try {
      result.checkpoint = {step, path_of(step), read(step)};
      known_[step] = true;
      break;
    } catch (const Error& error) {
      known_[step] = false;
      result.warnings.push_back(fmt::format("checkpoint passed by: {}", error.what()));
    }
  }
  if (!result.checkpoint && !result.warnings.empty()) {
    throw checkpoint_error(fmt::format("no checkpoint in '{}' is good:\n  {}", folder_,
                                       fmt::join(result.warnings, "\n  ")));
  }
  return result;
}

void CheckpointStore::remove_leftovers() {
  gallop::remove_leftovers(*files_, folder_,
                           [](std::string_view name) { return step_in(name).has_value(); });
  std::vector<std::string> names;
  if (files_->list(folder_, names) < 0) return;
  if (steps_among(names).size() > keep_) rotate();
}

TensorFile read_checkpoint(FileSystem& files, const std::string& path) {
  // Without O_NONBLOCK a FIFO of that name would never open.
  const File file(files, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  const FileSystem::Status status = file.status();
  if (!status.regular) throw checkpoint_error(fmt::format("'{}' is not a regular file", path));
  const ReadAt read_at = [&file](uint64_t offset, std::span<std::byte> out) {
    file.read_at(offset, out);
  };
  TensorFile result = read_safetensors(status.size, read_at, "'" + path + "'");
  if (!result.has_text(kFormatKey) || result.text(kFormatKey) != kFormat) {
    const std::string version = result.has_text(kFormatKey) ? result.text(kFormatKey) : "none";
    throw checkpoint_error(
        fmt::format("'{}' has the checkpoint format {}, expected {}; use the release "
                    "that wrote it",
                    path, version.substr(0, 20), kFormat));
  }
  return result;
}

TensorFile read_checkpoint(const std::string& path) {
  const std::shared_ptr<FileSystem> files = posix_file_system();
  return read_checkpoint(*files, path);
}

}  // namespace gallop
