#include <gallop/host/files/file_system.h>

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

namespace gallop {
namespace {

template <class Result>
Result or_errno(Result result) {
  return result < 0 ? -static_cast<Result>(errno) : result;
}

// What is done with an open file is the same wherever that lies.
class OpenFiles : public FileSystem {
 public:
  int64_t read_at(int fd, std::span<std::byte> bytes, uint64_t offset) override {
    return or_errno<int64_t>(::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)));
  }

  int64_t read(int fd, std::span<std::byte> bytes) override {
    return or_errno<int64_t>(::read(fd, bytes.data(), bytes.size()));
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
  int lock(int fd) override { return or_errno(::flock(fd, LOCK_EX | LOCK_NB)); }
  std::shared_ptr<FileSystem> within(int folder, const std::string& path) override {
    return files_within(folder, path);
  }
};

// Takes over the descriptor of a folder.
int names_of(int fd, std::vector<std::string>& names) {
  DIR* const folder = ::fdopendir(fd);
  if (folder == nullptr) {
    const int failed = errno;
    ::close(fd);
    return -failed;
  }
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

// Where the file system knows no such renaming, what lies between the look and the act is left to
// chance, but that a folder with something in it is never replaced.
int rename_new_at(int from_folder, const char* from, int to_folder, const char* to) {
  if (::syscall(SYS_renameat2, from_folder, from, to_folder, to, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS && errno != EPERM) return -errno;
  struct stat found = {};
  if (::fstatat(to_folder, to, &found, AT_SYMLINK_NOFOLLOW) == 0) return -EEXIST;
  return or_errno(::renameat(from_folder, from, to_folder, to));
}

class PosixFileSystem final : public OpenFiles {
 public:
  int open(const std::string& path, int flags, unsigned mode) override {
    return or_errno(::open(path.c_str(), flags | O_CLOEXEC, mode));
  }
  int rename(const std::string& from, const std::string& to) override {
    return or_errno(::rename(from.c_str(), to.c_str()));
  }
  int rename_new(const std::string& from, const std::string& to) override {
    return rename_new_at(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str());
  }
  int remove(const std::string& path) override { return or_errno(::unlink(path.c_str())); }
  int make_folder(const std::string& path) override {
    return or_errno(::mkdir(path.c_str(), 0777));
  }
  int remove_folder(const std::string& path) override { return or_errno(::rmdir(path.c_str())); }

  int list(const std::string& path, std::vector<std::string>& names) override {
    const int fd = open(path, O_RDONLY | O_DIRECTORY, 0);
    return fd < 0 ? fd : names_of(fd, names);
  }
};

class FilesWithin final : public OpenFiles {
 public:
  FilesWithin(int folder, std::string path) : folder_(folder), path_(std::move(path)) {}
  ~FilesWithin() override { ::close(folder_); }

  int open(const std::string& path, int flags, unsigned mode) override {
    return at(path, [&](int folder, const char* name) {
      const int fd = or_errno(::openat(folder, name, flags | O_NOFOLLOW | O_CLOEXEC, mode));
      if (fd >= 0 || !is_link(folder, name)) return fd;
      constexpr int kOther = O_ACCMODE | O_CREAT | O_PATH | O_DIRECTORY;
      return (flags & kOther) == O_RDONLY ? open_link(path, flags) : -ELOOP;
    });
  }
  int rename(const std::string& from, const std::string& to) override {
    return between(from, to,
                   [](int from_folder, const char* name, int to_folder, const char* other) {
                     return or_errno(::renameat(from_folder, name, to_folder, other));
                   });
  }
  int rename_new(const std::string& from, const std::string& to) override {
    return between(from, to, rename_new_at);
  }
  int remove(const std::string& path) override {
    return at(path,
              [](int folder, const char* name) { return or_errno(::unlinkat(folder, name, 0)); });
  }
  int make_folder(const std::string& path) override {
    return at(path, [](int folder, const char* name) {
      // What stands there may be a link to a folder, which is none of this one's.
      const int made = or_errno(::mkdirat(folder, name, 0777));
      return made == -EEXIST && is_link(folder, name) ? -ELOOP : made;
    });
  }
  int remove_folder(const std::string& path) override {
    return at(path, [](int folder, const char* name) {
      return or_errno(::unlinkat(folder, name, AT_REMOVEDIR));
    });
  }
  int list(const std::string& path, std::vector<std::string>& names) override {
    const int fd = open(path, O_RDONLY | O_DIRECTORY, 0);
    return fd < 0 ? fd : names_of(fd, names);
  }

 private:
  static bool is_link(int folder, const char* name) {
    struct stat found = {};
    return ::fstatat(folder, name, &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(found.st_mode);
  }

  // What of a path is below the folder; nothing for other paths and those that leave it.
  std::optional<std::string> below(const std::string& path) const {
    if (path == path_) return ".";
    if (!path.starts_with(path_ + "/")) return std::nullopt;
    std::string name = path.substr(path_.size() + 1);
    const std::string padded = "/" + name + "/";
    if (name.empty() || padded.find("/../") != std::string::npos) return std::nullopt;
    return name;
  }

  // Calls back with the folder that holds the last part of the path, found without following any
  // link, and with that part.
  template <class Call>
  int at(const std::string& path, const Call& call) const {
    const std::optional<std::string> name = below(path);
    if (!name) return -EXDEV;
    int folder = folder_;
    size_t begin = 0;
    for (size_t end = name->find('/'); end != std::string::npos; end = name->find('/', begin)) {
      const std::string part = name->substr(begin, end - begin);
      begin = end + 1;
      if (part.empty()) continue;
      int next =
          or_errno(::openat(folder, part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (next < 0 && is_link(folder, part.c_str())) next = -ELOOP;
      if (folder != folder_) ::close(folder);
      if (next < 0) return next;
      folder = next;
    }
    const int result = call(folder, name->c_str() + begin);
    if (folder != folder_) ::close(folder);
    return result;
  }

  template <class Call>
  int between(const std::string& from, const std::string& to, const Call& call) const {
    return at(from, [&](int from_folder, const char* name) {
      return at(to, [&](int to_folder, const char* other) {
        return call(from_folder, name, to_folder, other);
      });
    });
  }

  // A link that leads to a file in the folder. Where the kernel cannot tell, it counts as leading
  // out of it.
  int open_link(const std::string& path, int flags) const {
    open_how how = {};
    how.flags = static_cast<uint64_t>((flags & ~O_NOFOLLOW) | O_CLOEXEC);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    const long fd = ::syscall(SYS_openat2, folder_, below(path)->c_str(), &how, sizeof(how));
    if (fd >= 0) return static_cast<int>(fd);
    return errno == EXDEV || errno == ENOSYS || errno == EPERM ? -ELOOP : -errno;
  }

  int folder_;
  std::string path_;
};

}  // namespace

std::shared_ptr<FileSystem> files_within(int folder, std::string path) {
  return std::make_shared<FilesWithin>(folder, std::move(path));
}

std::shared_ptr<FileSystem> posix_file_system() { return std::make_shared<PosixFileSystem>(); }

}  // namespace gallop
