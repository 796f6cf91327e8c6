#pragma once

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gallop/host/files/file_system.h>

namespace gallop::test {

enum class Fault {
  none,
  disk_full,      // ENOSPC once
  io,             // EIO once
  interrupted,    // EINTR once
  interruptions,  // EINTR from then on
  short_write,    // half of the bytes, and no error
  short_full,     // half of the bytes, then ENOSPC for every write
  killed,         // the process is gone: nothing happens from then on
  too_many,       // EMFILE once, where a file is opened
};

// Files, of the operating system where no others are given, with a fault at the k-th call, counted
// from 0.
class FaultyFileSystem final : public FileSystem {
 public:
  explicit FaultyFileSystem(Fault fault = Fault::none, int at = -1,
                            std::shared_ptr<FileSystem> real = posix_file_system())
      : real_(std::move(real)), fault_(fault), at_(at), count_(std::make_shared<int>(0)) {}

  int n_calls() const { return *count_; }

  int open(const std::string& path, int flags, unsigned mode) override {
    if (fault_ == Fault::too_many && *count_ == at_) {
      ++*count_;
      return -EMFILE;
    }
    return faulty<int>([&] { return real_->open(path, flags, mode); });
  }
  int64_t read_at(int fd, std::span<std::byte> bytes, uint64_t offset) override {
    return faulty<int64_t>([&] { return real_->read_at(fd, bytes, offset); });
  }
  int64_t read(int fd, std::span<std::byte> bytes) override {
    return faulty<int64_t>([&] { return real_->read(fd, bytes); });
  }
  int64_t write(int fd, std::span<const std::byte> bytes) override {
    const bool shortened = fault_ == Fault::short_write || fault_ == Fault::short_full;
    if (shortened && *count_ == at_ && bytes.size() > 1) {
      ++*count_;
      return real_->write(fd, bytes.first(bytes.size() / 2));
    }
    if (fault_ == Fault::short_full && *count_ > at_) {
      ++*count_;
      return -ENOSPC;
    }
    return faulty<int64_t>([&] { return real_->write(fd, bytes); });
  }
  int status(int fd, Status& status) override {
    return faulty<int>([&] { return real_->status(fd, status); });
  }
  int sync(int fd) override {
    return faulty<int>([&] { return real_->sync(fd); });
  }
  int truncate(int fd, uint64_t size) override {
    return faulty<int>([&] { return real_->truncate(fd, size); });
  }
  int rename(const std::string& from, const std::string& to) override {
    return faulty<int>([&] { return real_->rename(from, to); });
  }
  int rename_new(const std::string& from, const std::string& to) override {
    return faulty<int>([&] { return real_->rename_new(from, to); });
  }
  int remove(const std::string& path) override {
    return faulty<int>([&] { return real_->remove(path); });
  }
  int make_folder(const std::string& path) override {
    return faulty<int>([&] { return real_->make_folder(path); });
  }
  int remove_folder(const std::string& path) override {
    return faulty<int>([&] { return real_->remove_folder(path); });
  }
  int list(const std::string& path, std::vector<std::string>& names) override {
    return faulty<int>([&] { return real_->list(path, names); });
  }
  // A lock that fails is none: nobody is told.
  int lock(int fd) override { return real_->lock(fd); }
  // The same faults, counted on, in one folder.
  std::shared_ptr<FileSystem> within(int folder, const std::string& path) override {
    auto files = std::make_shared<FaultyFileSystem>(*this);
    files->real_ = real_->within(folder, path);
    return files;
  }
  // A close that reports a failure has closed all the same; descriptors of a killed process are
  // closed too.
  int close(int fd) override {
    real_->close(fd);
    return faulty<int>([] { return 0; });
  }

 private:
  template <class Result, class Call>
  Result faulty(const Call& call) {
    const int k = (*count_)++;
    if (k == at_) {
      if (fault_ == Fault::disk_full) return -ENOSPC;
      if (fault_ == Fault::io) return -EIO;
      if (fault_ == Fault::interrupted) return -EINTR;
    }
    if (at_ >= 0 && k >= at_) {
      if (fault_ == Fault::interruptions) return -EINTR;
      if (fault_ == Fault::killed) return -EIO;
    }
    return call();
  }

  std::shared_ptr<FileSystem> real_;
  Fault fault_;
  int at_;
  std::shared_ptr<int> count_;
};

}  // namespace gallop::test
