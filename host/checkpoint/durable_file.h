#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "host/checkpoint/file_system.h"

namespace gallop {

// An open file that is closed when it goes out of scope. Throws I/O errors that name call and path;
// calls that a signal interrupts are repeated.
class File {
 public:
  File(FileSystem& files, std::string path, int flags, unsigned mode = 0666);
  // A new file beside `path`, named by temporary_name.
  static File temporary(FileSystem& files, const std::string& path);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const { return path_; }
  int descriptor() const { return fd_; }
  FileSystem::Status status() const;
  void read_at(uint64_t offset, std::span<std::byte> bytes) const;  // all of them, or throws
  void write(std::span<const std::byte> bytes) const;               // all of them, or throws
  void sync() const;
  void truncate(uint64_t size) const;
  void close();  // the destructor closes too, but cannot report a failure

 private:
  struct Opened {
    int fd;
  };
  File(FileSystem& files, std::string path, Opened opened)
      : files_(files), path_(std::move(path)), fd_(opened.fd) {}

  FileSystem& files_;
  std::string path_;
  int fd_;
};

// Puts a file in place so that at any instant, power cuts included, `path` is as before or
// complete: temporary file in the same folder, write, fsync, rename, fsync of the folder. On an
// error the temporary file is removed and `path` is as before, except that a failing fsync of the
// folder leaves the new file in place.
void write_file_atomically(FileSystem& files, const std::string& path,
                           std::span<const std::byte> bytes);
void write_file_atomically(FileSystem& files, const std::string& path, std::string_view text);

// What a temporary file is called; `number` is 0 except where the name is taken.
std::string temporary_name(const std::string& path, int process, int number = 0);

// Removes temporary files that killed processes left in a folder, of names that `of` accepts.
// Nothing happens where the folder cannot be listed.
void remove_leftovers(FileSystem& files, const std::string& folder,
                      const std::function<bool(std::string_view)>& of);

// Makes a folder, durably; one that is there already is fine. Its parent must be there.
void make_folder(FileSystem& files, const std::string& folder);

// Makes names in the folder durable.
void sync_folder(FileSystem& files, const std::string& folder);

// The folder that holds `path`, "." for a bare name.
std::string folder_of(const std::string& path);

// A whole regular file of at most `limit` bytes; symbolic links in the last part are not followed.
// Throws an I/O error, or a value error for what is too large or not a file.
std::string read_text_file(FileSystem& files, const std::string& path, uint64_t limit);

}  // namespace gallop
