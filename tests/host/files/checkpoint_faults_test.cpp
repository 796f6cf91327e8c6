// What failing disks, limits and kills do to a folder of checkpoints.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include <gallop/host/files/checkpoint_store.h>
#include "tests/host/expect_error.h"
#include "tests/host/faulty_file_system.h"
#include "tests/host/files/run_states.h"
#include "tests/host/temporary_folder.h"

namespace gallop {
namespace {

using test::expect_error;
using test::expect_error_with;
using test::expect_state;
using test::Fault;
using test::FaultyFileSystem;
using test::name;
using test::names_in;
using test::put_file;
using test::state;
using test::TemporaryFolder;
using Names = std::set<std::string>;

// The folder holds 10 and 20, saving 30 meets the fault at call k: for every k, and past the last
// call.
void fail_every_call(Fault fault, bool must_succeed) {
  int n_failed = 0;
  bool faulted = true;
  for (int k = 0; faulted; ++k) {
    SCOPED_TRACE("call " + std::to_string(k));
    TemporaryFolder folder;
    const std::string path = folder / "run";
    CheckpointStore(path).save(10, state(10));
    CheckpointStore(path).save(20, state(20));
    const auto files = std::make_shared<FaultyFileSystem>(fault, k);
    CheckpointStore store(path, 2, files);
    bool saved = false;
    try {
      store.save(30, state(30));
      saved = true;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::io) << error.what();
      EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
      ++n_failed;
    }
    faulted = k < files->n_calls();
    if (must_succeed) {
      EXPECT_TRUE(saved);
    }

    const LoadResult result = CheckpointStore(path).load_newest_good();
    EXPECT_TRUE(result.warnings.empty());
    ASSERT_TRUE(result.checkpoint.has_value());
    EXPECT_TRUE(result.checkpoint->step == 30 || (!saved && result.checkpoint->step == 20));
    expect_state(result, result.checkpoint->step);
    const Names names = names_in(path);
    EXPECT_EQ(names.count(name(20)), 1u);
    if (!saved) {
      EXPECT_EQ(names.count(name(10)), 1u);
    }
    if (fault != Fault::killed) {
      for (const std::string& found : names) EXPECT_TRUE(CheckpointStore::step_in(found)) << found;
    }
    if (!faulted) {
      EXPECT_GE(k, 10);
      EXPECT_EQ(names, (Names{name(20), name(30)}));
    }

    // The same store goes on once the disk is well again.
    CheckpointStore(path).save(40, state(40));
    expect_state(CheckpointStore(path).load_newest_good(), 40);
  }
  EXPECT_EQ(n_failed > 0, !must_succeed);
}

TEST(CheckpointFaults, EveryCallFailsOnceWithDiskFull) { fail_every_call(Fault::disk_full, false); }
TEST(CheckpointFaults, EveryCallFailsOnceWithIoError) { fail_every_call(Fault::io, false); }
TEST(CheckpointFaults, EveryOpeningFailsOnce) { fail_every_call(Fault::too_many, false); }
TEST(CheckpointFaults, EveryCallIsInterruptedOnce) { fail_every_call(Fault::interrupted, true); }
TEST(CheckpointFaults, EveryWriteIsShortOnce) { fail_every_call(Fault::short_write, true); }
TEST(CheckpointFaults, AKillBeforeAnyCallLosesNothing) { fail_every_call(Fault::killed, false); }

TEST(CheckpointFaults, EndlessInterruptionsEndInAnError) {
  TemporaryFolder folder;
  CheckpointStore(folder.path()).save(10, state(10));
  int n_failed = 0;
  for (int k = 0; k < 8; ++k) {
    CheckpointStore store(folder.path(), 2,
                          std::make_shared<FaultyFileSystem>(Fault::interruptions, k));
    try {
      store.save(20, state(20));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::io);
      ++n_failed;
    }
  }
  EXPECT_GE(n_failed, 5);
  EXPECT_EQ(names_in(folder.path()).count(name(10)), 1u);
}

TEST(CheckpointFaults, AShortWriteOnAFullDiskLeavesTheEarlierOnes) {
  TemporaryFolder folder;
  CheckpointStore(folder.path()).save(10, state(10));
  int n_failed = 0;
  for (int k = 0; k < 12; ++k) {
    CheckpointStore store(folder.path(), 2,
                          std::make_shared<FaultyFileSystem>(Fault::short_full, k));
    try {
      store.save(20, state(20));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::io);
      ++n_failed;
    }
    EXPECT_EQ(names_in(folder.path()).count(name(10)), 1u);
  }
  EXPECT_GE(n_failed, 3);
  const LoadResult result = CheckpointStore(folder.path()).load_newest_good();
  ASSERT_TRUE(result.checkpoint.has_value());
  EXPECT_TRUE(result.warnings.empty());
}

TEST(CheckpointFaults, EveryReadFailsOnce) {
  TemporaryFolder folder;
  CheckpointStore(folder.path()).save(10, state(10));
  CheckpointStore(folder.path()).save(20, state(20));
  for (int k = 0;; ++k) {
    const auto files = std::make_shared<FaultyFileSystem>(Fault::io, k);
    CheckpointStore store(folder.path(), 2, files);
    if (k == 0) {
      expect_error(ExitCode::io, [&] { store.load_newest_good(); });
      continue;
    }
    const LoadResult result = store.load_newest_good();
    ASSERT_TRUE(result.checkpoint.has_value());
    if (k >= files->n_calls()) {
      expect_state(result, 20);
      EXPECT_GE(k, 6);
      break;
    }
    expect_state(result, result.checkpoint->step);
    if (result.checkpoint->step == 10) {
      EXPECT_EQ(result.warnings.size(), 1u);
    }
  }
}

TEST(CheckpointFaults, AFolderThatCannotBeIsAnIoError) {
  TemporaryFolder folder;
  put_file(folder / "file", "");
  expect_error_with(
      ExitCode::io, [&] { CheckpointStore(folder / "file").save(1, state(1)); }, "file");
  expect_error_with(
      ExitCode::io, [&] { CheckpointStore(folder / "a/b").save(1, state(1)); }, "a/b");
  expect_error_with(
      ExitCode::io, [&] { CheckpointStore(folder / "file").load_newest_good(); }, "file");
  expect_error_with(
      ExitCode::io, [&] { read_checkpoint(folder / "absent"); }, "absent");
  expect_error_with(
      ExitCode::checkpoint, [&] { read_checkpoint(folder.path()); }, "regular file");
}

// A real limit in place of an injected one: a child that may write 4 KiB a file.
TEST(CheckpointFaults, ALimitOnFileSizeIsAnIoError) {
  TemporaryFolder folder;
  CheckpointStore(folder.path()).save(10, state(10));
  TensorFile large;
  large.put<float>("w", {4096}, std::vector<float>(4096, 1.0f));
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit = {4096, 4096};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, SIG_IGN);
    try {
      CheckpointStore(folder.path()).save(20, large);
      ::_exit(0);
    } catch (const Error& error) {
      ::_exit(error.exit_status());
    }
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(ExitCode::io));
  EXPECT_EQ(names_in(folder.path()), (Names{name(10)}));
}

// A real SIGKILL at some moment of a tight loop of saves, 40 times: nothing torn, nothing lost.
TEST(CheckpointFaults, SurvivesSigkill) {
  TemporaryFolder folder;
  CheckpointStore store(folder.path());
  uint64_t newest = 0;
  for (int round = 0; round < 40; ++round) {
    int saved[2];
    ASSERT_EQ(::pipe(saved), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      CheckpointStore childs_store(folder.path());
      for (uint64_t step = newest + 1;; ++step) {
        childs_store.save(step, state(step));
        if (::write(saved[1], "s", 1) != 1) ::_exit(1);
      }
    }
    char byte = 0;
    for (int i = 0; i <= round % 3; ++i) ASSERT_EQ(::read(saved[0], &byte, 1), 1);
    ::usleep(static_cast<useconds_t>(37 * round % 400));
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    ::close(saved[0]);
    ::close(saved[1]);

    const LoadResult result = store.load_newest_good();
    EXPECT_TRUE(result.warnings.empty());
    ASSERT_TRUE(result.checkpoint.has_value());
    EXPECT_GE(result.checkpoint->step, newest + 1 + static_cast<uint64_t>(round % 3));
    newest = result.checkpoint->step;
    expect_state(result, newest);
    store.remove_leftovers();
    // Also where the kill fell between a rename and the removal of the oldest.
    EXPECT_LE(names_in(folder.path()).size(), 2u);
  }
}

}  // namespace
}  // namespace gallop
