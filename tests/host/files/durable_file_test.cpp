#include <gallop/host/files/durable_file.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "tests/host/expect_error.h"
#include "tests/host/faulty_file_system.h"
#include "tests/host/temporary_folder.h"

namespace gallop {
namespace {

using test::expect_error_with;
using test::Fault;
using test::FaultyFileSystem;
using test::file_text;
using test::names_in;
using test::put_file;
using test::TemporaryFolder;

TEST(DurableFile, WritesAndReplaces) {
  TemporaryFolder folder;
  const auto files = posix_file_system();
  write_file_atomically(*files, folder / "a", std::string_view("one"));
  write_file_atomically(*files, folder / "a", std::string_view("two\0three", 9));
  EXPECT_EQ(file_text(folder / "a"), std::string("two\0three", 9));
  write_file_atomically(*files, folder / "a", std::string_view(""));
  EXPECT_EQ(file_text(folder / "a"), "");
  EXPECT_EQ(names_in(folder.path()).size(), 1u);
}

TEST(DurableFile, EveryFailingCallLeavesTheOldOrTheNew) {
  for (const Fault fault : {Fault::disk_full, Fault::io, Fault::interrupted, Fault::short_write,
                            Fault::short_full, Fault::killed}) {
    for (int k = 0;; ++k) {
      SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + ", call " +
                   std::to_string(k));
      TemporaryFolder folder;
      put_file(folder / "a", "old");
      FaultyFileSystem files(fault, k);
      bool written = false;
      try {
        write_file_atomically(files, folder / "a", std::string_view("the new text"));
        written = true;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::io) << error.what();
      }
      const std::string text = file_text(folder / "a");
      EXPECT_TRUE(text == "the new text" || (!written && text == "old")) << text;
      if (fault != Fault::killed) {
        EXPECT_EQ(names_in(folder.path()).size(), 1u);
      }
      if (k >= files.n_calls()) {
        EXPECT_TRUE(written);
        break;
      }
    }
  }
}

TEST(DurableFile, ANameThatIsTakenIsPassedBy) {
  TemporaryFolder folder;
  const auto files = posix_file_system();
  const std::string taken = temporary_name(folder / "a", ::getpid());
  put_file(taken, "another's");
  // A link in place of the temporary file must not be followed.
  std::filesystem::create_symlink("victim", temporary_name(folder / "a", ::getpid(), 1));
  put_file(folder / "victim", "untouched");
  write_file_atomically(*files, folder / "a", std::string_view("text"));
  EXPECT_EQ(file_text(folder / "a"), "text");
  EXPECT_EQ(file_text(taken), "another's");
  EXPECT_EQ(file_text(folder / "victim"), "untouched");
  EXPECT_EQ(names_in(folder.path()).size(), 4u);
}

TEST(DurableFile, DevFullIsADiskThatIsFull) {
  const auto files = posix_file_system();
  const File file(*files, "/dev/full", O_WRONLY);
  expect_error_with(
      ExitCode::io, [&] { file.write(std::as_bytes(std::span("text"))); }, "/dev/full",
      "No space left");
}

TEST(DurableFile, AFolderThatIsMissingIsAnIoError) {
  const auto files = posix_file_system();
  expect_error_with(
      ExitCode::io, [&] { write_file_atomically(*files, "/nonexistent/a", std::string_view("x")); },
      "/nonexistent/a", "No such file");
}

TEST(DurableFile, ReadsWholeFilesWithinALimit) {
  TemporaryFolder folder;
  const auto files = posix_file_system();
  put_file(folder / "a", "text");
  EXPECT_EQ(read_text_file(*files, folder / "a", 4), "text");
  expect_error_with(
      ExitCode::value, [&] { read_text_file(*files, folder / "a", 3); }, "4 bytes", "at most 3");
  expect_error_with(
      ExitCode::io, [&] { read_text_file(*files, folder / "b", 3); }, "No such file");
  expect_error_with(
      ExitCode::value, [&] { read_text_file(*files, folder.path(), 3); }, "regular file");
  expect_error_with(
      ExitCode::value, [&] { read_text_file(*files, "/dev/zero", 3); }, "regular file");
  std::filesystem::create_symlink("a", folder / "link");
  expect_error_with(
      ExitCode::io, [&] { read_text_file(*files, folder / "link", 9); }, "link");
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  expect_error_with(
      ExitCode::value, [&] { read_text_file(*files, folder / "fifo", 9); }, "regular file");
}

// What a person names may be a pipe, as `<(...)` of a shell is, or a device.
TEST(DurableFile, AGivenPipeIsReadToItsEndAndRefusedWhereNobodyWrites) {
  TemporaryFolder folder;
  const auto files = posix_file_system();
  const std::string fifo = folder / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  expect_error_with(
      ExitCode::value, [&] { read_given_file(*files, fifo, 9); }, fifo, "nobody writes");
  // A slow writer, which has it open before the reader comes, and closes it when all was read.
  const auto writing = [&](const std::vector<std::string>& parts) {
    const int fd = ::open(fifo.c_str(), O_RDWR);
    return std::thread([fd, parts] {
      for (const std::string& part : parts) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        EXPECT_EQ(::write(fd, part.data(), part.size()), ssize_t(part.size()));
      }
      for (int left = 1; left > 0;) ASSERT_EQ(::ioctl(fd, FIONREAD, &left), 0);
      ::close(fd);
    });
  };
  std::thread writer = writing({"ab", "cde"});
  EXPECT_EQ(read_given_file(*files, fifo, 5), "abcde");
  writer.join();
  writer = writing({"abcde"});
  expect_error_with(
      ExitCode::value, [&] { read_given_file(*files, fifo, 4); }, "more than 4 bytes");
  writer.join();
  EXPECT_EQ(read_given_file(*files, "/dev/null", 3), "");
  expect_error_with(
      ExitCode::value, [&] { read_given_file(*files, "/dev/zero", 3); }, "more than 3 bytes");
  expect_error_with(
      ExitCode::io, [&] { read_given_file(*files, folder.path(), 3); }, "directory");
  std::filesystem::create_symlink("fifo", folder / "link");
  expect_error_with(
      ExitCode::value, [&] { read_given_file(*files, folder / "link", 9); }, "nobody writes");
}

TEST(DurableFile, ASignalEndsTheWaitForAPipe) {
  TemporaryFolder folder;
  const auto files = posix_file_system();
  const std::string fifo = folder / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  struct sigaction handled = {}, before = {};
  handled.sa_handler = [](int) {};
  ASSERT_EQ(::sigaction(SIGUSR2, &handled, &before), 0);
  const int silent = ::open(fifo.c_str(), O_RDWR);  // has it open for writing
  std::atomic<bool> has_ended = false;
  const pthread_t reader = ::pthread_self();
  std::thread sender([&] {
    while (!has_ended) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      if (!has_ended) ::pthread_kill(reader, SIGUSR2);
    }
  });
  expect_error_with(
      ExitCode::io, [&] { read_given_file(*files, fifo, 9); }, fifo, "Interrupted");
  has_ended = true;
  sender.join();
  ::close(silent);
  ::sigaction(SIGUSR2, &before, nullptr);
}

TEST(DurableFile, ReadingPastTheEndIsAnIoError) {
  TemporaryFolder folder;
  const auto files = posix_file_system();
  put_file(folder / "a", "text");
  const File file(*files, folder / "a", O_RDONLY);
  std::byte bytes[8];
  expect_error_with(
      ExitCode::io, [&] { file.read_at(2, bytes); }, "ends at byte 4", "6 more");
}

TEST(DurableFile, FoldersOfPaths) {
  EXPECT_EQ(folder_of("a"), ".");
  EXPECT_EQ(folder_of("/a"), "/");
  EXPECT_EQ(folder_of("a/b/c"), "a/b");
}

}  // namespace
}  // namespace gallop
