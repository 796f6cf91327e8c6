#include "host/training/run_folder.h"

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
        ExitCode::value, [&] { RunFolder::create(folder / name, kConfigText); }, name, "--resume",
        "--out");
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

// With every call failing in turn the folder is there with its configuration, or nothing is.
TEST(RunFolder, IsCompleteOrAbsent) {
  for (const Fault fault : {Fault::disk_full, Fault::io, Fault::short_full, Fault::killed}) {
    for (int k = 0;; ++k) {
      SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + ", call " +
                   std::to_string(k));
      TemporaryFolder folder;
      const auto files = std::make_shared<FaultyFileSystem>(fault, k);
      bool created = false;
      try {
        RunFolder::create(folder / "runs/run", kConfigText, files);
        created = true;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::io) << error.what();
      }
      const bool there = std::filesystem::exists(folder / "runs/run");
      EXPECT_TRUE(there || !created);
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
  TemporaryFolder folder;
  const std::time_t moment = 1772323199;  // 2026-02-28 23:59:59 UTC
  EXPECT_EQ(automatic_run_path("cartpole", "ppo", 7, moment),
            "runs/cartpole-ppo-7-20260228T235959Z");
  const std::string first = automatic_run_path("lqr", "vpg", -1, moment, folder.path());
  EXPECT_EQ(first, folder / "lqr-vpg--1-20260228T235959Z");
  RunFolder::create(first, kConfigText);
  const std::string second = automatic_run_path("lqr", "vpg", -1, moment, folder.path());
  EXPECT_EQ(second, first + "-2");
  RunFolder::create(second, kConfigText);
  EXPECT_EQ(automatic_run_path("lqr", "vpg", -1, moment, folder.path()), first + "-3");
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
