#include "tests/training/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include <gallop/host/files/checkpoint_store.h>
#include <gallop/host/logging/metrics_log.h>
#include "tests/host/temporary_folder.h"

namespace gallop::testing {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string program_path() { return std::string(GALLOP_TEST_BINARY_DIR) + "/bin/gallop"; }

std::string read_if_there(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// Only calls that are allowed between fork and exec.
[[noreturn]] void become_program(char* const* arguments, char* const* environment, const char* out,
                                 const char* err, const ProgramOptions& options) {
  const int in_fd = ::open("/dev/null", O_RDONLY);
  const int out_fd = ::open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int err_fd = ::open(err, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  ::dup2(in_fd, 0);
  ::dup2(out_fd, 1);
  ::dup2(err_fd, 2);
  const auto limited = [](auto resource, long bytes) {
    const rlimit limit = {rlim_t(bytes), rlim_t(bytes)};
    if (bytes > 0) ::setrlimit(resource, &limit);
  };
  limited(RLIMIT_FSIZE, options.file_size_limit);
  limited(RLIMIT_AS, options.memory_limit);
  ::execve(arguments[0], arguments, environment);
  ::_exit(127);
}

}  // namespace

void sleep_seconds(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

Program::Program(const std::vector<std::string>& arguments, const ProgramOptions& options) {
  std::string pattern = ::testing::TempDir() + "gallop-program-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = pattern;
  std::vector<std::string> words = {program_path()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables;
  for (char** v = environ; *v != nullptr; v++) {
    const std::string variable = *v;
    if (!options.environment.contains(variable.substr(0, variable.find('=')))) {
      variables.push_back(variable);
    }
  }
  for (const auto& [name, value] : options.environment) variables.push_back(name + "=" + value);
  std::vector<char*> argv, envp;
  for (std::string& word : words) argv.push_back(word.data());
  for (std::string& variable : variables) envp.push_back(variable.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  const std::string out = options.out_path.empty() ? folder_ + "/out" : options.out_path;
  const std::string err = folder_ + "/err";
  start_ = now();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) {
    become_program(argv.data(), envp.data(), out.c_str(), err.c_str(), options);
  }
}

Program::~Program() {
  if (!ended_) {
    ::kill(pid_, SIGKILL);
    reap(true);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

bool Program::reap(bool block) {
  if (!ended_) ended_ = ::waitpid(pid_, &status_, block ? 0 : WNOHANG) == pid_;
  return ended_;
}

bool Program::running() { return !reap(false); }

void Program::send(int signal) {
  if (!ended_) ::kill(pid_, signal);
}

bool Program::wait_until(const std::function<bool()>& condition) {
  for (const double begin = now(); running() && now() - begin < 60; sleep_seconds(0.001)) {
    if (condition()) return true;
  }
  return false;
}

ProgramResult Program::wait() {
  reap(true);
  ProgramResult result;
  result.seconds = now() - start_;
  if (WIFEXITED(status_)) result.code = WEXITSTATUS(status_);
  if (WIFSIGNALED(status_)) result.signal = WTERMSIG(status_);
  result.out = read_if_there(folder_ + "/out");
  result.err = read_if_there(folder_ + "/err");
  return result;
}

ProgramResult run_program(const std::vector<std::string>& arguments,
                          const ProgramOptions& options) {
  return Program(arguments, options).wait();
}

std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of('\n');
  if (end == std::string::npos) return "";
  const std::size_t begin = text.rfind('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? -1 : long(begin)));
}

std::vector<std::string> checkpoints_in(const std::string& run) {
  std::vector<std::string> names;
  if (!std::filesystem::exists(run + "/checkpoints")) return names;
  for (const std::string& name : test::names_in(run + "/checkpoints")) {
    if (CheckpointStore::step_in(name)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string newest_checkpoint(const std::string& run) {
  const std::vector<std::string> names = checkpoints_in(run);
  EXPECT_FALSE(names.empty()) << run;
  return names.empty() ? "" : test::file_text(run + "/checkpoints/" + names.back());
}

void expect_complete_metrics(const std::string& run, long first, long last) {
  const MetricsTable table = read_metrics_csv(run + "/metrics.csv");
  ASSERT_EQ(long(table.steps.size()), last / first) << run;
  for (std::size_t k = 0; k < table.steps.size(); k++) {
    ASSERT_EQ(long(table.steps[k]), long(k + 1) * first) << run << ", row " << k;
  }
  const std::string json = test::file_text(run + "/metrics.jsonl");
  EXPECT_EQ(std::count(json.begin(), json.end(), '\n'), last / first) << run;
}

void expect_same_rows(const std::string& run, const std::string& whole) {
  const MetricsTable table = read_metrics_csv(run + "/metrics.csv");
  const MetricsTable expected = read_metrics_csv(whole + "/metrics.csv");
  ASSERT_EQ(table.steps, expected.steps) << run;
  const std::string json = test::file_text(run + "/metrics.jsonl");
  EXPECT_EQ(std::count(json.begin(), json.end(), '\n'), long(table.steps.size())) << run;
}

}  // namespace gallop::testing
