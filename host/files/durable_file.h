#pragma once

#include <cerrno>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gallop/host/error.h>
#include <gallop/host/files/file_system.h>

namespace gallop {

// What a call on files returns that is repeated where a signal interrupts it. A disk that reports
// nothing but interruptions is broken: it gives up in the end.
template <class Call>
auto uninterrupted(const Call& call) {
  constexpr int kMostInterruptions = 100;
  auto result = call();
  for (int i = 0; i < kMostInterruptions && result == -EINTR; ++i) result = call();
  return result;
}

// An open file that is closed when it goes out of scope. Throws I/O errors that name call and path;
// calls that a signal interrupts are repeated.
class File {
 public:
  File(FileSystem& files, std::string path, int flags, unsigned mode = 0666);
  // Opens a regular file: symbolic links in the last part are not followed, and what is no file is
  // refused by a value error before it is read or written.
  static File regular(FileSystem& files, const std::string& path, int flags);
  static File to_read(FileSystem& files, const std::string& path);
  // The same for a path that the user gave: links are followed.
  static File given(FileSystem& files, const std::string& path);
  // A new file; null where something of that name exists.
  static std::unique_ptr<File> fresh(FileSystem& files, const std::string& path);
  // A new file beside `path`, named by temporary_name, locked while it is open.
  static std::unique_ptr<File> temporary(FileSystem& files, const std::string& path);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const { return path_; }
  int descriptor() const { return fd_; }
  FileSystem::Status status() const;
  void read_at(uint64_t offset, std::span<std::byte> bytes) const;  // all of them, or throws
  // Fewer bytes than asked for at the end alone.
  size_t read(std::span<std::byte> bytes) const;
  void write(std::span<const std::byte> bytes) const;  // all of them, or throws
  void sync() const;
  void truncate(uint64_t size) const;
  int release() { return std::exchange(fd_, -1); }  // whoever takes it closes it
  void close();  // the destructor closes too, but cannot report a failure

 private:
  struct Opened {
    int fd;
  };
  static File regular_opened(FileSystem& files, const std::string& path, int flags);
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

// What a temporary file or folder is called that becomes `path`; `number` is 0 except where the
// name is taken. A name that would be too long for it is cut.
std::string temporary_name(const std::string& path, int process, int number = 0);

// Removes temporary files that killed processes left in a folder, of names that `of` accepts.
// Nothing happens where the folder cannot be listed.
void remove_leftovers(FileSystem& files, const std::string& folder,
                      const std::function<bool(std::string_view)>& of);

// Paths of temporary files and folders that were to become `path` and whose makers are dead.
std::vector<std::string> leftovers_of(FileSystem& files, const std::string& path);

// Makes a folder, durably; one that is there already is fine. Its parent must be there.
void make_folder(FileSystem& files, const std::string& folder);

// What io_error says, and where a symbolic link was not followed, that it was one.
Error file_error(const std::string& action, const std::string& path, int error_number);

// Makes names in the folder durable.
void sync_folder(FileSystem& files, const std::string& folder);

// Whether something of that name is there, a dangling link included.
bool exists(FileSystem& files, const std::string& path);

// The folder that holds `path`, "." for a bare name.
std::string folder_of(const std::string& path);

// What a user names as a configuration: a file, or a pipe or device, of at most `limit` bytes.
// Symbolic links are followed, and nothing is read beyond the limit. Of a pipe it waits for what is
// written as long as somebody has it open for that, and not beyond a signal that is handled. Throws
// an I/O error, or a value error for what is too large and for a pipe that nobody writes to.
std::string read_given_file(FileSystem& files, const std::string& path, uint64_t limit);

// A whole regular file of at most `limit` bytes; symbolic links in the last part are not followed.
// Throws an I/O error, or a value error for what is too large or not a file.
std::string read_text_file(FileSystem& files, const std::string& path, uint64_t limit);

}  // namespace gallop
