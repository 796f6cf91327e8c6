// Names, files and folders that somebody else has made: nothing outside a run folder is opened or
// removed, nothing in it is obeyed by a terminal, and every name works or is refused before the
// work.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <list>
#include <nlohmann/json.hpp>
#include <set>

#include <gallop/host/files/checkpoint_store.h>
#include "tests/host/temporary_folder.h"
#include "tests/training/program.h"

namespace gallop::testing {
namespace {

using test::file_text;
using test::names_in;
using test::put_file;
using test::TemporaryFolder;
using Words = std::vector<std::string>;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

Words small(const std::string& run, const Words& more = {}, const std::string& steps = "4096") {
  Words words = {"train",           "cartpole",  "--device", "cpu",        "--steps", steps,
                 "--set",           "n_envs=32", "--set",    "n_steps=32", "--set",   "hidden=8",
                 "--eval-episodes", "3",         "--json",   "--out",      run};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST(HostileFolder, EveryNameOfARunWorks) {
  const TemporaryFolder folder;
  for (const std::string& name :
       {std::string("run\xff"), std::string("a b"), std::string("it's"), std::string("\"q\""),
        std::string("line\nbreak"), std::string("\x1b[31mred"), std::string("東京"),
        std::string("$(touch x)"), std::string(255, 'n'), std::string("\xc3\x28")}) {
    const std::string run = folder / name;
    const ProgramResult result = run_program(small(run));
    ASSERT_EQ(result.code, 0) << name << "\n" << result.err;
    EXPECT_TRUE(nlohmann::json::accept(last_line(result.out))) << result.out;
    EXPECT_TRUE(nlohmann::json::accept(file_text(run + "/result.json")));
    for (const Words& words : {Words{"eval", run, "--json", "--device", "cpu"},
                               Words{"train", "--resume", run, "--json"}}) {
      const ProgramResult again = run_program(words);
      EXPECT_EQ(again.code, 0) << name << "\n" << again.err;
      EXPECT_TRUE(nlohmann::json::accept(last_line(again.out))) << again.out;
    }
    const ProgramResult text = run_program({"train", "--resume", run});
    EXPECT_EQ(text.out.find('\x1b'), std::string::npos) << text.out;
  }
}

TEST(HostileFolder, AMovedRunTellsWhereItIs) {
  const TemporaryFolder folder;
  ASSERT_EQ(run_program(small(folder / "run")).code, 0);
  std::filesystem::rename(folder / "run", folder / "moved");
  const ProgramResult result = run_program({"train", "--resume", folder / "moved", "--json"});
  EXPECT_EQ(nlohmann::json::parse(last_line(result.out))["run"], folder / "moved");
}

TEST(HostileFolder, AResultThatIsNoneIsMadeAgain) {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  ASSERT_EQ(run_program(small(run)).code, 0);
  const auto bits = nlohmann::json::parse(file_text(run + "/result.json"))["bits"];
  for (const char* text : {"", "{", "{}", "[1]", "null", "{\"bits\": 3}", "\xff"}) {
    put_file(run + "/result.json", text);
    const ProgramResult result = run_program({"train", "--resume", run, "--json"});
    ASSERT_EQ(result.code, 0) << text << result.err;
    EXPECT_NE(result.err.find("result.json"), std::string::npos) << result.err;
    EXPECT_EQ(nlohmann::json::parse(last_line(result.out))["bits"], bits);
  }
}

// What the configuration of a run names is not opened: a FIFO would hold whoever opens it.
TEST(HostileFolder, FilesThatOnlyTheConfigurationNamesStayShut) {
  const TemporaryFolder folder;
  const std::string run = folder / "run", trap = folder / "trap";
  ASSERT_EQ(run_program({"train", "mdp", "--device", "cpu", "--steps", "500", "--out", run}).code,
            0);
  ASSERT_EQ(::mkfifo(trap.c_str(), 0600), 0);
  std::string config = file_text(run + "/config.toml");
  const std::size_t place = config.find("file = \"\"");
  ASSERT_NE(place, std::string::npos) << config;
  config.replace(place, 9, "file = \"" + trap + "\"");
  put_file(run + "/config.toml", config);
  std::filesystem::remove(run + "/result.json");
  for (const Words& words : {Words{"eval", run, "--device", "cpu"}, Words{"train", "--resume", run},
                             Words{"render", run, "--out", folder / "x.html"}}) {
    const ProgramResult result = run_program(words);
    EXPECT_TRUE(result.code == 3 || result.code == 4) << words[0] << result.code << result.err;
    EXPECT_NE(result.err.find(trap), std::string::npos) << result.err;
  }
}

TEST(HostileFolder, LinkedFoldersAreNotFollowed) {
  const TemporaryFolder folder;
  const std::string victim = folder / "victim", run = folder / "run";
  ASSERT_EQ(run_program(small(victim, {"--checkpoint-interval", "1"})).code, 0);
  ASSERT_EQ(run_program(small(run, {"--checkpoint-interval", "1"})).code, 0);
  const auto before = names_in(victim + "/checkpoints");
  std::filesystem::remove_all(run + "/checkpoints");
  std::filesystem::remove(run + "/result.json");
  std::filesystem::create_symlink("../victim/checkpoints", run + "/checkpoints");
  for (const Words& words : {Words{"train", "--resume", run}, Words{"eval", run}}) {
    const ProgramResult result = run_program(words);
    EXPECT_EQ(result.code, 4) << result.err;
    EXPECT_NE(result.err.find("symbolic link"), std::string::npos) << result.err;
  }
  EXPECT_EQ(names_in(victim + "/checkpoints"), before);
  // Logs that are links are no better.
  std::filesystem::remove(run + "/checkpoints");
  put_file(folder / "precious", "mine");
  for (const char* name : {"metrics.csv", "metrics.jsonl", "sessions.jsonl"}) {
    std::filesystem::remove(run + "/" + name);
    std::filesystem::create_symlink("../precious", run + "/" + name);
    EXPECT_NE(run_program({"train", "--resume", run}).code, 0) << name;
    EXPECT_EQ(file_text(folder / "precious"), "mine") << name;
    std::filesystem::remove(run + "/" + name);
  }
}

// A link that the command names, or that stays within its run, is as good as the file.
TEST(HostileFolder, LinkedCheckpointsAreRead) {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  ASSERT_EQ(run_program(small(run)).code, 0);
  const std::string name = checkpoints_in(run).back(), checkpoint = run + "/checkpoints/" + name;
  std::filesystem::create_symlink(checkpoint, folder / "best.safetensors");
  EXPECT_EQ(run_program({"render", "cartpole", "--policy", folder / "best.safetensors", "--out",
                         folder / "a.html"})
                .code,
            0);
  std::filesystem::rename(checkpoint, run + "/kept.safetensors");
  std::filesystem::create_symlink("../kept.safetensors", checkpoint);
  EXPECT_EQ(run_program({"eval", run}).code, 0);
  std::filesystem::rename(run + "/kept.safetensors", folder / "kept.safetensors");
  std::filesystem::remove(checkpoint);
  std::filesystem::create_symlink("../../kept.safetensors", checkpoint);
  EXPECT_EQ(run_program({"eval", run}).code, 4) << "it leads out of the run";
}

TEST(HostileFolder, EndlessConfigurationsEnd) {
  const TemporaryFolder folder;
  ProgramOptions limited;
  limited.memory_limit = kSanitized ? 0 : 2L << 30;
  for (const Words& words :
       {Words{"train", "cartpole", "--config", "/dev/zero", "--out", folder / "run"},
        Words{"study", "/dev/./zero", "--out", folder / "study"},
        Words{"train", "mdp", "--set", "file=/dev/zero", "--out", folder / "mdp"}}) {
    const ProgramResult result = run_program(words, limited);
    EXPECT_EQ(result.code, 3) << words[0] << result.err;
    EXPECT_NE(result.err.find("1048576"), std::string::npos) << result.err;
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

// A checkpoint's texts are somebody's: none of them moves the cursor.
TEST(HostileFolder, EscapeSequencesOfFilesAreSpelledOut) {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  ASSERT_EQ(run_program(small(run)).code, 0);
  const std::string checkpoint = run + "/checkpoints/" + checkpoints_in(run).back();
  TensorFile file = read_checkpoint(checkpoint);
  file.set_text("options", "environment=\x1b]0;owned\x07\x1b[2J\nalgorithm=ppo\n");
  CheckpointStore(run + "/checkpoints").save(999999, file);
  put_file(run + "/config.toml",
           file_text(run + "/config.toml") + "\n\"\\u001b[31m\" = \"\\u001b[2J\"\n");
  for (const Words& words :
       {Words{"eval", run}, Words{"train", "--resume", run},
        Words{"render", "cartpole", "--policy", run + "/checkpoints/step_000000999999.safetensors",
              "--out", folder / "x.html"}}) {
    const ProgramResult result = run_program(words);
    EXPECT_NE(result.code, 0);
    EXPECT_EQ((result.err + result.out).find_first_of("\x1b\x07"), std::string::npos) << result.err;
  }
}

TEST(HostileFolder, ReadersAndWritersMeet) {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  Program training(small(run, {"--checkpoint-interval", "1"}, "100000000"));
  ASSERT_TRUE(training.wait_until([&] { return checkpoints_in(run).size() == 2; }));
  for (int k = 0; k < 5; ++k) {
    const ProgramResult result = run_program({"eval", run, "--device", "cpu", "--threads", "1"});
    EXPECT_EQ(result.code, 0) << result.err;
  }
  EXPECT_TRUE(training.running());
  const ProgramResult second = run_program({"train", "--resume", run});
  EXPECT_EQ(second.code, 3);
  EXPECT_EQ(second.err.find("--out"), std::string::npos) << "--resume knows no --out";
}

TEST(HostileFolder, RunsThatBeginTogetherHaveAFolderEach) {
  const TemporaryFolder folder;
  std::list<Program> programs;
  const std::string before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  for (int k = 0; k < 6; ++k) {
    programs.emplace_back(Words{"train", "cartpole", "--device", "cpu", "--steps", "1", "--json",
                                "--threads", "1", "--eval-episodes", "1"});
  }
  std::filesystem::current_path(before);
  std::set<std::string> runs;
  for (Program& program : programs) {
    const ProgramResult result = program.wait();
    ASSERT_EQ(result.code, 0) << result.err;
    runs.insert(nlohmann::json::parse(last_line(result.out))["run"].get<std::string>());
  }
  EXPECT_EQ(runs.size(), 6u);
  EXPECT_EQ(names_in(folder / "runs").size(), 6u);
}

TEST(HostileFolder, ARunKeepsHowItWasComputed) {
  const TemporaryFolder folder;
  const std::string run = folder / "run";
  ASSERT_EQ(run_program(small(run, {"--threads", "1"})).code, 0);
  std::filesystem::remove(run + "/result.json");
  ASSERT_EQ(run_program({"train", "--resume", run}).code, 0);
  const std::string text = file_text(run + "/sessions.jsonl");
  ASSERT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  const auto first = nlohmann::json::parse(text.substr(0, text.find('\n')));
  for (const char* key : {"date", "version", "compiler", "device", "threads", "command"}) {
    EXPECT_TRUE(first.contains(key)) << key;
  }
  EXPECT_EQ(first["threads"], 1);
  EXPECT_EQ(first["command"][2], "cartpole");
}

TEST(SystemLimits, ThreadsThatCannotBeStartedAreAnError) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer needs more memory than the limit leaves";
  const TemporaryFolder folder;
  ProgramOptions limited;
  limited.memory_limit = 300L << 20;
  const ProgramResult result = run_program(small(folder / "run", {"--threads", "512"}), limited);
  EXPECT_EQ(result.signal, 0);
  EXPECT_EQ(result.code, 5) << result.err;
  EXPECT_NE(result.err.find("--threads"), std::string::npos) << result.err;
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
}

TEST(SystemLimits, MoreThreadsThanProcessorsAreWarnedOf) {
  const TemporaryFolder folder;
  const ProgramResult result = run_program(small(folder / "run", {"--threads", "300"}));
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_NE(result.err.find("300 threads"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace gallop::testing
