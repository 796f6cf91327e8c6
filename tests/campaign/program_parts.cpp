// The whole program, killed before each of its calls on files and resumed, or with one of them or
// an allocation failing: it ends with an exit code of its own, and the run with the right bits.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>

#include <gallop/host/error.h>
#include <gallop/host/files/checkpoint_store.h>
#include <gallop/host/files/safetensors.h>
#include "tests/campaign/part.h"
#include "tests/campaign/small_run.h"

namespace gallop::campaign {
namespace {

using Words = std::vector<std::string>;

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

struct Ended {
  int code = -1, signal = 0;
  std::string err;
  long n_calls = 0, n_allocations = 0;  // 0 where it was killed
};

struct FaultAt {
  std::string kind = "";  // as tests/campaign/faulty/main.cpp has it; none where empty
  long at = -1;
};

// A folder of this process's own, in memory.
const std::string& place() {
  static const std::string path = [] {
    std::string name = fmt::format("/dev/shm/gallop-campaign-program-{}", ::getpid());
    std::filesystem::remove_all(name);
    std::filesystem::create_directories(name);
    return name;
  }();
  return path;
}

Ended run_program(const Words& words, const FaultAt& fault) {
  const std::string err = place() + "/err", count = place() + "/count";
  std::filesystem::remove(count);
  Words all = {GALLOP_FAULTY_PROGRAM};
  all.insert(all.end(), words.begin(), words.end());
  std::vector<char*> arguments;
  for (std::string& word : all) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("GALLOP_FAULT_COUNT", count.c_str(), 1);
    if (!fault.kind.empty()) {
      ::setenv("GALLOP_FAULT", fault.kind.c_str(), 1);
      ::setenv("GALLOP_FAULT_AT", std::to_string(fault.at).c_str(), 1);
    }
    const int out = ::open("/dev/null", O_WRONLY);
    const int log = ::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    ::dup2(out, 1);
    ::dup2(log, 2);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  Ended ended;
  if (WIFEXITED(status)) ended.code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  ended.err = file_text(err);
  std::istringstream(file_text(count)) >> ended.n_calls >> ended.n_allocations;
  return ended;
}

// A command that makes a folder, and how to go on with it.
struct Work {
  Words begin, resume;
  std::string run;     // the folder of the run whose state is compared
  std::string folder;  // all of it
};

Work work_of(std::size_t number) {
  const std::string folder = place() + "/work";
  if (number % 4 == 3) {
    const std::string study = place() + "/study.toml";
    std::ofstream(study) << "environment = \"mdp\"\nalgorithm = \"vpg\"\nseeds = 2\nsteps = 32\n"
                            "[options]\nn_envs = 4\nn_steps = 4\nhidden = [4]\neval_episodes = 2\n"
                            "checkpoint_interval = 1\n";
    const Words begin = {"study", study,      "--out", folder,   "--threads",
                         "1",     "--device", "cpu",   "--quiet"};
    Words resume = begin;
    resume.push_back("--resume");
    return {begin, resume, folder + "/runs", folder};
  }
  const char* const tasks[][2] = {{"cartpole", "ppo"}, {"mdp", "trpo"}, {"pendulum", "a2c"}};
  const auto& [environment, algorithm] = tasks[number % 4];
  Words begin = {"train", environment, "--algorithm", algorithm, "--out", folder, "--quiet"};
  for (const char* word : {"--threads", "1", "--device", "cpu", "--steps", "64", "--set",
                           "n_envs=4", "--set", "n_steps=4", "--set", "hidden=4", "--eval-episodes",
                           "2", "--checkpoint-interval", "1", "--set", "checkpoint_seconds=0"}) {
    begin.emplace_back(word);
  }
  return {begin, {"train", "--resume", folder, "--quiet"}, folder, folder};
}

// Of every run below a folder its last checkpoint and its rows.
std::string state_of(const Work& work) {
  std::string state;
  std::vector<std::string> runs;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(work.folder)) {
    if (entry.path().filename() == "config.toml") runs.push_back(entry.path().parent_path());
  }
  std::sort(runs.begin(), runs.end());
  for (const std::string& run : runs) {
    const auto files = posix_file_system();
    if (!exists(*files, run + "/metrics.csv")) continue;
    const LoadResult found = CheckpointStore(run + "/checkpoints").load_newest_good();
    for (const std::string& warning : found.warnings) finding(warning);
    state += run + "\n" + rows_of(run + "/metrics.csv", files);
    if (!exists(*files, run + "/result.json")) state += "no result\n";
    if (!found.checkpoint) continue;
    for (const std::byte byte : write_safetensors(found.checkpoint->file)) state += char(byte);
  }
  return state;
}

struct Right {
  Ended ended;
  std::string state;
};

Right right_of(const Work& work) {
  std::filesystem::remove_all(work.folder);
  const Ended ended = run_program(work.begin, {});
  if (ended.code != 0)
    finding(fmt::format("the work itself ends with {}: {}", ended.code, ended.err));
  return {ended, state_of(work)};
}

bool is_typed(const Ended& ended, bool memory) {
  if (ended.signal != 0) return false;
  if (ended.code == 1) return memory && ended.err.find("out of memory") != std::string::npos;
  return ended.code >= 0 && ended.code <= 8;
}

Ended begin_or_resume(const Work& work, const FaultAt& fault) {
  return run_program(std::filesystem::exists(work.folder) ? work.resume : work.begin, fault);
}

// With the fault, and from then on without one.
void fail(const Work& work, const Right& right, const FaultAt& fault, long second_at,
          Session* session) {
  std::filesystem::remove_all(work.folder);
  const bool kills = fault.kind == "kill";
  const std::string what = fmt::format("{} at {}, then at {}", fault.kind, fault.at, second_at);
  for (const long at : {fault.at, second_at}) {
    if (at < 0) continue;
    const Ended ended = begin_or_resume(work, {fault.kind, at});
    const bool killed = kills && ended.signal == SIGKILL;
    if (killed && session != nullptr) session->count_kill();
    if (!killed && !is_typed(ended, fault.kind == "memory")) {
      finding(fmt::format("{}: ends with {}, signal {}: {}", what, ended.code, ended.signal,
                          ended.err));
    }
  }
  const Ended ended = begin_or_resume(work, {});
  if (ended.code != 0) {
    finding(fmt::format("{}: it cannot go on, {}, signal {}: {}", what, ended.code, ended.signal,
                        ended.err));
  }
  if (kills && !ended.err.empty()) finding(what + ": it complains: " + ended.err);
  const std::string state = state_of(work);
  if (state != right.state) finding(what + ": another state, or other rows");
}

void run_faults(Session& session, const Words& kinds, bool memory) {
  std::mt19937_64 random(session.round());
  for (std::size_t number = 0; !session.is_over(); number = (number + 1) % 4) {
    const Work work = work_of(number);
    const Right right = right_of(work);
    const long n = memory ? right.ended.n_allocations : right.ended.n_calls;
    // Each call once; of allocations, which are many, some.
    for (long k = 0; k < (memory ? 200 : n) && !session.is_over(); k++) {
      const FaultAt fault = {kinds[random() % kinds.size()], memory ? long(random() % n) : k};
      const long second = random() % 3 == 0 ? long(random() % n) : -1;
      session.try_case(fmt::format("{} {} {} {}", number, fault.kind, fault.at, second));
      fail(work, right, fault, second, &session);
    }
  }
}

void repeat_fault(std::string_view input) {
  std::size_t number = 0;
  char kind[16] = "";
  long at = 0, second = -1;
  if (std::sscanf(std::string(input).c_str(), "%zu %15s %ld %ld", &number, kind, &at, &second) != 4)
    return;
  const Work work = work_of(number);
  fail(work, right_of(work), {kind, at}, second, nullptr);
}

}  // namespace

Part kills_part() {
  return {"kills", 6, [](Session& session) { run_faults(session, {"kill"}, false); }, repeat_fault};
}
Part program_calls_part() {
  return {"program_calls", 2,
          [](Session& session) {
            run_faults(session, {"EIO", "ENOSPC", "EINTR", "EMFILE"}, false);
          },
          repeat_fault};
}
Part program_memory_part() {
  return {"program_memory", 2, [](Session& session) { run_faults(session, {"memory"}, true); },
          repeat_fault};
}

}  // namespace gallop::campaign
