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
  virtual int64_t write(int fd, std::span<const std::byte> bytes) = 0;
  virtual int status(int fd, Status& status) = 0;
  virtual int sync(int fd) = 0;
  virtual int truncate(int fd, uint64_t size) = 0;
  virtual int close(int fd) = 0;
  virtual int rename(const std::string& from, const std::string& to) = 0;
  virtual int remove(const std::string& path) = 0;
  virtual int make_folder(const std::string& path) = 0;
  virtual int remove_folder(const std::string& path) = 0;
  // The names in a folder but "." and "..", in no order.
  virtual int list(const std::string& path, std::vector<std::string>& names) = 0;
};

// The operating system's own.
std::shared_ptr<FileSystem> posix_file_system();

}  // namespace gallop
