#include <gallop/host/training/run_folder.h>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

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
using Names = std::set<std::string>;

constexpr std::string_view kConfigText = "seed = 1\n";

TEST(RunFolder, AppearsWithItsConfiguration) {
  TemporaryFolder folder;
  const RunFolder run = RunFolder::create(folder / "deep/down/run/", kConfigText);
  EXPECT_EQ(run.path(), folder / "deep/down/run");
  EXPECT_EQ(run.config_toml(), kConfigText);
  EXPECT_EQ(run.checkpoints(), folder / "deep/down/run/checkpoints");
  EXPECT_EQ(file_text(run.file("config.toml")), kConfigText);
  EXPECT_EQ(names_in(run.path()), (Names{"config.toml"}));
  EXPECT_EQ(names_in(folder / "deep/down"), (Names{"run"}));
}

TEST(RunFolder, WhatExistsIsLeftAlone) {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder / "empty");
  std::filesystem::create_directory(folder / "full");
  put_file(folder / "full/mine", "mine");
  put_file(folder / "file", "mine");
  std::filesystem::create_symlink("nowhere", folder / "link");
  const Names before = names_in(folder.path());
  for (const char* name : {"empty", "full", "file", "link"}) {
    expect_error_with(
        ExitCode::value, [&] { RunFolder::create(folder / name, kConfigText); }, name, "--out");
  }
  EXPECT_EQ(names_in(folder.path()), before);
  EXPECT_EQ(names_in(folder / "full"), (Names{"mine"}));
  expect_error_with(
      ExitCode::value, [] { RunFolder::create("", kConfigText); }, "empty");
  expect_error_with(
      ExitCode::io, [&] { RunFolder::create(folder / "file/run", kConfigText); }, "file/run");
}

TEST(RunFolder, OpensWhatWasCreated) {
  TemporaryFolder folder;
  { RunFolder::create(folder / "run", kConfigText); }
  const RunFolder run = RunFolder::open(folder / "run/");
  EXPECT_EQ(run.config_toml(), kConfigText);
  EXPECT_EQ(run.result(), std::nullopt);
  run.write_result("{\"bits\":1}");
  EXPECT_EQ(run.result(), "{\"bits\":1}");
  run.write_result("{}");
  EXPECT_EQ(run.result(), "{}");
  EXPECT_EQ(names_in(run.path()), (Names{"config.toml", "result.json"}));
}

TEST(RunFolder, WhatKilledProcessesLeftIsRemoved) {
  TemporaryFolder folder;
  { RunFolder::create(folder / "run", kConfigText); }
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  const std::string dead = std::to_string(child), parent = std::to_string(::getppid());
  put_file(folder / ("run/report.html.tmp." + dead), "half");
  put_file(folder / ("run/result.json.tmp." + dead + ".2"), "half");
  const Names kept = {"config.toml", "mine.txt.tmp." + dead, "report.html.tmp." + parent,
                      "report.html.tmp.x"};
  for (const std::string& name : kept) {
    if (name != "config.toml") put_file(folder / ("run/" + name), "mine");
  }
  const RunFolder run = RunFolder::open(folder / "run");
  EXPECT_EQ(names_in(run.path()), kept);
}

TEST(RunFolder, OnlyARunFolderOpens) {
  TemporaryFolder folder;
  put_file(folder / "file", "");
  std::filesystem::create_directories(folder / "a/config.toml");
  std::filesystem::create_directory(folder / "b");
  put_file(folder / "b/config.toml", std::string((1 << 20) + 1, 'x'));
  for (const char* name : {"absent", "file", ".", "a", "b"}) {
    expect_error_with(
        ExitCode::value, [&] { RunFolder::open(folder / name); }, name);
  }
}

TEST(RunFolder, HasOneWriterAtATime) {
  TemporaryFolder folder;
  {
    const RunFolder run = RunFolder::create(folder / "run", kConfigText);
    expect_error_with(
        ExitCode::value, [&] { RunFolder::open(folder / "run"); }, "another process");
  }
  RunFolder first = RunFolder::open(folder / "run");
  const RunFolder moved = std::move(first);
  expect_error_with(
      ExitCode::value, [&] { RunFolder::open(folder / "run"); }, "another process");
}

TEST(RunFolder, ADeadWriterLocksNothing) {
  TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    const RunFolder run = RunFolder::create(folder / "run", kConfigText);
    ::_exit(0);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_EQ(RunFolder::open(folder / "run").config_toml(), kConfigText);
}

// With every call failing in turn the folder is there with its configuration, or nothing is; what a
// signal interrupts is done again.
TEST(RunFolder, IsCompleteOrAbsent) {
  for (const Fault fault :
       {Fault::disk_full, Fault::io, Fault::interrupted, Fault::short_full, Fault::killed}) {
    for (int k = 0;; ++k) {
      SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + ", call " +
                   std::to_string(k));
      TemporaryFolder folder;
      const auto files = std::make_shared<FaultyFileSystem>(fault, k);
      bool created = false;
      try {
        RunFolder::create(folder / "runs/run", kConfigText, files, {.problem = "states 1\n"});
        created = true;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::io) << error.what();
      }
      const bool there = std::filesystem::exists(folder / "runs/run");
      EXPECT_TRUE(there || !created);
      EXPECT_TRUE(created || fault != Fault::interrupted);
      if (there) {
        EXPECT_EQ(RunFolder::open(folder / "runs/run").config_toml(), kConfigText);
        EXPECT_EQ(names_in(folder / "runs"), (Names{"run"}));
      } else if (fault != Fault::killed && std::filesystem::exists(folder / "runs")) {
        EXPECT_EQ(names_in(folder / "runs"), (Names{}));
      }
      if (k >= files->n_calls()) {
        EXPECT_TRUE(created);
        break;
      }
    }
  }
}

TEST(RunFolder, AutomaticNames) {
  const std::time_t moment = 1772323199;  // 2026-02-28 23:59:59 UTC
  EXPECT_EQ(automatic_run_path("cartpole", "ppo", 7, moment),
            "runs/cartpole-ppo-7-20260228T235959Z");
  EXPECT_EQ(automatic_run_path("lqr", "vpg", -1, moment, "/x"), "/x/lqr-vpg--1-20260228T235959Z");
}

TEST(RunFolder, NumberedNamesAreTheFirstFreeOnes) {
  TemporaryFolder folder;
  EXPECT_EQ(RunFolder::create_numbered(folder / "run", kConfigText).path(), folder / "run");
  EXPECT_EQ(RunFolder::create_numbered(folder / "run/", kConfigText).path(), folder / "run-2");
  put_file(folder / "run-3", "a file");
  std::filesystem::create_directory(folder / "run-4");
  std::filesystem::create_symlink("nowhere", folder / "run-5");
  EXPECT_EQ(RunFolder::create_numbered(folder / "run", kConfigText).path(), folder / "run-6");
  EXPECT_EQ(names_in(folder.path()), (Names{"run", "run-2", "run-3", "run-4", "run-5", "run-6"}));
  EXPECT_TRUE(std::filesystem::is_empty(folder / "run-4"));
}

// Many at once: each gets a folder of its own, and none an error.
TEST(RunFolder, NumberedNamesAreTakenOnce) {
  constexpr int kProcesses = 16;
  TemporaryFolder folder;
  std::vector<pid_t> children;
  for (int k = 0; k < kProcesses; ++k) {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        const std::string mine = "seed = " + std::to_string(k);
        const RunFolder run = RunFolder::create_numbered(folder / "deep/run", mine);
        ::_exit(RunFolder::open_to_read(run.path()).config_toml() == mine ? 0 : 1);
      } catch (...) {
        ::_exit(2);
      }
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(names_in(folder / "deep").size(), size_t{kProcesses});
}

TEST(RunFolder, ReadersNeedNoLockAndChangeNothing) {
  TemporaryFolder folder;
  const RunFolder writer = RunFolder::create(folder / "run", kConfigText);
  const std::string leftover = folder / "run/report.html.tmp.999999999";
  put_file(leftover, "half");
  const RunFolder reader = RunFolder::open_to_read(folder / "run");
  const RunFolder other = RunFolder::open_to_read(folder / "run");
  EXPECT_EQ(reader.config_toml(), kConfigText);
  EXPECT_TRUE(std::filesystem::exists(leftover));
  writer.write_result("{}");
  EXPECT_EQ(reader.result(), "{}");
}

TEST(RunFolder, ReadersKeepNoWriterOut) {
  TemporaryFolder folder;
  { RunFolder::create(folder / "run", kConfigText); }
  const RunFolder reader = RunFolder::open_to_read(folder / "run");
  EXPECT_NO_THROW(RunFolder::open(folder / "run"));
}

// The folder that was opened is the one that is worked in, wherever it is moved to.
TEST(RunFolder, AMovedFolderIsStillThatFolder) {
  TemporaryFolder folder;
  const RunFolder run = RunFolder::create(folder / "run", kConfigText);
  std::filesystem::rename(folder / "run", folder / "moved");
  { RunFolder::create(folder / "run", "another"); }
  run.write_result("{}");
  EXPECT_EQ(file_text(folder / "moved/result.json"), "{}");
  EXPECT_FALSE(std::filesystem::exists(folder / "run/result.json"));
}

TEST(RunFolder, LinksOutOfItAreNotFollowed) {
  TemporaryFolder folder;
  { RunFolder::create(folder / "run", kConfigText); }
  put_file(folder / "secret", "secret = 1");
  for (const char* name : {"config.toml", "result.json"}) {
    const TemporaryFolder hostile;
    { RunFolder::create(hostile / "run", kConfigText); }
    std::filesystem::remove(hostile / "run/" + name);
    std::filesystem::create_symlink(folder / "secret", hostile / "run/" + name);
    expect_error_with(
        ExitCode::io, [&] { RunFolder::open_to_read(hostile / "run").result(); }, name, "link");
  }
  // A write replaces the link, not what it leads to.
  const RunFolder run = RunFolder::open(folder / "run");
  std::filesystem::create_symlink(folder / "secret", folder / "run/result.json");
  run.write_result("{}");
  EXPECT_EQ(file_text(folder / "secret"), "secret = 1");
  EXPECT_FALSE(std::filesystem::is_symlink(folder / "run/result.json"));
}

TEST(RunFolder, AFolderThatIsNamedByALinkOpens) {
  TemporaryFolder folder;
  { RunFolder::create(folder / "run", kConfigText); }
  std::filesystem::create_symlink("run", folder / "latest");
  EXPECT_EQ(RunFolder::open(folder / "latest").config_toml(), kConfigText);
}

TEST(RunFolder, NamesMayBeAsLongAsTheFileSystemHasThem) {
  TemporaryFolder folder;
  for (const std::string& name : {std::string(255, 'x'), std::string(250, 'y'), [] {
                                    std::string umlauts;
                                    for (int k = 0; k < 127; ++k) umlauts += "\xc3\xbc";
                                    return umlauts;
                                  }()}) {
    const RunFolder run = RunFolder::create(folder / name, kConfigText);
    EXPECT_EQ(file_text(run.file("config.toml")), kConfigText);
  }
  EXPECT_EQ(names_in(folder.path()).size(), 3u);
  expect_error_with(
      ExitCode::io, [&] { RunFolder::create(folder / std::string(256, 'x'), kConfigText); },
      "name too long");
  EXPECT_EQ(names_in(folder.path()).size(), 3u);
}

// What a killed process left of the folder goes when the folder is made; what lives, or is another
// name's, stays.
TEST(RunFolder, LeftoversOfTheNameAreRemoved) {
  TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  const std::string dead = ".tmp." + std::to_string(child), long_name(255, 'x');
  const std::string parent = ".tmp." + std::to_string(::getppid());
  const std::string cut =
      temporary_name(folder / long_name, child, 3).substr(folder.path().size() + 1);
  for (const std::string& name : {"run" + dead, "run" + dead + ".2", cut, "run" + parent,
                                  "other" + dead, "run" + dead + "x", "run.2" + dead}) {
    std::filesystem::create_directory(folder / name);
    put_file(folder / (name + "/config.toml"), "half");
  }
  put_file(folder / ("run" + dead + "/config.toml.tmp.5"), "half");
  { RunFolder::create(folder / "run", kConfigText); }
  { RunFolder::create(folder / long_name, kConfigText); }
  EXPECT_EQ(names_in(folder.path()), (Names{"run", long_name, "run" + parent, "other" + dead,
                                            "run" + dead + "x", "run.2" + dead}));
  // One that somebody put something into is left alone.
  std::filesystem::create_directory(folder / ("run" + dead));
  put_file(folder / ("run" + dead + "/notes"), "mine");
  { RunFolder::create_numbered(folder / "run", kConfigText); }
  EXPECT_EQ(file_text(folder / ("run" + dead + "/notes")), "mine");
}

TEST(RunFolder, KeepsItsProblem) {
  TemporaryFolder folder;
  {
    RunFolder::create(folder / "run", kConfigText, posix_file_system(), {.problem = "states 1\n"});
  }
  EXPECT_EQ(RunFolder::open_to_read(folder / "run").problem(), "states 1\n");
  EXPECT_EQ(names_in(folder / "run"), (Names{"config.toml", "problem.mdp"}));
  { RunFolder::create(folder / "plain", kConfigText); }
  EXPECT_EQ(RunFolder::open_to_read(folder / "plain").problem(), std::nullopt);
}

TEST(RunFolder, FilesAreReplacedWhole) {
  TemporaryFolder folder;
  atomic_write_file(folder / "report.html", "one");
  atomic_write_file(folder / "report.html", "two");
  EXPECT_EQ(file_text(folder / "report.html"), "two");
  expect_error_with(
      ExitCode::io, [] { atomic_write_file("/proc/no/such", "x"); }, "/proc/no/such");
}

}  // namespace
}  // namespace gallop
