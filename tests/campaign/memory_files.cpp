#include "tests/campaign/memory_files.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace gallop::campaign {

MemoryDisk::MemoryDisk() {
  current_[1].folder = true;
  durable_[1].folder = true;
}

void MemoryDisk::apply(Nodes& nodes, const Change& change) {
  if (change.folder == 0) {
    std::string& bytes = nodes[change.node].bytes;
    if (change.truncates) {
      bytes.resize(change.offset);
    } else {
      if (bytes.size() < change.offset + change.bytes.size()) {
        bytes.resize(change.offset + change.bytes.size());
      }
      bytes.replace(change.offset, change.bytes.size(), change.bytes);
    }
    return;
  }
  auto& names = nodes[change.folder].names;
  if (!change.from.empty()) names.erase(change.from);
  if (change.node == 0) {
    names.erase(change.to);
  } else {
    names[change.to] = change.node;
  }
}

void MemoryDisk::change(Change change) {
  apply(current_, change);
  pending_.push_back(std::move(change));
}

void MemoryDisk::sync(Number number) {
  std::vector<Change> left;
  for (Change& change : pending_) {
    const bool is_its = change.folder == 0 ? change.node == number : change.folder == number;
    if (is_its) {
      apply(durable_, change);
    } else {
      left.push_back(std::move(change));
    }
  }
  pending_ = std::move(left);
}

MemoryDisk::Number MemoryDisk::new_node(bool folder) {
  const Number number = next_++;
  current_[number].folder = folder;
  durable_[number].folder = folder;
  return number;
}

MemoryDisk::Number MemoryDisk::find(const std::string& path) const {
  Number number = 1;
  std::size_t at = 0;
  while (at < path.size()) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string part = path.substr(at, end - at);
    at = end + 1;
    if (part.empty() || part == ".") continue;
    const Node& node = current_.at(number);
    const auto found = node.names.find(part);
    if (!node.folder || found == node.names.end()) return 0;
    number = found->second;
  }
  return number;
}

MemoryDisk::Number MemoryDisk::parent_of(const std::string& path, std::string& name) const {
  const std::size_t slash = path.find_last_of('/');
  name = path.substr(slash + 1);
  const Number parent = find(path.substr(0, slash == std::string::npos ? 0 : slash));
  return parent != 0 && current_.at(parent).folder ? parent : 0;
}

MemoryDisk MemoryDisk::after_kill() const { return *this; }

MemoryDisk MemoryDisk::after_power_cut(std::mt19937_64& random) const {
  MemoryDisk left;
  left.current_ = durable_;
  left.next_ = next_;
  // Sometimes nothing, mostly some, sometimes all of what was pending.
  const std::uint64_t chance = random() % 5;
  std::map<std::pair<Number, std::string>, bool> lost;  // changes of a name stand on earlier ones
  for (const Change& change : pending_) {
    bool kept = chance == 4 || (chance > 0 && random() % 4 < chance);
    if (change.folder == 0) {
      if (!kept) continue;
      Change part = change;
      if (!part.truncates && random() % 2 == 0) {
        const std::size_t whole = part.bytes.size();
        part.bytes.resize(random() % (whole + 1));
        // Where the file grew before its bytes arrived they read as zeros.
        if (random() % 2 == 0) part.bytes.resize(whole);
      }
      apply(left.current_, part);
      continue;
    }
    bool& to_lost = lost[{change.folder, change.to}];
    bool& from_lost = lost[{change.folder, change.from}];
    kept = kept && !to_lost;
    if (!kept) {
      to_lost = true;
      if (!change.from.empty()) from_lost = true;
      continue;
    }
    apply(left.current_, change);
  }
  left.durable_ = left.current_;
  return left;
}

MemoryFiles::Open* MemoryFiles::open_file(int fd) {
  const auto found = open_.find(fd);
  return found == open_.end() ? nullptr : &found->second;
}

int MemoryFiles::open(const std::string& path, int flags, unsigned) {
  MemoryDisk::Number number = disk_.find(path);
  if (number == 0) {
    if ((flags & O_CREAT) == 0) return -ENOENT;
    std::string name;
    const MemoryDisk::Number parent = disk_.parent_of(path, name);
    if (parent == 0) return -ENOENT;
    changing();
    number = disk_.new_node(false);
    disk_.change({.folder = parent, .node = number, .to = name});
  } else {
    if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0) return -EEXIST;
    const bool folder = disk_.current_.at(number).folder;
    if ((flags & O_DIRECTORY) != 0 && !folder) return -ENOTDIR;
    if (folder && (flags & O_ACCMODE) != O_RDONLY) return -EISDIR;
    if ((flags & O_TRUNC) != 0) {
      changing();
      disk_.change({.node = number, .truncates = true});
    }
  }
  open_[next_fd_] = {number, 0, (flags & O_APPEND) != 0, false};
  return next_fd_++;
}

int64_t MemoryFiles::read_at(int fd, std::span<std::byte> bytes, uint64_t offset) {
  const Open* file = open_file(fd);
  if (file == nullptr) return -EBADF;
  const std::string& held = disk_.current_.at(file->node).bytes;
  if (offset >= held.size()) return 0;
  const std::size_t count = std::min<std::size_t>(bytes.size(), held.size() - offset);
  std::memcpy(bytes.data(), held.data() + offset, count);
  return static_cast<int64_t>(count);
}

int64_t MemoryFiles::read(int fd, std::span<std::byte> bytes) {
  Open* file = open_file(fd);
  if (file == nullptr) return -EBADF;
  const int64_t count = read_at(fd, bytes, file->at);
  if (count > 0) file->at += static_cast<uint64_t>(count);
  return count;
}

int64_t MemoryFiles::write(int fd, std::span<const std::byte> bytes) {
  Open* file = open_file(fd);
  if (file == nullptr) return -EBADF;
  changing();
  const std::uint64_t at = file->appends ? disk_.current_.at(file->node).bytes.size() : file->at;
  disk_.change({.node = file->node,
                .offset = at,
                .bytes = std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())});
  file->at = at + bytes.size();
  return static_cast<int64_t>(bytes.size());
}

int MemoryFiles::status(int fd, Status& status) {
  const Open* file = open_file(fd);
  if (file == nullptr) return -EBADF;
  const MemoryDisk::Node& node = disk_.current_.at(file->node);
  status = {node.bytes.size(), !node.folder, node.folder};
  return 0;
}

int MemoryFiles::sync(int fd) {
  const Open* file = open_file(fd);
  if (file == nullptr) return -EBADF;
  changing();
  disk_.sync(file->node);
  return 0;
}

int MemoryFiles::truncate(int fd, uint64_t size) {
  const Open* file = open_file(fd);
  if (file == nullptr) return -EBADF;
  changing();
  disk_.change({.node = file->node, .offset = size, .truncates = true});
  return 0;
}

int MemoryFiles::close(int fd) { return open_.erase(fd) == 1 ? 0 : -EBADF; }

int MemoryFiles::rename(const std::string& from, const std::string& to) {
  std::string from_name, to_name;
  const MemoryDisk::Number number = disk_.find(from);
  const MemoryDisk::Number from_folder = disk_.parent_of(from, from_name);
  const MemoryDisk::Number to_folder = disk_.parent_of(to, to_name);
  if (number == 0 || to_folder == 0) return -ENOENT;
  if (from_folder != to_folder) return -EXDEV;  // nothing of ours moves between folders
  const MemoryDisk::Number there = disk_.find(to);
  if (there != 0) {
    const MemoryDisk::Node& node = disk_.current_.at(there);
    if (node.folder != disk_.current_.at(number).folder) return node.folder ? -EISDIR : -ENOTDIR;
    if (!node.names.empty()) return -ENOTEMPTY;
  }
  changing();
  disk_.change({.folder = to_folder, .node = number, .to = to_name, .from = from_name});
  return 0;
}

int MemoryFiles::rename_new(const std::string& from, const std::string& to) {
  return has(to) ? -EEXIST : rename(from, to);
}

int MemoryFiles::remove(const std::string& path) {
  std::string name;
  const MemoryDisk::Number number = disk_.find(path), parent = disk_.parent_of(path, name);
  if (number == 0) return -ENOENT;
  if (disk_.current_.at(number).folder) return -EISDIR;
  changing();
  disk_.change({.folder = parent, .to = name});
  return 0;
}

int MemoryFiles::make_folder(const std::string& path) {
  std::string name;
  const MemoryDisk::Number parent = disk_.parent_of(path, name);
  if (disk_.find(path) != 0) return -EEXIST;
  if (parent == 0) return -ENOENT;
  changing();
  disk_.change({.folder = parent, .node = disk_.new_node(true), .to = name});
  return 0;
}

int MemoryFiles::remove_folder(const std::string& path) {
  std::string name;
  const MemoryDisk::Number number = disk_.find(path), parent = disk_.parent_of(path, name);
  if (number == 0) return -ENOENT;
  const MemoryDisk::Node& node = disk_.current_.at(number);
  if (!node.folder) return -ENOTDIR;
  if (!node.names.empty()) return -ENOTEMPTY;
  changing();
  disk_.change({.folder = parent, .to = name});
  return 0;
}

int MemoryFiles::list(const std::string& path, std::vector<std::string>& names) {
  const MemoryDisk::Number number = disk_.find(path);
  if (number == 0) return -ENOENT;
  if (!disk_.current_.at(number).folder) return -ENOTDIR;
  names.clear();
  for (const auto& [name, node] : disk_.current_.at(number).names) names.push_back(name);
  return 0;
}

int MemoryFiles::lock(int fd) {
  Open* file = open_file(fd);
  if (file == nullptr) return -EBADF;
  for (const auto& [other, open] : open_) {
    if (other != fd && open.locks && open.node == file->node) return -EWOULDBLOCK;
  }
  file->locks = true;
  return 0;
}

namespace {

// The same calls, as long as a folder stays open.
class MemoryFilesWithin final : public FileSystem {
 public:
  MemoryFilesWithin(std::shared_ptr<MemoryFiles> files, int folder)
      : files_(std::move(files)), folder_(folder) {}
  ~MemoryFilesWithin() override { files_->close(folder_); }

  int open(const std::string& path, int flags, unsigned mode) override {
    return files_->open(path, flags, mode);
  }
  int64_t read_at(int fd, std::span<std::byte> bytes, uint64_t offset) override {
    return files_->read_at(fd, bytes, offset);
  }
  int64_t read(int fd, std::span<std::byte> bytes) override { return files_->read(fd, bytes); }
  int64_t write(int fd, std::span<const std::byte> bytes) override {
    return files_->write(fd, bytes);
  }
  int status(int fd, Status& status) override { return files_->status(fd, status); }
  int sync(int fd) override { return files_->sync(fd); }
  int truncate(int fd, uint64_t size) override { return files_->truncate(fd, size); }
  int close(int fd) override { return files_->close(fd); }
  int rename(const std::string& from, const std::string& to) override {
    return files_->rename(from, to);
  }
  int rename_new(const std::string& from, const std::string& to) override {
    return files_->rename_new(from, to);
  }
  int remove(const std::string& path) override { return files_->remove(path); }
  int make_folder(const std::string& path) override { return files_->make_folder(path); }
  int remove_folder(const std::string& path) override { return files_->remove_folder(path); }
  int list(const std::string& path, std::vector<std::string>& names) override {
    return files_->list(path, names);
  }
  int lock(int fd) override { return files_->lock(fd); }
  std::shared_ptr<FileSystem> within(int folder, const std::string& path) override {
    return files_->within(folder, path);
  }

 private:
  std::shared_ptr<MemoryFiles> files_;
  int folder_;
};

}  // namespace

std::shared_ptr<FileSystem> MemoryFiles::within(int folder, const std::string&) {
  return std::make_shared<MemoryFilesWithin>(shared_from_this(), folder);
}

void MemoryFiles::put(const std::string& path, std::string_view text) {
  std::string name;
  const MemoryDisk::Number parent = disk_.parent_of(path, name);
  if (parent == 0) return;
  const MemoryDisk::Number number = disk_.new_node(false);
  for (MemoryDisk::Nodes* nodes : {&disk_.current_, &disk_.durable_}) {
    (*nodes)[number].bytes = text;
    (*nodes)[parent].names[name] = number;
  }
}

std::string MemoryFiles::text(const std::string& path) const {
  const MemoryDisk::Number number = disk_.find(path);
  return number == 0 ? "" : disk_.current_.at(number).bytes;
}

}  // namespace gallop::campaign
