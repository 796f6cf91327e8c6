#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gallop/host/files/file_system.h>

namespace gallop::campaign {

// A disk in memory that knows what a power cut may leave of it. What was written is there for every
// reader at once, as in a page cache; durable are a file's bytes from its fsync on, and a folder's
// names from the folder's own fsync on. Until then each write and each change of a name is pending,
// and a power cut keeps any of them: a write in part, changes of different names in any order,
// those of one name in theirs, a renaming whole or not at all. No file system loses more.
class MemoryDisk {
 public:
  MemoryDisk();

  // The disk as it comes up after a power cut: the durable state and some of what was pending.
  MemoryDisk after_power_cut(std::mt19937_64& random) const;
  // Without one: a process that was killed leaves all it wrote.
  MemoryDisk after_kill() const;

  std::size_t n_pending() const { return pending_.size(); }

 private:
  friend class MemoryFiles;

  using Number = std::uint64_t;  // of a file or folder
  struct Node {
    bool folder = false;
    std::string bytes;
    std::map<std::string, Number> names;
  };
  using Nodes = std::map<Number, Node>;

  // A change that is not durable yet. Of names: `to` of `folder` becomes `node` (0: nothing), and
  // where `from` is not empty, that name ends in the same instant.
  struct Change {
    Number folder = 0;  // 0: a change of bytes
    Number node = 0;
    std::string to = {}, from = {};
    std::uint64_t offset = 0;
    std::string bytes = {};
    bool truncates = false;  // to `offset`
  };

  static void apply(Nodes& nodes, const Change& change);
  void change(Change change);
  void sync(Number number);
  Number find(const std::string& path) const;  // 0 for nothing
  Number parent_of(const std::string& path, std::string& name) const;
  Number new_node(bool folder);

  Nodes current_, durable_;
  std::vector<Change> pending_;
  Number next_ = 2;  // 1 is the root
};

// The calls on such a disk. Paths are absolute.
class MemoryFiles final : public FileSystem, public std::enable_shared_from_this<MemoryFiles> {
 public:
  explicit MemoryFiles(MemoryDisk disk) : disk_(std::move(disk)) {}

  const MemoryDisk& disk() const { return disk_; }
  // Called before each call that changes the disk or makes something durable.
  std::function<void()> before_change;

  int open(const std::string& path, int flags, unsigned mode) override;
  int64_t read_at(int fd, std::span<std::byte> bytes, uint64_t offset) override;
  int64_t read(int fd, std::span<std::byte> bytes) override;
  int64_t write(int fd, std::span<const std::byte> bytes) override;
  int status(int fd, Status& status) override;
  int sync(int fd) override;
  int truncate(int fd, uint64_t size) override;
  int close(int fd) override;
  int rename(const std::string& from, const std::string& to) override;
  int rename_new(const std::string& from, const std::string& to) override;
  int remove(const std::string& path) override;
  int make_folder(const std::string& path) override;
  int remove_folder(const std::string& path) override;
  int list(const std::string& path, std::vector<std::string>& names) override;
  int lock(int fd) override;
  std::shared_ptr<FileSystem> within(int folder, const std::string& path) override;

  // For the tests' own use.
  void put(const std::string& path, std::string_view text);
  std::string text(const std::string& path) const;  // empty where there is none
  bool has(const std::string& path) const { return disk_.find(path) != 0; }

 private:
  struct Open {
    MemoryDisk::Number node = 0;
    std::uint64_t at = 0;
    bool appends = false, locks = false;
  };

  Open* open_file(int fd);
  void changing() {
    if (before_change) before_change();
  }

  MemoryDisk disk_;
  std::map<int, Open> open_;
  int next_fd_ = 1000;
};

}  // namespace gallop::campaign
