#include <gallop/host/files/checkpoint_store.h>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>

#include <gallop/host/files/safetensors.h>
#include "tests/host/expect_error.h"
#include "tests/host/files/run_states.h"
#include "tests/host/temporary_folder.h"

namespace gallop {
namespace {

using test::expect_error_with;
using test::expect_state;
using test::file_text;
using test::name;
using test::names_in;
using test::put_file;
using test::state;
using test::TemporaryFolder;
using Names = std::set<std::string>;

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

}  // namespace
}  // namespace gallop
