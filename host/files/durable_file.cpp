#include <gallop/host/files/durable_file.h>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <utility>

#include <gallop/host/error.h>
#include <gallop/host/files/sha256.h>

namespace gallop {
namespace {

constexpr int kMostTemporaries = 100;
constexpr std::string_view kTemporary = ".tmp.";
constexpr size_t kLongestName = 255;  // bytes of one part of a path, on nearly all file systems
constexpr size_t kDigestDigits = 16;
// Linux moves at most 2 GiB a call.
constexpr size_t kLargestTransfer = size_t{1} << 30;

template <class Result>
Result checked(Result result, const std::string& action, const std::string& path) {
  if (result < 0) throw file_error(action, path, static_cast<int>(-result));
  return result;
}

// Who made a temporary file, and for what.
struct Temporary {
  std::string_view of;
  int process = 0, number = 0;
};

// What stands in the name of a temporary file, as temporary_name spells it.
std::optional<Temporary> temporary_in(std::string_view name) {
  const size_t mark = name.rfind(kTemporary);
  if (mark == std::string_view::npos) return std::nullopt;
  Temporary found = {name.substr(0, mark)};
  const std::string_view rest = name.substr(mark + kTemporary.size());
  const char* const last = rest.data() + rest.size();
  const auto [end, status] = std::from_chars(rest.data(), last, found.process);
  if (status != std::errc() || found.process <= 0) return std::nullopt;
  if (end == last) return found;
  const auto [number_end, number_status] = std::from_chars(end + 1, last, found.number);
  const bool numbered = *end == '.' && number_status == std::errc() && number_end == last;
  return numbered && found.number > 0 ? std::optional(found) : std::nullopt;
}

// At most `limit` bytes of the beginning, no character cut in two.
std::string_view beginning(std::string_view name, size_t limit) {
  if (name.size() <= limit) return name;
  while (limit > 0 && (static_cast<unsigned char>(name[limit]) & 0xc0) == 0x80) --limit;
  return name.substr(0, limit);
}

// Whether the maker of a temporary file or folder is dead. This process counts as not running: it
// may bear the number of a dead one, as is usual in containers. Makers lock what they make, which
// tells of those that run on another machine.
bool is_abandoned(FileSystem& files, const std::string& path, int process) {
  if (process != ::getpid() && (::kill(process, 0) == 0 || errno != ESRCH)) return false;
  const int fd = files.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
  if (fd < 0) return false;
  const bool locked = files.lock(fd) == -EWOULDBLOCK;
  files.close(fd);
  return !locked;
}

// Whether a pipe or device has something to read, or an end; waits for that without a limit where
// `waits`, but no longer than until a signal comes.
bool is_ready(const File& file, bool waits) {
  pollfd wanted = {file.descriptor(), POLLIN, 0};
  const int found = ::poll(&wanted, 1, waits ? -1 : 0);
  if (found < 0) throw file_error("read", file.path(), errno);
  return found > 0;
}

// Reads from a pipe or device, which was opened without waiting, until its end or until there is no
// more room; as many bytes as were read.
size_t read_stream(FileSystem& files, const File& file, std::span<std::byte> bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const auto part = bytes.subspan(done);
    const int64_t count = uninterrupted([&] { return files.read(file.descriptor(), part); });
    if (count == -EAGAIN) {
      is_ready(file, true);
      continue;
    }
    // Nothing is there and there is no end either: nobody has opened the pipe to write to it.
    if (count == 0 && done == 0 && !is_ready(file, false)) {
      throw value_error(fmt::format(
          "'{}' is a pipe that nobody writes to; expected a file, or a pipe that is written to",
          file.path()));
    }
    if (checked(count, "read", file.path()) == 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
}

}  // namespace

Error file_error(const std::string& action, const std::string& path, int error_number) {
  if (error_number != ELOOP) return io_error(action, path, error_number);
  return Error(ExitCode::io,
               fmt::format("cannot {} '{}': a symbolic link stands there, or on the way there, and "
                           "is not followed; put the file or folder itself in its place",
                           action, path));
}

File::File(FileSystem& files, std::string path, int flags, unsigned mode)
    : files_(files),
      path_(std::move(path)),
      fd_(checked(uninterrupted([&] { return files_.open(path_, flags, mode); }), "open", path_)) {}

File File::regular(FileSystem& files, const std::string& path, int flags) {
  return regular_opened(files, path, flags | O_NOFOLLOW);
}

File File::given(FileSystem& files, const std::string& path) {
  return regular_opened(files, path, O_RDONLY);
}

File File::regular_opened(FileSystem& files, const std::string& path, int flags) {
  // Without O_NONBLOCK a FIFO of that name would never open.
  const int all = flags | O_NONBLOCK;
  const int fd = checked(uninterrupted([&] { return files.open(path, all, 0666); }), "open", path);
  FileSystem::Status status;
  const int inspected = uninterrupted([&] { return files.status(fd, status); });
  if (inspected >= 0 && status.regular) return File(files, path, Opened{fd});
  files.close(fd);
  checked(inspected, "inspect", path);
  throw value_error(fmt::format("'{}' is not a regular file", path));
}

File File::to_read(FileSystem& files, const std::string& path) {
  return regular(files, path, O_RDONLY);
}

std::unique_ptr<File> File::fresh(FileSystem& files, const std::string& path) {
  constexpr int kNewFile = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  const int fd = uninterrupted([&] { return files.open(path, kNewFile, 0666); });
  if (fd == -EEXIST) return nullptr;
  return std::unique_ptr<File>(new File(files, path, Opened{checked(fd, "create", path)}));
}

// Names left over by other processes are passed by.
std::unique_ptr<File> File::temporary(FileSystem& files, const std::string& path) {
  for (int number = 0; number <= kMostTemporaries; ++number) {
    const std::string name = temporary_name(path, ::getpid(), number);
    std::unique_ptr<File> file = fresh(files, name);
    if (file == nullptr) continue;
    files.lock(file->descriptor());  // tells others that its maker is alive, where there are locks
    return file;
  }
  throw file_error("create", temporary_name(path, ::getpid(), kMostTemporaries), EEXIST);
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

size_t File::read(std::span<std::byte> bytes) const {
  size_t done = 0;
  while (done < bytes.size()) {
    const auto part = bytes.subspan(done);
    const int64_t count =
        checked(uninterrupted([&] { return files_.read(fd_, part); }), "read", path_);
    if (count == 0) break;
    done += static_cast<size_t>(count);
  }
  return done;
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
  std::string suffix = fmt::format("{}{}", kTemporary, process);
  if (number != 0) suffix += fmt::format(".{}", number);
  const size_t slash = path.find_last_of('/');
  const std::string_view name = std::string_view(path).substr(slash + 1);
  if (name.size() + suffix.size() <= kLongestName || name.size() > kLongestName) {
    return path + suffix;
  }
  const std::string digest = sha256_hex(std::as_bytes(std::span(name))).substr(0, kDigestDigits);
  const size_t left = kLongestName - suffix.size() - digest.size() - 1;
  return fmt::format("{}{}~{}{}", path.substr(0, slash + 1), beginning(name, left), digest, suffix);
}

void remove_leftovers(FileSystem& files, const std::string& folder,
                      const std::function<bool(std::string_view)>& of) {
  std::vector<std::string> names;
  if (files.list(folder, names) < 0) return;
  for (const std::string& name : names) {
    const std::optional<Temporary> found = temporary_in(name);
    const std::string path = folder + "/" + name;
    if (found && of(found->of) && is_abandoned(files, path, found->process)) files.remove(path);
  }
}

std::vector<std::string> leftovers_of(FileSystem& files, const std::string& path) {
  std::vector<std::string> names, leftovers;
  if (files.list(folder_of(path), names) < 0) return {};
  const std::string in_front = path.substr(0, path.find_last_of('/') + 1);
  for (const std::string& name : names) {
    const std::optional<Temporary> found = temporary_in(name);
    if (!found) continue;
    const std::string temporary = temporary_name(path, found->process, found->number);
    if (temporary == in_front + name && is_abandoned(files, temporary, found->process)) {
      leftovers.push_back(temporary);
    }
  }
  return leftovers;
}

bool exists(FileSystem& files, const std::string& path) {
  const int fd = files.open(path, O_PATH | O_NOFOLLOW, 0);
  if (fd >= 0) files.close(fd);
  // Whatever else is wrong with the path shows when it is used.
  return fd >= 0;
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
  const std::unique_ptr<File> file = File::temporary(files, path);
  try {
    file->write(bytes);
    file->sync();
    file->close();
    checked(uninterrupted([&] { return files.rename(file->path(), path); }),
            "rename '" + file->path() + "' to", path);
  } catch (...) {
    files.remove(file->path());
    throw;
  }
  sync_folder(files, folder_of(path));
}

void write_file_atomically(FileSystem& files, const std::string& path, std::string_view text) {
  write_file_atomically(files, path, std::as_bytes(std::span(text)));
}

std::string read_given_file(FileSystem& files, const std::string& path, uint64_t limit) {
  const File file(files, path, O_RDONLY | O_NONBLOCK);
  // One byte more than is allowed, so that what is too large shows.
  std::string text(limit + 1, '\0');
  const std::span<std::byte> bytes = std::as_writable_bytes(std::span(text));
  text.resize(file.status().regular ? file.read(bytes) : read_stream(files, file, bytes));
  if (text.size() > limit) {
    throw value_error(
        fmt::format("'{}' has more than {} bytes, expected at most that many", path, limit));
  }
  return text;
}

std::string read_text_file(FileSystem& files, const std::string& path, uint64_t limit) {
  const File file = File::to_read(files, path);
  const FileSystem::Status status = file.status();
  if (status.size > limit) {
    throw value_error(
        fmt::format("'{}' has {} bytes, expected at most {}", path, status.size, limit));
  }
  std::string text(status.size, '\0');
  file.read_at(0, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace gallop
