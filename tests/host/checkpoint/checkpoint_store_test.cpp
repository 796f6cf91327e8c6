#include "host/checkpoint/checkpoint_store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>

#include "host/checkpoint/safetensors.h"
#include "tests/host/expect_error.h"
#include "tests/host/faulty_file_system.h"
#include "tests/host/temporary_folder.h"

namespace gallop {
namespace {

using test::expect_error;
using test::expect_error_with;
using test::Fault;
using test::FaultyFileSystem;
using test::file_text;
using test::names_in;
using test::put_file;
using test::TemporaryFolder;
using Names = std::set<std::string>;

TensorFile state(uint64_t step) {
  TensorFile file;
  std::vector<float> weights(64, 0.5f * static_cast<float>(step));
  file.put<float>("w", {64}, weights);
  return file;
}

std::string name(uint64_t step) { return CheckpointStore::file_name(step); }

void expect_state(const LoadResult& result, uint64_t step) {
  ASSERT_TRUE(result.checkpoint.has_value());
  EXPECT_EQ(result.checkpoint->step, step);
  EXPECT_EQ(result.checkpoint->file.tensor("w").bytes, state(step).tensor("w").bytes);
}

TEST(CheckpointStore, NamesHoldTheStep) {
  EXPECT_EQ(name(123456), "step_000000123456.safetensors");
  EXPECT_EQ(CheckpointStore::step_in("step_000000123456.safetensors"), 123456u);
  for (const char* other : {"", "step_123456.safetensors", "step_00000012345a.safetensors",
                            "step_-00000123456.safetensors", "step_+00000123456.safetensors",
                            "step_0000000123456.safetensors", "Step_000000123456.safetensors",
                            "step_000000123456.safetensors.tmp.12", "step_000000123456.safetensor",
                            "step_ 00000123456.safetensors"}) {
    EXPECT_FALSE(CheckpointStore::step_in(other).has_value()) << other;
  }
}

TEST(CheckpointStore, KeepsTheNewest) {
  TemporaryFolder folder;
  CheckpointStore store(folder / "checkpoints", 2);
  EXPECT_FALSE(store.load_newest_good().checkpoint.has_value());
  for (uint64_t step = 10; step <= 50; step += 10) {
    EXPECT_EQ(store.save(step, state(step)), folder / "checkpoints/" + name(step));
  }
  EXPECT_EQ(names_in(folder / "checkpoints"), (Names{name(40), name(50)}));
  const LoadResult result = CheckpointStore(folder / "checkpoints").load_newest_good();
  expect_state(result, 50);
  EXPECT_TRUE(result.warnings.empty());
}

TEST(CheckpointStore, ANewStoreRotatesWhatAnEarlierOneWrote) {
  TemporaryFolder folder;
  for (uint64_t step = 1; step <= 4; ++step)
    CheckpointStore(folder.path(), 10).save(step, state(step));
  CheckpointStore(folder.path(), 2).save(5, state(5));
  EXPECT_EQ(names_in(folder.path()), (Names{name(4), name(5)}));
}

TEST(CheckpointStore, SavingAStepAgainReplacesIt) {
  TemporaryFolder folder;
  CheckpointStore store(folder.path());
  store.save(1, state(0));
  store.save(1, state(1));
  expect_state(store.load_newest_good(), 1);
  EXPECT_EQ(names_in(folder.path()), (Names{name(1)}));
}

TEST(CheckpointStore, RefusesWhatItCannotName) {
  TemporaryFolder folder;
  expect_error_with(
      ExitCode::value, [&] { CheckpointStore(folder.path(), 0); }, "at least 1");
  expect_error_with(
      ExitCode::value, [&] { CheckpointStore(folder.path()).save(1'000'000'000'000, state(0)); },
      "at most");
}

// What may have happened to a folder with the good checkpoints 10 and 20, and what is to be loaded.
struct Layout {
  const char* what;
  std::function<void(const TemporaryFolder&)> change;
  int step;        // -1: none is good, an error; 0: none at all
  int n_warnings;  // or, with an error, the names that stand in its message
};

std::string damaged(const std::string& path) {
  std::string text = file_text(path);
  text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
  return text;
}

void damage(const std::string& path) { put_file(path, damaged(path)); }

std::vector<Layout> layouts() {
  const std::string newest = name(20);
  const std::string older = name(10);
  return {
      {"untouched", [](const TemporaryFolder&) {}, 20, 0},
      {"newest damaged", [=](const TemporaryFolder& f) { damage(f / newest); }, 10, 1},
      {"newest cut",
       [=](const TemporaryFolder& f) { std::filesystem::resize_file(f / newest, 100); }, 10, 1},
      {"newest empty", [=](const TemporaryFolder& f) { put_file(f / newest, ""); }, 10, 1},
      {"newest grown",
       [=](const TemporaryFolder& f) { put_file(f / newest, file_text(f / newest) + "x"); }, 10, 1},
      {"newest zeroed",
       [=](const TemporaryFolder& f) {
         put_file(f / newest, std::string(file_text(f / newest).size(), '\0'));
       },
       10, 1},
      {"newest is a text", [=](const TemporaryFolder& f) { put_file(f / newest, "hello, world"); },
       10, 1},
      {"newest is a folder",
       [=](const TemporaryFolder& f) {
         std::filesystem::remove(f / newest);
         std::filesystem::create_directory(f / newest);
       },
       10, 1},
      {"newest is a FIFO",
       [=](const TemporaryFolder& f) {
         std::filesystem::remove(f / newest);
         ASSERT_EQ(::mkfifo((f / newest).c_str(), 0600), 0);
       },
       10, 1},
      {"newest is a link to a good one",
       [=](const TemporaryFolder& f) {
         std::filesystem::remove(f / newest);
         std::filesystem::create_symlink(older, f / newest);
       },
       10, 1},
      {"newest is a link to nothing",
       [=](const TemporaryFolder& f) { std::filesystem::create_symlink("nowhere", f / name(30)); },
       20, 1},
      {"newest is a copy of an older one",
       [=](const TemporaryFolder& f) { std::filesystem::copy_file(f / older, f / name(30)); }, 20,
       1},
      {"newest is a safetensors file of another writer",
       [=](const TemporaryFolder& f) {
         const auto bytes = write_safetensors(state(30));
         put_file(f / name(30), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
       },
       20, 1},
      {"newest has a format of the future",
       [=](const TemporaryFolder& f) {
         TensorFile file = state(30);
         file.set_text("gallop.format", "2");
         file.set_text("gallop.step", "30");
         const auto bytes = write_safetensors(file);
         put_file(f / name(30), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
       },
       20, 1},
      {"older damaged", [=](const TemporaryFolder& f) { damage(f / older); }, 20, 0},
      {"newest missing", [=](const TemporaryFolder& f) { std::filesystem::remove(f / newest); }, 10,
       0},
      {"both damaged",
       [=](const TemporaryFolder& f) {
         damage(f / newest);
         damage(f / older);
       },
       -1, 2},
      {"both missing",
       [=](const TemporaryFolder& f) {
         std::filesystem::remove(f / newest);
         std::filesystem::remove(f / older);
       },
       0, 0},
      {"temporary file left over",
       [=](const TemporaryFolder& f) { put_file(f / (name(30) + ".tmp.999999999"), "half"); }, 20,
       0},
      {"complete temporary file left over",
       [=](const TemporaryFolder& f) {
         std::filesystem::copy_file(f / newest, f / (name(30) + ".tmp.1.2"));
       },
       20, 0},
      {"foreign files",
       [=](const TemporaryFolder& f) {
         put_file(f / "notes.txt", "mine");
         put_file(f / "step_30.safetensors", "mine");
         put_file(f / "step_999999999999.safetensors.bak", "mine");
         std::filesystem::create_directory(f / "step_000000000040");
       },
       20, 0},
      {"three damaged above",
       [=](const TemporaryFolder& f) {
         for (uint64_t step : {30, 40, 50}) put_file(f / name(step), damaged(f / newest));
       },
       20, 3},
  };
}

TEST(CheckpointStore, FallsBackToTheNewestGoodOfEveryLayout) {
  for (const Layout& layout : layouts()) {
    SCOPED_TRACE(layout.what);
    TemporaryFolder folder;
    CheckpointStore(folder.path()).save(10, state(10));
    CheckpointStore(folder.path()).save(20, state(20));
    layout.change(folder);
    const Names before = names_in(folder.path());

    CheckpointStore store(folder.path());
    if (layout.step < 0) {
      expect_error_with(
          ExitCode::checkpoint, [&] { store.load_newest_good(); }, name(10), name(20), "good");
    } else {
      const LoadResult result = store.load_newest_good();
      EXPECT_EQ(result.warnings.size(), static_cast<size_t>(layout.n_warnings));
      for (const std::string& warning : result.warnings) {
        EXPECT_NE(warning.find(folder.path() + "/step_"), std::string::npos) << warning;
      }
      if (layout.step == 0) {
        EXPECT_FALSE(result.checkpoint.has_value());
      }
      if (layout.step > 0) expect_state(result, static_cast<uint64_t>(layout.step));
    }
    EXPECT_EQ(names_in(folder.path()), before);

    // Going on from there removes nothing but good checkpoints of this run that are too old.
    store.save(60, state(60));
    store.save(70, state(70));
    Names after = names_in(folder.path());
    EXPECT_EQ(after.count(name(60)) + after.count(name(70)), 2u);
    for (const std::string& kept : before) {
      if (after.count(kept) == 0) {
        EXPECT_TRUE(kept == name(10) || kept == name(20)) << kept;
      }
    }
    for (const std::string& now : after) {
      EXPECT_TRUE(before.count(now) == 1 || now == name(60) || now == name(70)) << now;
    }
    expect_state(CheckpointStore(folder.path()).load_newest_good(), 70);
  }
}

TEST(CheckpointStore, DamagedAndForeignFilesAreNeverRemoved) {
  TemporaryFolder folder;
  CheckpointStore(folder.path()).save(10, state(10));
  put_file(folder / name(5), "damaged");
  put_file(folder / (name(4) + ".tmp.77"), "not mine");
  CheckpointStore store(folder.path(), 1);
  for (uint64_t step = 20; step < 30; ++step) store.save(step, state(step));
  EXPECT_EQ(names_in(folder.path()), (Names{name(4) + ".tmp.77", name(5), name(29)}));
}

TEST(CheckpointStore, LeftoversOfDeadProcessesAreRemovedOnRequest) {
  TemporaryFolder folder;
  const pid_t dead = ::fork();
  if (dead == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(dead, nullptr, 0), dead);
  const std::string alive = name(1) + ".tmp." + std::to_string(::getppid());
  const Names kept = {alive,
                      name(1) + ".tmp.x",
                      name(1) + ".tmp.",
                      name(1) + ".tmp.-5",
                      name(1) + ".tmp.0",
                      "notes.tmp." + std::to_string(dead),
                      name(1) + ".tmp." + std::to_string(dead) + ".0",
                      name(1) + ".tmp." + std::to_string(dead) + ".1x"};
  for (const std::string& file : kept) put_file(folder / file, "");
  put_file(folder / (name(1) + ".tmp." + std::to_string(dead)), "");
  put_file(folder / (name(1) + ".tmp." + std::to_string(dead) + ".3"), "");
  put_file(folder / (name(1) + ".tmp." + std::to_string(::getpid())), "");
  CheckpointStore(folder.path()).remove_leftovers();
  EXPECT_EQ(names_in(folder.path()), kept);
}

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

TEST(CheckpointStore, EveryCallFailsOnceWithDiskFull) { fail_every_call(Fault::disk_full, false); }
TEST(CheckpointStore, EveryCallFailsOnceWithIoError) { fail_every_call(Fault::io, false); }
TEST(CheckpointStore, EveryCallIsInterruptedOnce) { fail_every_call(Fault::interrupted, true); }
TEST(CheckpointStore, EveryWriteIsShortOnce) { fail_every_call(Fault::short_write, true); }
TEST(CheckpointStore, AKillBeforeAnyCallLosesNothing) { fail_every_call(Fault::killed, false); }

TEST(CheckpointStore, EndlessInterruptionsEndInAnError) {
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

TEST(CheckpointStore, AShortWriteOnAFullDiskLeavesTheEarlierOnes) {
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

TEST(CheckpointStore, EveryReadFailsOnce) {
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

TEST(CheckpointStore, AFolderThatCannotBeIsAnIoError) {
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
TEST(CheckpointStore, ALimitOnFileSizeIsAnIoError) {
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
TEST(CheckpointStore, SurvivesSigkill) {
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
    // The kill may fall between a rename and the removal of the oldest.
    EXPECT_LE(names_in(folder.path()).size(), 3u);
  }
}

}  // namespace
}  // namespace gallop
