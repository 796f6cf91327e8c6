#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace gallop {

// The calls on files that have to survive failing disks, behind one interface so that a test can
// fail any of them. Each returns what the POSIX call of that name returns, or -errno where that one
// sets errno.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  struct Status {
    uint64_t size = 0;
    bool regular = false;
    bool folder = false;
  };

  virtual int open(const std::string& path, int flags, unsigned mode) = 0;
  virtual int64_t read_at(int fd, std::span<std::byte> bytes, uint64_t offset) = 0;
  virtual int64_t read(int fd, std::span<std::byte> bytes) = 0;
  virtual int64_t write(int fd, std::span<const std::byte> bytes) = 0;
  virtual int status(int fd, Status& status) = 0;
  virtual int sync(int fd) = 0;
  virtual int truncate(int fd, uint64_t size) = 0;
  virtual int close(int fd) = 0;
  virtual int rename(const std::string& from, const std::string& to) = 0;
  // The same, but -EEXIST where something is called `to`.
  virtual int rename_new(const std::string& from, const std::string& to) = 0;
  virtual int remove(const std::string& path) = 0;
  virtual int make_folder(const std::string& path) = 0;
  virtual int remove_folder(const std::string& path) = 0;
  // The names in a folder but "." and "..", in no order.
  virtual int list(const std::string& path, std::vector<std::string>& names) = 0;
  // Locks an open file or folder for this descriptor, until it is closed; -EWOULDBLOCK where
  // another has the lock.
  virtual int lock(int fd) = 0;
  // The files of the folder that is open as `folder` and called `path`, and no others: see
  // files_within. Takes over the descriptor.
  virtual std::shared_ptr<FileSystem> within(int folder, const std::string& path) = 0;
};

// The operating system's own.
std::shared_ptr<FileSystem> posix_file_system();

// The operating system's files in one folder. A path has to be `path` or to begin with it and a
// slash, else it is -EXDEV; what follows is found below the open folder, whatever is called `path`
// by then. Symbolic links below it are -ELOOP, but for one that names a file to be read and leads
// to a place in the folder. Takes over the descriptor.
std::shared_ptr<FileSystem> files_within(int folder, std::string path);

}  // namespace gallop
