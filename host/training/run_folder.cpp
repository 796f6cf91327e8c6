#include "host/training/run_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "host/error.h"

namespace gallop {
namespace {

constexpr const char* kConfig = "config.toml";
constexpr const char* kResult = "result.json";
// Files that are put in place whole. What a killed process left of one is removed when its folder
// is opened again.
constexpr std::string_view kWhole[] = {kConfig, kResult, "report.html", "study.csv", "study.json"};
constexpr uint64_t kLargestText = uint64_t{1} << 20;
constexpr int kMostNumbers = 1000;

std::string normal_path(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  if (path.empty() || path.find('\0') != std::string::npos) {
    throw value_error("the path of a run folder is empty or has a NUL byte, expected a folder");
  }
  return path;
}

bool exists(FileSystem& files, const std::string& path) {
  const int fd = files.open(path, O_PATH | O_NOFOLLOW, 0);
  if (fd >= 0) files.close(fd);
  // Whatever else is wrong with the path shows when it is used.
  return fd >= 0;
}

void make_folders_above(FileSystem& files, const std::string& path) {
  const std::string parent = folder_of(path);
  if (parent == "." || parent == "/" || exists(files, parent)) return;
  make_folders_above(files, parent);
  make_folder(files, parent);
}

// A new empty folder beside `path`.
std::string make_temporary_folder(FileSystem& files, const std::string& path) {
  for (int number = 0;; ++number) {
    const std::string name = temporary_name(path, ::getpid(), number);
    const int made = files.make_folder(name);
    if (made >= 0) return name;
    if (made != -EEXIST || number == kMostNumbers) throw io_error("make the folder", name, -made);
  }
}

Error already_there(const std::string& path) {
  return value_error(
      fmt::format("'{}' exists already; choose another --out, or continue a run that is there "
                  "with --resume {}",
                  path, path));
}

// A file system without locks gives none: then nothing keeps a second process out.
int lock_folder(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) throw io_error("open", path, errno);
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return fd;
  ::close(fd);
  throw value_error(fmt::format(
      "another process is at work in the run folder '{}'; wait for it, or choose another --out",
      path));
}

}  // namespace

RunFolder::RunFolder(std::string path, std::string config_toml, std::shared_ptr<FileSystem> files)
    : path_(std::move(path)),
      config_toml_(std::move(config_toml)),
      files_(std::move(files)),
      lock_(lock_folder(path_)) {}

RunFolder::RunFolder(RunFolder&& other) noexcept
    : path_(std::move(other.path_)),
      config_toml_(std::move(other.config_toml_)),
      files_(std::move(other.files_)),
      lock_(std::exchange(other.lock_, -1)) {}

RunFolder::~RunFolder() {
  if (lock_ >= 0) ::close(lock_);
}

void RunFolder::refuse_existing(const std::string& path) {
  if (exists(*posix_file_system(), normal_path(path))) throw already_there(normal_path(path));
}

RunFolder RunFolder::create(const std::string& given_path, std::string_view config_toml,
                            std::shared_ptr<FileSystem> files) {
  const std::string path = normal_path(given_path);
  if (exists(*files, path)) throw already_there(path);
  make_folders_above(*files, path);
  const std::string temporary = make_temporary_folder(*files, path);
  const std::string config = temporary + "/" + kConfig;
  try {
    // Also makes the name inside the new folder durable.
    write_file_atomically(*files, config, config_toml);
    const int renamed = files->rename(temporary, path);
    if (renamed == -EEXIST || renamed == -ENOTEMPTY || renamed == -ENOTDIR)
      throw already_there(path);
    if (renamed < 0) throw io_error("rename '" + temporary + "' to", path, -renamed);
  } catch (...) {
    files->remove(config);
    files->remove_folder(temporary);
    throw;
  }
  sync_folder(*files, folder_of(path));
  return RunFolder(path, std::string(config_toml), std::move(files));
}

RunFolder RunFolder::open(const std::string& given_path, std::shared_ptr<FileSystem> files) {
  const std::string path = normal_path(given_path);
  const std::string config = path + "/" + kConfig;
  if (!exists(*files, config)) {
    throw value_error(
        fmt::format("'{}' is not a run folder: there is no {} in it; give the folder that an "
                    "earlier run was written to",
                    path, kConfig));
  }
  std::string text = read_text_file(*files, config, kLargestText);
  RunFolder folder(path, std::move(text), std::move(files));
  remove_leftovers(*folder.files_, path, [](std::string_view name) {
    return std::find(std::begin(kWhole), std::end(kWhole), name) != std::end(kWhole);
  });
  return folder;
}

std::optional<std::string> RunFolder::result() const {
  if (!exists(*files_, file(kResult))) return std::nullopt;
  return read_text_file(*files_, file(kResult), kLargestText);
}

void RunFolder::write_result(std::string_view json) const {
  write_file_atomically(*files_, file(kResult), json);
}

std::string automatic_run_path(std::string_view environment, std::string_view algorithm,
                               int64_t seed, std::time_t now, std::string_view parent) {
  std::tm utc = {};
  ::gmtime_r(&now, &utc);
  const std::string name = fmt::format(
      "{}/{}-{}-{}-{:04}{:02}{:02}T{:02}{:02}{:02}Z", parent, environment, algorithm, seed,
      utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
  const std::shared_ptr<FileSystem> files = posix_file_system();
  std::string path = name;
  for (int number = 2; exists(*files, path) && number < kMostNumbers; ++number) {
    path = fmt::format("{}-{}", name, number);
  }
  return path;
}

void atomic_write_file(const std::string& path, std::string_view text) {
  const std::shared_ptr<FileSystem> files = posix_file_system();
  write_file_atomically(*files, path, text);
}

}  // namespace gallop
