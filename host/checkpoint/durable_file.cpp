#include "host/checkpoint/durable_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include "host/error.h"

namespace gallop {
namespace {

// A disk that reports nothing but interruptions is broken: give up in the end.
constexpr int kMostInterruptions = 100;
constexpr int kMostTemporaries = 100;
constexpr std::string_view kTemporary = ".tmp.";
// Linux moves at most 2 GiB a call.
constexpr size_t kLargestTransfer = size_t{1} << 30;

template <class Call>
auto uninterrupted(const Call& call) {
  auto result = call();
  for (int i = 0; i < kMostInterruptions && result == -EINTR; ++i) result = call();
  return result;
}

template <class Result>
Result checked(Result result, const std::string& action, const std::string& path) {
  if (result < 0) throw io_error(action, path, static_cast<int>(-result));
  return result;
}

// The process in the name of a temporary file, as temporary_name spells it, of a name that `of`
// accepts; 0 for any other name.
int process_in(std::string_view name, const std::function<bool(std::string_view)>& of) {
  const size_t mark = name.find(kTemporary);
  if (mark == std::string_view::npos || !of(name.substr(0, mark))) return 0;
  const std::string_view rest = name.substr(mark + kTemporary.size());
  const char* const last = rest.data() + rest.size();
  int process = 0;
  const auto [end, status] = std::from_chars(rest.data(), last, process);
  if (status != std::errc() || process <= 0) return 0;
  if (end == last) return process;
  int number = 0;
  const auto [number_end, number_status] = std::from_chars(end + 1, last, number);
  const bool numbered = *end == '.' && number_status == std::errc() && number_end == last;
  return numbered && number > 0 ? process : 0;
}

// This process counts as not running: it may bear the number of a dead one, as is usual in
// containers.
bool is_running_elsewhere(int process) {
  return process != ::getpid() && (::kill(process, 0) == 0 || errno != ESRCH);
}

}  // namespace

File::File(FileSystem& files, std::string path, int flags, unsigned mode)
    : files_(files),
      path_(std::move(path)),
      fd_(checked(uninterrupted([&] { return files_.open(path_, flags, mode); }), "open", path_)) {}

// Names left over by other processes are passed by.
File File::temporary(FileSystem& files, const std::string& path) {
  constexpr int kNewFile = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  for (int number = 0;; ++number) {
    const std::string name = temporary_name(path, ::getpid(), number);
    const int fd = uninterrupted([&] { return files.open(name, kNewFile, 0666); });
    if (fd >= 0) return File(files, name, Opened{fd});
    if (fd != -EEXIST || number == kMostTemporaries) throw io_error("create", name, -fd);
  }
}

File::~File() {
  if (fd_ >= 0) files_.close(fd_);
}

FileSystem::Status File::status() const {
  FileSystem::Status status;
  checked(uninterrupted([&] { return files_.status(fd_, status); }), "inspect", path_);
  return status;
}

void File::read_at(uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(bytes.size(), kLargestTransfer));
    const int64_t count =
        checked(uninterrupted([&] { return files_.read_at(fd_, part, offset); }), "read", path_);
    if (count == 0) {
      throw Error(ExitCode::io,
                  fmt::format("cannot read '{}': it ends at byte {}, {} more were expected", path_,
                              offset, bytes.size()));
    }
    bytes = bytes.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
}

void File::write(std::span<const std::byte> bytes) const {
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min(bytes.size(), kLargestTransfer));
    const int64_t count =
        checked(uninterrupted([&] { return files_.write(fd_, part); }), "write", path_);
    // No progress and no reason given: the disk takes no more.
    if (count == 0) throw io_error("write", path_, ENOSPC);
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
}

void File::sync() const {
  checked(uninterrupted([&] { return files_.sync(fd_); }), "make durable", path_);
}

void File::truncate(uint64_t size) const {
  checked(uninterrupted([&] { return files_.truncate(fd_, size); }), "cut", path_);
}

void File::close() {
  const int result = files_.close(std::exchange(fd_, -1));
  // On Linux an interrupted close has closed the file; after fsync there is nothing left to lose.
  if (result != -EINTR) checked(result, "close", path_);
}

std::string temporary_name(const std::string& path, int process, int number) {
  const std::string name = fmt::format("{}{}{}", path, kTemporary, process);
  return number == 0 ? name : fmt::format("{}.{}", name, number);
}

void remove_leftovers(FileSystem& files, const std::string& folder,
                      const std::function<bool(std::string_view)>& of) {
  std::vector<std::string> names;
  if (files.list(folder, names) < 0) return;
  for (const std::string& name : names) {
    const int process = process_in(name, of);
    if (process > 0 && !is_running_elsewhere(process)) files.remove(folder + "/" + name);
  }
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

void make_folder(FileSystem& files, const std::string& folder) {
  const int made = uninterrupted([&] { return files.make_folder(folder); });
  if (made == -EEXIST) return;
  checked(made, "make the folder", folder);
  sync_folder(files, folder_of(folder));
}

void sync_folder(FileSystem& files, const std::string& folder) {
  File handle(files, folder, O_RDONLY | O_DIRECTORY);
  handle.sync();
  handle.close();
}

void write_file_atomically(FileSystem& files, const std::string& path,
                           std::span<const std::byte> bytes) {
  File file = File::temporary(files, path);
  try {
    file.write(bytes);
    file.sync();
    file.close();
    checked(uninterrupted([&] { return files.rename(file.path(), path); }),
            "rename '" + file.path() + "' to", path);
  } catch (...) {
    files.remove(file.path());
    throw;
  }
  sync_folder(files, folder_of(path));
}

void write_file_atomically(FileSystem& files, const std::string& path, std::string_view text) {
  write_file_atomically(files, path, std::as_bytes(std::span(text)));
}

std::string read_text_file(FileSystem& files, const std::string& path, uint64_t limit) {
  // Without O_NONBLOCK a FIFO of that name would never open.
  const File file(files, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  const FileSystem::Status status = file.status();
  if (!status.regular) throw value_error(fmt::format("'{}' is not a regular file", path));
  if (status.size > limit) {
    throw value_error(
        fmt::format("'{}' has {} bytes, expected at most {}", path, status.size, limit));
  }
  std::string text(status.size, '\0');
  file.read_at(0, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace gallop
