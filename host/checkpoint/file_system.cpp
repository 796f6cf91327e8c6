#include "host/checkpoint/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string_view>

namespace gallop {
namespace {

template <class Result>
Result or_errno(Result result) {
  return result < 0 ? -static_cast<Result>(errno) : result;
}

class PosixFileSystem final : public FileSystem {
 public:
  int open(const std::string& path, int flags, unsigned mode) override {
    return or_errno(::open(path.c_str(), flags | O_CLOEXEC, mode));
  }

  int64_t read_at(int fd, std::span<std::byte> bytes, uint64_t offset) override {
    return or_errno<int64_t>(::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)));
  }

  int64_t write(int fd, std::span<const std::byte> bytes) override {
    return or_errno<int64_t>(::write(fd, bytes.data(), bytes.size()));
  }

  int status(int fd, Status& status) override {
    struct stat found = {};
    if (::fstat(fd, &found) < 0) return -errno;
    status.size = static_cast<uint64_t>(found.st_size);
    status.regular = S_ISREG(found.st_mode);
    status.folder = S_ISDIR(found.st_mode);
    return 0;
  }

  int sync(int fd) override { return or_errno(::fsync(fd)); }
  int truncate(int fd, uint64_t size) override {
    return or_errno(::ftruncate(fd, static_cast<off_t>(size)));
  }
  int close(int fd) override { return or_errno(::close(fd)); }
  int rename(const std::string& from, const std::string& to) override {
    return or_errno(::rename(from.c_str(), to.c_str()));
  }
  int remove(const std::string& path) override { return or_errno(::unlink(path.c_str())); }
  int make_folder(const std::string& path) override {
    return or_errno(::mkdir(path.c_str(), 0777));
  }
  int remove_folder(const std::string& path) override { return or_errno(::rmdir(path.c_str())); }

  int list(const std::string& path, std::vector<std::string>& names) override {
    DIR* folder = ::opendir(path.c_str());
    if (folder == nullptr) return -errno;
    names.clear();
    errno = 0;
    while (const dirent* entry = ::readdir(folder)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    const int failed = errno;
    ::closedir(folder);
    return -failed;
  }
};

}  // namespace

std::shared_ptr<FileSystem> posix_file_system() { return std::make_shared<PosixFileSystem>(); }

}  // namespace gallop
